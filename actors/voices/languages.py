"""Which languages a text is in: by its scripts, and within a script by its letters (py3langid)."""

from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec

from actors.voices.scripts import HAN, KNOWN, TOLD_APART, has_kana, script_of
from actors.voices.tags import language

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SURE: Final = 0.5
"""The share of the probability, among the languages of a script, from which on one is taken for
found. It finds the language of every sentence in samples.toml but Malay (it says Indonesian), and
takes none of 24 short English phrases for another; "Bonjour" and "New York" are below it."""

FEWEST: Final = 4
"""Fewer letters tell nothing, however sure the model is: it takes 你好 for Cantonese."""

ENOUGH_CHARS: Final = 1000
"""A longer text is judged by its beginning."""


class Run(msgspec.Struct, frozen=True):
    """A stretch of a text in one script, the marks behind it included, and its language's tag."""

    start_char: int
    end_char: int
    script: str
    language: str


def runs(text: str, usual: str = "en", said: str | None = None) -> tuple[Run, ...]:
    """The stretches of `text`, all of it; none of an empty text.

    What is in one script is taken for one language. `usual` is expected where a few letters tell
    none. `said` is what the text is known to be in: it holds for every script that this language is
    written in, or if nothing is known of it, for the script that most letters are of. A tag that is
    given keeps its region.
    """
    stretches = _stretches(text)
    letters = _letters(text)
    most = max(letters, key=lambda script: len(letters[script]), default="")
    spoken = {
        script: _of_script(script, of_it, text, usual, said, is_most=script == most)
        for script, of_it in letters.items()
    }
    return tuple(
        Run(start, end, script, spoken.get(script, said or usual))
        for start, end, script in stretches
    )


def language_of(text: str, usual: str = "en") -> str:
    """The language of most letters in `text`; `usual` of a text that has none, or too few."""
    found = runs(text, usual)
    sizes: dict[str, int] = {}
    for run in found:
        sizes[run.language] = sizes.get(run.language, 0) + run.end_char - run.start_char
    return max(sizes, key=lambda tag: sizes[tag], default=usual)


def _stretches(text: str) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    start, current = 0, ""
    for at, char in enumerate(text):
        script = script_of(char)
        if not script or script == current:
            continue
        if current:
            found.append((start, at, current))
            start = at
        current = script
    if text:
        found.append((start, len(text), current))
    return found


def _letters(text: str) -> dict[str, str]:
    """The text's words by script, in its order."""
    found: dict[str, list[str]] = {}
    for start, end, script in _stretches(text):
        if script:
            found.setdefault(script, []).append(text[start:end])
    return {script: "".join(parts) for script, parts in found.items()}


def _of_script(
    script: str, letters: str, text: str, usual: str, said: str | None, *, is_most: bool
) -> str:
    known = KNOWN[script]
    if said is not None:
        mine = language(said)
        if mine in known or (mine not in TOLD_APART and is_most):
            return said
    found = _found(script, known, letters, text)
    expected = usual if language(usual) in known else known[0]
    if not found or found == language(expected):
        return expected
    return found


def _found(script: str, known: tuple[str, ...], letters: str, text: str) -> str:
    """The primary tag; empty if the letters do not tell."""
    if len(known) == 1:
        return known[0]
    if script == HAN and has_kana(text):
        return "ja"
    if sum(map(str.isalpha, letters[:ENOUGH_CHARS])) < FEWEST:
        return ""
    ranked = [
        (tag, share) for tag, share in _identifier().rank(letters[:ENOUGH_CHARS]) if tag in known
    ]
    tag, share = ranked[0]
    return str(tag) if share >= SURE * sum(share for _, share in ranked) else ""


@cache
def _identifier() -> "LanguageIdentifier":
    """Loading takes about a second and 80 MB: it waits for the first text that needs it."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
