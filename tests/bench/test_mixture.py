"""What several callers say, and when a turn was answered, cut or lost."""

import asyncio
import base64
import json
import time

import numpy as np
import pytest

from bench import mixture
from bench.guest import OursGuest, Voices
from bench.links import AGENT_HZ
from bench.mixture import Said, Turned, goes_on, p95_ms, scripts, turned, waits_ms
from bench.sound import TURNS, Turn, load_turns

LOUD = np.full(AGENT_HZ // 25, 8000, "<i2").tobytes()  # 40 ms
TURN = Turn("Yes?", "000.flac", "question", "A", 20, 60, 80)


class Server:
    """Says into a guest's ear what a server of ours would."""

    def __init__(self, guest: OursGuest) -> None:
        self.guest = guest

    def event(self, kind: str, **fields: object) -> None:
        text = json.dumps({"type": kind, "event_id": "e", **fields}).encode()
        self.guest.message(1, b"##" + text, 2, len(text))

    def says(self, item: str, pcm: bytes = LOUD) -> None:
        delta = base64.b64encode(pcm).decode()
        self.event("response.output_audio.delta", item_id=item, delta=delta)


@pytest.fixture(scope="module")
def voices() -> Voices:
    return Voices("ours", TURNS)


@pytest.fixture
async def server(voices: Voices, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(mixture, "WAIT_S", 0.3)
    monkeypatch.setattr(mixture, "CUT_WAIT_S", 0.1)
    monkeypatch.setattr(mixture, "YIELD_S", 0.03)
    return Server(OursGuest(voices, "Be brief.", 80))


async def test_an_answer_is_timed_from_the_last_voiced_sample(server: Server) -> None:
    going = asyncio.create_task(turned(server.guest, Said(TURN, 0)))
    await asyncio.sleep(0.2)
    server.says("item_1")
    told = await going

    assert told.latency_ms == pytest.approx(140, abs=30)
    assert not told.bad


async def test_a_turn_without_an_answer_is_lost_and_counts_with_the_whole_wait(
    server: Server,
) -> None:
    told = await turned(server.guest, Said(TURN, 0))

    assert told.lost
    assert told.latency_ms is None
    assert waits_ms([told]) == [300]


async def test_an_agent_that_speaks_before_the_caller_has_finished_cuts(server: Server) -> None:
    going = asyncio.create_task(turned(server.guest, Said(TURN, 0)))
    await asyncio.sleep(0.03)
    server.says("item_1")
    told = await going

    assert told.cut
    assert waits_ms([told]) == []


@pytest.mark.parametrize(("item", "lost"), [("item_1", True), ("item_2", False)])
async def test_breaking_in_needs_an_answer_of_its_own(
    server: Server, item: str, *, lost: bool
) -> None:
    server.says("item_1")
    await asyncio.sleep(0.01)
    server.guest.speak(time.monotonic())
    going = asyncio.create_task(turned(server.guest, Said(TURN, 0, into=True)))
    await asyncio.sleep(0.15)
    server.says(item)
    told = await going

    assert told.lost == lost
    assert not told.cut


async def test_playback_stops_when_the_server_hears_speech(server: Server) -> None:
    server.says("item_1", LOUD * 25)
    server.event("input_audio_buffer.speech_started", audio_start_ms=3)
    now = time.monotonic()

    assert server.guest.playout.ends_at <= now
    assert len(server.guest.dropped_at) == 1


async def test_a_response_is_open_until_it_is_done(server: Server) -> None:
    guest = server.guest
    server.event("response.created", response={"id": "r", "status": "in_progress", "output": []})
    assert guest.answering()
    server.event("response.done", response={"id": "r", "status": "completed", "output": []})
    assert not guest.answering()
    assert guest.dropped_at == []
    server.event(
        "error", error={"type": "server_error", "code": "x", "message": "y", "param": None}
    )
    assert guest.errors == ["x: y"]


async def test_what_is_said_follows_what_is_being_said(server: Server) -> None:
    first = server.guest.say(TURN)
    second = server.guest.say(TURN)

    assert second - first == pytest.approx(0.02 * len(server.guest.voices.clip(TURN)))


async def test_an_old_answer_goes_on_if_no_other_has_begun(server: Server) -> None:
    server.guest.items = [1.0, 5.0]

    assert goes_on(server.guest, at=6.0, heard=7.0)
    assert not goes_on(server.guest, at=4.0, heard=7.0)


def test_all_callers_say_different_things_and_always_the_same() -> None:
    turns = load_turns()
    plans = scripts(turns, 8, 8, seed=3)

    assert plans == scripts(turns, 8, 8, seed=3)
    assert len({said.turn.file for plan in plans for said in plan}) == 64
    assert not any(plan[0].into for plan in plans)
    assert 5 <= sum(said.into for plan in plans for said in plan) <= 20
    assert 5 <= sum(said.mhm is not None for plan in plans for said in plan) <= 20


def test_more_turns_than_there_are_come_again() -> None:
    plans = scripts(load_turns(), 40, 4, seed=1)

    assert sum(map(len, plans)) == 160


def test_percentiles_leave_out_what_was_cut() -> None:
    told = [Turned("a", 100.0), Turned("b", None, cut=True), Turned("c", 200.0)]

    assert p95_ms(told) == pytest.approx(195)
    assert p95_ms(told[1:2]) is None
