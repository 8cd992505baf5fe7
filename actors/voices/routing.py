"""Who speaks: the best voice that is here for a language, for a voice's name, or for neither.

Nothing of it touches the network or a model; `Machine` says what is here.
"""

from typing import Literal

import msgspec

from actors.voices import tags
from actors.voices.catalogue import ENGINES, Catalogue, Voice, catalogue
from actors.voices.here import Machine
from actors.voices.languages import runs
from actors.voices.scripts import LATIN, TOLD_APART
from actors.voices.weights import unasked

Otherwise = Literal["error", "fallback"]
"""What is done when the voice that is asked for cannot speak, or not this language."""


class NoVoice(LookupError):
    """No voice that is here speaks a language; the text says what would help."""


class VoiceNotHere(LookupError):
    """The voice that is asked for cannot speak on this machine; the text says what to do."""


class WrongLanguage(ValueError):
    """The voice that is asked for does not read the language; the text says which it reads."""


class Chosen(msgspec.Struct, frozen=True):
    """Who speaks, and the language of what is spoken; `instead_of` whom, if that voice cannot."""

    voice: Voice
    language: str
    instead_of: str = ""


class Part(msgspec.Struct, frozen=True):
    """A stretch of a text, and who speaks it. Stretches follow each other and leave nothing out."""

    text: str
    start_char: int
    end_char: int
    chosen: Chosen


def choose(
    machine: Machine,
    *,
    language: str | None = None,
    voice: str | None = None,
    usual: str = "en",
    otherwise: Otherwise = "error",
    among: Catalogue | None = None,
) -> Chosen:
    """Who speaks a text in `language` (a BCP 47 tag), if asked by name the `voice` (id or alias).

    Without a language it is the voice's own, or the `usual` one. The engine decides first, in the
    order of `ENGINES`, then the region, then whether it must be loaded first, then whether it is a
    woman or a man as the voice asked for.
    Raises `UnknownVoice`, `NoVoice`, and unless `otherwise` has another voice take its place,
    `VoiceNotHere` and `WrongLanguage`.
    """
    voices = among or catalogue()
    if voice is None:
        return Chosen(_best(voices, machine, language or usual, ""), language or usual)
    asked = voices.voice(voice)
    wanted = language or (*asked.reads, *asked.languages)[0]
    refused = _refused(asked, machine, wanted)
    if refused is None:
        return Chosen(asked, wanted)
    if otherwise == "error":
        raise refused
    return Chosen(_best(voices, machine, wanted, asked.gender), wanted, asked.id)


def parts(
    text: str,
    machine: Machine,
    *,
    language: str | None = None,
    voice: str | None = None,
    usual: str = "en",
    otherwise: Otherwise = "error",
    among: Catalogue | None = None,
) -> tuple[Part, ...]:
    """Who speaks each part of `text`; neighbours that one voice speaks in one language are one.

    The text is split where its script changes, and each run's language found, unless `language`
    says it. A few letters that tell none are the voice's language, or the `usual`. An espeak-ng
    voice also reads what is in Latin letters, whatever its language: names, mostly. Raises as
    `choose`; an empty text has no parts.
    """
    voices = among or catalogue()
    asked = None if voice is None else voices.voice(voice)
    own = (*asked.reads, *asked.languages)[0] if asked else usual
    found: list[Part] = []
    known: dict[str, Chosen] = {}  # a text may have as many runs as characters
    for run in runs(text, own, language or _untold(own, asked)):
        spoken = run.language
        if asked and asked.engine == "espeak" and run.script == LATIN and not _reads(asked, spoken):
            spoken = own
        if spoken not in known:
            known[spoken] = choose(
                machine, language=spoken, voice=voice, otherwise=otherwise, among=voices
            )
        chosen = known[spoken]
        start = found.pop().start_char if found and found[-1].chosen == chosen else run.start_char
        found.append(Part(text[start : run.end_char], start, run.end_char, chosen))
    return tuple(found)


def _untold(own: str, asked: Voice | None) -> str | None:
    """A voice's language if none of our means could find it: then the text is taken to be in it."""
    return own if asked and tags.language(own) not in TOLD_APART else None


def _reads(voice: Voice, wanted: str) -> bool:
    return any(tags.nearness(tag, wanted) > tags.OTHER for tag in voice.reads)


def _may_speak_unasked(voice: Voice) -> bool:
    """Of those that were fetched only whose licence asks for nothing."""
    return voice.weights != "hub" or unasked(voice)


def _refused(voice: Voice, machine: Machine, wanted: str) -> VoiceNotHere | WrongLanguage | None:
    if lacks := machine.lacks(voice):
        return VoiceNotHere(f"voice {voice.id} cannot speak on this machine: {lacks}")
    if not _reads(voice, wanted):
        reads = ", ".join(voice.reads)
        return WrongLanguage(f"voice {voice.id} reads {reads} and no {wanted}: choose another")
    return None


def _best(voices: Catalogue, machine: Machine, wanted: str, gender: str) -> Voice:
    able = [voice for voice in voices.voices if _reads(voice, wanted)]
    here = [voice for voice in able if not machine.lacks(voice) and _may_speak_unasked(voice)]
    if not here:
        helps = [machine.lacks(voice) for voice in able if voice.weights in ("here", "program")]
        raise NoVoice(
            f"no voice here speaks {wanted}: "
            + (
                helps[-1]
                if helps
                else "no engine of this server can; `voiceforge voices` lists all"
            )
        )

    def order(voice: Voice) -> tuple[int, int, bool, bool]:
        near = max(tags.nearness(tag, wanted) for tag in voice.reads)
        other = bool(gender) and voice.gender != gender
        return ENGINES.index(voice.engine), -near, voice.weights == "hub", other

    return min(here, key=order)
