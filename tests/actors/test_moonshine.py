"""Moonshine on the labelled turns."""

import re

import numpy as np
import pytest

from actors.moonshine import Moonshine, read_tokens, spell
from actors.store import Store
from bench.turns import Pcm, Turn, by_phone, on_line, turns
from engine.acknowledgement import is_acknowledgement
from engine.capabilities import Clip

pytestmark = pytest.mark.models

SILENCE_BEHIND_MS = 200


@pytest.fixture(scope="module")
def moonshine() -> Moonshine:
    return Moonshine(Store().path("moonshine-tiny-en"))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def corrections(expected: list[str], heard: list[str]) -> int:
    """Levenshtein distance in words."""
    row = np.arange(len(heard) + 1)
    for at, word in enumerate(expected, 1):
        diagonal, row[0] = row[0], at
        for column, other in enumerate(heard, 1):
            best = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], best
    return int(row[-1])


def word_error_rate(moonshine: Moonshine, clips: list[tuple[Turn, Pcm]]) -> float:
    wrong = total = 0
    for turn, pcm in clips:
        end = int((turn.last_voiced_ms + SILENCE_BEHIND_MS) * 16)
        (transcript,) = moonshine.transcribe([Clip(pcm[:end].tobytes())])
        wrong += corrections(words(turn.text), words(transcript.text))
        total += len(words(turn.text))
    return wrong / total


def test_turns_are_understood(moonshine: Moonshine) -> None:
    clips = [(turn, on_line(turn.pcm())) for turn in turns("question", "hesitation")[::2]]
    assert word_error_rate(moonshine, clips) <= 0.08


def test_noise_and_the_phone_band_leave_turns_intelligible(moonshine: Moonshine) -> None:
    chosen = turns("question", "hesitation")[::3]
    noisy = [(turn, on_line(turn.pcm(), dbfs=-50)) for turn in chosen]
    assert word_error_rate(moonshine, noisy) <= 0.12
    assert word_error_rate(moonshine, [(turn, by_phone(pcm)) for turn, pcm in noisy]) <= 0.25


def test_acknowledgements_are_recognised(moonshine: Moonshine) -> None:
    heard = []
    for turn in turns("acknowledgement"):
        pcm = on_line(turn.pcm())[: int(turn.last_voiced_ms + SILENCE_BEHIND_MS) * 16]
        (transcript,) = moonshine.transcribe([Clip(pcm.tobytes())])
        heard.append(is_acknowledgement(transcript.text))
    # "Mhm", "Mm", "Got it" and one "Yes, yes" come out as other words: the model knows no hums
    assert sum(heard) >= 8


def test_nothing_to_hear_is_no_batch(moonshine: Moonshine) -> None:
    assert moonshine.transcribe([]) == []


@pytest.mark.parametrize("samples", [0, 1, 800, 1599, 16_000, 160_000])
def test_silence_says_nothing(moonshine: Moonshine, samples: int) -> None:
    quiet = on_line(np.zeros(0, np.int16), behind_ms=10_000)[:samples]
    for pcm in (bytes(2 * samples), quiet.tobytes()):
        assert moonshine.transcribe([Clip(pcm)])[0].text == ""


def test_a_long_clip_is_cut_where_it_is_quiet_and_no_word_is_lost(moonshine: Moonshine) -> None:
    chosen = turns("question")[:16]
    pcm = np.concatenate([on_line(turn.pcm(), behind_ms=300) for turn in chosen])
    assert len(pcm) > 31 * 16_000
    (transcript,) = moonshine.transcribe([Clip(pcm.tobytes())])
    expected = words(" ".join(turn.text for turn in chosen))
    assert corrections(expected, words(transcript.text)) / len(expected) < 0.12


def test_half_a_sample_another_language_and_word_times_are_refused(moonshine: Moonshine) -> None:
    with pytest.raises(ValueError, match="clip has 3 bytes"):
        moonshine.transcribe([Clip(b"abc")])
    with pytest.raises(ValueError, match="knows English only"):
        moonshine.transcribe([Clip(bytes(3200), language="de")])
    with pytest.raises(ValueError, match="knows no times of words"):
        moonshine.transcribe([Clip(bytes(3200), words=True)])


def test_the_vocabulary_is_read_with_lengths_of_one_and_two_bytes() -> None:
    long = b"x" * 200
    assert read_tokens(b"\x03abc\x00\xc8\x01" + long) == [b"abc", b"", long]


def test_tokens_spell_text_and_marks_are_left_out() -> None:
    assert spell([b"\xe2\x96\x81Caf", b"\xc3", b"\xa9", b"<<ST_1>>", b"."]) == "Café."


def test_it_is_sure_of_what_it_hears_right_and_not_of_what_it_cannot_know(
    moonshine: Moonshine,
) -> None:
    def confidence(text: str) -> float:
        clip = next(turn for turn in turns() if turn.text == text)
        return moonshine.transcribe([Clip(on_line(clip.pcm(), 0).tobytes())])[0].confidence

    assert confidence("Who painted the Mona Lisa?") > 0.8
    assert confidence("Uh huh.") < 0.6
    assert moonshine.transcribe([Clip(bytes(3200))])[0].confidence == 1.0  # nothing was said


def test_clips_of_different_callers_are_heard_together_as_well_as_apart(
    moonshine: Moonshine,
) -> None:
    chosen = turns("question", "hesitation")[:48]
    clips = [Clip(on_line(turn.pcm()).tobytes()) for turn in chosen]
    apart = [moonshine.transcribe([clip])[0] for clip in clips]
    together = [one for at in range(0, 48, 8) for one in moonshine.transcribe(clips[at : at + 8])]
    # 8-bit layers scale by the whole batch: close calls may fall otherwise, and do so both ways.
    assert sum(a.text == b.text for a, b in zip(apart, together, strict=True)) >= 42
    wrong = [
        sum(
            corrections(words(turn.text), words(one.text))
            for turn, one in zip(chosen, heard, strict=True)
        )
        for heard in (apart, together)
    ]
    assert wrong[1] <= wrong[0] + 4


def test_silence_among_others_stays_silent(moonshine: Moonshine) -> None:
    speech = Clip(turns("question")[0].pcm().tobytes())
    heard = moonshine.transcribe([Clip(bytes(32_000)), speech, Clip(b""), speech])
    assert [bool(one.text) for one in heard] == [False, True, False, True]
