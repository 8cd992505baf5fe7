"""Tools that the server runs, in whole conversations."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from engine.capabilities import Chat, ChatDelta, ToolCall, ToolSpec
from engine.frames import CallEnded, IdleTimeout, ResponseEnded, ResponseStarted
from engine.history import RUNNING
from engine.items import FunctionCall, FunctionOutput
from engine.session import EndReason, RequestError
from engine.settings import Reprompt, ResponseRequest, SessionSettings
from engine.tools import MOST_ROUNDS, Filler, Outcome
from tests.engine.conversation import Conversation
from tests.virtual_time import in_virtual_time

LONG = "Let me see what we have for you tonight and then I will tell you all about it."


class Tools:
    """One tool, `weather`, which takes `seconds` and has the `outcome`."""

    specs = (ToolSpec("weather", "Tells the weather.", {"type": "object"}),)

    def __init__(
        self, outcome: Outcome, seconds: float = 0.1, filler: Filler | None = None
    ) -> None:
        self.outcome = outcome
        self.seconds = seconds
        self.called: list[tuple[str, str]] = []
        self.finished = 0
        self._filler = filler

    def filler(self, name: str) -> Filler | None:
        return self._filler

    async def call(self, call: FunctionCall, variables: Mapping[str, str]) -> Outcome:
        self.called.append((call.name, call.arguments))
        await asyncio.sleep(self.seconds)
        self.finished += 1
        return self.outcome


SUNNY = Outcome('{"sky": "sunny"}')


def outputs(chat: Chat) -> list[str | None]:
    return [message.content for message in chat.messages if message.role == "tool"]


def calling(text: str = "", then: str = "It is sunny.") -> Callable[[Chat], list[ChatDelta]]:
    """An LLM that calls the tool first, and then says what came of it."""

    def reply(chat: Chat) -> list[ChatDelta]:
        if outputs(chat):
            return [ChatDelta(text=then), ChatDelta(finish="stop")]
        call = ToolCall(0, '{"city": "Oslo"}', "call_1", "weather")
        said = [ChatDelta(text=text)] if text else []
        return [*said, ChatDelta(tool_calls=(call,)), ChatDelta(finish="tool_calls")]

    return reply


async def asked(talk: Conversation, words: str = "how is the weather") -> None:
    await talk.silence(0.5)
    await talk.caller_says(words)


def test_a_tool_is_run_and_the_agent_goes_on_with_its_result() -> None:
    async def scenario() -> None:
        tools = Tools(SUNNY)
        async with Conversation(calling(), toolbox=tools) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            await talk.until(ResponseEnded)
            assert tools.called == [("weather", '{"city": "Oslo"}')]
            assert talk.heard() == "It is sunny."
            [call] = [item for item in talk.session.history if isinstance(item, FunctionCall)]
            assert (call.ours, call.output, call.failed) == (True, '{"sky": "sunny"}', False)
            assert [spec.name for spec in talk.llm.asked[-1].tools] == ["weather"]
            await talk.silence(3)
            assert len(talk.client.of(ResponseStarted)) == 2

    in_virtual_time(scenario())


def test_no_tool_runs_for_an_answer_that_is_only_prepared() -> None:
    async def scenario() -> None:
        tools = Tools(SUNNY)
        async with Conversation(calling(), score=0.05, toolbox=tools) as talk:
            await asked(talk, "how is")
            await talk.silence(0.45)
            assert [chat for chat in talk.llm.asked if chat.max_tokens != 0]
            assert tools.called == []
            await talk.caller_says("the weather")
            await talk.until(ResponseEnded)
            assert len(tools.called) == 1

    in_virtual_time(scenario())


def test_the_agent_speaks_to_its_end_before_it_goes_on() -> None:
    async def scenario() -> None:
        async with Conversation(calling(LONG), toolbox=Tools(SUNNY)) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            await talk.until(ResponseEnded)
            assert talk.heard() == f"{LONG} It is sunny."

    in_virtual_time(scenario())


async def interrupted(talk: Conversation) -> None:
    """The caller interrupts what is said while the tool runs, and is answered."""
    await asked(talk)
    await talk.until(ResponseStarted)
    await talk.silence(1)
    await talk.caller_says("no stop that at once please")
    await talk.until(ResponseEnded)
    await talk.until(ResponseEnded)


def test_a_result_survives_an_interruption_and_is_known_to_the_next_answer() -> None:
    async def scenario() -> None:
        tools = Tools(SUNNY, seconds=1.5)
        async with Conversation(calling(LONG), toolbox=tools) as talk:
            await interrupted(talk)
            assert tools.finished == 1
            assert outputs(talk.llm.asked[-1]) == ['{"sky": "sunny"}']
            await talk.silence(3)
            assert len(talk.client.of(ResponseStarted)) == 2

    in_virtual_time(scenario())


def test_an_answer_meanwhile_knows_that_the_tool_runs_and_another_follows() -> None:
    async def scenario() -> None:
        tools = Tools(SUNNY, seconds=6)
        async with Conversation(calling(LONG), toolbox=tools) as talk:
            await interrupted(talk)
            assert tools.finished == 0
            assert outputs(talk.llm.asked[-1]) == [RUNNING]
            await talk.until(ResponseEnded)
            assert outputs(talk.llm.asked[-1]) == ['{"sky": "sunny"}']
            assert len(tools.called) == 1

    in_virtual_time(scenario())


def test_while_a_tool_takes_long_a_filler_is_said_and_nobody_is_prompted() -> None:
    async def scenario() -> None:
        tools = Tools(SUNNY, seconds=9, filler=Filler("One moment please.", 1000))
        settings = SessionSettings(reprompt=Reprompt(2000, "Hello?"))
        async with Conversation(calling(), settings, toolbox=tools) as talk:
            await asked(talk)
            for _ in range(3):
                await talk.until(ResponseEnded)
            assert talk.heard() == "One moment please. It is sunny."
            assert not talk.client.of(IdleTimeout)
            await talk.until(IdleTimeout)  # afterwards somebody is again

    in_virtual_time(scenario())


def test_a_quick_tool_needs_no_filler() -> None:
    async def scenario() -> None:
        tools = Tools(SUNNY, seconds=0.5, filler=Filler("One moment please.", 1000))
        async with Conversation(calling(), toolbox=tools) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            await talk.until(ResponseEnded)
            assert talk.heard() == "It is sunny."

    in_virtual_time(scenario())


def test_a_cough_while_the_result_comes_only_delays_it() -> None:
    async def scenario() -> None:
        tools = Tools(SUNNY, seconds=1.0)
        async with Conversation(calling(), toolbox=tools) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            await talk.silence(0.7)
            await talk.caller_makes_noise(500)
            await talk.until(CallEnded)
            await talk.until(ResponseEnded)
            assert talk.heard() == "It is sunny."

    in_virtual_time(scenario())


def test_the_agent_may_stay_silent_after_a_tool() -> None:
    async def scenario() -> None:
        async with Conversation(calling(), toolbox=Tools(Outcome("", follows=False))) as talk:
            await asked(talk)
            await talk.until(CallEnded)
            await talk.silence(3)
            assert len(talk.client.of(ResponseStarted)) == 1

    in_virtual_time(scenario())


def test_a_tool_may_end_the_session_after_a_last_word() -> None:
    async def scenario() -> None:
        tools = Tools(Outcome("", ends=True, say="Goodbye then."))
        async with Conversation(calling("Fine."), toolbox=tools) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            await talk.until(ResponseEnded)
            await talk.silence(0.1)
            assert talk.heard() == "Fine. Goodbye then."
            assert talk.ended == [EndReason.AGENT]

    in_virtual_time(scenario())


def test_a_failure_is_told_to_the_llm_and_a_bug_ends_this_session() -> None:
    class Broken(Tools):
        async def call(self, call: FunctionCall, variables: Mapping[str, str]) -> Outcome:
            raise RuntimeError("a bug")

    async def scenario() -> None:
        failed = Outcome("the shop does not answer", failed=True)
        async with Conversation(calling(), toolbox=Tools(failed)) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            await talk.until(ResponseEnded)
            assert outputs(talk.llm.asked[-1]) == ["the shop does not answer"]
        async with Conversation(calling(), toolbox=Broken(SUNNY)) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            await talk.silence(0.1)
            assert talk.ended == [EndReason.FAILED]

    in_virtual_time(scenario())


def test_variables_that_a_tool_sets_stay_set() -> None:
    async def scenario() -> None:
        settings = SessionSettings(instructions="Talk to {{name}}.", variables={"name": "nobody"})
        tools = Tools(Outcome("ok", variables={"name": "Ada"}))
        async with Conversation(calling(), settings, toolbox=tools) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            await talk.until(ResponseEnded)
            talk.session.configure(settings)  # as a client does that knows nothing of it
            assert talk.session.settings.variables == {"name": "Ada"}
            assert talk.llm.asked[-1].messages[0].content == "Talk to Ada."

    in_virtual_time(scenario())


def test_an_agent_that_has_to_call_a_tool_does_so_once() -> None:
    async def scenario() -> None:
        settings = SessionSettings(tool_choice="weather")
        async with Conversation(calling(), settings, toolbox=Tools(SUNNY)) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            await talk.until(ResponseEnded)
            choices = [chat.tool_choice for chat in talk.llm.asked if chat.max_tokens != 0]
            assert choices[-2:] == ["weather", "auto"]

    in_virtual_time(scenario())


def test_an_llm_that_calls_for_ever_is_stopped_until_the_caller_speaks() -> None:
    def again(chat: Chat) -> list[ChatDelta]:
        call = ToolCall(0, "{}", f"call_{len(chat.messages)}", "weather")
        return [ChatDelta(tool_calls=(call,)), ChatDelta(finish="tool_calls")]

    async def scenario() -> None:
        tools = Tools(SUNNY)
        async with Conversation(again, toolbox=tools) as talk:
            for turn in (1, 2):
                await asked(talk)
                await talk.silence(60)
                assert len(tools.called) == turn * (1 + MOST_ROUNDS)

    in_virtual_time(scenario())


def test_a_client_that_asks_for_the_answer_to_a_tool_has_the_one_that_began_by_itself() -> None:
    async def scenario() -> None:
        async with Conversation(calling(), toolbox=Tools(SUNNY)) as talk:
            await asked(talk)
            await talk.until(ResponseStarted)
            await talk.until(ResponseStarted)
            talk.session.respond(ResponseRequest(event_id="mine"))
            for request in (ResponseRequest(), ResponseRequest(instructions="Sing.")):
                with pytest.raises(RequestError, match="a response is in progress"):
                    talk.session.respond(request)
            await talk.silence(5)
            assert len(talk.client.of(ResponseStarted)) == 2

    in_virtual_time(scenario())


def test_a_client_that_cancels_has_silence_until_the_caller_speaks() -> None:
    async def scenario() -> None:
        async with Conversation(calling(LONG), toolbox=Tools(SUNNY)) as talk:
            await asked(talk)
            await talk.until(CallEnded)
            await talk.silence(1)
            talk.session.cancel()
            await talk.silence(3)
            assert len(talk.client.of(ResponseStarted)) == 1
            await talk.caller_says("go on please")
            await talk.until(ResponseEnded)
            await talk.until(ResponseEnded)
            assert outputs(talk.llm.asked[-1]) == ['{"sky": "sunny"}']

    in_virtual_time(scenario())


def test_nobody_is_told_what_came_while_the_client_was_away_before_it_is_back() -> None:
    async def scenario() -> None:
        for outcome in (SUNNY, Outcome("", ends=True, say="Goodbye.")):
            async with Conversation(calling(LONG), toolbox=Tools(outcome)) as talk:
                await asked(talk)
                await talk.until(CallEnded)
                await talk.silence(1)
                talk.session.detach()
                await talk.silence(5)
                assert len(talk.client.of(ResponseStarted)) == 1
                assert talk.ended == []
                talk.session.attach(talk.client)
                await talk.silence(5)
                assert len(talk.client.of(ResponseStarted)) == 2

    in_virtual_time(scenario())


def test_a_caller_who_has_more_to_say_is_not_hung_up_on() -> None:
    async def scenario() -> None:
        tools = Tools(Outcome("", ends=True, say="Goodbye."))
        async with Conversation(calling(LONG, "At nine."), toolbox=tools) as talk:
            await asked(talk)
            await talk.until(CallEnded)
            await talk.silence(1)
            await talk.caller_says("no wait when do you open")
            await talk.silence(8)
            assert talk.ended == []
            assert talk.heard().endswith("At nine.")

    in_virtual_time(scenario())


def test_the_output_of_a_client_s_tool_beside_ours_is_answered_too() -> None:
    def both(chat: Chat) -> list[ChatDelta]:
        if outputs(chat):
            return [ChatDelta(text=f"{len(outputs(chat))} results."), ChatDelta(finish="stop")]
        ours = ToolCall(0, "{}", "call_1", "weather")
        theirs = ToolCall(1, "{}", "call_2", "theirs")
        return [ChatDelta(tool_calls=(ours, theirs)), ChatDelta(finish="tool_calls")]

    async def scenario() -> None:
        async with Conversation(both, toolbox=Tools(SUNNY)) as talk:
            await asked(talk)
            await talk.until(ResponseStarted)
            await talk.until(ResponseStarted)
            talk.session.add(FunctionOutput("item_o", "call_2", "done"))
            talk.session.respond(ResponseRequest())
            await talk.silence(5)
            assert talk.heard() == "1 results. 2 results."

    in_virtual_time(scenario())


def test_a_hang_up_stops_a_tool() -> None:
    async def scenario() -> None:
        tools = Tools(SUNNY, seconds=5)
        async with Conversation(calling(), toolbox=tools) as talk:
            await asked(talk)
            await talk.until(ResponseEnded)
            talk.session.stop(EndReason.HUNG_UP)
            await talk.silence(6)
            assert tools.finished == 0

    in_virtual_time(scenario())
