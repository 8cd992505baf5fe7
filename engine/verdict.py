"""The turn verdict: how long a caller must be silent before its turn has ended.

Words weigh most. On whole and on cut sentences alike smart-turn's score is a hint: it tells 70 of
100 pairs of the two apart, the closed classes of English more than 90 (`bench/verdict.py`).
"""

from typing import Literal

from engine.completeness import Completeness, completeness

Eagerness = Literal["low", "medium", "high", "auto"]

LIKELY = 0.5
"""smart-turn's own threshold."""

UNLIKELY = 0.1
"""Below it smart-turn puts 6 of 10 pauses inside a sentence, and a quarter of the true ends."""

PATIENCE_MS: dict[Completeness, tuple[int, int, int]] = {
    # smart-turn says: complete, cannot tell (or was not asked), incomplete
    #
    # Gaps between speakers peak at 200 ms (Stivers et al. 2009). An answer takes about 600 ms to
    # be heard, so less costs the caller nothing and the first word after a pause still stops it.
    # Pauses inside a turn are mostly under 1 s (Campione and Veronis 2002).
    Completeness.WHOLE: (400, 600, 1200),
    Completeness.MAYBE: (1100, 1200, 1300),
    # VoiceXML 2.0, appendix D: up to 1 s where an input may be complete; digits come in groups.
    Completeness.DICTATING: (1300, 1300, 1300),
    # Longer than nearly all pauses of fluent speech; what ends here was misheard or given up.
    Completeness.OPEN: (1500, 1500, 1500),
    # "um" announces a long delay (Clark and Fox Tree 2002).
    Completeness.STALLING: (2000, 2000, 2000),
}

DOUBTED = 0.75
"""Words with a lower mean probability were likely misheard: 6 of 11 cut sentences that look whole
("My emailed dress is on it") have less, 3 of 103 true ends on a clear line, and 16 in a phone's
band under noise (`bench/verdict.py`)."""

DOUBTED_MS = 1300
"""Doubted words cannot say that a turn is whole: as with what is dictated."""

FACTORS: dict[Eagerness, float] = {"low": 2.0, "medium": 1.0, "auto": 1.0, "high": 0.6}
"""So the longest waits are 4, 2 and 1.2 s; the OpenAI API's limits are 8, 4 and 2 s."""


def patience_ms(
    score: float | None, words: str, eagerness: Eagerness = "auto", confidence: float = 1.0
) -> int:
    """How long the caller's silence must last, from its last voiced sample, for its turn to end.

    `score` is smart-turn's for the audio up to this silence (None: not known), `words` the
    transcript of it, `confidence` (0-1) the recogniser's in that. Ask again when either is known
    better: as silence grows, the score gains. For another language than English leave `words`
    empty. 240 to 4,000 ms.
    """
    surely, unsure, hardly = PATIENCE_MS[completeness(words)]
    patience = unsure
    if score is not None and score >= LIKELY:
        patience = surely
    elif score is not None and score < UNLIKELY:
        patience = hardly
    if words and confidence < DOUBTED:
        patience = max(patience, DOUBTED_MS)
    return round(patience * FACTORS[eagerness])
