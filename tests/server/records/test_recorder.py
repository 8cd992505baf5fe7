"""What is kept of a conversation: what was said in it, as it was heard."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from engine.capabilities import ChatDelta, ToolCall
from engine.inference import InferenceError
from server.access.caller import Caller
from server.records.recorders import Recorders
from server.sessions import SessionRegistry
from storage.sessions import Session
from storage.turns import Turn
from tests.server.exchange import Client, Reply, services
from tests.server.test_sessions import registry, virtual

MINE = Caller("acc_1", "key_1", ("realtime",))
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Book:
    """What the database would hold."""

    def __init__(self, recorders: Recorders) -> None:
        self.recorders = recorders
        self.sessions: dict[str, Session] = {}
        self._turns: dict[int, dict[str, Any]] = {}

    def read(self) -> None:
        changes = list(self.recorders.take())
        self.sessions |= {session.id: session for one in changes for session in one.sessions}
        for turn in (turn for one in changes for turn in one.turns):
            given = {name: getattr(turn, name) for name in turn.__struct_fields__}
            known = self._turns.setdefault(turn.number, {})
            known |= {name: value for name, value in given.items() if value is not None}

    @property
    def session(self) -> Session:
        self.read()
        [session] = self.sessions.values()
        return session

    @property
    def turns(self) -> list[Turn]:
        self.read()
        return [Turn(**values) for _, values in sorted(self._turns.items())]

    @property
    def said(self) -> list[tuple[str, str, str | None]]:
        return [(turn.kind, turn.status, turn.text) for turn in self.turns]


class Mine(SessionRegistry):
    """Sessions of one key, recorded."""

    book: Book


def recorded(reply: Reply = lambda chat: "Certainly.") -> Mine:
    sessions = registry(services(reply))
    recorders = Recorders("w", NOW.timestamp)
    sessions._recorders = recorders
    sessions.__class__ = Mine
    assert isinstance(sessions, Mine)
    sessions.book = Book(recorders)
    return sessions


@asynccontextmanager
async def call(sessions: Mine) -> AsyncIterator[Client]:
    async with Client(sessions.of(MINE)) as client:
        await client.until("session.created")
        yield client


@virtual
async def test_both_sides_are_kept_with_how_long_the_caller_waited() -> None:
    sessions = recorded()
    async with call(sessions) as client:
        await client.say("what time is it")
        await client.until("response.done")
        opened = sessions.book.session
        assert (opened.ended_at, opened.end_reason) == (None, None)
    caller, agent = sessions.book.turns
    assert (caller.kind, caller.text, caller.at_ms // 100) == ("caller", "what time is it", 0)
    assert (agent.kind, agent.status, agent.text) == ("agent", "completed", "Certainly.")
    assert agent.first_audio_ms is not None
    assert agent.stages is not None
    assert agent.stages["first_audio"] == agent.first_audio_ms
    assert 200 < agent.first_audio_ms < 2000
    assert agent.at_ms > 1000
    session = sessions.book.session
    assert (session.account_id, session.key_id, session.writer) == ("acc_1", "key_1", "w")
    assert (session.transport, session.responses, session.end_reason) == (
        "websocket",
        1,
        "client_left",
    )
    assert session.ended_at is not None
    assert 2 < (session.ended_at - NOW).total_seconds() < 4
    assert list(sessions.book.recorders.take()) == []


@virtual
async def test_an_interrupted_answer_is_kept_as_far_as_it_was_heard() -> None:
    sessions = recorded(lambda chat: " ".join(f"word{n}" for n in range(40)))
    async with call(sessions) as client:
        await client.say("tell me a story", 5000)
        await client.say("stop it now please")
        await client.until("response.done")
        story = sessions.book.turns[1]
    assert story.status == "incomplete"
    assert story.text is not None
    assert 3 <= len(story.text.split()) < 30
    session = sessions.book.session
    assert (session.interruptions, session.cut_turns) == (1, 0)


@virtual
async def test_an_answer_that_came_too_early_is_a_cut_turn() -> None:
    sessions = recorded(lambda chat: " ".join(f"word{n}" for n in range(40)))
    async with call(sessions) as client:
        await client.say("i would like to", 1900)
        await client.say("book a table for eight people")
        await client.until("response.done")
        session = sessions.book.session
    assert (session.interruptions, session.cut_turns) == (1, 1), sessions.book.turns


@virtual
async def test_what_is_being_said_is_there_while_it_is_heard() -> None:
    sessions = recorded(lambda chat: " ".join(f"word{n}" for n in range(40)))
    async with call(sessions) as client:
        await client.say("tell me a story", 4000)
        kind, status, text = sessions.book.said[1]
        assert (kind, status) == ("agent", "in_progress")
        assert text is not None
        assert text.startswith("word0 word1 word2")
    kind, status, at_last = sessions.book.said[1]
    assert status == "incomplete"
    assert at_last is not None
    assert at_last.startswith(text)
    assert len(at_last.split()) < 30


@virtual
async def test_what_the_client_cuts_afterwards_is_cut_in_the_record() -> None:
    sessions = recorded(lambda chat: "one two three four five")
    async with call(sessions) as client:
        await client.say("count", 4000)
        done = await client.until("response.done")
        assert sessions.book.said[1] == ("agent", "completed", "one two three four five")
        item_id = done["response"]["output"][0]["id"]
        client.put("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=520)
        await client.until("conversation.item.truncated")
        assert sessions.book.said[1] == ("agent", "incomplete", "one two")
        client.put("conversation.item.delete", item_id=item_id)
        await client.until("conversation.item.deleted")
        assert sessions.book.said[1] == ("agent", "deleted", "one two")


@virtual
async def test_a_tool_is_one_turn_with_what_it_gave() -> None:
    call_of = ToolCall(0, '{"city": "Bonn"}', "call_1", "weather")
    replies: Any = itertools.chain(
        [[ChatDelta(tool_calls=(call_of,)), ChatDelta(finish="tool_calls")]],
        itertools.repeat("Sunny."),
    )
    sessions = recorded(lambda chat: next(replies))
    async with call(sessions) as client:
        client.put("session.update", session={"type": "realtime", "output_modalities": ["text"]})
        client.put("conversation.item.create", item=typed("How is the weather?"))
        client.put("response.create")
        await client.until("response.done")
        output = {"type": "function_call_output", "call_id": "call_1", "output": "18 degrees"}
        client.put("conversation.item.create", item=output)
        client.events.clear()
        client.put("response.create")
        await client.until("response.done")
        tool = sessions.book.turns[1]
    assert (tool.kind, tool.status, tool.tool_name) == ("tool", "completed", "weather")
    assert (tool.tool_arguments, tool.tool_output) == ('{"city": "Bonn"}', "18 degrees")
    assert sessions.book.said[0] == ("caller", "completed", "How is the weather?")
    assert sessions.book.said[2] == ("agent", "completed", "Sunny.")


@virtual
async def test_a_tools_name_is_kept_as_a_database_can_hold_it() -> None:
    call_of = ToolCall(0, "{}", "call_1", "wea\0ther")
    sessions = recorded(
        lambda chat: [ChatDelta(tool_calls=(call_of,)), ChatDelta(finish="tool_calls")]
    )
    async with call(sessions) as client:
        client.put("session.update", session={"type": "realtime", "output_modalities": ["text"]})
        client.put("response.create")
        await client.until("response.done")
        [tool] = sessions.book.turns
    assert tool.tool_name == "wea\N{REPLACEMENT CHARACTER}ther"


@virtual
async def test_what_fails_is_counted_by_its_code() -> None:
    def fail(chat: Any) -> InferenceError:
        return InferenceError("endpoint_down", "the endpoint does not answer")

    sessions = recorded(fail)
    async with call(sessions) as client:
        await client.say("hello")
        await client.until("response.done")
    assert sessions.book.session.errors == {"endpoint_down": 1}


@virtual
async def test_a_long_conversation_is_not_kept_in_memory() -> None:
    sessions = recorded()
    async with call(sessions) as client:
        for number in range(300):
            client.put("conversation.item.create", item=typed(f"line {number}"))
            if number % 20 == 0:
                await client.until("conversation.item.added")
                client.events.clear()
        await client.say("hush", 500)
        sessions.book.read()
        [recorder] = sessions.book.recorders._open.values()
        assert len(recorder._known) <= 64
        assert recorder._new == {}
    assert [turn.number for turn in sessions.book.turns[:301]] == list(range(1, 302))


@virtual
async def test_a_session_that_is_refused_is_counted() -> None:
    sessions = registry(None)
    sessions._recorders = Recorders("w", NOW.timestamp)
    async with Client(sessions.of(MINE)) as client:
        await client.refused()
    [changes] = sessions._recorders.take()
    [refusal] = changes.refusals
    assert (refusal.account_id, refusal.hour, refusal.key_id, refusal.reason, refusal.count) == (
        "acc_1",
        NOW,
        "key_1",
        "loading",
        1,
    )


@virtual
async def test_what_nobodys_key_began_is_nobodys() -> None:
    sessions = recorded()
    async with Client(sessions) as client:
        await client.until("session.created")
    assert list(sessions.book.recorders.take()) == []


def typed(text: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


@virtual
async def test_what_was_not_taken_is_new_the_next_time() -> None:
    sessions = registry(services())
    recorders = sessions._recorders = Recorders("w", NOW.timestamp)
    for _ in range(120):
        async with Client(sessions.of(MINE)) as client:
            await client.until("session.created")
    first = next(iter(recorders.take()))
    rest = list(recorders.take())
    idents = {session.id for changes in (first, *rest) for session in changes.sessions}
    assert (len(first.sessions), len(idents)) == (50, 120)
    assert list(recorders.take()) == []
