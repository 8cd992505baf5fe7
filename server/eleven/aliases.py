"""ElevenLabs' names, so that a stock client's configuration works here unchanged."""

from actors.stt_router import Recogniser
from actors.voices.catalogue import UnknownVoice, Voice, catalogue
from server.access.denied import Denied
from server.speech import names
from transports.realtime import aliases as openai

MODEL = "eleven_multilingual_v2"
"""What speaks where a client names no model."""

MODELS = {
    "eleven_v3": "Eleven v3",
    MODEL: "Eleven Multilingual v2",
    "eleven_flash_v2_5": "Eleven Flash v2.5",
    "eleven_turbo_v2_5": "Eleven Turbo v2.5",
    "eleven_flash_v2": "Eleven Flash v2",
    "eleven_turbo_v2": "Eleven Turbo v2",
    "eleven_multilingual_v1": "Eleven Multilingual v1",
    "eleven_monolingual_v1": "Eleven English v1",
}
"""Every one of them speaks with the voices that are here."""

SCRIBE = "scribe_v2"

SCRIBES = ("scribe_v1", "scribe_v1_experimental", SCRIBE)
"""What hears recordings."""

REALTIME_SCRIBE = "scribe_v2_realtime"

VOICES = {
    "JBFqnCBsd6RMkjVDRZzb": "George",
    "21m00Tcm4TlvDq8ikWAM": "Rachel",
    "EXAVITQu4vr4xnSDxMaL": "Sarah",
    "9BWtsMINqrJLrRacOk9x": "Aria",
    "CwhRBWXzGAHq8TQ4Fs17": "Roger",
    "FGY2WhTYpPnrIDTdsKH5": "Laura",
    "IKne3meq5aSn9XLyUdCD": "Charlie",
    "N2lVS1w4EtoT3dr4eOWO": "Callum",
    "SAz9YHcvj6GT2YYXdXww": "River",
    "TX3LPaxmHKxFdv7VOQHJ": "Liam",
    "Xb7hH8MSUJpSbSDYk0k2": "Alice",
    "XrExE9yKIg1WjnnlVkGX": "Matilda",
    "bIHbv24MWmeRgasZH58o": "Will",
    "cgSgspJ2msm6clMCkdW9": "Jessica",
    "cjVigY5qzO86Huf0OWal": "Eric",
    "iP95p4xoKVk53GoZ742B": "Chris",
    "nPczCjzI2devNBz1zQrb": "Brian",
    "onwK4e9ZLuTAKqWW03F9": "Daniel",
    "pFZP5JQG7iQjIQuC4Bku": "Lily",
    "pqHfZKP75CvOlQylNhV4": "Bill",
    "pNInz6obpgDQGcFmaJgB": "Adam",
    "AZnzlk1XvdvUeBnXmlld": "Domi",
    "ErXwobaYiN019PkySvjV": "Antoni",
    "MF3mGyEYCl7XYWbV9V6O": "Elli",
    "TxGEqnHWrfWFTfGW9XjX": "Josh",
    "VR6AewLTigWG4xSOukaG": "Arnold",
    "yoZ06aMxZJJ28mfd3POQ": "Sam",
}
"""The voices of its examples and its own default ones, by their ids."""

SPEAKS = openai.DEFAULT_VOICE
"""For all of these, as for OpenAI's names: the voice here that is clearest in English."""


def named(voice_id: str) -> str | None:
    """The voice that is asked for; None for a stock name, which any may have. Raises `Denied`."""
    if voice_id in VOICES or openai.VOICES.get(voice_id, voice_id) != voice_id:
        return None
    try:
        return catalogue().voice(voice_id).id
    except UnknownVoice:
        text = f"there is no voice {voice_id[:64]!r}: GET /v1/voices lists those that there are"
        raise Denied(404, "voice_not_found", text) from None


def speaks(voice_id: str) -> Voice:
    """Who has this id, or speaks English under it. Raises `Denied`."""
    return catalogue().voice(named(voice_id) or SPEAKS)


def check_model(model_id: str) -> None:
    """Raises `Denied` for a name that stands for nothing here."""
    known = (*MODELS, *names.MODELS)
    if model_id not in known:
        text = f"there is no model {model_id[:64]!r}: choose one of {', '.join(known)}"
        raise Denied(400, "model_not_found", text)


def recogniser(model_id: str) -> Recogniser:
    """Who hears a recording under this name: of ElevenLabs' names, OpenAI's or this server's.
    Raises `Denied`.
    """
    check_scribe(model_id, every_scribe())
    return "fast" if model_id == openai.FAST_TRANSCRIBER else "many"


def check_scribe(model_id: str, known: tuple[str, ...]) -> None:
    """Raises `Denied` for a name that is none of those."""
    if model_id not in known:
        text = f"there is no model {model_id[:64]!r} that transcribes: choose one of"
        raise Denied(400, "model_not_found", f"{text} {', '.join(known)}")


def every_scribe() -> tuple[str, ...]:
    """Every name under which a recording is heard."""
    return (*SCRIBES, *openai.TRANSCRIBERS)
