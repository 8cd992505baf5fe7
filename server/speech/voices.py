"""The voices that can speak here."""

import msgspec


class Voice(msgspec.Struct, frozen=True):
    """A voice: who it sounds like, and in what. `language` is a BCP-47 tag."""

    id: str
    name: str
    gender: str
    language: str
    accent: str
    description: str


JAPANESE = "Kokoro's, of a Japanese speaker, heard in English"

VOICES = (
    Voice("joe", "Joe", "male", "en", "american", "Piper's, clear and quick"),
    Voice("jm_kumo", "Kumo", "male", "en", "japanese", JAPANESE),
    Voice("jf_alpha", "Alpha", "female", "en", "japanese", JAPANESE),
    Voice("jf_gongitsune", "Gongitsune", "female", "en", "japanese", JAPANESE),
    Voice("jf_nezumi", "Nezumi", "female", "en", "japanese", JAPANESE),
    Voice("jf_tebukuro", "Tebukuro", "female", "en", "japanese", JAPANESE),
)


def voices() -> tuple[Voice, ...]:
    """All of them, the clearest first."""
    return VOICES
