"""One timeline for what is heard and what is timed."""

import asyncio

import pytest

from engine.frames import CALLER_HZ
from engine.session_time import STALL_MS, SessionTime
from tests.virtual_time import in_virtual_time


def test_audio_in_real_time_leaves_time_as_it_is() -> None:
    async def scenario() -> None:
        time = SessionTime()
        for window in range(1, 101):
            await asyncio.sleep(0.032 + (0.03 if window % 2 else -0.03))  # a jittery network
            time.hear(window * 512)
        assert time.now_ms() == pytest.approx(3200, abs=70)

    in_virtual_time(scenario())


def test_a_recording_sent_at_once_takes_as_long_as_it_lasts_and_time_goes_on() -> None:
    async def scenario() -> None:
        time = SessionTime()
        time.hear(0)
        time.hear(10 * CALLER_HZ)
        assert time.now_ms() == 10_000
        await asyncio.sleep(STALL_MS / 1000 + 0.5)
        assert time.now_ms() == pytest.approx(10_500)

    in_virtual_time(scenario())


def test_words_that_the_network_holds_up_are_no_silence() -> None:
    async def scenario() -> None:
        time = SessionTime()
        time.hear(CALLER_HZ)
        await asyncio.sleep(STALL_MS / 1000)
        assert time.now_ms() == time.at_ms(CALLER_HZ)
        time.hear(CALLER_HZ + 512)
        assert time.now_ms() - time.at_ms(CALLER_HZ) == pytest.approx(32)

    in_virtual_time(scenario())


def test_audio_that_stops_coming_is_silence() -> None:
    async def scenario() -> None:
        time = SessionTime()
        time.hear(CALLER_HZ)
        await asyncio.sleep(5)
        assert time.now_ms() - time.at_ms(CALLER_HZ) == pytest.approx(5000 - STALL_MS)

    in_virtual_time(scenario())
