"""What the floor machine is told, and what it decides. Times as in `engine.floor`."""

import msgspec

# ---- events ----------------------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True):
    """Something that the machine is told."""


class Sounded(Event, frozen=True):
    """The caller began to sound like speech, at `at`, or took it up again."""

    at: float


class Stirred(Event, frozen=True):
    """Up to `at` there was sound that may yet turn out to be speech."""

    at: float


class Hushed(Event, frozen=True):
    """The caller fell silent: its last voiced sound ended at `at`."""

    at: float


class Said(Event, frozen=True):
    """What the caller has said. `final`: up to the present hush, complete.

    Of words that are not final, `stable` will not change. `agent_left_ms` is how much of the
    agent's speech is still to come, if that is known. `confidence` (0-1) is the recogniser's.
    `upto`: until when it was listened to; None: until now. `echo`: it is the agent's own speech,
    come back, and there are no words.
    """

    words: str
    final: bool
    stable: str = ""
    agent_left_ms: float | None = None
    confidence: float = 1.0
    upto: float | None = None
    echo: bool = False


class Judged(Event, frozen=True):
    """The sound of the present hush makes a complete turn with probability `score`."""

    score: float


class Ready(Event, frozen=True):
    """A prepared generation has its first sound (or text, in a text session)."""

    generation: int


class Audible(Event, frozen=True):
    """The first sound of the live generation went out."""

    generation: int


class Finished(Event, frozen=True):
    """The live generation was heard to its end, or has ended without sound."""

    generation: int


class Asked(Event, frozen=True):
    """A response is wanted now: by the client, as a greeting, after a tool."""

    yields: bool = True


class Cancelled(Event, frozen=True):
    """The live response is no longer wanted."""


class Committed(Event, frozen=True):
    """The client ends the caller's turn itself."""


class Dropped(Event, frozen=True):
    """The caller's utterance is thrown away, by the client or because turns are no longer found."""


class Returned(Event, frozen=True):
    """The client is there again: silence counts from now."""


class Ticked(Event, frozen=True):
    """Time has passed."""


# ---- actions ---------------------------------------------------------------------------------


class Action(msgspec.Struct, frozen=True):
    """Something that must be done."""


class Announce(Action, frozen=True):
    """Tell the client that the caller began to speak at `at`."""

    at: float


class EndTurn(Action, frozen=True):
    """The utterance is complete; its last voiced sound ended at `at`. `words` may be empty."""

    at: float
    words: str


class Forget(Action, frozen=True):
    """The utterance was none: a noise, an echo, an acknowledgement."""


class Prepare(Action, frozen=True):
    """Begin `generation` as an answer to the `words` so far, unheard and at low priority."""

    generation: int
    words: str


class Hurry(Action, frozen=True):
    """The turn is over as far as can be told: raise the priority of the prepared generation."""

    generation: int


class Promote(Action, frozen=True):
    """Make the prepared `generation` live: it is the answer."""

    generation: int


class Start(Action, frozen=True):
    """Begin `generation`, live at once. `reprompt`: because both sides have been silent."""

    generation: int
    reprompt: bool = False


class Retire(Action, frozen=True):
    """Drop the prepared `generation` unheard."""

    generation: int


class Interrupt(Action, frozen=True):
    """Cut the live `generation` to what was heard of it. `by_caller`, or else by the client."""

    generation: int
    by_caller: bool


class Hold(Action, frozen=True):
    """Pause playout at once."""


class Resume(Action, frozen=True):
    """Go on from the start of the word that was cut."""
