"""Sections as passages: some sentences each, which say one thing and which the model reads whole.

Passages end where sentences end, and never reach across a heading.
"""

import re
from collections.abc import Iterable, Iterator

from server.knowledge.reading import Section
from storage.passages import Passage

PASSAGE_TOKENS = 180
"""The model reads 256 (`actors.minilm`), the heading's among them. The count here is a guess: of
3,746 passages of /usr/share/doc 1 in 100 has over 248 tokens, 6 in 1,000 over 256."""

HEADING_CHARACTERS = 200
"""Of a heading, from its end: so much is kept."""

OVERLAP_TOKENS = 30
"""Of the end of a passage, in whole sentences, the next one begins with so much: what "it" and
"they" refer to."""

TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|[^\W\d_]{1,7}|\d{1,3}|[^\w\s]|_"
)
"""About one of the model's tokens, whose vocabulary is English."""

SENTENCE_END = re.compile(
    r"(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bNo)(?<!\bMrs)(?<!\be\.g)(?<!\bi\.e)(?<!\b[A-Z])"
    r"[.!?…]+[\"'”’»)\]]*\s+(?=[\"'“‘«(\[]*[^\W_a-z])|[。！？]+[」』”]*|\n"
)


def tokens(text: str) -> int:
    """About how many the model makes of it."""
    return sum(1 for _ in TOKEN.finditer(text))


def passages(sections: Iterable[Section]) -> Iterator[Passage]:
    """The passages of a document, numbered from 0."""
    number = 0
    for section in sections:
        heading = section.heading[-HEADING_CHARACTERS:]
        room = PASSAGE_TOKENS - tokens(heading)
        for start, end in _spans(section.text, room):
            text = section.text[start:end].strip()
            if TOKEN.search(text):
                yield Passage(number, heading, section.position + start, text)
                number += 1


def _spans(text: str, room: int) -> Iterator[tuple[int, int]]:
    """Where each passage begins and ends."""
    held: list[tuple[int, int, int]] = []  # sentences: start, end, tokens
    fresh = False  # whether there is more in it than the end of the one before
    for sentence in _sentences(text, room):
        if held and sum(size for *_, size in held) + sentence[2] > room:
            if fresh:
                yield held[0][0], held[-1][1]
            held = _end_of(held) if fresh else []
            if sum(size for *_, size in held) + sentence[2] > room:
                held = []
        held.append(sentence)
        fresh = True
    if fresh:
        yield held[0][0], held[-1][1]


def _end_of(held: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The last sentences, as many as the overlap takes."""
    total, first = 0, len(held)
    while first > 1 and total + held[first - 1][2] <= OVERLAP_TOKENS:
        first -= 1
        total += held[first][2]
    return held[first:]


def _sentences(text: str, room: int) -> Iterator[tuple[int, int, int]]:
    """Start, end and tokens of each; one that no passage can take comes in parts."""
    start = 0
    for found in SENTENCE_END.finditer(text):
        yield from _parts(text, start, found.end(), room)
        start = found.end()
    yield from _parts(text, start, len(text), room)


def _parts(text: str, start: int, end: int, room: int) -> Iterator[tuple[int, int, int]]:
    count, begin = 0, start
    for found in TOKEN.finditer(text, start, end):
        if count == room:
            space = text.rfind(" ", begin + 1, found.start())
            cut = space if space > begin + (found.start() - begin) // 2 else found.start()
            yield begin, cut, room
            begin, count = cut, tokens(text[cut : found.start()])
        count += 1
    if count:
        yield begin, end, count
