"""What ElevenLabs' clients ask to be spoken."""

from typing import Annotated

import msgspec
from msgspec import Meta

from server.eleven.aliases import MODEL
from server.speech.dictionaries import MOST, Locator
from server.speech.speaking import LONGEST_CHARS

Speed = Annotated[float, Meta(ge=0.7, le=1.2)]
"""1 is as the voice speaks."""

Share = Annotated[float, Meta(ge=0, le=1)]


class VoiceSettings(msgspec.Struct, frozen=True):
    """How the voice speaks. No voice here has anything but a `speed`: the rest is accepted."""

    speed: Speed | None = None
    stability: Share | None = None
    similarity_boost: Share | None = None
    style: Share | None = None
    use_speaker_boost: bool | None = None


class TextToSpeech(msgspec.Struct, frozen=True):
    """The text, and how it is spoken: it may be SSML, or have <break/> and <phoneme> in it. Without
    a `language_code` its language is found. The same text always sounds the same, whatever the
    `seed`. What stands before and behind it is accepted, and not needed.
    """

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_CHARS)]
    model_id: str = MODEL
    voice_settings: VoiceSettings | None = None
    language_code: str | None = None
    seed: Annotated[int, Meta(ge=0, le=4294967295)] | None = None
    previous_text: str | None = None
    next_text: str | None = None
    pronunciation_dictionary_locators: Annotated[list[Locator], Meta(max_length=MOST)] | None = None


def speed_of(settings: VoiceSettings | None) -> float:
    """As it is spoken."""
    return 1.0 if settings is None or settings.speed is None else settings.speed
