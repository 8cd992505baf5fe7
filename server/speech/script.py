"""What is to be said, line by line: who says it, how fast, and the pauses between."""

import asyncio
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec
from msgspec.structs import replace

from actors.respelling import Said
from actors.spelled import Spelling
from actors.voices import tags
from actors.voices.routing import Part
from server.access.denied import Denied
from server.speech import say_as
from server.speech.speakers import MOST_PARTS, Speakers
from server.speech.ssml import (
    LONGEST_PAUSE_MS,
    Marked,
    SayAs,
    SsmlError,
    Stretch,
    has_inline,
    inline,
    is_ssml,
    parse,
    unmarked,
)

MOST_TOLD = 20
"""Names in a header."""


class Line(msgspec.Struct, frozen=True):
    """A part of the text, said `rate` times as fast as all of it, and what in it is `said`
    otherwise, by characters of the whole text. A pause is behind it.
    """

    part: Part
    rate: float = 1.0
    said: tuple[Said, ...] = ()
    pause_ms: int = 0


class Script(msgspec.Struct, frozen=True):
    """Lines that leave nothing of their `text` out. Nothing came of what was `ignored`."""

    text: str
    lines: tuple[Line, ...]
    ignored: tuple[str, ...] = ()


def nothing(_text: str) -> Sequence[Said]:
    """Of no dictionary."""
    return ()


async def marked(text: str, *, tags_inline: bool = False) -> Marked:
    """The text, read as SSML if it says that it is. `tags_inline`: some tags may also stand in what
    is none. Raises `Denied`.
    """
    try:
        if is_ssml(text):
            return await asyncio.to_thread(parse, text)
        if tags_inline and has_inline(text):
            return await asyncio.to_thread(inline, text)
    except SsmlError as error:
        raise Denied(400, "invalid_ssml", str(error)) from error
    return unmarked(text)


async def script(
    speakers: Speakers,
    marked: Marked,
    voice: str | None,
    language: str | None,
    spelling: Spelling = nothing,
    usual: str = "en",
) -> Script:
    """Who says which part of a text, in the `language` that is asked for, or told by its marks, or
    found; a few letters that tell none are in the `usual`. What the marks say of a stretch comes
    before what a dictionary says. Raises `Denied`.
    """
    if len(marked.stretches) > MOST_PARTS:
        text = f"the text has {len(marked.stretches)} marked stretches: {MOST_PARTS} are the most"
        raise Denied(400, "invalid_value", text)
    told = (
        ()
        if all(one.language for one in marked.stretches)
        else await speakers.parts(marked.text, voice, language, usual)
    )
    lines: list[Line] = []
    before_ms = 0
    for stretch in marked.stretches:
        if stretch.language is None:
            found = list(lines_of(stretch, told))
        else:
            found = list(lines_of(stretch, await within(speakers, marked.text, stretch, voice)))
        if found and before_ms:  # a pause with which the text begins
            start = found[0].part.start_char
            silent = Part("", start, start, found[0].part.chosen)
            lines.append(Line(silent, pause_ms=before_ms))
        before_ms = 0 if found else min(before_ms + stretch.pause_ms, LONGEST_PAUSE_MS)
        lines += found
    if len(lines) > MOST_PARTS:
        text = f"the text changes voices {len(lines)} times: {MOST_PARTS} are the most"
        raise Denied(400, "invalid_value", text)
    if not marked.said and spelling is nothing:
        return Script(marked.text, tuple(lines), marked.ignored)
    return await asyncio.to_thread(respelt, marked, lines, spelling)


async def within(
    speakers: Speakers, text: str, stretch: Stretch, voice: str | None
) -> tuple[Part, ...]:
    """The parts of a stretch that tells its language."""
    at = stretch.start_char
    parts = await speakers.parts(text[at : stretch.end_char], voice, stretch.language)
    return tuple(
        replace(part, start_char=part.start_char + at, end_char=part.end_char + at)
        for part in parts
    )


def lines_of(stretch: Stretch, parts: Sequence[Part]) -> Iterator[Line]:
    """The parts as far as they lie in the stretch. One with nothing to say still has its pause."""
    found: list[Line] = []
    first = bisect_left(parts, stretch.start_char, key=lambda part: part.end_char)
    for part in islice(parts, first, None):
        if part.start_char > stretch.end_char:
            break
        start = max(part.start_char, stretch.start_char)
        end = min(part.end_char, stretch.end_char)
        if start < end or (not found and start == end):
            text = part.text[start - part.start_char : end - part.start_char]
            own = Part(text, start, end, part.chosen)
            found.append(Line(own, stretch.rate))
    if found:
        found[-1] = replace(found[-1], pause_ms=stretch.pause_ms)
    return iter(found)


def respelt(marked: Marked, lines: Sequence[Line], spelling: Spelling) -> Script:
    """The script, with all that is said otherwise."""
    ignored = dict.fromkeys(marked.ignored)
    every = joined(marked.said, spelling(marked.text))
    found = [with_said(line, every, marked.text, ignored) for line in lines]
    return Script(marked.text, tuple(found), tuple(ignored))


def joined(marks: Sequence[Said | SayAs], rules: Sequence[Said]) -> list[Said | SayAs]:
    """Both, in the order of the text: of two that overlap the mark."""
    found = list(marks)
    for rule in rules:
        at = bisect_left(found, rule.start_char, key=lambda one: one.start_char)
        free = at == len(found) or found[at].start_char >= rule.end_char
        if free and (at == 0 or found[at - 1].end_char <= rule.start_char):
            found.insert(at, rule)
    return found


def with_said(
    line: Line, every: Sequence[Said | SayAs], text: str, ignored: dict[str, None]
) -> Line:
    """The line with what is said otherwise in it; what its voice cannot is added to `ignored`."""
    part = line.part
    english = tags.language(part.chosen.language) == "en"
    said: list[Said] = []
    at = bisect_left(every, part.start_char, key=lambda one: one.start_char)
    for one in every[at:]:
        if one.start_char >= part.end_char:
            break
        if one.end_char > part.end_char:  # another voice, a pause or a rate begins in it
            ignored[name_of(one)] = None
            continue
        match one:
            case SayAs(start, end, kind, form):
                if not say_as.is_known(kind):
                    ignored["say-as"] = None
                alias = say_as.alias(text[start:end], kind, form, english=english)
                if alias is not None:
                    said.append(Said(start, end, alias))
            case Said(ipa=ipa) if ipa and part.chosen.voice.engine == "espeak":
                ignored["phoneme"] = None
            case Said():
                said.append(one)
    return replace(line, said=tuple(said))


def name_of(one: Said | SayAs) -> str:
    """The tag that asks for it."""
    if isinstance(one, SayAs):
        return "say-as"
    return "phoneme" if one.ipa else "sub"


def told(script: Script) -> dict[str, str]:
    """Headers that say who speaks, in order, and what nothing came of."""
    voices = [line.part.chosen.voice for line in script.lines]
    headers = {
        "x-voiceforge-voice": ", ".join(dict.fromkeys(voice.id for voice in voices)),
        "x-voiceforge-engine": ", ".join(dict.fromkeys(voice.engine for voice in voices)),
    }
    if script.ignored:
        headers["x-voiceforge-warning"] = f"ignored: {', '.join(script.ignored[:MOST_TOLD])}"
    return headers
