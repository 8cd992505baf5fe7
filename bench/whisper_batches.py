"""Whisper on a CPU: silence behind clips, clips together: `python -m bench.whisper_batches`.

The labelled questions and hesitations, clean and by phone with noise, cut 200 ms behind the last
sound. Numbers that Whisper writes in digits count as wrong: only the differences mean something.
"""

import time
from collections.abc import Iterable, Sequence

import numpy as np

from actors.store import Store
from actors.whisper import FULL_FRAMES, Whisper
from bench.hearsay import words
from bench.turns import Pcm, Turn, by_phone, on_line, turns
from engine.capabilities import Clip

BEHIND_S = (1.0, 2.0, 3.0, 5.0, 10.0, FULL_FRAMES / 100)
TOGETHER = (1, 8, 16)
THREADS = 2
CUT_MS = 200


def corrections(expected: Sequence[str], heard: Sequence[str]) -> int:
    """Levenshtein distance in words."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(expected, 1):
        diagonal, row[0] = row[0], at
        for column, other in enumerate(heard, 1):
            best = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], best
    return row[-1]


def clip(turn: Turn, line: Pcm) -> Clip:
    return Clip(line[: int((turn.last_voiced_ms + CUT_MS) * 16)].tobytes())


def errors(whisper: Whisper, clips: Iterable[tuple[Turn, Clip]]) -> float:
    """The word error rate in percent."""
    wrong = total = 0
    for turn, heard in clips:
        (transcript,) = whisper.transcribe([heard])
        wrong += corrections(words(turn.text), words(transcript.text))
        total += len(words(turn.text))
    return 100 * wrong / total


def main() -> None:
    chosen = turns("question", "hesitation")[::3]
    clean = [(turn, clip(turn, on_line(turn.pcm()))) for turn in chosen]
    phone = [(turn, clip(turn, by_phone(on_line(turn.pcm(), dbfs=-50)))) for turn in chosen]
    whisper = Whisper(Store().path("whisper-base"), THREADS)
    print(f"{whisper.name}, {whisper.device} {whisper.compute_type}, {THREADS} threads")
    usual_s = whisper.behind_s
    print("silence behind, s    wrong words, clean    by phone    ms a clip")
    for whisper.behind_s in BEHIND_S:
        began_s = time.perf_counter()
        wrong = errors(whisper, clean), errors(whisper, phone)
        each_ms = (time.perf_counter() - began_s) * 1000 / len(clean + phone)
        print(f"{whisper.behind_s:17.0f} {wrong[0]:19.1f} % {wrong[1]:9.1f} % {each_ms:12.0f}")
    print("clips together    ms a clip")
    for whisper.behind_s in (usual_s, FULL_FRAMES / 100):
        for count in TOGETHER:
            clips = [clean[0][1]] * count
            times_s = []
            for _ in range(3):
                began_s = time.perf_counter()
                whisper.transcribe(clips)
                times_s.append(time.perf_counter() - began_s)
            each_ms = float(np.median(times_s)) * 1000 / count
            print(f"{count:14} {each_ms:12.0f}    ({whisper.behind_s:.0f} s behind)")


if __name__ == "__main__":
    main()
