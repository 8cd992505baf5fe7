"""A recording as it runs: both sides in one file, whatever happens to the disk or the gateway."""

import asyncio
import errno
import io
import os
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.frames import CALLER_HZ
from server.recording import opus, tape, wav
from server.recording.store import Recordings
from server.recording.tape import Tape
from server.recording.tapes import Tapes

HZ = 24_000


class Clock:
    now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()

    class Loop:
        def time(self) -> float:
            return clock.now

    monkeypatch.setattr(tape.asyncio, "get_running_loop", Loop)  # type: ignore[attr-defined]
    return clock


class Recorded:
    """A tape of a session."""

    def __init__(self, clock: Clock, state: Path) -> None:
        self.clock = clock
        self.recordings = Recordings(state)
        self.tape = Tape(self.recordings, "acc_1", "s1")

    @property
    def path(self) -> Path:
        return self.recordings.wav("acc_1", "s1")

    def caller(self, seconds: float, hz: float = 300, rate: int = CALLER_HZ) -> None:
        """Speaks a tone, in frames of 20 ms at real pace."""
        for frame in frames(tone(seconds, hz, rate), rate):
            self.clock.now += 0.02
            self.tape.heard(frame)

    def sides(self) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        self.tape.write()
        body = b"".join(wav.read(self.path, wav.whole(self.path)))
        with wave.open(io.BytesIO(body)) as file:
            assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, HZ, 2)
            both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        return both[:, 0], both[:, 1]


@pytest.fixture
def recorded(clock: Clock, tmp_path: Path) -> Recorded:
    return Recorded(clock, tmp_path)


def tone(seconds: float, hz: float, rate: int) -> bytes:
    at = np.arange(round(seconds * rate)) / rate
    return (10_000 * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes()


def frames(pcm: bytes, rate: int) -> list[bytes]:
    size = rate // 50 * 2
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]


def test_both_sides_are_there_to_the_sample(recorded: Recorded) -> None:
    recorded.caller(1.0)
    said = tone(0.5, 500, HZ)
    for frame in frames(said, HZ):
        recorded.tape.said(frame, HZ)
        recorded.caller(0.02)
    recorded.tape.over = True
    left, right = recorded.sides()
    assert right[HZ : HZ + HZ // 2].tobytes() == said
    assert not right[:HZ].any()
    wanted = np.frombuffer(tone(1.0, 300, HZ), "<i2").astype(int)
    assert np.abs(left[:HZ] - wanted)[200:-200].max() < 300
    assert len(left) == HZ * 3 // 2


def test_it_is_resampled_as_one_however_it_is_cut(recorded: Recorded) -> None:
    for frame in frames(tone(1.0, 300, CALLER_HZ), CALLER_HZ):
        recorded.clock.now += 0.02
        recorded.tape.heard(frame)
        recorded.tape.write()
    recorded.tape.over = True
    left, _ = recorded.sides()
    wanted = np.frombuffer(tone(1.0, 300, HZ), "<i2").astype(int)
    assert np.abs(left - wanted)[200:-200].max() < 300


def test_an_agent_at_the_telephones_rate_is_there_too(recorded: Recorded) -> None:
    recorded.clock.now = 0.5
    for frame in frames(tone(0.4, 400, 8_000), 8_000):
        recorded.tape.said(frame, 8_000)
        recorded.clock.now += 0.02
    recorded.tape.over = True
    _, right = recorded.sides()
    wanted = np.frombuffer(tone(0.4, 400, HZ), "<i2").astype(int)
    part = right[HZ // 2 : HZ // 2 + len(wanted)]
    assert np.abs(part - wanted)[300:-300].max() < 400


def test_it_can_be_read_at_any_moment(recorded: Recorded) -> None:
    for second in range(1, 4):
        recorded.caller(1.0)
        left, _ = recorded.sides()
        assert second * HZ - HZ // 10 < len(left) <= second * HZ
        with wave.open(str(recorded.path)) as file:  # by those who trust the header
            assert file.getnframes() == len(left)


def test_a_file_that_was_torn_is_read_as_far_as_it_goes(recorded: Recorded) -> None:
    recorded.caller(1.0)
    recorded.tape.write()
    with recorded.path.open("r+b") as file:
        file.write(bytes(wav.HEADER))  # the header never came
        file.seek(0, os.SEEK_END)
        file.write(b"\x01\x02\x03")
    left, _ = recorded.sides()
    assert left[: HZ // 2].any()


def test_what_is_not_recorded_makes_no_file(recorded: Recorded) -> None:
    assert not recorded.tape.due
    recorded.tape.over = True
    recorded.tape.write()
    assert not recorded.recordings.folder.exists()


def test_a_full_disk_stops_the_recording_and_is_told(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorded.caller(1.0)
    recorded.tape.write()

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        recorded.caller(1.0)
        recorded.tape.write()
    assert recorded.tape.stopped
    recorded.caller(1.0)
    left, _ = recorded.sides()
    assert len(left) <= HZ
    [told] = caplog.records
    assert (told.getMessage(), vars(told)["error"]) == (
        "a recording stops",
        "No space left on device",
    )


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("MOST_QUEUED", 10_000, "the disk is too slow"),
        ("MOST_BYTES", 50_000, "the file is as long as it can be"),
    ],
)
def test_it_ends_where_it_would_grow_without_bounds(
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    value: int,
    why: str,
) -> None:
    monkeypatch.setattr(tape, name, value)
    recorded.caller(1.0)
    assert recorded.tape.stopped
    assert vars(caplog.records[0])["error"] == why


def test_nobody_else_may_read_it(recorded: Recorded) -> None:
    recorded.caller(0.1)
    recorded.tape.write()
    for path in (recorded.path, recorded.path.parent, recorded.recordings.folder):
        assert path.stat().st_mode & 0o077 == 0


async def test_the_thread_writes_what_comes_and_the_rest_at_the_end(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path)
    tapes = Tapes(recordings)
    with tapes.running():
        running = tapes.begin("s1", "acc_1")
        tapes.begin("silent", "acc_1")
        for frame in frames(tone(1.0, 300, CALLER_HZ), CALLER_HZ):
            running.heard(frame)
            await asyncio.sleep(0.02)
        assert wav.whole(recordings.wav("acc_1", "s1")) > 0
        last = tapes.begin("s2", "acc_1")
        last.heard(tone(0.5, 300, CALLER_HZ))
        for session_id in ("s1", "s2", "silent"):
            tapes.end(session_id)
    assert wav.whole(recordings.wav("acc_1", "s2")) == HZ // 2 * wav.FRAME
    assert sorted(recordings.kept()) == [("acc_1", "s1"), ("acc_1", "s2")]
    assert tapes._open == {}


async def test_it_is_encoded_as_opus(clock: Clock, tmp_path: Path) -> None:
    import soundfile

    recorded = Recorded(clock, tmp_path)
    recorded.caller(2.0)
    recorded.tape.said(tone(1.0, 500, HZ), HZ)
    recorded.tape.over = True
    recorded.tape.write()
    small = recorded.recordings.ogg("acc_1", "s1")
    opus.main(recorded.path, small)
    sound, rate = soundfile.read(small)
    assert (rate, sound.shape) == (HZ, (3 * HZ, 2))
    assert np.abs(sound[: HZ // 2, 0]).max() > 0.2
    assert np.abs(sound[:HZ, 1]).max() < 0.01
    assert small.stat().st_size < recorded.path.stat().st_size / 8
    assert small.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in small.parent.iterdir()) == ["s1.ogg", "s1.wav"]
