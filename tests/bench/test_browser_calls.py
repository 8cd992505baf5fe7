"""Blocks of calls from browsers."""

import numpy as np
import pytest

from bench.browser import BrowserFailed, Came, Recording, Way
from bench.browser_calls import MEASURED, Block, alternated, engine_ms, spoken
from bench.sound import Turn
from bench.takes import Exchange

EMPTY = np.zeros(0, np.float32)
WAYS: tuple[Way, ...] = ("webrtc", "websocket")


def recording(*events: Came) -> Recording:
    return Recording(24_000, EMPTY, EMPTY, list(events), [])


def measured(at_s: float, **stages: float) -> Came:
    return Came(at_s, {"type": MEASURED, "stages": stages})


def test_turns_come_in_blocks_and_none_twice_while_there_are_others() -> None:
    blocks = spoken(20, 6, seed=1)

    assert [len(block) for block in blocks] == [6, 6, 6, 2]
    assert len({turn.file for block in blocks for turn in block}) == 20
    assert all(turn.kind != "acknowledgement" for block in blocks for turn in block)
    assert spoken(20, 6, seed=2) != blocks


def test_each_block_goes_over_each_way_and_one_that_fails_counts_for_nothing() -> None:
    calls: list[tuple[Way, int]] = []

    def call(way: Way, turns: list[Turn], seed: int) -> tuple[Recording, list[Exchange]]:
        calls.append((way, seed))
        if (way, seed) == ("webrtc", 1):
            raise BrowserFailed("no browser")
        return recording(), [Exchange(turn.file, "answered", 500.0, (5, 6)) for turn in turns]

    done = alternated(call, WAYS, spoken(4, 2, seed=1))  # type: ignore[arg-type]

    assert sorted(calls) == [("webrtc", 0), ("webrtc", 1), ("websocket", 0), ("websocket", 1)]
    assert sorted(block.way for block in done) == ["webrtc", "websocket", "websocket"]


def test_what_the_engine_took_belongs_to_the_answer_that_is_heard_just_then() -> None:
    found = [Exchange("a", "answered", 900.0, (10, 14)), Exchange("b", "lost")]
    events = [
        measured(2, first_audio=1.0),
        measured(9.9, first_audio=800.0),
        measured(10, pause=3.0),
        measured(40, first_audio=2.0),
    ]

    assert engine_ms(recording(*events), found) == {"a": 800.0}


def test_a_browsers_buffer_is_its_delay_by_what_it_has_played() -> None:
    inbound = {"type": "inbound-rtp", "jitterBufferDelay": 96.0, "jitterBufferEmittedCount": 1920}

    assert Block("webrtc", [], {}, [inbound]).buffer_ms() == pytest.approx(50)
    assert Block("websocket", [], {}, []).buffer_ms() is None
