"""One answer of an LLM on its way to a caller, perhaps in several pieces."""

import asyncio
from dataclasses import dataclass, field
from math import inf

from msgspec.structs import replace

from actors.gate import Ticket
from engine.capabilities import Chat, ChatDelta, ChatMessage
from engine.results import Results

SPEECH_CHARS_PER_S = 15.0
"""English at 150 to 180 words a minute. Scripts that say more with a character only seem to be less
ahead than they are."""

_SENTENCE_ENDS = frozenset(".!?\n")


class Speech:
    """What an answer has said, and how far that is ahead of the voice that speaks it."""

    def __init__(self) -> None:
        self.text = ""
        self.tokens = 0
        self._first_at: float | None = None
        self._sayable = 0  # characters up to the last end of a sentence: the rest waits for it

    def add(self, text: str, now: float) -> None:
        """One more token; `now` in s."""
        if self._first_at is None:
            self._first_at = now
        self.text += text
        self.tokens += 1
        if not _SENTENCE_ENDS.isdisjoint(text):
            self._sayable = len(self.text)

    def lead_s(self, now: float) -> float:
        """For how much longer the voice can go on with what has been said. May be negative."""
        if self._first_at is None:
            return 0.0
        return self._sayable / SPEECH_CHARS_PER_S - (now - self._first_at)

    def continued(self, chat: Chat) -> Chat:
        """The chat with which to go on: what was said is the beginning of the answer."""
        if not self.text:
            return chat
        said = ChatMessage("assistant", self.text)
        left = None if chat.max_tokens is None else max(1, chat.max_tokens - self.tokens)
        return replace(chat, messages=(*chat.messages, said), max_tokens=left)


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
    speech: Speech = field(default_factory=Speech)

    @property
    def warms(self) -> bool:
        """Whether the prompt is only read."""
        return self.chat.max_tokens == 0

    @property
    def resumable(self) -> bool:
        """Whether it may rest in the middle: what is spoken can, what may become a call cannot."""
        return self.chat.spoken and not self.chat.tools

    def lead_s(self, now: float) -> float:
        """How far it is ahead of its voice. What only warms is never behind."""
        return inf if self.warms else self.speech.lead_s(now)
