"""Where the audio of both sides lies on one timeline.

That is the clock, pushed on by a caller whose audio comes faster than real time: what the agent
says then still lies behind what it answers.
"""

TICKS_HZ = 48_000
"""The unit of positions, which every rate of ours divides."""

GAP = TICKS_HZ // 4
"""A caller's audio that comes later than this after what came before did not follow it: the line
was muted, or down. What is less late was held up on the way."""

LATE = TICKS_HZ * 6 // 100
"""The same for the agent's, which no network holds up: three of its frames."""


class Timeline:
    """Positions in ticks; `now_s` counts from the beginning. Each side's audio keeps its order."""

    def __init__(self) -> None:
        self._pushed = 0
        self._caller = 0
        self._agent = 0

    def hear(self, ticks: int, now_s: float) -> int:
        """Where the caller's audio begins that has just come in, so long."""
        now = self._now(now_s)
        begin = now - ticks if now - ticks - self._caller > GAP else self._caller
        self._caller = begin + ticks
        self._pushed += max(0, self._caller - now)
        return begin

    def say(self, ticks: int, now_s: float) -> int:
        """Where the agent's begins that has just been sent."""
        now = self._now(now_s)
        begin = now if now - self._agent > LATE else self._agent
        self._agent = begin + ticks
        return begin

    def _now(self, now_s: float) -> int:
        return round(now_s * TICKS_HZ) + self._pushed
