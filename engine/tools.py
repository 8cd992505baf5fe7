"""Tools that the server runs for the agent: called once their response is live, answered when they
have a result, whatever was said meanwhile.

A tool that takes long has a filler spoken. When all of a response's results are there and nobody
speaks, the agent goes on with them; else its next answer knows them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from engine.capabilities import ToolSpec
from engine.frames import (
    CallEnded,
    Frame,
    InputCommitted,
    ItemAdded,
    ReplyItemDone,
    ResponseStarted,
)
from engine.history import History
from engine.items import FunctionCall, FunctionOutput, Message
from engine.settings import SessionSettings

MOST_ROUNDS = 8
"""Follow-ups in a row, without a word of the caller: an LLM that calls a tool again and again has
lost its way."""


class Outcome(msgspec.Struct, frozen=True):
    """What a tool came to: `output` is for the LLM, `failed` whether it says why there is none.

    `follows`: the agent goes on with it. `ends`: the session is to end, after `say` was said
    verbatim. `variables` are set for what is said from then on.
    """

    output: str
    failed: bool = False
    follows: bool = True
    ends: bool = False
    say: str = ""
    variables: dict[str, str] = {}


class Filler(msgspec.Struct, frozen=True):
    """What the agent says verbatim, once, while a tool takes longer than `after_ms`."""

    text: str
    after_ms: int = 1500


class Toolbox(Protocol):
    """The tools of one session that the server runs."""

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """What the LLM is told of them."""
        ...

    def filler(self, name: str) -> Filler | None:
        """Of this tool."""
        ...

    async def call(self, call: FunctionCall, variables: Mapping[str, str]) -> Outcome:
        """Run it, with the session's variables. Whatever goes wrong is an `Outcome` too."""
        ...


class NoTools:
    """A `Toolbox` with nothing in it."""

    specs: Sequence[ToolSpec] = ()

    def filler(self, name: str) -> Filler | None:
        return None

    async def call(self, call: FunctionCall, variables: Mapping[str, str]) -> Outcome:
        return Outcome(f"there is no tool {call.name!r}", failed=True)


class Floor(Protocol):
    """The conversation, as far as tools have a part in it."""

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks or is about to, and a client is there."""
        ...

    @property
    def next_generation(self) -> int:
        """The number of the next one: what is made from now on knows what stands in the history."""
        ...

    def say(self, text: str, interruptible: bool) -> None:
        """Say `text` verbatim."""
        ...

    def follow_up(self) -> None:
        """Have the agent go on with what stands in the history."""
        ...

    @property
    def following_up(self) -> bool:
        """Whether the agent is going on so."""
        ...

    def wait_for_tools(self, waiting: bool) -> None:
        """The agent has not fallen silent: it waits."""
        ...

    @property
    def settings(self) -> SessionSettings:
        """Those in force."""
        ...


class ToolCalls:
    """The calls of one session. `end` is asked for a gentle end of it, `set_variables` for new
    values.
    """

    def __init__(
        self,
        toolbox: Toolbox,
        history: History,
        floor: Floor,
        send: Callable[[Frame], None],
        end: Callable[[], None],
        set_variables: Callable[[dict[str, str]], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._toolbox = toolbox
        self._history = history
        self._floor = floor
        self._send = send
        self._end = end
        self._set_variables = set_variables
        self._failed = failed
        self._running: set[asyncio.Task[None]] = set()
        self._due_from: int | None = None  # no generation before this one knows the results
        self._farewell: str | None = None
        self._rounds = 0
        self._hushed = False

    def saw(self, frame: Frame) -> None:
        """The session tells its transport this."""
        match frame:
            case ReplyItemDone(response_id, index, FunctionCall(status="completed") as call):
                if call.ours:
                    self._begin(response_id, index, call)
            case InputCommitted() | ItemAdded(Message(role="user")):
                self._rounds = 0
                self._hushed = False
                self._farewell = None  # there is more to talk about
            case ItemAdded(FunctionOutput()) if self._floor.following_up:
                self._due_from = self._floor.next_generation  # it does not know this one's output
            case ResponseStarted(generation=number, in_conversation=True):
                if self._due_from is not None and number >= self._due_from:
                    self._due_from = None

    def settle(self) -> None:
        """Somebody has stopped speaking: go on with the results, or end, if it is time."""
        if self._running or self._hushed or not self._floor.quiet:
            return
        if self._farewell is not None:
            farewell, self._farewell = self._farewell, None
            self._due_from = None
            if farewell:
                self._floor.say(farewell, interruptible=False)
            self._end()
        elif self._due_from is not None:
            self._due_from = None
            if self._rounds < MOST_ROUNDS:
                self._rounds += 1
                self._floor.follow_up()

    def hush(self) -> None:
        """The agent was told to be quiet: it does not go on by itself until the caller does."""
        self._hushed = True

    def close(self) -> None:
        """Nobody waits for a result any more."""
        self._due_from = self._farewell = None
        for task in self._running:
            task.cancel()

    def _begin(self, response_id: str, index: int, call: FunctionCall) -> None:
        task = asyncio.get_running_loop().create_task(self._call(response_id, index, call))
        self._running.add(task)
        self._floor.wait_for_tools(True)
        task.add_done_callback(self._ended)

    async def _call(self, response_id: str, index: int, call: FunctionCall) -> None:
        outcome = await self._outcome(call)
        done = replace(call, output=outcome.output, failed=outcome.failed)
        self._history.put(done)
        self._send(CallEnded(response_id, index, done))
        if outcome.variables:
            self._set_variables(outcome.variables)
        if outcome.ends:
            self._farewell = outcome.say
        elif outcome.follows:
            self._due_from = self._floor.next_generation

    async def _outcome(self, call: FunctionCall) -> Outcome:
        """The result; a filler is said if that takes long."""
        asking = asyncio.ensure_future(self._toolbox.call(call, self._floor.settings.variables))
        try:
            filler = self._toolbox.filler(call.name)
            if filler is not None:
                await asyncio.wait({asking}, timeout=filler.after_ms / 1000)
                if not asking.done() and self._floor.quiet:
                    self._floor.say(filler.text, interruptible=True)
            return await asking
        finally:
            asking.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._failed(error)
            return
        if not self._running:
            self._floor.wait_for_tools(False)
            try:
                self.settle()
            except Exception as wrong:  # noqa: BLE001 - nobody above could catch it
                self._failed(wrong)
