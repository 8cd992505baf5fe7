"""The registry of sessions: who may come, come back, and what happens at the end."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import msgspec

from engine.services import Services
from server.access.caller import Caller
from server.control import Away, Leave, Refusal, ToSupervisor
from server.door import Place, SupervisedPlace, owners_of
from server.lag import LoopLag
from server.metrics import Metrics
from server.places import Places
from server.sessions import SessionRegistry
from server.settings import LimitSettings
from tests.server.exchange import Client, services
from tests.virtual_time import in_virtual_time
from transports.handshake import Refused

LONG = " ".join(["word"] * 40)


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run the test on a clock that jumps."""

    @wraps(test)
    def run() -> None:
        in_virtual_time(test())

    del run.__wrapped__  # pytest would see a coroutine
    return run


class PlacesDoor:
    """The supervisor's places, without the supervisor."""

    def __init__(self, most: int | None) -> None:
        self._places = Places(most)
        self._numbers = itertools.count()

    async def enter(self, caller: Caller) -> Place:
        number = next(self._numbers)
        answer = self._places.enter(0, number, owners_of(caller))
        if isinstance(answer, Refusal):
            raise Refused(answer.message, answer.retry_after_s)
        return SupervisedPlace(self._take, number)

    def _take(self, message: ToSupervisor) -> None:
        match message:
            case Leave(number):
                self._places.leave(0, number)
            case Away(number, away):
                self._places.mark(0, number, away=away)


def registry(shared: Services | None, **limits: Any) -> SessionRegistry:
    settings = LimitSettings(**limits)
    door = PlacesDoor(settings.max_sessions)
    return SessionRegistry(lambda: shared, settings, Metrics(LoopLag()), door)


def sample(sessions: SessionRegistry, name: str, **labels: str) -> float | None:
    return sessions._metrics.registry.get_sample_value(name, labels)


@virtual
async def test_a_session_counts_until_its_client_says_goodbye() -> None:
    sessions = registry(services())
    async with Client(sessions) as client:
        await client.until("session.created")
        assert len(sessions) == 1
        assert sample(sessions, "voiceforge_sessions") == 1
    assert len(sessions) == 0
    assert sample(sessions, "voiceforge_sessions") == 0
    assert sample(sessions, "voiceforge_sessions_ended_total", reason="client_left") == 1


@virtual
async def test_what_a_session_tells_its_client_is_measured() -> None:
    sessions = registry(services())
    async with Client(sessions) as client:
        await client.until("session.created")
        await client.say("what time is it")
        await client.until("response.done")
    count = "voiceforge_turn_stage_seconds_count"
    assert sample(sessions, count, stage="first_audio") == 1
    assert sample(sessions, "voiceforge_responses_total", status="completed") == 1


@virtual
async def test_nobody_is_let_in_while_the_models_load() -> None:
    async with Client(registry(None)) as client:
        answer = await client.refused()
    assert answer["status"] == 503
    assert "still loading" in answer["error"]["message"]


@virtual
async def test_the_session_over_the_limit_is_refused_and_the_others_go_on() -> None:
    sessions = registry(services(), max_sessions=1)
    async with Client(sessions) as first:
        await first.until("session.created")
        async with Client(sessions) as second:
            answer = await second.refused()
        assert answer["status"] == 503
        assert "limits.max_sessions" in answer["error"]["message"]
        first.put("conversation.item.retrieve", item_id="nothing")
        await first.until("error")
    async with Client(sessions) as third:  # the place is free again
        await third.until("session.created")


@virtual
async def test_the_session_that_the_process_has_no_ear_for_is_refused() -> None:
    deaf = msgspec.structs.replace(services(), room=lambda: False)
    sessions = registry(deaf)
    async with Client(sessions) as client:
        answer = await client.refused()
    assert answer["status"] == 503
    assert (b"retry-after", b"10") in client.messages[0]["headers"]
    assert len(sessions) == 0


@virtual
async def test_a_session_whose_client_was_cut_off_keeps_nobody_out() -> None:
    sessions = registry(services(), max_sessions=1)
    query = await lost(sessions)
    async with Client(sessions) as other:
        await other.until("session.created")
        async with Client(sessions, query) as returning:
            await returning.until("session.created")
            async with Client(sessions) as third:
                assert (await third.refused())["status"] == 503


async def lost(sessions: SessionRegistry) -> str:
    """A client that was cut off; the query to come back with."""
    async with Client(sessions, code=1006) as client:
        created = (await client.until("session.created"))["session"]
        message = {"type": "message", "role": "user"}
        content = [{"type": "input_text", "text": "hello"}]
        client.put("conversation.item.create", item={**message, "content": content})
        await client.until("conversation.item.done")
    return f"session_id={created['id']}&resume={created['voiceforge']['resume']}"


@virtual
async def test_a_client_that_was_cut_off_comes_back_to_its_history() -> None:
    sessions = registry(services())
    query = await lost(sessions)
    await asyncio.sleep(50)
    async with Client(sessions, query) as client:
        item = (await client.until("conversation.item.done"))["item"]
        assert item["content"][0]["text"] == "hello"
        await asyncio.sleep(100)
        assert len(sessions) == 1


@virtual
async def test_a_client_whose_old_connection_is_dead_but_open_takes_its_session_along() -> None:
    sessions = registry(services())
    async with Client(sessions, code=1006) as old:
        created = (await old.until("session.created"))["session"]
        query = f"session_id={created['id']}&resume={created['voiceforge']['resume']}"
        async with Client(sessions, query) as new:
            await new.until("session.created")
            await new.say("what time is it")
            await new.until("response.done")
            assert old.messages[-1]["type"] == "websocket.close"
            assert len(sessions) == 1


@virtual
async def test_who_found_no_way_here_takes_nothing_from_who_came_after() -> None:
    sessions = registry(services())
    query = await lost(sessions)
    session_id, token = (part.split("=")[1] for part in query.split("&"))
    await asyncio.sleep(50)
    assert sessions.waiting(session_id, token) is not None
    await asyncio.sleep(50)  # who knocks has the whole grace again
    async with Client(sessions, query) as client:
        await client.until("session.created")
        await asyncio.sleep(100)
        await client.say("what time is it")
        await client.until("response.done")
        assert len(sessions) == 1


@virtual
async def test_after_the_grace_the_session_is_gone() -> None:
    sessions = registry(services())
    query = await lost(sessions)
    await asyncio.sleep(61)
    assert len(sessions) == 0
    async with Client(sessions, query) as client:
        error = (await client.until("error"))["error"]
    assert error["code"] == "session_not_found"
    reason = "client_did_not_return"
    assert sample(sessions, "voiceforge_sessions_ended_total", reason=reason) == 1


@virtual
async def test_a_wrong_token_opens_nothing() -> None:
    sessions = registry(services())
    query = await lost(sessions)
    for other in ("x", "%C3%A9", "%FF", "é"):
        async with Client(sessions, query + other) as client:
            error = (await client.until("error"))["error"]
        assert error["code"] == "session_not_found"
    assert len(sessions) == 1


class Hesitant(Client):
    """Its handshake takes until `accepted` is set."""

    accepted: asyncio.Event

    async def __aenter__(self) -> "Hesitant":
        self.accepted = asyncio.Event()
        await super().__aenter__()
        return self

    async def _send(self, message: Any) -> None:
        if message["type"] == "websocket.accept":
            await self.accepted.wait()
        await super()._send(message)


@virtual
async def test_a_client_that_is_lost_again_while_it_comes_back_leaves_no_session_behind() -> None:
    sessions = registry(services())
    query = await lost(sessions)
    async with Hesitant(sessions, query, code=1006) as client:
        await asyncio.sleep(1)
        assert not client.messages
    await asyncio.sleep(59)
    assert len(sessions) == 1
    await asyncio.sleep(2)
    assert len(sessions) == 0


@virtual
async def test_a_session_that_ends_while_its_client_comes_back_tells_it_so() -> None:
    sessions = registry(services())
    query = await lost(sessions)
    async with Hesitant(sessions, query) as client:
        await asyncio.sleep(0.1)
        await sessions.drain(within_s=1)
        assert not client.messages
        client.accepted.set()
        ended = await client.until("voiceforge.session.ended")
        assert ended["reason"] == "drained"
        await asyncio.sleep(0.1)
        assert client.messages[-1]["type"] == "websocket.close"


@virtual
async def test_of_two_that_come_back_at_once_the_later_one_has_the_session() -> None:
    sessions = registry(services())
    query = await lost(sessions)
    async with Hesitant(sessions, query, code=1006) as first:
        await asyncio.sleep(0.1)
        async with Client(sessions, query) as second:
            await second.until("session.created")
            first.accepted.set()
            await asyncio.sleep(0.1)
            assert first.messages[-1]["code"] == 4001
            second.put("conversation.item.retrieve", item_id="nothing")
            await second.until("error")
    assert len(sessions) == 0


@virtual
async def test_draining_lets_the_agent_finish_and_lets_nobody_in() -> None:
    sessions = registry(services(lambda chat: "one two three four."))
    async with Client(sessions) as client:
        await client.until("session.created")
        await client.say("hello there")
        await client.until("response.output_audio.delta")
        draining = asyncio.create_task(sessions.drain(within_s=10))
        await asyncio.sleep(0)
        async with Client(sessions) as late:
            assert (await late.refused())["status"] == 503
        done = await client.until("response.done")
        assert done["response"]["status"] == "completed"
        ended = await client.until("voiceforge.session.ended")
        assert ended["reason"] == "drained"
        await draining


@virtual
async def test_what_does_not_finish_in_time_is_cut_off() -> None:
    sessions = registry(services(lambda chat: LONG))
    async with Client(sessions) as client:
        await client.until("session.created")
        await client.say("hello there")
        await client.until("response.output_audio.delta")
        began = asyncio.get_running_loop().time()
        await sessions.drain(within_s=1)
        assert asyncio.get_running_loop().time() - began < 1.1
        ended = await client.until("voiceforge.session.ended")
        assert ended["reason"] == "stopped"


@virtual
async def test_a_session_that_waits_for_its_client_does_not_hold_up_the_end() -> None:
    sessions = registry(services())
    await lost(sessions)
    await sessions.drain(within_s=0.1)
    assert len(sessions) == 0


@virtual
async def test_a_crash_ends_its_own_session_only() -> None:
    def reply(chat: Any) -> str:
        if "crash" in (chat.messages[-1].content or ""):
            raise ValueError("crash")
        return "Certainly."

    sessions = registry(services(reply))
    async with Client(sessions) as crashing, Client(sessions) as other:
        await crashing.until("session.created")
        await other.until("session.created")
        await asyncio.gather(crashing.say("crash now"), other.say("carry on"))
        ended = await crashing.until("voiceforge.session.ended")
        assert ended["reason"] == "failed"
        done = await other.until("response.done")
        assert done["response"]["status"] == "completed"
    assert sample(sessions, "voiceforge_sessions_ended_total", reason="failed") == 1
