"""The caller's recent audio."""

import pytest

from engine.caller_audio import LONGEST_MS, RECENT_MS, BufferFull, CallerAudio
from engine.frames import CALLER_HZ, Audio


def second(value: int) -> bytes:
    return value.to_bytes(2, "little") * CALLER_HZ


def fed(*seconds: int) -> CallerAudio:
    audio = CallerAudio()
    for value in seconds:
        audio.receive(Audio(second(value), audio.end))
    return audio


def test_what_the_vad_has_not_looked_at_is_kept() -> None:
    audio = fed(1, 2, 3)
    assert audio.begin == 0
    audio.look(2 * CALLER_HZ)
    assert audio.begin == 2 * CALLER_HZ - RECENT_MS * CALLER_HZ // 1000
    assert audio.slice(audio.begin, 2 * CALLER_HZ) == second(2)


def test_an_utterance_is_kept_from_its_beginning() -> None:
    audio = fed(1, 2, 3)
    audio.keep_from(CALLER_HZ // 2)
    audio.look(3 * CALLER_HZ)
    assert audio.begin == CALLER_HZ // 2
    audio.keep_from(None)
    assert audio.begin == 2 * CALLER_HZ


def test_a_slice_reaches_as_far_as_there_is_audio() -> None:
    audio = fed(1)
    assert audio.slice(-100, 10 * CALLER_HZ) == second(1)
    assert audio.slice(5 * CALLER_HZ, 6 * CALLER_HZ) == b""


def test_a_full_buffer_says_what_to_do() -> None:
    audio = fed(*[0] * (LONGEST_MS // 1000))
    with pytest.raises(BufferFull, match="commit or clear"):
        audio.receive(Audio(second(0), audio.end))
