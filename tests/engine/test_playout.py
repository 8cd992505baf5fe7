"""Playout: paced, held and resumed, in virtual time."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.capabilities import SpokenWord
from engine.playout import Playout, PlayoutClock
from tests.virtual_time import in_virtual_time

RATE_HZ = 8000
LEAD_MS = 80
FRAME_MS = 40


class Ear:
    """What came out, and when."""

    def __init__(self, clock: PlayoutClock | None = None) -> None:
        self.sent: list[tuple[float, bytes]] = []
        self.began: list[float] = []
        self.ended: list[float] = []
        self.errors: list[BaseException] = []
        self.playout = Playout(
            clock or PlayoutClock(),
            rate_hz=RATE_HZ,
            lead_ms=LEAD_MS,
            frame_ms=FRAME_MS,
            send=lambda pcm: self.sent.append((now(), pcm)),
            started=lambda: self.began.append(now()),
            finished=lambda: self.ended.append(now()),
            failed=self.errors.append,
        )

    @property
    def sent_ms(self) -> float:
        return sum(len(pcm) for _, pcm in self.sent) / 2 / RATE_HZ * 1000


def now() -> float:
    return asyncio.get_running_loop().time()


def tone(ms: int) -> bytes:
    return b"\x01\x00" * (ms * RATE_HZ // 1000)


def word(start_ms: int, end_ms: int) -> SpokenWord:
    return SpokenWord(0, 1, start_ms * RATE_HZ // 1000, end_ms * RATE_HZ // 1000)


def test_nothing_goes_out_before_release() -> None:
    async def scenario() -> None:
        ear = Ear()
        ear.playout.add(tone(200), "a", ())
        await asyncio.sleep(1)
        assert not ear.sent
        ear.playout.release()
        assert ear.sent_ms == LEAD_MS  # at once, without waiting for the clock
        assert ear.began == [now()]

    in_virtual_time(scenario())


def test_speech_is_never_further_ahead_than_the_lead_and_never_late() -> None:
    async def scenario() -> None:
        ear = Ear()
        ear.playout.add(tone(2000), "a", ())
        ear.playout.complete()
        ear.playout.release()
        await asyncio.sleep(5)
        began = ear.sent[0][0]
        sent = 0.0
        for at, pcm in ear.sent:
            played = (at - began) * 1000
            assert sent >= played - 0.001, "the ear waited"
            sent += len(pcm) / 2 / RATE_HZ * 1000
            assert sent <= played + LEAD_MS + 0.001
        assert sent == 2000
        assert ear.ended == [pytest.approx(began + 2, abs=0.021)]

    in_virtual_time(scenario())


def test_holding_stops_at_once_and_resuming_repeats_the_cut_word() -> None:
    async def scenario() -> None:
        ear = Ear()
        ear.playout.add(tone(1000), "abcde", tuple(word(i * 200, i * 200 + 200) for i in range(5)))
        ear.playout.complete()
        ear.playout.release()
        await asyncio.sleep(0.5)
        ear.playout.hold()
        held = ear.sent_ms
        await asyncio.sleep(3)
        assert ear.sent_ms == held
        ear.playout.resume()
        await asyncio.sleep(3)
        assert ear.sent_ms == 1000 + held % 200
        assert ear.ended

    in_virtual_time(scenario())


def test_a_late_chunk_makes_a_gap_and_no_hurry() -> None:
    async def scenario() -> None:
        ear = Ear()
        ear.playout.release()
        ear.playout.add(tone(200), "a", ())
        await asyncio.sleep(1)
        ear.playout.add(tone(200), "b", ())
        ear.playout.complete()
        assert ear.sent_ms == 200 + LEAD_MS
        await asyncio.sleep(1)
        assert ear.sent_ms == 400
        assert len(ear.ended) == 1

    in_virtual_time(scenario())


def test_what_breaks_on_the_clock_breaks_one_playout() -> None:
    async def scenario() -> None:
        clock = PlayoutClock()
        broken, whole = Ear(clock), Ear(clock)
        for ear in (broken, whole):
            ear.playout.add(tone(1000), "a", ())
            ear.playout.complete()
            ear.playout.release()

        def explode(pcm: bytes) -> None:
            raise RuntimeError("boom")

        broken.playout._send = explode
        await asyncio.sleep(2)
        assert [str(error) for error in broken.errors] == ["boom"]
        assert whole.sent_ms == 1000
        assert not whole.errors

    in_virtual_time(scenario())


def test_sessions_are_spread_over_the_slots_of_the_clock() -> None:
    async def scenario() -> None:
        clock = PlayoutClock()
        ears = [Ear(clock) for _ in range(8)]
        for ear in ears:
            ear.playout.add(tone(400), "a", ())
            ear.playout.release()
        sent = [len(ear.sent) for ear in ears]
        await asyncio.sleep(0.1)
        ticks = {at for ear, count in zip(ears, sent, strict=True) for at, _ in ear.sent[count:]}
        assert len({round(at * 200) % 4 for at in ticks}) == 4

    in_virtual_time(scenario())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), max_size=5),
)
def test_everything_is_heard_once_it_ends_however_often_it_is_held(
    chunks_ms: list[int], holds: list[tuple[int, int]]
) -> None:
    async def scenario() -> None:
        ear = Ear()
        ear.playout.release()
        for index, ms in enumerate(chunks_ms):
            ear.playout.add(tone(ms), f"{index} ", ())
        ear.playout.complete()
        for after_ms, held_ms in holds:
            await asyncio.sleep(after_ms / 1000)
            ear.playout.hold()
            await asyncio.sleep(held_ms / 1000)
            ear.playout.resume()
        await asyncio.sleep(5)
        assert len(ear.ended) == 1
        assert ear.sent_ms == pytest.approx(sum(chunks_ms), abs=0.2)
        assert ear.playout.close() == ear.playout.ledger.text

    in_virtual_time(scenario())
