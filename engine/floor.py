"""The floor machine: who may speak.

`step` is a pure function of state, event and time; it alone creates, promotes and retires
generations. All times are milliseconds of session time (`engine.turns` keeps it). What the machine
decides comes back as actions, in the order in which they must be done.

An utterance is what the caller says between two ends of turn. While the agent has the floor, an
utterance first *contests* it: playout is held, and what is said decides whether the agent goes on.
"""

from math import inf

import msgspec

from engine.acknowledgement import DOUBTFUL, LONGEST_MS
from engine.floor_state import Floor, Rules, State
from engine.moves import (
    Action,
    Announce,
    Asked,
    Audible,
    Cancelled,
    Committed,
    Dropped,
    EndTurn,
    Event,
    Finished,
    Forget,
    Hold,
    Hurry,
    Hushed,
    Interrupt,
    Judged,
    Prepare,
    Promote,
    Ready,
    Resume,
    Retire,
    Returned,
    Said,
    Sounded,
    Start,
    Stirred,
    Ticked,
)

SUSTAINED_MS = 900
"""Sound this long takes the floor even before words are known, unless they may be only an
acknowledgement. The plan's 600 ms, and 300 until it is known that shorter sound has ended: two
silent windows and Silero's lag, by when a second transcript has come. Playout is held meanwhile."""

FALSE_PAUSES = 2
"""After so many pauses for nothing the machine verifies before it pauses (architecture.md)."""

READY_GRACE_MS = 600
"""How much longer than needed a silence may last while the prepared answer has no sound yet. Ending
the turn sooner would make no difference to the ear, and a caller who goes on is not cut off."""

SCORE_GRACE_MS = 400
"""How long a verdict waits for the sound's score, which is asked for after 250 ms of silence."""

STIRRED_MS = 48
"""How long a sound that may be the caller going on keeps a turn from ending: the next window of the
VAD (32 ms) tells."""

NO_WORDS_MS = 700
"""Silence after sound without words (a cough, a door) before it is forgotten."""

TRANSCRIPT_LIMIT_MS = 6000
"""Silence after which a turn ends although its transcript has not come."""

ANSWER_WINDOW_MS = 700
"""An acknowledgement over the last moments of the agent's speech answers it, and is a turn."""


Step = tuple[State, list[Action]]
with_ = msgspec.structs.replace


def step(state: State, event: Event, now: float, rules: Rules) -> Step:
    """What happens on `event` at `now`."""
    match event:
        case Sounded(at):
            return _sounded(state, at, rules)
        case Hushed(at):
            if state.floor not in (Floor.CALLER, Floor.CONTESTED):
                return state, []
            state = with_(state, hush_at=at, score=None, words_final=False)
            if state.floor is Floor.CALLER:
                state = with_(state, floor=Floor.PAUSED)
            return _decide(state, now, rules)
        case Stirred(at):
            return with_(state, stirred_at=at), []
        case Said():
            return _said(state, event, now, rules)
        case Judged(score):
            if state.hush_at is None:
                return state, []
            return _decide(with_(state, score=score), now, rules)
        case Ready(generation) if generation == state.prepared:
            return _decide(with_(state, ready=True), now, rules)
        case Audible(generation) if generation == state.live:
            floor = Floor.AGENT if state.floor is Floor.WAITING else state.floor
            return with_(state, audible=True, floor=floor), []
        case Finished(generation) if generation == state.live:
            return _finished(state, now, rules)
        case Asked(yields):
            return _asked(state, yields and rules.interruptible, reprompt=False)
        case Cancelled() if state.live is not None:
            actions: list[Action] = [Interrupt(state.live, by_caller=False)]
            state, more = _finished(state, now, rules)
            return state, actions + more
        case Committed():
            return _committed(state, now)
        case Dropped():
            return _dropped(state, now)
        case Returned():
            return with_(state, idle_since=now, reprompted=0), []
        case Ticked():
            return _decide(state, now, rules)
        case _:  # late news of a generation that is no longer ours
            return state, []


def wake_at(state: State, rules: Rules) -> float | None:
    """When the machine wants a `Ticked`, if nothing happens before."""
    if state.floor is Floor.IDLE:
        return _reprompt_at(state, rules)
    if state.floor is Floor.CONTESTED and state.yields:
        if state.hush_at is not None:
            return state.hush_at + (NO_WORDS_MS if state.held else TRANSCRIPT_LIMIT_MS)
        return None if state.echo else state.onset_at + _sustained_ms(state, rules)
    if state.floor is Floor.PAUSED and state.hush_at is not None:
        if not state.words_final:
            return state.hush_at + TRANSCRIPT_LIMIT_MS
        if not state.words:
            return state.hush_at + NO_WORDS_MS
        due = state.hush_at + _needed_ms(state, rules) + (READY_GRACE_MS if state.hurried else 0)
        return max(due, min(state.stirred_at + STIRRED_MS, due + READY_GRACE_MS))
    return None


def _sounded(state: State, at: float, rules: Rules) -> Step:
    match state.floor:
        case Floor.IDLE:
            state = _listening(state, at)
            return with_(state, floor=Floor.CALLER, announced=True), [Announce(at)]
        case Floor.PAUSED:
            state, actions = _retired(state)
            return with_(state, floor=Floor.CALLER, hush_at=None, words_final=False), actions
        case Floor.WAITING | Floor.AGENT:
            yields = state.yields and rules.interruptible
            state = with_(_listening(state, at), floor=Floor.CONTESTED, yields=yields)
            return _held(state)
        case Floor.CONTESTED:
            return _held(with_(state, hush_at=None, words_final=False))
        case _:
            return state, []


def _said(state: State, said: Said, now: float, rules: Rules) -> Step:
    if state.floor not in (Floor.CALLER, Floor.PAUSED, Floor.CONTESTED):
        return state, []
    final = said.final and state.hush_at is not None
    again = state.checked
    state = with_(
        state,
        words=said.words,
        words_final=final,
        confidence=said.confidence,
        checked=True,
        echo=said.echo,
    )
    if said.echo and not final and state.floor is Floor.CONTESTED:
        return _resumed(state)
    if state.floor is not Floor.CONTESTED or not state.yields or not said.words:
        return _decide(state, now, rules)
    if final:
        return _said_over(state, said, now, rules)
    return _saying_over(state, said, now, rules, again=again)


def _said_over(state: State, said: Said, now: float, rules: Rules) -> Step:
    """All words up to a hush, while a response is live: they take the floor, or the agent goes on.

    Before the agent is heard, nothing is being said that a brief sound could accompany.
    """
    assert state.hush_at is not None
    spoken_ms = state.hush_at - state.onset_at if state.audible else inf
    left_ms = said.agent_left_ms
    answers = left_ms is not None and left_ms < ANSWER_WINDOW_MS and said.confidence >= DOUBTFUL
    if answers or not rules.passing(said.words, spoken_ms, said.confidence):
        return _taken(state, now, rules)
    return _decide(state, now, rules)


def _saying_over(state: State, said: Said, now: float, rules: Rules, *, again: bool) -> Step:
    """Words so far, while a response is live; `again`: others came before them.

    A transcript of cut speech is guesswork ("Why?" for the first half of "right"), but for those
    words that are stable.
    """
    upto = now if said.upto is None else said.upto
    spoken_ms = upto - state.onset_at if state.audible else inf
    if said.stable and not rules.passing(said.stable, spoken_ms, 1.0):
        return _taken(state, now, rules)
    actions: list[Action] = []
    overtaken = said.final  # the hush behind these words is over: what sounds now is not in them
    if state.hush_at is None and state.audible and not overtaken:
        sounded_ms = spoken_ms if again else 0.0
        hums = rules.humming(said.words, said.stable, sounded_ms, said.confidence)
        state, actions = _resumed(state) if hums else _held(state)
    state, more = _decide(state, now, rules)
    return state, actions + more


def _decide(state: State, now: float, rules: Rules) -> Step:
    """What time and what is known call for."""
    match state.floor:
        case Floor.PAUSED:
            return _decide_paused(state, now, rules)
        case Floor.CONTESTED if state.yields:
            return _decide_contested(state, now, rules)
        case Floor.IDLE:
            due = _reprompt_at(state, rules)
            if due is not None and now >= due:
                return _asked(with_(state, reprompted=state.reprompted + 1), True, reprompt=True)
    return state, []


def _decide_paused(state: State, now: float, rules: Rules) -> Step:
    assert state.hush_at is not None
    silence = now - state.hush_at
    if not state.words_final:
        if silence < TRANSCRIPT_LIMIT_MS:
            return state, []
        if not state.words:
            return _ended(state, now)
        state = with_(state, words_final=True)  # the partial transcripts must do
    if not state.words:
        return _ended(state, now) if silence >= NO_WORDS_MS else (state, [])
    actions: list[Action] = []
    if rules.responds and state.prepared is None:
        generation = state.next_generation
        state = with_(state, prepared=generation, ready=False, next_generation=generation + 1)
        actions.append(Prepare(generation, state.words))
    needed = _needed_ms(state, rules)
    stirred = now - state.stirred_at < STIRRED_MS and silence < needed + READY_GRACE_MS
    if silence < needed or stirred:
        return state, actions
    if state.prepared is None or state.ready or silence >= needed + READY_GRACE_MS:
        state, ended = _ended(state, now)
        return state, actions + ended
    if not state.hurried:
        actions.append(Hurry(state.prepared))
    return with_(state, hurried=True), actions


def _decide_contested(state: State, now: float, rules: Rules) -> Step:
    if state.hush_at is None:
        if now - state.onset_at >= _sustained_ms(state, rules):
            return _taken(state, now, rules)
        return state, []
    silence = now - state.hush_at
    if not state.words_final and silence < TRANSCRIPT_LIMIT_MS:
        # The agent does not wait for a late transcript, which may still take the floor.
        return _resumed(state) if silence >= NO_WORDS_MS else (state, [])
    # Only what passes and nothing at all get here: other words have taken the floor.
    missed = state.false_pauses + (1 if state.paused and not state.words else 0)
    actions = _dismissed(state)
    state, resumed = _resumed(state)
    floor = Floor.AGENT if state.audible else Floor.WAITING
    return with_(_silent(state), floor=floor, false_pauses=missed), actions + resumed


def _taken(state: State, now: float, rules: Rules) -> Step:
    """The caller interrupts: what it says is its turn."""
    assert state.live is not None
    actions: list[Action] = [Interrupt(state.live, by_caller=True)]
    state, more = _heeded(_ungenerated(state), now, rules)
    return state, actions + more


def _heeded(state: State, now: float, rules: Rules) -> Step:
    """What the caller says in the contest is its turn."""
    actions: list[Action] = [] if state.announced else [Announce(state.onset_at)]
    floor = Floor.CALLER if state.hush_at is None else Floor.PAUSED
    state, more = _decide(with_(state, floor=floor, announced=True), now, rules)
    return state, actions + more


def _dismissed(state: State) -> list[Action]:
    """How an utterance ends that asks for no answer; it is a turn if the client knows of it."""
    if state.announced and state.hush_at is not None:
        return [EndTurn(state.hush_at, state.words)]
    return [Forget()]


def _ended(state: State, now: float) -> Step:
    """The caller's turn is over."""
    assert state.hush_at is not None
    actions: list[Action] = [EndTurn(state.hush_at, state.words)]
    if state.words:
        state = with_(state, reprompted=0)
    if state.prepared is None:
        return with_(_silent(state), floor=Floor.IDLE, idle_since=now), actions
    actions.append(Promote(state.prepared))
    state = with_(
        _silent(state),
        floor=Floor.WAITING,
        live=state.prepared,
        prepared=None,
        yields=True,
        audible=False,
    )
    return state, actions


def _finished(state: State, now: float, rules: Rules) -> Step:
    """The live generation is over. What the caller said meanwhile is its next turn."""
    state = _ungenerated(state)
    if state.floor is not Floor.CONTESTED:
        return with_(_silent(state), floor=Floor.IDLE, idle_since=now), []
    if state.echo or (state.hush_at is not None and state.words_final and not state.words):
        return with_(_silent(state), floor=Floor.IDLE, idle_since=now), _dismissed(state)
    return _heeded(state, now, rules)


def _asked(state: State, yields: bool, reprompt: bool) -> Step:
    if state.live is not None:
        raise ValueError(f"generation {state.live} is live: a response was asked for too early")
    state, actions = _retired(state)
    if state.floor is Floor.PAUSED and state.hush_at is not None and state.words_final:
        # What was said is complete enough to be answered: the response is its answer.
        actions.append(EndTurn(state.hush_at, state.words))
        state = with_(_silent(state), floor=Floor.IDLE)
    generation = state.next_generation
    contested = state.floor in (Floor.CALLER, Floor.PAUSED)
    state = with_(
        state,
        live=generation,
        next_generation=generation + 1,
        yields=yields,
        audible=False,
        held=contested and yields,
        paused=contested and yields,
        floor=Floor.CONTESTED if contested else Floor.WAITING,
    )
    actions.append(Start(generation, reprompt))
    if state.held:
        actions.append(Hold())
    return state, actions


def _committed(state: State, now: float) -> Step:
    state, actions = _retired(state)
    if state.floor not in (Floor.CALLER, Floor.PAUSED, Floor.CONTESTED):
        return state, actions
    at = now if state.hush_at is None else state.hush_at
    if not state.announced:
        actions.append(Announce(state.onset_at))
    actions.append(EndTurn(at, state.words))
    state, more = _left(state, now)
    return state, actions + more


def _dropped(state: State, now: float) -> Step:
    state, actions = _retired(state)
    if state.floor not in (Floor.CALLER, Floor.PAUSED, Floor.CONTESTED):
        return state, actions
    state, more = _left(state, now)
    return state, [*actions, Forget(), *more]


def _left(state: State, now: float) -> Step:
    """The utterance is gone: the floor falls back to a live generation, if there is one."""
    state, actions = _resumed(state)
    if state.live is None:
        return with_(_silent(state), floor=Floor.IDLE, idle_since=now), actions
    return with_(_silent(state), floor=Floor.AGENT if state.audible else Floor.WAITING), actions


def _held(state: State) -> Step:
    """Playout is held while it is contested; not for callers whose noise has paused it before."""
    if state.held or not state.yields or state.false_pauses >= FALSE_PAUSES:
        return state, []
    return with_(state, held=True, paused=True), [Hold()]


def _resumed(state: State) -> Step:
    return with_(state, held=False), [Resume()] if state.held else []


def _needed_ms(state: State, rules: Rules) -> float:
    """How long the present silence must last, as far as is known."""
    needed = rules.patience_ms(state.score, state.words, state.confidence)
    if rules.scored and state.score is None:
        return max(needed, SCORE_GRACE_MS)
    return needed


def _sustained_ms(state: State, rules: Rules) -> float:
    if state.echo:
        return inf
    harmless = state.checked
    if state.words:
        harmless = rules.passing(state.words, SUSTAINED_MS, state.confidence)
    return LONGEST_MS if harmless else SUSTAINED_MS


def _reprompt_at(state: State, rules: Rules) -> float | None:
    if rules.reprompt_ms is None or state.reprompted >= rules.reprompts:
        return None
    return state.idle_since + rules.reprompt_ms


def _retired(state: State) -> Step:
    if state.prepared is None:
        return with_(state, hurried=False), []
    actions: list[Action] = [Retire(state.prepared)]
    return with_(state, prepared=None, ready=False, hurried=False), actions


def _ungenerated(state: State) -> State:
    return with_(state, live=None, audible=False, held=False, yields=True)


def _listening(state: State, at: float) -> State:
    """A new utterance begins."""
    return with_(_silent(state), onset_at=at)


def _silent(state: State) -> State:
    """Nothing is being said by the caller."""
    return with_(
        state,
        hush_at=None,
        announced=False,
        paused=False,
        words="",
        words_final=False,
        confidence=1.0,
        checked=False,
        echo=False,
        score=None,
        ready=False,
        hurried=False,
    )
