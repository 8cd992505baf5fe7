"""What the floor machine knows: who has the floor, its rules, and everything it remembers."""

import enum
from collections.abc import Callable
from math import inf

import msgspec


class Floor(enum.StrEnum):
    """Who has the floor."""

    IDLE = "idle"  # nobody
    CALLER = "caller"  # the caller speaks
    PAUSED = "paused"  # the caller paused: its turn may be over
    WAITING = "waiting"  # a response is live and not yet audible
    AGENT = "agent"  # the agent is heard
    CONTESTED = "contested"  # the caller makes sound while a response is live


class Rules(msgspec.Struct, frozen=True):
    """What a session's settings mean to the floor.

    `patience_ms(score, words, confidence)` says how long silence must last before a turn has ended,
    given the score of its sound (0-1, None: unknown), its words, and the recogniser's confidence in
    them (0-1). `scored`: whether a score will come.
    `passing(words, spoken_ms, confidence)` says whether the agent may go on after words over its
    own; `humming(words, stable, spoken_ms, confidence)` whether it may while the caller still
    sounds.
    """

    patience_ms: Callable[[float | None, str, float], float]
    passing: Callable[[str, float, float], bool]
    humming: Callable[[str, str, float, float], bool]
    scored: bool = True
    responds: bool = True
    interruptible: bool = True
    reprompt_ms: float | None = None
    reprompts: int = 0


class State(msgspec.Struct, frozen=True):
    """Everything that the machine remembers."""

    floor: Floor = Floor.IDLE
    idle_since: float = 0.0
    onset_at: float = 0.0
    hush_at: float | None = None
    stirred_at: float = -inf
    announced: bool = False
    words: str = ""
    words_final: bool = False
    confidence: float = 1.0
    checked: bool = False  # a transcript came, be it empty
    echo: bool = False  # so far the agent hears itself
    score: float | None = None
    prepared: int | None = None
    ready: bool = False
    hurried: bool = False
    live: int | None = None
    audible: bool = False
    paused: bool = False  # was playout held since the contest began?
    yields: bool = True  # may the live generation be interrupted?
    held: bool = False
    false_pauses: int = 0
    reprompted: int = 0
    next_generation: int = 1
