"""Voices and models as ElevenLabs' SDKs list them."""

from collections.abc import Collection, Iterable

import msgspec

from actors.voices.here import Machine
from server.access.denied import Denied
from server.eleven import aliases
from server.eleven.wanted import VoiceSettings
from server.speech import voices
from server.speech.speaking import LONGEST_CHARS
from server.speech.voices import OwnVoice, Voice

CATEGORY = "premade"
"""Of every voice here: nobody's own."""

VOICE_TYPE = "default"

NEUTRAL = VoiceSettings(1.0, 0.5, 0.75, 0.0, True)


class VerifiedLanguage(msgspec.Struct, frozen=True):
    """What a voice speaks."""

    language: str
    model_id: str
    accent: str


class ElevenVoice(msgspec.Struct, frozen=True):
    """A voice, and where it is heard. There are no samples, or settings of one's own. `voiceforge`
    is what ElevenLabs does not tell of one.
    """

    voice_id: str
    name: str
    labels: dict[str, str]
    description: str
    verified_languages: list[VerifiedLanguage]
    voiceforge: OwnVoice
    category: str = CATEGORY
    samples: None = None
    preview_url: str | None = None
    available_for_tiers: tuple[str, ...] = ()
    settings: VoiceSettings = NEUTRAL
    high_quality_base_model_ids: tuple[str, ...] = tuple(aliases.MODELS)
    is_owner: bool = False
    is_legacy: bool = False
    is_mixed: bool = False


class ElevenVoices(msgspec.Struct, frozen=True):
    """All of them."""

    voices: list[ElevenVoice]


class VoicePage(msgspec.Struct, frozen=True):
    """Some of the `total_count` that were found; the token leads to those that follow."""

    voices: list[ElevenVoice]
    has_more: bool
    total_count: int
    next_page_token: str | None = None


class Language(msgspec.Struct, frozen=True):
    """A language by its BCP-47 tag."""

    language_id: str
    name: str


class Rates(msgspec.Struct, frozen=True):
    """What a character counts."""

    character_cost_multiplier: float = 1.0


class ElevenModel(msgspec.Struct, frozen=True):
    """A name under which texts are spoken."""

    model_id: str
    name: str
    can_be_finetuned: bool = False
    can_do_text_to_speech: bool = True
    can_do_voice_conversion: bool = False
    can_use_style: bool = False
    can_use_speaker_boost: bool = False
    serves_pro_voices: bool = False
    token_cost_factor: float = 1.0
    description: str = "An alias: the voices of this server speak, whatever the name."
    requires_alpha_access: bool = False
    max_characters_request_free_user: int = LONGEST_CHARS
    max_characters_request_subscribed_user: int = LONGEST_CHARS
    maximum_text_length_per_request: int = LONGEST_CHARS
    languages: tuple[Language, ...] = (Language("en", "English"),)
    model_rates: Rates = Rates()
    concurrency_group: str = "standard"


def every_model() -> list[ElevenModel]:
    """Every name that a text may be sent with."""
    return [ElevenModel(model_id, name) for model_id, name in aliases.MODELS.items()]


def every_voice(machine: Machine) -> list[ElevenVoice]:
    """Every voice that can speak, under its own name."""
    return [shown(voice, voice.id, voice.name) for voice in voices.voices(machine)]


def voice_of(voice_id: str, machine: Machine) -> ElevenVoice:
    """The voice that speaks under an id, be it an alias. Raises `Denied`."""
    asked = aliases.speaks(voice_id)
    if lacks := machine.lacks(asked):
        text = f"voice {asked.id} cannot speak on this machine: {lacks}"
        raise Denied(404, "voice_not_here", text)
    voice = voices.shown(asked)
    if aliases.named(voice_id) is not None:
        return shown(voice, voice_id, voice.name)
    return shown(voice, voice_id, aliases.VOICES.get(voice_id, voice_id.title()))


def shown(voice: Voice, voice_id: str, name: str) -> ElevenVoice:
    """A voice under a name."""
    labels = {
        "language": voice.language,
        "gender": voice.gender,
        "accent": voice.accent,
        "use_case": "conversational" if voice.own.converses else "narration",
    }
    told = voice.description if name == voice.name else f"Spoken by {voice.id!r} here"
    verified = VerifiedLanguage(voice.language, aliases.MODEL, voice.accent)
    return ElevenVoice(voice_id, name, labels, told, [verified], voice.own)


class Sought(msgspec.Struct, frozen=True):
    """What is looked for; None is any. `search` stands somewhere in what is told of a voice."""

    search: str | None = None
    category: str | None = None
    voice_type: str | None = None
    gender: str | None = None
    accent: str | None = None
    language: Collection[str] | None = None
    voice_ids: Collection[str] | None = None


def found(sought: Sought, machine: Machine) -> list[ElevenVoice]:
    """The voices that are all of it."""
    some = every_voice(machine)
    if sought.voice_ids is not None:
        asked = (known(one, machine) for one in dict.fromkeys(sought.voice_ids))
        some = [voice for voice in asked if voice is not None]
    return [voice for voice in some if fits(voice, sought)]


def known(voice_id: str, machine: Machine) -> ElevenVoice | None:
    """Whoever speaks under this id; None if nobody does."""
    try:
        return voice_of(voice_id, machine)
    except Denied:
        return None


def fits(voice: ElevenVoice, sought: Sought) -> bool:
    """Whether the voice is all of what is looked for, its id left out."""
    told = " ".join([voice.voice_id, voice.name, voice.description, *voice.labels.values()])
    labels = voice.labels
    return (
        (sought.search is None or sought.search.casefold() in f"{told} {CATEGORY}".casefold())
        and sought.category in (None, CATEGORY)
        and sought.voice_type in (None, VOICE_TYPE)
        and sought.gender in (None, labels["gender"])
        and sought.accent in (None, labels["accent"])
        and (sought.language is None or labels["language"] in sought.language)
    )


def page_of(some: Iterable[ElevenVoice], size: int, after: str | None) -> VoicePage:
    """The next ones; `after` is the token of the page before. Raises `Denied` for another."""
    every = list(some)
    ids = [voice.voice_id for voice in every]
    if after is not None and after not in ids:
        text = f"next_page_token is {after[:64]!r}: it must be that of the page before"
        raise Denied(400, "invalid_page_token", text)
    at = 0 if after is None else ids.index(after) + 1
    shown_now = every[at : at + size]
    more = at + size < len(every)
    return VoicePage(shown_now, more, len(every), shown_now[-1].voice_id if more else None)
