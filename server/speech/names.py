"""Stock names of speech models, so that a stock client's configuration works here unchanged."""

MODELS = ("voiceforge", "tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""All of them speak with the voices that are here."""
