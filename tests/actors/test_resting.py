"""Answers that are far ahead of their voices stop for other callers, and go on word for word."""

import asyncio
from typing import Any

from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from actors.answer import LONGEST_ANSWER_TOKENS, SPEECH_CHARS_PER_S, Speech
from engine.capabilities import Chat, ChatMessage, ToolSpec
from engine.inference import Priority
from tests.actors.endpoint import DONE, Connect, Scripted, ask, connect, event, everything, raw

__all__ = ["connect"]  # the fixture

SENTENCES = 60
STORY = "".join(f" This is number {number} of the sentences." for number in range(SENTENCES))
TOKENS = STORY.replace(" ", "\0 ").split("\0")[1:]


class Storyteller:
    """An endpoint that tells a story token by token, from where the prompt's answer ends.

    Anybody who asks for something else is answered once `release` is set.
    """

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.endpoint = Scripted(self._answer)

    async def _answer(self, body: dict[str, Any], response: web.StreamResponse) -> None:
        last = body["messages"][-1]
        if last["content"] == "hurry":
            await self.release.wait()
            await response.write(event(" Done.") + event("", "stop") + DONE)
            return
        said = last["content"] if last["role"] == "assistant" else ""
        assert STORY.startswith(said)
        before = said.count(" ")
        allowed = TOKENS[before:][: body["max_tokens"]]
        for token in allowed:
            await response.write(event(token))
            await asyncio.sleep(0.002)
        usage = {"prompt_tokens": 7 + before, "completion_tokens": len(allowed)}
        usage |= {"prompt_tokens_details": {"cached_tokens": 6 + before}}  # type: ignore[dict-item]
        await response.write(event("", "stop") + raw({"choices": [], "usage": usage}) + DONE)


def _spoken(text: str, **more: Any) -> Chat:
    return Chat((ChatMessage("user", text),), voice_speed=1.0, max_tokens=len(TOKENS), **more)


async def test_an_answer_rests_while_somebody_waits_and_goes_on_word_for_word(
    connect: Connect,
) -> None:
    teller = Storyteller()
    client = await connect(teller.endpoint.handle, embedded=True, at_once=1)
    story = asyncio.create_task(everything(ask(client, _spoken("tell"))))
    await asyncio.sleep(0.05)
    hurried = ask(client, _spoken("hurry"))
    async with asyncio.timeout(5):
        await teller.endpoint.hung_up.wait()
    assert not story.done()
    teller.release.set()
    assert (await everything(hurried))[0].text == " Done."
    deltas = await story
    assert "".join(delta.text for delta in deltas) == STORY
    last = deltas[-1]
    assert (last.finish, last.input_tokens, last.output_tokens) == ("stop", 7, len(TOKENS))
    pieces = [body for body in teller.endpoint.bodies if body["messages"][0]["content"] == "tell"]
    assert len(pieces) == 2
    said = pieces[1]["messages"][-1]["content"]
    assert pieces[1]["max_tokens"] == len(TOKENS) - said.count(" ")


async def test_what_is_read_or_may_become_a_call_is_not_stopped(connect: Connect) -> None:
    weather = ToolSpec("weather", "Says the weather.", {"type": "object", "properties": {}})
    teller = Storyteller()
    client = await connect(teller.endpoint.handle, embedded=True, at_once=1)
    written = Chat((ChatMessage("user", "tell"),), max_tokens=len(TOKENS))
    stories = [
        asyncio.create_task(everything(ask(client, chat)))
        for chat in (written, _spoken("tell", tools=(weather,)))
    ]
    await asyncio.sleep(0.05)
    hurried = ask(client, _spoken("hurry"))
    for story in stories:
        assert "".join(delta.text for delta in await story) == STORY
    teller.release.set()
    await everything(hurried)
    assert len(teller.endpoint.bodies) == 3, "each was asked for once"


async def test_nothing_is_read_ahead_while_somebody_waits_for_words(connect: Connect) -> None:
    teller = Storyteller()
    client = await connect(teller.endpoint.handle, embedded=True, at_once=1)
    hurried = ask(client, _spoken("hurry"))
    await asyncio.sleep(0.05)
    warming = Chat((ChatMessage("user", "half a quest"),), max_tokens=0)
    assert await everything(ask(client, warming, Priority.SPECULATIVE)) == []
    assert len(teller.endpoint.bodies) == 1
    teller.release.set()
    await everything(hurried)


def test_an_answer_that_goes_on_with_the_agents_last_message_is_one_with_it() -> None:
    speech = Speech()
    speech.add(" and more.", 0.0)
    asked = (ChatMessage("user", "Tell."), ChatMessage("assistant", "This"))
    going_on = speech.continued(Chat(asked, max_tokens=None))
    assert going_on.messages == (asked[0], ChatMessage("assistant", "This and more."))
    assert going_on.max_tokens == LONGEST_ANSWER_TOKENS - 1


def test_a_fast_voice_uses_its_lead_up_sooner() -> None:
    slow, fast = Speech(0.5), Speech(2.0)
    for speech in (slow, fast):
        speech.add("x" * 35 + ".", 10.0)
    assert (slow.lead_s(10.0), fast.lead_s(10.0)) == (4.0, 1.0)


@given(st.lists(st.sampled_from([" word", " end.", "!", "\n", " a", "…"]), max_size=60))
def test_only_whole_sentences_count_as_lead_and_time_uses_it_up(tokens: list[str]) -> None:
    speech = Speech()
    for token in tokens:
        speech.add(token, 100.0)
    whole = max((speech.text.rfind(end) for end in ".!?\n"), default=-1) + 1
    assert speech.lead_s(100.0) * SPEECH_CHARS_PER_S - whole < 1e-6
    assert speech.lead_s(103.0) <= max(0.0, speech.lead_s(100.0) - 3) or not tokens
    assert speech.tokens == len(tokens)
