"""A transcript as ElevenLabs' SDKs read it."""

import msgspec

from server.eleven.exports import Exported, exported
from server.eleven.languages import code_of
from server.eleven.speech_to_text import SpeechToText
from server.eleven.words import Word, timed, untimed
from server.transcription.told import Told


class Transcript(msgspec.Struct, frozen=True):
    """What was said. `language_probability` is 1 of a language that was asked for; else it is how
    sure the recogniser is of the words that it heard in it, as it tells nothing nearer.
    """

    language_code: str
    language_probability: float
    text: str
    words: list[Word]
    audio_duration_secs: float
    additional_formats: list[Exported] | None = None


def transcript(asked: SpeechToText, told: Told) -> Transcript:
    """The answer."""
    granularity = asked.timestamps_granularity
    if granularity == "none":
        words = untimed(told.text, told.confidence)
    else:
        words = list(timed(told.text, told.words, by_character=granularity == "character"))
    return Transcript(
        code_of(told.language),
        1.0 if asked.language_code else round(told.confidence, 4),
        told.text,
        words,
        told.duration_ms / 1000,
        [exported(told, export) for export in asked.additional_formats] or None,
    )
