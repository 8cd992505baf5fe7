"""What an agent looks up before it answers, in whole conversations."""

import asyncio
from collections.abc import Sequence

from engine.capabilities import Chat, ChatMessage
from engine.frames import Cited, Passage, ResponseEnded, ResponseStarted, TurnMeasured
from engine.recall import with_passages
from engine.session import EndReason
from engine.settings import Greeting, SessionSettings
from tests.engine.conversation import Conversation
from tests.virtual_time import in_virtual_time

HOURS = Passage("doc_1", "7", "Opening hours", "On Sundays we open at nine.", 0.9)


class Library:
    """Knows one passage, and takes its time."""

    def __init__(self, seconds: float = 0.05, found: Sequence[Passage] = (HOURS,)) -> None:
        self.asked: list[str] = []
        self.cancelled = 0
        self.started = self.closed = False
        self._seconds = seconds
        self._found = found

    def start(self) -> None:
        self.started = True

    def close(self) -> None:
        self.closed = True

    async def passages(self, question: str) -> Sequence[Passage]:
        self.asked.append(question)
        try:
            await asyncio.sleep(self._seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._found


def told(chat: Chat) -> list[str]:
    """What the LLM is told beside what was said."""
    return [m.content or "" for m in chat.messages if m.role == "system"]


def answers(talk: Conversation) -> list[Chat]:
    return [chat for chat in talk.llm.asked if chat.max_tokens != 0]


def test_what_is_known_reaches_the_llm_and_is_cited() -> None:
    async def scenario() -> None:
        library = Library()
        async with Conversation(lambda chat: "At nine.", knowledge=library) as talk:
            await talk.silence(0.5)
            await talk.caller_says("when do you open")
            await talk.until(ResponseEnded)
            assert library.asked == ["when do you open"]
            [known] = told(answers(talk)[-1])
            assert "[1] Opening hours\nOn Sundays we open at nine." in known
            assert answers(talk)[-1].messages[-1].content == "when do you open"
            [cited] = talk.client.of(Cited)
            assert isinstance(cited, Cited)
            assert cited.passages == (HOURS,)
            started = talk.client.of(ResponseStarted)[0]
            assert isinstance(started, ResponseStarted)
            assert cited.response_id == started.response_id
            [measured] = talk.client.of(TurnMeasured)
            assert isinstance(measured, TurnMeasured)
            assert measured.stages["recalled"] < measured.stages["first_token"]

    in_virtual_time(scenario())


def latency(seconds: float) -> float:
    """From the caller's last word to the answer's first sound."""

    async def scenario() -> float:
        library = Library(seconds) if seconds else None
        async with Conversation(lambda chat: "At nine.", knowledge=library) as talk:
            await talk.silence(0.5)
            asked = await talk.caller_says("when do you open")
            await talk.until(ResponseEnded)
            return talk.client.speaking[0][0] - asked

    return in_virtual_time(scenario())


def test_a_look_up_costs_no_more_than_it_takes() -> None:
    without = latency(0)
    assert latency(0.05) <= without + 0.05


def test_what_is_said_verbatim_is_not_looked_up() -> None:
    async def scenario() -> None:
        library = Library()
        settings = SessionSettings(greeting=Greeting("Good morning."))
        async with Conversation(settings=settings, knowledge=library) as talk:
            await talk.until(ResponseEnded)
            assert talk.heard() == "Good morning."
            assert library.asked == []

    in_virtual_time(scenario())


def test_a_caller_who_goes_on_and_the_end_stop_what_is_looked_up() -> None:
    async def scenario() -> None:
        library = Library(0.5)
        async with Conversation(lambda chat: "Yes.", knowledge=library, score=0.05) as talk:
            assert library.started
            await talk.silence(0.5)
            await talk.caller_says("when do you")
            await talk.silence(0.35)
            await talk.caller_says("open tomorrow")
            await talk.silence(0.35)
            assert library.asked == ["when do you", "when do you open tomorrow"]
            assert library.cancelled == 1
            talk.session.stop(EndReason.HUNG_UP)
            await talk.silence(0.1)
            assert (library.cancelled, library.closed) == (2, True)

    in_virtual_time(scenario())


def test_nothing_found_changes_nothing() -> None:
    chat = Chat((ChatMessage("system", "Be brief."), ChatMessage("user", "hello")))
    assert with_passages(chat, ()) is chat

    async def scenario() -> None:
        async with Conversation(lambda chat: "Hello.", knowledge=Library(found=())) as talk:
            await talk.silence(0.5)
            await talk.caller_says("hello you")
            await talk.until(ResponseEnded)
            assert talk.client.of(Cited) == []
            assert told(answers(talk)[-1]) == []

    in_virtual_time(scenario())
