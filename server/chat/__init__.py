"""The language model for programs, as OpenAI's SDKs ask for it."""
