"""What sessions share: the models, as a session sees them, and the playout clock."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from engine.actor import Actor
from engine.caller_audio import CallerAudio
from engine.capabilities import Chat, ChatDelta, Speech, Utterance
from engine.inference import Inference
from engine.meter import Measurable, Watch
from engine.playout import PlayoutClock
from engine.settings import SessionSettings


class Ear(Protocol):
    """The actors that hear, as far as the turn-taking must steer them."""

    actors: Sequence[Actor]
    """In order; the last one emits `Onset`, `Hush`, `Words`, `ItemWords` and `Scored`."""

    def drop(self) -> None:
        """The utterance is over, whatever is still being done with it."""
        ...

    def guard(self, guarded: bool) -> None:
        """The agent is (not) heard: be harder (easier) to convince that somebody speaks."""
        ...

    def transcribe(self, item_id: str, pcm: bytes) -> None:
        """Transcribe a recording (PCM at 16 kHz): `ItemWords` follows."""
        ...

    def utterance_start(self) -> int | None:
        """Where the present utterance begins, in samples at 16 kHz."""
        ...

    def configure(self, settings: SessionSettings) -> None:
        """Use these settings from now on."""
        ...

    def likeness(self, caller: bytes, agent: bytes, agent_hz: int) -> float:
        """How alike the caller's last sound (PCM at 16 kHz) is to any part of the agent's, from 0
        to 1.
        """
        ...


def always() -> bool:
    """There is room for any number."""
    return True


def as_ever(llm: "Llm") -> "Llm":
    """The LLM of all sessions."""
    return llm


def as_written(voices: "Voices") -> "Voices":
    """The voices of all sessions."""
    return voices


Llm = tuple[Measurable[Chat, ChatDelta], str]
"""One, and its name."""

Mind = Callable[[Llm], Llm]
"""Who thinks in a session, given the LLM that does in others."""

Voices = Inference[Utterance, Speech]

Tongue = Callable[[Voices], Voices]
"""How a session's words are said, given the voices of all sessions."""


class Services(msgspec.Struct, frozen=True):
    """Makes the actors of a session; they share the models behind them.

    `ear` makes those that hear, `voice` those that answer, each with models that are watched by the
    session's meter; `mind` and `tongue` choose among them. `room` says whether there is a place for
    one more session.
    """

    clock: PlayoutClock
    ear: Callable[[CallerAudio, SessionSettings, Watch], Ear]
    voice: Callable[[Watch, Mind, Tongue], Sequence[Actor]]
    mind: Mind = as_ever
    tongue: Tongue = as_written
    room: Callable[[], bool] = always
