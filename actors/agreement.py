"""Stable partial transcripts: what two hypotheses in a row agree on is not taken back.

Local agreement, as in streaming translation (Liu et al. 2020, arXiv 2005.11185, LocalAgreement-2):
each hypothesis is made anew from the whole utterance so far; the words at the start of it on which
this one and the one before agree become stable, except for the last of them.
"""

HELD_BACK_WORDS = 1
"""The last agreed word may still grow ("some" into "someone"): audio was cut where it ended."""


class Agreement:
    """The partial transcripts of one utterance.

    Words are compared without case and punctuation; a stable word keeps the spelling with which it
    became stable.
    """

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._tail: list[str] = []

    def update(self, hypothesis: str) -> tuple[str, str]:
        """The stable text and the whole best guess, which starts with the stable text.

        Every stable text of an utterance starts with the one before.
        """
        tail = self._behind_stable(hypothesis.split())
        agreed = max(0, _common(tail, self._tail) - HELD_BACK_WORDS)
        self._stable += tail[:agreed]
        self._tail = tail[agreed:]
        return " ".join(self._stable), " ".join(self._stable + self._tail)

    def final(self, hypothesis: str) -> tuple[str, str]:
        """The stable text brought to its end, and the final transcript, which is the truth.

        The first starts with every stable text before it, so it completes what a client has put
        together from pieces. The second is `hypothesis`. They are equal unless the final
        transcript spells or hears a word otherwise that was stable: then the second replaces the
        first.
        """
        words = hypothesis.split()
        return " ".join(self._stable + self._behind_stable(words)), " ".join(words)

    def _behind_stable(self, words: list[str]) -> list[str]:
        """The words that come after what the stable words stand for, by the fewest corrections."""
        stable = len(self._stable)
        if _common(words, self._stable) == stable:
            return words[stable:]
        costs = _corrections(self._stable, words)
        best = min(range(len(costs)), key=lambda count: (costs[count], abs(count - stable)))
        return words[best:]


def _key(word: str) -> str:
    """The word without case and punctuation; a word of nothing else is compared as it is."""
    return "".join(char for char in word.casefold() if char.isalnum()) or word


def _common(left: list[str], right: list[str]) -> int:
    """How many words at their starts are the same."""
    for count, (one, other) in enumerate(zip(left, right, strict=False)):
        if _key(one) != _key(other):
            return count
    return min(len(left), len(right))


def _corrections(stable: list[str], words: list[str]) -> list[int]:
    """For each count of first `words`: how many words differ from `stable` (Levenshtein)."""
    keys = [_key(word) for word in words]
    row = list(range(len(keys) + 1))
    for done, word in enumerate(map(_key, stable), 1):
        diagonal, row[0] = row[0], done
        for at, key in enumerate(keys, 1):
            best = min(row[at] + 1, row[at - 1] + 1, diagonal + (word != key))
            diagonal, row[at] = row[at], best
    return row
