"""The session's mind: asks the LLM for the reply to a prompt."""

from uuid import uuid4

from msgspec.structs import replace

from engine.actor import WaitingActor
from engine.capabilities import Chat, ChatDelta
from engine.frames import (
    Frame,
    Prompt,
    ReplyCall,
    ReplyDelta,
    ReplyEnd,
    ReplyFailed,
    Usage,
    Warm,
)
from engine.inference import Inference, InferenceError, Priority, Request

DEADLINE_MS = {
    Priority.FIRST: 500,
    Priority.AHEAD: 2000,
    Priority.SPECULATIVE: 3000,
}
"""By when the first token is wanted."""


class Think(WaitingActor):
    """Turns a `Prompt` into `ReplyDelta`s and `ReplyCall`s, then `ReplyEnd` or `ReplyFailed`.

    The prompt itself goes ahead of its reply, so that those behind know how to treat it.
    """

    def __init__(self, llm: Inference[Chat, ChatDelta]) -> None:
        super().__init__()
        self._llm = llm
        self._conversation = uuid4().hex
        self._request: Request[ChatDelta] | None = None
        self._priority = Priority.FIRST
        self._warming = False

    def receive(self, frame: Frame) -> None:
        if isinstance(frame, Warm):
            self._drop_warms()
            self.queue(frame)
            return
        self.emit(frame)
        if isinstance(frame, Prompt):
            self._drop_warms()
            if frame.say is not None and self._warming:
                self._cancel()  # what is said verbatim needs no reading
            self.queue(frame)
            self.prioritise(frame.priority)  # also of what is being read for it

    def _drop_warms(self) -> None:
        for warm in [waiting for waiting in self._inbox if isinstance(waiting, Warm)]:
            self._inbox.remove(warm)

    def _cancel(self) -> None:
        if self._request is not None:
            self._request.cancel()

    def prioritise(self, priority: Priority) -> None:
        self._priority = priority
        if self._request is not None:
            self._request.promote(priority, DEADLINE_MS[priority])

    async def handle(self, frame: Frame) -> None:
        match frame:
            case Prompt(generation, _, say) if say is not None:
                self.emit(ReplyDelta(generation, say))
                self.emit(ReplyEnd(generation, "stop", Usage()))
            case Prompt():
                await self._reply(frame)
            case Warm(chat):
                await self._warm(chat)

    async def _warm(self, chat: Chat) -> None:
        """Have the prompt read. A prompt that comes meanwhile waits: it needs the same reading."""
        request = self._llm.request(
            replace(chat, max_tokens=0, conversation=self._conversation),
            priority=Priority.SPECULATIVE,
            deadline_ms=DEADLINE_MS[Priority.SPECULATIVE],
        )
        self._request = request
        self._warming = True
        try:
            async for _ in request:
                pass
        except InferenceError:
            return  # the prompt itself will tell
        finally:
            self._warming = False
            if self._request is request:
                self._request = None

    async def _reply(self, prompt: Prompt) -> None:
        generation = prompt.generation
        finish = ""
        usage = Usage()
        request = self._llm.request(
            replace(prompt.chat, conversation=self._conversation),
            priority=self._priority,
            deadline_ms=DEADLINE_MS[self._priority],
        )
        self._request = request
        try:
            async for delta in request:
                if delta.text:
                    self.emit(ReplyDelta(generation, delta.text))
                for call in delta.tool_calls:
                    self.emit(ReplyCall(generation, call))
                finish = delta.finish or finish
                if delta.input_tokens or delta.output_tokens:
                    usage = Usage(delta.input_tokens, delta.output_tokens, delta.cached_tokens)
                if self.following is not None:
                    await self.following.room()
            self.emit(ReplyEnd(generation, finish or "stop", usage))
        except InferenceError as error:
            self.emit(ReplyFailed(generation, error.code, str(error)))
        finally:
            request.cancel()
            if self._request is request:
                self._request = None
