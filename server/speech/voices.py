"""The voices that can speak on this machine, as programs are told of them."""

from collections.abc import Mapping

import msgspec

from actors.voices import catalogue, tags
from actors.voices.catalogue import Engine
from actors.voices.here import Machine
from transports.realtime import aliases


class OwnVoice(msgspec.Struct, frozen=True):
    """What only this server tells of a voice. `engine` makes its speech; a `natural` one was learnt
    from people, the others sound like a machine. It `converses` if sessions may have it: all read
    aloud. It speaks where a session names nobody if it is the `default`, and under the stock names
    `aliases`, too.
    """

    engine: Engine
    natural: bool
    converses: bool
    default: bool = False
    aliases: tuple[str, ...] = ()


class Voice(msgspec.Struct, frozen=True):
    """A voice: who it sounds like, and in what. `language` and `accent` are BCP-47 tags."""

    id: str
    name: str
    gender: str
    language: str
    accent: str
    description: str
    own: OwnVoice


def voices(machine: Machine) -> tuple[Voice, ...]:
    """Those that can now, the quickest engine's first."""
    return tuple(shown(one) for one in catalogue.catalogue().voices if not machine.lacks(one))


def shown(voice: catalogue.Voice) -> Voice:
    """A voice of the catalogue, by the name that it goes by here."""
    ident = (*voice.aliases, voice.id)[0]
    language = tags.language(voice.reads[0])
    accent = voice.languages[0]
    told = described(voice)
    return Voice(ident, named(voice.name), voice.gender, language, accent, told, own(voice, ident))


def own(voice: catalogue.Voice, ident: str) -> OwnVoice:
    """What only this server tells."""
    return OwnVoice(
        voice.engine,
        natural=voice.engine != "espeak",
        converses=ident in aliases.VOICES.values(),
        default=ident == aliases.DEFAULT_VOICE,
        aliases=tuple(n for n, speaks in aliases.VOICES.items() if speaks == ident and n != ident),
    )


def named(name: str) -> str:
    """A name of a published list as people write names: some lists have file names there."""
    return name.replace("_", " ").title() if name == name.lower() else name


MADE: Mapping[Engine, str] = {
    "piper": "Natural, by Piper",
    "kokoro": "Natural, by Kokoro",
    "espeak": "Robotic, by espeak-ng",
}


def described(voice: catalogue.Voice) -> str:
    """How it sounds, in a line."""
    return ", ".join(part for part in (MADE[voice.engine], voice.style) if part)
