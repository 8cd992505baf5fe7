"""What the session hears of a caller whose packets are lost, late, paused or garbage."""

import asyncio
import random

import numpy as np
import pytest

from engine.frames import CALLER_HZ
from tests.peers.sound import transcribed, word_error_rate
from tests.transports.webrtc.speech import FRAMES, TEXT, correlation, packets, speech
from tests.virtual_time import in_virtual_time
from transports.webrtc.caller_track import SILENT_S, CallerTrack, quiet
from transports.webrtc.packet import Packet

FRAME_S = 0.02
PER_S = 32_000


def packet(number: int, payload: bytes, *, after: int = 0, source: int = 7) -> Packet:
    """`after` ticks of a pause."""
    return Packet(111, (65_500 + number) % 65_536, (number * 960 + after) % 2**32, source, payload)


def heard(arrivals: list[tuple[float, Packet]], until_s: float = 0.0) -> bytes:
    """All that the session hears until a while after the last packet."""

    async def listen() -> bytes:
        pieces: list[bytes] = []
        track = CallerTrack(pieces.append)
        loop = asyncio.get_running_loop()
        for at, one in sorted(arrivals, key=lambda pair: pair[0]):
            await asyncio.sleep(at - loop.time())
            track.receive(one)
        await asyncio.sleep(max(0.05, until_s - loop.time()))
        track.close()
        await asyncio.sleep(1)
        return b"".join(pieces)

    return in_virtual_time(listen())


def sent(**how: int) -> list[tuple[float, Packet]]:
    return [(n * FRAME_S, packet(n, data)) for n, data in enumerate(packets(**how))]


def test_a_steady_line_is_heard_as_it_is_spoken() -> None:
    got = heard(sent())
    assert len(got) == FRAMES * 640
    assert correlation(got, speech(16_000)) > 0.85


@pytest.mark.models
def test_a_lossy_unsteady_line_loses_no_time_and_little_speech() -> None:
    chance = random.Random(1)
    arrivals = [
        (at + chance.uniform(0, 0.06), one)
        for number, (at, one) in enumerate(sent(loss=10))
        if number in (0, FRAMES - 1) or chance.random() > 0.05
    ]
    got = heard(arrivals)
    assert len(got) == pytest.approx(FRAMES * 640, abs=3 * 640)
    assert word_error_rate(transcribed(got, CALLER_HZ), TEXT) <= 0.2


def test_while_nothing_comes_there_is_silence_in_real_time() -> None:
    got = heard(sent()[:50], until_s=3.0)
    assert len(got) == pytest.approx((3.0 - SILENT_S) * PER_S, abs=0.1 * PER_S)
    assert not any(got[-PER_S:])


def test_a_pause_of_the_sender_is_not_heard_twice() -> None:
    """DTX: the clock goes on, packets do not."""
    data = packets()
    arrivals = [(n * FRAME_S, packet(n, data[n])) for n in range(50)]
    arrivals += [(1.0 + n * FRAME_S, packet(n, data[n], after=48_000)) for n in range(50, 100)]
    got = heard(arrivals)
    assert len(got) == pytest.approx(3.0 * PER_S, abs=0.1 * PER_S)


def test_what_comes_late_is_heard_and_its_time_made_good_where_nobody_speaks() -> None:
    """A second in which nothing came, and then all of it at once."""
    data = packets()
    quiet = [packets()[-1]] * 100
    arrivals = [
        (max(n * FRAME_S, 2.0) if n >= 50 else n * FRAME_S, packet(n, one))
        for n, one in enumerate([*data, *quiet])
    ]
    got = heard(arrivals)
    spoken = np.abs(np.frombuffer(got, np.int16).astype(int)) > 1000
    wanted = np.abs(np.frombuffer(speech(16_000), np.int16).astype(int)) > 1000
    assert spoken.sum() == pytest.approx(wanted.sum(), rel=0.1)
    assert len(got) == pytest.approx(len([*data, *quiet]) * 640, abs=0.4 * PER_S)


@pytest.mark.parametrize("ppm", [-3000, 3000])
def test_a_clock_that_drifts_neither_piles_up_speech_nor_runs_out_of_it(ppm: int) -> None:
    """Seven minutes, as far apart at the end as two bad sound cards after three hours."""
    data = packets()
    count, step_s = 20_000, FRAME_S * (1 + ppm / 1e6)
    ahead_s: list[float] = []

    async def listen() -> int:
        total = 0

        def hear(pcm: bytes) -> None:
            nonlocal total
            total += len(pcm)

        track = CallerTrack(hear)
        loop = asyncio.get_running_loop()
        for n in range(count):
            await asyncio.sleep(n * step_s - loop.time())
            track.receive(packet(n, data[n % FRAMES]))
            ahead_s.append(total / PER_S - loop.time())
        track.close()
        return total

    total = in_virtual_time(listen())
    assert max(ahead_s) < 1.0
    assert total == count * 640 or (ppm < 0 and ahead_s[-1] > 0)


@pytest.mark.parametrize(
    ("pause_s", "ticking"), [(9, True), (12, True), (3, False), (30, False)], ids=str
)
def test_after_a_pause_without_packets_silence_is_heard_in_time(
    pause_s: int, ticking: bool
) -> None:
    """Whether a browser's clock goes on while it sends nothing, or stands still."""
    data, still = packets(), packets()[-1]
    begins = FRAMES * FRAME_S + pause_s
    after = pause_s * 48_000 if ticking else 0
    frames = [*data, *[still] * 200]

    async def listen() -> float:
        quiet_at: list[float] = []
        loop = asyncio.get_running_loop()
        track = CallerTrack(lambda pcm: quiet_at.append(loop.time()) if quiet(pcm) else None)
        for n, one in enumerate(data):
            await asyncio.sleep(n * FRAME_S - loop.time())
            track.receive(packet(n, one))
        for n, one in enumerate(frames):
            await asyncio.sleep(begins + n * FRAME_S - loop.time())
            track.receive(packet(n + FRAMES, one, after=after))
        track.close()
        ends = begins + FRAMES * FRAME_S
        return next(at for at in quiet_at if at > ends) - ends

    assert in_virtual_time(listen()) < 0.3


def test_garbage_is_no_speech_and_no_end() -> None:
    arrivals = sent()
    arrivals[30] = (arrivals[30][0], packet(30, b"\xff" * 30))
    arrivals[60] = (arrivals[60][0], packet(60, b""))
    assert len(heard(arrivals)) == pytest.approx(FRAMES * 640, abs=6 * 640)


def test_another_source_begins_anew() -> None:
    data = packets()
    first = [(n * FRAME_S, packet(n, data[n])) for n in range(50)]
    more = [(1 + n * FRAME_S, packet(n + 30_000, data[n], source=8)) for n in range(50)]
    assert len(heard([*first, *more])) == pytest.approx(100 * 640, abs=640)


def test_a_clock_that_jumps_is_no_hour_of_silence() -> None:
    data = packets()
    arrivals = [
        (n * FRAME_S, packet(n, data[n], after=0 if n < 50 else 48_000 * 3600)) for n in range(100)
    ]
    assert len(heard(arrivals)) == pytest.approx(100 * 640, abs=640)
