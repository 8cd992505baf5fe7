"""The voices that can speak on this machine, as programs are told of them."""

import msgspec

from actors.voices import catalogue, tags
from actors.voices.here import Machine


class Voice(msgspec.Struct, frozen=True):
    """A voice: who it sounds like, and in what. `language` and `accent` are BCP-47 tags."""

    id: str
    name: str
    gender: str
    language: str
    accent: str
    description: str


def voices(machine: Machine) -> tuple[Voice, ...]:
    """Those that can now, the quickest engine's first."""
    return tuple(shown(one) for one in catalogue.catalogue().voices if not machine.lacks(one))


def shown(voice: catalogue.Voice) -> Voice:
    """A voice of the catalogue, by the name that it goes by here."""
    name = (*voice.aliases, voice.id)[0]
    told = f"{voice.engine.title()}'s {voice.name}. {voice.style}".strip()
    language = tags.language(voice.reads[0])
    return Voice(name, voice.name.title(), voice.gender, language, voice.languages[0], told)
