"""Real questions and passages that answer them: docstrings of Python and of what is installed here.

The question is the first line of a docstring, its answer the rest of it.
"""

import ast
import random
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

import msgspec

from server.knowledge.cutting import tokens

LEAST_QUESTION = 25
LEAST_ANSWER = 150
"""Characters."""

MOST_TOKENS = 180
"""Of an answer, as of any passage."""


class Pair(msgspec.Struct, frozen=True):
    """A question and the passage that answers it."""

    question: str
    answer: str


def pairs(count: int, seed: int = 1) -> list[Pair]:
    """So many, none with another's question or answer. Raises `ValueError` if there are fewer."""
    files = sorted(
        {
            path
            for name in ("stdlib", "purelib", "platlib")
            for path in Path(sysconfig.get_path(name)).rglob("*.py")
        }
    )
    random.Random(seed).shuffle(files)
    found: dict[str, Pair] = {}
    answers: set[str] = set()
    for file in files:
        for pair in _of(file):
            if pair.question not in found and pair.answer not in answers:
                found[pair.question] = pair
                answers.add(pair.answer)
                if len(found) == count:
                    return list(found.values())
    raise ValueError(f"there are {len(found)} docstrings here, and {count} are wanted")


def _of(file: Path) -> Iterator[Pair]:
    try:
        with warnings.catch_warnings(action="ignore"):  # of others' escapes
            tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first, _, rest = (ast.get_docstring(node) or "").partition("\n\n")
            question, answer = " ".join(first.split()), rest.strip().replace("\0", "")
            long_enough = len(question) >= LEAST_QUESTION and len(answer) >= LEAST_ANSWER
            if long_enough and "\0" not in question and tokens(answer) <= MOST_TOKENS:
                yield Pair(question[:500], answer)
