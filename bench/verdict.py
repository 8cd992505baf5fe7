"""How the turn verdict does on the labelled turns: `python -m bench.verdict`.

Every question and hesitation goes through Silero; at each silence, after 100 ms of it, Moonshine
and smart-turn get what was said so far, and the verdict says how long the silence must last. A
pause is cut when the answer would be heard before the caller goes on: after the patience, but not
before `ANSWER_MS`, which an answer takes anyway. Beside it stands the rule of the best-known engine
on the same scores: the end is where smart-turn says so after 200 ms of silence, else after 3 s.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from actors.moonshine import Moonshine
from actors.silero import Silero
from actors.smart_turn import SmartTurn
from actors.store import Store
from bench.turns import Pcm, Turn, by_phone, on_line, turns
from engine.capabilities import Clip, TurnClip
from engine.completeness import Completeness, completeness
from engine.frames import CALLER_HZ
from engine.verdict import LIKELY, patience_ms

WINDOW_MS = 32
SPEECH, STILL_SPEECH = 0.5, 0.35
HUSH_MS = 100
PREFIX_MS = 300
ANSWER_MS = 600
SEND_MS = 100
"""From the verdict to the first audible sample of an answer that is ready."""

LINES: dict[str, Callable[[Turn], Pcm]] = {
    "quiet room": lambda turn: on_line(turn.pcm()),
    "noise -50 dBFS": lambda turn: on_line(turn.pcm(), dbfs=-50),
    "phone band, noise -50 dBFS": lambda turn: by_phone(on_line(turn.pcm(), dbfs=-50)),
}


@dataclass(frozen=True)
class Silence:
    """A silence in a turn; `resumes_ms` after its start the VAD hears the caller again (or never).

    `score` is smart-turn's after `HUSH_MS`; `later_score` after twice that, if still silent.
    """

    turn: Turn
    start_ms: int
    resumes_ms: int | None
    score: float
    later_score: float | None
    words: str
    confidence: float

    @property
    def labelled(self) -> bool:
        """Whether this is the pause that makes the turn a hesitation."""
        start = self.turn.pause_start_ms
        return (
            self.resumes_ms is not None and start is not None and abs(self.start_ms - start) < 200
        )

    @property
    def ours_ms(self) -> int:
        return patience_ms(self.score, self.words, confidence=self.confidence)

    @property
    def peer_ms(self) -> int:
        return 200 if self.later_score is not None and self.later_score > LIKELY else 3000

    def cut(self, patience: int) -> bool:
        """Whether the answer would be heard although the caller goes on."""
        return self.resumes_ms is not None and max(ANSWER_MS, patience + SEND_MS) < self.resumes_ms


class Ears:
    """The three models."""

    def __init__(self) -> None:
        store = Store()
        self._silero = Silero(store.path("silero-vad"))
        self._moonshine = Moonshine(store.path("moonshine-tiny-en"))
        self._smart_turn = SmartTurn(store.path("smart-turn-v3"))

    def silences(self, turn: Turn, pcm: Pcm) -> list[Silence]:
        """The silences of a turn that last `HUSH_MS`, the one behind it included."""
        onset, gaps = self._gaps(pcm)
        return [
            self._silence(turn, pcm, max(0, onset - PREFIX_MS), start, resumes)
            for start, resumes in gaps
            if resumes is None or resumes > HUSH_MS
        ]

    def _silence(
        self, turn: Turn, pcm: Pcm, begin_ms: int, start_ms: int, resumes_ms: int | None
    ) -> Silence:
        def upto(silence_ms: int) -> bytes:
            first, last = (ms * CALLER_HZ // 1000 for ms in (begin_ms, start_ms + silence_ms))
            return pcm[first:last].tobytes()

        later = None
        if resumes_ms is None or resumes_ms > 2 * HUSH_MS:
            later = self._smart_turn.score([TurnClip(upto(2 * HUSH_MS))])[0].complete
        heard = self._moonshine.transcribe([Clip(upto(HUSH_MS))])[0]
        return Silence(
            turn=turn,
            start_ms=start_ms,
            resumes_ms=resumes_ms,
            score=self._smart_turn.score([TurnClip(upto(HUSH_MS))])[0].complete,
            later_score=later,
            words=heard.text,
            confidence=heard.confidence,
        )

    def _gaps(self, pcm: Pcm) -> tuple[int, list[tuple[int, int | None]]]:
        """The onset, and each silence's start and length, in ms."""
        heard = self._probabilities(pcm)
        spoken = [
            at
            for at, probability in enumerate(heard)
            if probability >= (STILL_SPEECH if at and heard[at - 1] >= STILL_SPEECH else SPEECH)
        ]
        if not spoken:
            return 0, []
        gaps: list[tuple[int, int | None]] = [
            ((last + 1) * WINDOW_MS, (following - last) * WINDOW_MS)
            for last, following in itertools.pairwise(spoken)
            if following > last + 1
        ]
        return spoken[0] * WINDOW_MS, [*gaps, ((spoken[-1] + 1) * WINDOW_MS, None)]

    def _probabilities(self, pcm: Pcm) -> list[float]:
        size, context = Silero.WINDOW_SAMPLES, Silero.CONTEXT_SAMPLES
        samples = np.concatenate([np.zeros(context), pcm / 32768]).astype(np.float32)
        memory = np.zeros((2, 1, Silero.MEMORY), np.float32)
        heard = []
        for at in range(0, len(pcm) - size + 1, size):
            window = samples[None, at : at + size + context]
            probability, memory = self._silero.probabilities(window, memory)
            heard.append(float(probability[0]))
        return heard


def share(flags: list[bool]) -> float:
    """Per cent."""
    return 100 * sum(flags) / max(1, len(flags))


def report(line: str, silences: list[Silence]) -> None:
    """Print one line's table."""
    pauses = [silence for silence in silences if silence.labelled]
    others = [silence for silence in silences if not silence.labelled]
    ends = [silence for silence in silences if silence.resumes_ms is None]
    print(f"\n{line}: {len(pauses)} hesitations, {len(ends)} true ends")
    print(f"{'':36}{'ours':>8}{'peer rule':>11}")
    ours, peer = [end.ours_ms for end in ends], [end.peer_ms for end in ends]

    def row(name: str, left: float, right: float) -> None:
        print(f"{name:36}{left:8.0f}{right:11.0f}")

    for name, group in (("hesitations cut", pauses), ("other pauses cut", others)):
        row(name, sum(s.cut(s.ours_ms) for s in group), sum(s.cut(s.peer_ms) for s in group))
    for percent in (50, 95):
        left, right = (float(np.percentile(waits, percent)) for waits in (ours, peer))
        row(f"patience at true ends, p{percent} ms", left, right)
    row(
        "true ends within 500 ms, %",
        share([wait <= 500 for wait in ours]),
        share([wait <= 500 for wait in peer]),
    )
    whole = Completeness.WHOLE
    doubted = share([completeness(pause.words) is not whole for pause in pauses])
    taken = share([completeness(end.words) is whole for end in ends])
    print(f"by words alone: {doubted:.0f} % of hesitations unfinished, {taken:.0f} % of ends whole")
    for silence in silences:
        if silence.cut(silence.ours_ms):
            print(f"  cut: {silence.turn.file} {silence.score:.2f} {silence.words!r}")


def main() -> None:
    """Run all lines."""
    ears = Ears()
    for name, line in LINES.items():
        silences = [
            silence
            for turn in turns("question", "hesitation")
            for silence in ears.silences(turn, line(turn))
        ]
        report(name, silences)


if __name__ == "__main__":
    main()
