"""One answer of an LLM on its way to a caller, perhaps in several pieces."""

import asyncio
from dataclasses import dataclass, field

from msgspec.structs import replace

from actors.cut import Cutter
from actors.gate import Ticket
from engine.capabilities import Chat, ChatDelta, ChatMessage
from engine.results import Results

SPEECH_CHARS_PER_S = 18.0
"""Fast English, 180 words a minute. Slower voices, and scripts that say more with a character, are
only further ahead than they seem to be."""

LONGEST_ANSWER_TOKENS = 1024
"""Of an embedded model, where the client sets no limit: about six minutes of speech. Small models
sometimes repeat themselves without end."""

_UNSPACED_FROM = "\u2e80"
"""Here begin the East Asian scripts, in most of which any character may begin a word."""


class Speech:
    """What an answer has said, and how far that is ahead of the voice that speaks it, or of who
    reads it, for whom that is fast enough too.

    `speed`: the voice's, 1 is usual. `tokens`: what the endpoint counts in what was said, if it
    tells.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.text = ""
        self.tokens = 0
        self._first_at: float | None = None
        self._held_at: float | None = None
        self._chars_per_s = SPEECH_CHARS_PER_S * speed
        self._cutter = Cutter()
        self._sayable = 0  # characters of whole pieces: the rest waits until it is one

    def add(self, text: str, now: float) -> None:
        """More of it; `now` in s."""
        if self._first_at is None:
            self._first_at = now
        self.text += text
        self._sayable += sum(map(len, self._cutter.feed(text)))

    def hold(self, now: float) -> None:
        """It is prepared, and not spoken yet."""
        if self._held_at is None:
            self._held_at = now

    def go(self, now: float) -> None:
        """It may be spoken from now on."""
        if self._held_at is not None and self._first_at is not None:
            self._first_at += now - max(self._held_at, self._first_at)
        self._held_at = None

    def lead_s(self, now: float) -> float:
        """For how much longer the voice can go on with what has been said. May be negative."""
        if self._first_at is None:
            return 0.0
        until = now if self._held_at is None else max(self._held_at, self._first_at)
        return self._sayable / self._chars_per_s - (until - self._first_at)

    def continued(self, chat: Chat) -> Chat:
        """The chat with which to go on: what was said is the beginning of the answer.

        A model that was asked to go on with its own message goes on with both: two are refused.
        """
        if not self.text:
            return chat
        messages, text = chat.messages, self.text
        if messages and messages[-1].role == "assistant":
            messages, text = messages[:-1], (messages[-1].content or "") + text
        left = (chat.max_tokens or LONGEST_ANSWER_TOKENS) - self.tokens
        said = ChatMessage("assistant", text)
        return replace(chat, messages=(*messages, said), max_tokens=max(1, left))


@dataclass(eq=False)
class Answer:
    """A request's state. An answer that rests goes on where it stopped, word for word."""

    chat: Chat
    ticket: Ticket
    results: Results[ChatDelta] = field(default_factory=Results)
    compute_ms: float = 0.0
    timed_ms: float | None = None
    task: asyncio.Task[None] | None = None
    attempt: asyncio.Task[bool] | None = None
    reading: bool = False  # the endpoint reads the prompt
    calls: bool = False  # it has called a function
    speech: Speech = field(init=False)

    def __post_init__(self) -> None:
        self.speech = Speech(self.chat.voice_speed or 1.0)

    @property
    def warms(self) -> bool:
        """Whether the prompt is only read."""
        return self.chat.max_tokens == 0

    @property
    def resumable(self) -> bool:
        """Whether it may rest in the middle: what is spoken or read can, a call cannot."""
        bound = bool(self.chat.tools) and self.chat.tool_choice not in ("auto", "none")
        return not bound and not self.calls

    def must_rest(self, text: str) -> bool:
        """Whether it has to stop before the token `text`. It does where a word begins: where words
        are spaced, what was said before has the same tokens when it goes on.
        """
        if not self.ticket.leaving:
            return False
        if not self.ticket.begun:
            return True
        return self.ticket.resumable and (text[:1].isspace() or text[:1] >= _UNSPACED_FROM)
