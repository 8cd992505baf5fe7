"""Answers that are far ahead of their voices stop for other callers, and go on word for word."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.answer import LONGEST_ANSWER_TOKENS, SPEECH_CHARS_PER_S, Speech
from actors.cut import LONGEST_CHARS
from actors.gate import COMFORT_S, NEED_S
from engine.capabilities import Chat, ChatMessage, ToolSpec
from engine.inference import Priority
from tests.actors.endpoint import DONE, Connect, Scripted, ask, connect, event, everything, raw

__all__ = ["connect"]  # the fixture

SENTENCES = 60
STORY = "".join(f" This is number {number} of the sentences." for number in range(SENTENCES))
TOKENS = STORY.replace(" ", "\0 ").split("\0")[1:]
WEATHER = ToolSpec("weather", "Says the weather.", {"type": "object", "properties": {}})


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
        for place in range(0, len(allowed), 2):  # some characters take several tokens
            count = len(allowed[: place + 2])
            text = "".join(allowed[place : place + 2])
            await response.write(event(text, timings={"predicted_n": count}))
            await asyncio.sleep(0.004)
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


async def test_an_agent_with_functions_rests_too_and_may_still_call_them(connect: Connect) -> None:
    teller = Storyteller()
    client = await connect(teller.endpoint.handle, embedded=True, at_once=1)
    story = asyncio.create_task(everything(ask(client, _spoken("tell", tools=(WEATHER,)))))
    await asyncio.sleep(0.05)
    teller.release.set()
    await everything(ask(client, _spoken("hurry")))
    assert not story.done()
    assert "".join(delta.text for delta in await story) == STORY
    going_on = teller.endpoint.bodies[-1]
    assert going_on["messages"][-1]["role"] == "assistant"
    assert [tool["function"]["name"] for tool in going_on["tools"]] == ["weather"]


async def test_a_long_text_rests_too(connect: Connect) -> None:
    teller = Storyteller()
    client = await connect(teller.endpoint.handle, embedded=True, at_once=1)
    written = Chat((ChatMessage("user", "tell"),), max_tokens=len(TOKENS))
    story = asyncio.create_task(everything(ask(client, written)))
    await asyncio.sleep(0.05)
    teller.release.set()
    await everything(ask(client, _spoken("hurry")))
    assert not story.done()
    assert "".join(delta.text for delta in await story) == STORY


async def test_who_was_well_ahead_does_not_wait_for_what_was_read_meanwhile(
    connect: Connect,
) -> None:
    teller = Storyteller()
    client = await connect(teller.endpoint.handle, embedded=True, at_once=1)
    fast = replace(_spoken("tell"), voice_speed=8.0)  # 15 s of speech: soon ahead, and no more
    story = asyncio.create_task(everything(ask(client, fast)))
    await asyncio.sleep(0.02)
    prepared = asyncio.create_task(everything(ask(client, _spoken("hurry"), Priority.SPECULATIVE)))
    async with asyncio.timeout(5):
        await teller.endpoint.hung_up.wait()
    await asyncio.sleep(COMFORT_S - NEED_S + 0.5)
    teller.release.set()
    assert (await prepared)[0].text == " Done."
    assert "".join(delta.text for delta in await story) == STORY
    asked = [body["messages"][0]["content"] for body in teller.endpoint.bodies]
    assert asked[:3] == ["tell", "hurry", "tell"]
    assert "hurry" in asked[3:]  # and was begun again


async def test_a_call_is_not_stopped_also_behind_words(connect: Connect) -> None:
    async def caller(body: dict[str, Any], response: web.StreamResponse) -> None:
        if body["messages"][-1]["content"] == "hurry":
            await response.write(event(" Done.") + event("", "stop") + DONE)
            return
        for token in TOKENS[:300]:
            await response.write(event(token))
        for piece in ("", *(" " * 40), "{}"):
            call = {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": piece}}
            delta = {"content": " and", "tool_calls": [call]}
            await response.write(raw({"choices": [{"index": 0, "delta": delta}]}))
            await asyncio.sleep(0.005)
        await response.write(event("", "tool_calls") + DONE)

    endpoint = Scripted(caller)
    client = await connect(endpoint.handle, embedded=True, at_once=1)
    called = asyncio.create_task(everything(ask(client, _spoken("tell", tools=(WEATHER,)))))
    await asyncio.sleep(0.1)
    hurried = asyncio.create_task(everything(ask(client, _spoken("hurry"))))
    deltas = await called
    arguments = "".join(call.arguments for delta in deltas for call in delta.tool_calls)
    assert (arguments.strip(), deltas[-1].finish) == ("{}", "tool_calls")
    assert (await hurried)[0].text == " Done."
    assert len(endpoint.bodies) == 2, "each was asked for once"


@pytest.mark.parametrize("places", [1, 2])
async def test_nothing_is_read_ahead_where_somebody_may_wait_for_words(
    connect: Connect, places: int
) -> None:
    teller = Storyteller()
    client = await connect(teller.endpoint.handle, embedded=True, at_once=places)
    hurried = ask(client, _spoken("hurry"))
    await asyncio.sleep(0.05)
    warming = Chat((ChatMessage("user", "half a quest"),), max_tokens=0)
    read = await everything(ask(client, warming, Priority.SPECULATIVE))
    assert bool(read) == (places > 1), "only a free place may read"
    assert len(teller.endpoint.bodies) == places
    teller.release.set()
    await everything(hurried)


def test_an_answer_that_goes_on_with_the_agents_last_message_is_one_with_it() -> None:
    speech = Speech()
    speech.add(" and more.", 0.0)
    asked = (ChatMessage("user", "Tell."), ChatMessage("assistant", "This"))
    speech.tokens = 1
    going_on = speech.continued(Chat(asked, max_tokens=None))
    assert going_on.messages == (asked[0], ChatMessage("assistant", "This and more."))
    assert going_on.max_tokens == LONGEST_ANSWER_TOKENS - 1


def test_a_fast_voice_uses_its_lead_up_sooner() -> None:
    slow, fast = Speech(0.5), Speech(2.0)
    for speech in (slow, fast):
        speech.add("x" * 35 + ". ", 10.0)
    assert (slow.lead_s(10.0), fast.lead_s(10.0)) == (4.0, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "पेरिस फ्रांस की राजधानी है। यह नदी पर है।",
        "巴黎是法国的首都。它在河边。",
        "One, two, " * 60,
        "word" * 120,
    ],
)
def test_what_the_voice_can_speak_is_lead_in_any_script(text: str) -> None:
    speech = Speech()
    for character in text:
        speech.add(character, 100.0)
    assert speech.lead_s(100.0) * SPEECH_CHARS_PER_S >= min(len(text) / 3, 300)


@given(st.lists(st.sampled_from([" word", " end.", "!", "\n", " a", "…"]), max_size=400))
def test_what_no_voice_can_speak_yet_is_no_lead_and_time_uses_lead_up(tokens: list[str]) -> None:
    speech = Speech()
    for token in tokens:
        speech.add(token, 100.0)
    sayable = round(speech.lead_s(100.0) * SPEECH_CHARS_PER_S)
    assert len(speech.text) - LONGEST_CHARS <= sayable <= len(speech.text)
    assert speech.lead_s(103.0) <= max(0.0, speech.lead_s(100.0) - 3) or not tokens


def test_what_is_prepared_loses_no_lead_until_it_may_be_spoken() -> None:
    speech = Speech(0.5)
    speech.hold(9.0)
    speech.add("x" * 35 + ". ", 10.0)
    assert speech.lead_s(30.0) == 4.0
    speech.go(30.0)
    assert speech.lead_s(31.0) == 3.0
    speech.hold(32.0)
    assert speech.lead_s(40.0) == 2.0
    speech.go(40.0)
    assert speech.lead_s(41.0) == 1.0
