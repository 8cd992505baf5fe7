"""How long a piece of a recording may be, so that transcribing it keeps nobody waiting."""

MOST_MS = 150.0
"""Of compute for a piece: what a model has begun cannot be interrupted (architecture.md,
scheduling)."""

AIM = 0.75  # of that: what a piece costs differs with what is said in it

FIRST_S = 4.0
"""Until costs are known: Moonshine takes 100 ms for it on one core (models.md: 75 ms for 3 s)."""

SHORTEST_S = 2.0
"""Less holds too few words to be understood, and does not help where every clip costs the same, as
with Whisper."""

LONGEST_S = 30.0
"""What speech models are trained on."""


class PieceLength:
    """`seconds` of sound that cost `AIM` of `MOST_MS`, by what pieces have cost."""

    def __init__(self) -> None:
        self.seconds = FIRST_S
        self._ms_per_s = 0.0

    def learn(self, seconds: float, compute_ms: float) -> None:
        """A piece of so many seconds has cost so much. Dearer ones count at once, others slowly;
        an empty one not at all.
        """
        if not seconds:
            return
        cost = compute_ms / seconds
        weight = 1.0 if cost > self._ms_per_s else 0.05
        self._ms_per_s += weight * (cost - self._ms_per_s)
        if self._ms_per_s:
            wanted = AIM * MOST_MS / self._ms_per_s
            self.seconds = min(max(wanted, SHORTEST_S), LONGEST_S)
