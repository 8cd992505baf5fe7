"""The floor machine, by rule and by a long random walk."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import floor, moves
from engine.floor import step, wake_at
from engine.floor_state import Floor, Rules, State

PATIENCE_MS = 500
RULES = Rules(
    patience_ms=lambda score, words, confidence: 1500 if words.endswith("the") else PATIENCE_MS,
    passing=lambda words, spoken_ms, confidence: words == "mhm" or confidence * spoken_ms < 100,
    humming=lambda words, stable, spoken_ms, confidence: words == "mhm",
)


class Walk:
    """Feeds the machine and checks what must always hold."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules = rules
        self.state = State()
        self.now = 0.0
        self.actions: list[moves.Action] = []
        self.known: dict[int, str] = {}
        self.held = False
        self.announced = False

    def feed(self, event: moves.Event) -> list[moves.Action]:
        self.state, actions = step(self.state, event, self.now, self.rules)
        for action in actions:
            self._check(action)
        self.actions += actions
        live, prepared = self.state.live, self.state.prepared
        assert live is None or self.known[live] == "live"
        assert prepared is None or self.known[prepared] == "prepared"
        assert list(self.known.values()).count("live") == (live is not None)
        assert list(self.known.values()).count("prepared") == (prepared is not None)
        assert self.held == self.state.held
        return actions

    def after(self, ms: float, event: moves.Event | None = None) -> list[moves.Action]:
        """Let time pass, waking the machine whenever it wants to be woken."""
        end = self.now + ms
        done: list[moves.Action] = []
        for _ in range(20):
            due = wake_at(self.state, self.rules)
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            done += self.feed(moves.Ticked())
        self.now = end
        return done + (self.feed(event) if event is not None else [])

    def _check(self, action: moves.Action) -> None:
        match action:
            case moves.Prepare(generation, words):
                assert words
                assert generation not in self.known
                self.known[generation] = "prepared"
            case moves.Start(generation):
                assert generation not in self.known
                self.known[generation] = "live"
            case moves.Promote(generation):
                assert self.known[generation] == "prepared"
                self.known[generation] = "live"
            case moves.Hurry(generation):
                assert self.known[generation] == "prepared"
            case moves.Retire(generation):
                assert self.known[generation] == "prepared"
                self.known[generation] = "retired"
            case moves.Interrupt(generation):
                assert self.known[generation] == "live"
                self.known[generation] = "cut"
                self.held = False
            case moves.Hold():
                assert not self.held
                self.held = True
            case moves.Resume():
                assert self.held
                self.held = False
            case moves.Announce():
                assert not self.announced
                self.announced = True
            case moves.EndTurn():
                assert self.announced
                self.announced = False
            case moves.Forget():
                self.announced = False

    def ended(self, generation: int) -> None:
        if self.known.get(generation) == "live":
            self.known[generation] = "finished"
            self.held = False


def spoken_turn(walk: Walk, words: str = "what time is it") -> None:
    walk.feed(moves.Sounded(walk.now))
    walk.after(1000, moves.Hushed(walk.now + 900))
    walk.after(60, moves.Said(words, True))
    walk.after(20, moves.Judged(0.9))


def agent_speaks(walk: Walk) -> int:
    spoken_turn(walk)
    generation = walk.state.prepared
    assert generation is not None
    walk.after(50, moves.Ready(generation))
    walk.after(1000)
    walk.feed(moves.Audible(generation))
    assert walk.state.floor is Floor.AGENT
    return generation


def test_an_answer_is_prepared_at_the_pause_and_promoted_at_the_verdict() -> None:
    walk = Walk()
    spoken_turn(walk)
    assert [type(action) for action in walk.actions] == [moves.Announce, moves.Prepare]
    walk.feed(moves.Ready(1))
    ended = walk.after(PATIENCE_MS)
    assert [type(action) for action in ended] == [moves.EndTurn, moves.Promote]


def test_a_caller_who_goes_on_retires_the_prepared_answer() -> None:
    walk = Walk()
    spoken_turn(walk)
    assert walk.after(100, moves.Sounded(walk.now + 100)) == [moves.Retire(1)]
    assert walk.state.floor is Floor.CALLER


def test_a_turn_does_not_end_while_the_caller_may_be_going_on() -> None:
    walk = Walk()
    spoken_turn(walk)
    walk.feed(moves.Ready(1))
    quiet_ms = walk.now - 900
    walk.after(PATIENCE_MS - quiet_ms - 20, moves.Stirred(walk.now + PATIENCE_MS - quiet_ms - 20))
    assert walk.after(32) == []
    assert walk.after(floor.STIRRED_MS)[-1] == moves.Promote(1)


def test_words_that_want_more_wait_longer() -> None:
    walk = Walk()
    spoken_turn(walk, "please book the")
    walk.feed(moves.Ready(1))
    assert walk.after(1300) == []
    assert walk.after(200)[-1] == moves.Promote(1)


def test_an_acknowledgement_resumes_and_words_interrupt() -> None:
    walk = Walk()
    generation = agent_speaks(walk)
    assert walk.feed(moves.Sounded(walk.now)) == [moves.Hold()]
    walk.after(300, moves.Hushed(walk.now + 200))
    assert walk.feed(moves.Said("mhm", True)) == [moves.Forget(), moves.Resume()]
    walk.after(500, moves.Sounded(walk.now + 500))
    taken = walk.after(300, moves.Said("no wait", False, "no"))
    assert taken[0] == moves.Interrupt(generation, by_caller=True)
    assert isinstance(taken[1], moves.Announce)


def test_an_acknowledgement_over_the_last_moments_is_an_answer() -> None:
    walk = Walk()
    agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    walk.after(300, moves.Hushed(walk.now + 200))
    taken = walk.feed(moves.Said("mhm", True, agent_left_ms=300))
    assert isinstance(taken[0], moves.Interrupt)


def test_doubtful_words_over_the_last_moments_answer_nothing() -> None:
    walk = Walk()
    agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    walk.after(300, moves.Hushed(walk.now + 200))
    said = walk.feed(moves.Said("mhm", True, agent_left_ms=300, confidence=0.4))
    assert said == [moves.Forget(), moves.Resume()]


def test_a_late_transcript_still_interrupts_the_agent_that_went_on() -> None:
    walk = Walk()
    generation = agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    walk.after(350, moves.Hushed(walk.now + 300))
    assert walk.after(floor.NO_WORDS_MS) == [moves.Resume()]
    taken = walk.after(1500, moves.Said("stop", True))
    assert taken[0] == moves.Interrupt(generation, by_caller=True)


def test_a_contest_whose_transcript_never_comes_is_forgotten() -> None:
    walk = Walk()
    agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    walk.after(350, moves.Hushed(walk.now + 300))
    assert walk.after(floor.TRANSCRIPT_LIMIT_MS) == [moves.Resume(), moves.Forget()]
    assert walk.state.floor is Floor.AGENT


def test_the_words_before_a_hush_that_was_none_are_a_guess() -> None:
    rules = Rules(
        patience_ms=RULES.patience_ms,
        passing=lambda words, spoken_ms, confidence: confidence < 0.5,
        humming=RULES.humming,
    )
    walk = Walk(rules)
    agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    walk.after(300, moves.Hushed(walk.now + 250))
    walk.after(40, moves.Sounded(walk.now + 40))
    assert walk.after(20, moves.Said("emma", True, confidence=0.4)) == []


def test_an_acknowledgement_that_went_on_meanwhile_does_not_let_the_agent_speak() -> None:
    walk = Walk()
    agent_speaks(walk)
    assert walk.feed(moves.Sounded(walk.now)) == [moves.Hold()]
    walk.after(200, moves.Hushed(walk.now + 150))
    walk.after(60, moves.Sounded(walk.now + 60))
    assert walk.after(10, moves.Said("mhm", True)) == []
    assert walk.state.held
    assert walk.after(300, moves.Said("mhm", False)) == [moves.Resume()]


def test_a_caller_who_sounds_again_holds_the_agent_again() -> None:
    walk = Walk()
    agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    walk.after(350, moves.Said("mhm", False))
    walk.after(200, moves.Hushed(walk.now + 150))
    assert walk.after(30, moves.Sounded(walk.now + 30)) == [moves.Hold()]


def test_sound_that_never_becomes_speech_does_not_keep_a_turn_open() -> None:
    walk = Walk()
    spoken_turn(walk)
    walk.feed(moves.Ready(1))
    done: list[moves.Action] = []
    for _ in range(100):
        done += walk.after(32, moves.Stirred(walk.now + 32))
    assert moves.Promote(1) in done


def test_sustained_speech_interrupts_before_words_are_known() -> None:
    walk = Walk()
    generation = agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    after = walk.after(floor.SUSTAINED_MS + 1)
    assert moves.Interrupt(generation, by_caller=True) in after


def test_after_two_false_pauses_the_machine_verifies_first() -> None:
    walk = Walk()
    agent_speaks(walk)
    for _ in range(floor.FALSE_PAUSES):
        assert walk.after(500, moves.Sounded(walk.now + 500)) == [moves.Hold()]
        walk.after(200, moves.Hushed(walk.now + 150))
        walk.feed(moves.Said("", True))
    assert walk.after(500, moves.Sounded(walk.now + 500)) == []


def test_who_may_not_be_interrupted_goes_on_and_hears_the_caller_afterwards() -> None:
    walk = Walk()
    walk.feed(moves.Asked(yields=False))
    walk.feed(moves.Audible(1))
    assert walk.feed(moves.Sounded(walk.now)) == []
    walk.after(900, moves.Said("I want to order", False))
    walk.after(100, moves.Hushed(walk.now))
    walk.feed(moves.Said("I want to order", True))
    walk.ended(1)
    after = walk.feed(moves.Finished(1))
    assert [type(action) for action in after] == [moves.Announce, moves.Prepare]


def test_silence_on_both_sides_is_broken_so_often_and_no_more() -> None:
    rules = Rules(
        patience_ms=lambda score, words, confidence: PATIENCE_MS,
        passing=RULES.passing,
        humming=RULES.humming,
        reprompt_ms=3000,
        reprompts=2,
    )
    walk = Walk(rules)
    for generation in (1, 2):
        assert walk.after(3000) == [moves.Start(generation, reprompt=True)]
        walk.ended(generation)
        walk.feed(moves.Finished(generation))
    assert walk.after(60_000) == []


def test_a_turn_without_a_transcript_ends_all_the_same() -> None:
    walk = Walk()
    walk.feed(moves.Sounded(0))
    walk.after(500, moves.Hushed(500))
    ended = walk.after(floor.TRANSCRIPT_LIMIT_MS)
    assert [type(action) for action in ended] == [moves.EndTurn]


EVENTS = st.one_of(
    st.just("sound"),
    st.just("hush"),
    st.sampled_from([("", False), ("", True), ("mhm", True), ("so the", True), ("go on", False)]),
    st.floats(0, 1),
    st.tuples(st.sampled_from(["mhm", "so the", "go on"]), st.booleans(), st.floats(0, 1)),
    st.sampled_from(["stir", "return"]),
    st.sampled_from(["ready", "audible", "finished", "ask", "cancel", "commit", "drop", "tick"]),
)


def live_through(walk: Walk, events: Iterable[tuple[int, object]]) -> None:
    """Let these things happen, so many ms after one another."""
    for ms, what in events:
        walk.after(ms)
        live = walk.state.live or 0
        match what:
            case "sound":
                walk.feed(moves.Sounded(walk.now))
            case "hush":
                walk.feed(moves.Hushed(walk.now - 96))
            case (str() as words, bool() as final):
                walk.feed(moves.Said(words, final))
            case (str() as words, bool() as final, float() as confidence):
                stable = "" if final else words
                left_ms = 1000 * confidence
                walk.feed(moves.Said(words, final, stable, left_ms, confidence, walk.now - 50))
            case "stir":
                walk.feed(moves.Stirred(walk.now))
            case "return":
                walk.feed(moves.Returned())
            case float() as score:
                walk.feed(moves.Judged(score))
            case "ready":
                walk.feed(moves.Ready(walk.state.prepared or 0))
            case "audible":
                walk.feed(moves.Audible(live))
            case "finished":
                walk.ended(live)
                walk.feed(moves.Finished(live))
            case "ask" if walk.state.live is None:
                walk.feed(moves.Asked())
            case "cancel":
                walk.feed(moves.Cancelled())
            case "commit":
                walk.feed(moves.Committed())
            case "drop":
                walk.feed(moves.Dropped())
            case _:
                walk.feed(moves.Ticked())


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2500), EVENTS), max_size=80), st.booleans())
def test_whatever_happens_generations_and_holds_stay_in_order(
    events: list[tuple[int, object]], interruptible: bool
) -> None:
    walk = Walk(
        Rules(
            patience_ms=RULES.patience_ms,
            passing=RULES.passing,
            humming=RULES.humming,
            interruptible=interruptible,
            reprompt_ms=4000,
            reprompts=2,
        )
    )
    live_through(walk, events)
    # Left alone, nobody is kept waiting: what is held goes on or is cut.
    walk.feed(moves.Hushed(walk.now))
    walk.feed(moves.Said("", True))
    walk.after(20_000)
    assert not walk.state.held
    at_rest = walk.state.floor in (Floor.IDLE, Floor.WAITING, Floor.AGENT)
    assert at_rest or not walk.state.yields


def test_a_response_asked_for_in_the_pause_answers_what_was_said() -> None:
    walk = Walk()
    spoken_turn(walk, "for tomorrow please")
    asked = walk.feed(moves.Asked())
    assert [type(action) for action in asked] == [moves.Retire, moves.EndTurn, moves.Start]
    assert asked[1] == moves.EndTurn(900, "for tomorrow please")


def test_without_a_final_transcript_the_partial_one_is_answered() -> None:
    walk = Walk()
    walk.feed(moves.Sounded(0))
    walk.after(500, moves.Said("book a table", False))
    walk.feed(moves.Hushed(450))
    walk.after(floor.TRANSCRIPT_LIMIT_MS)
    assert moves.Prepare(1, "book a table") in walk.actions


def test_a_brief_addition_before_the_agent_is_heard_is_no_acknowledgement() -> None:
    rules = Rules(
        patience_ms=lambda score, words, confidence: PATIENCE_MS,
        passing=lambda words, spoken_ms, confidence: spoken_ms < floor.SUSTAINED_MS,
        humming=RULES.humming,
    )
    walk = Walk(rules)
    spoken_turn(walk)
    walk.after(2000)
    assert walk.state.floor is Floor.WAITING
    walk.feed(moves.Sounded(walk.now))
    walk.after(300, moves.Hushed(walk.now + 250))
    taken = walk.feed(moves.Said("for two", True))
    assert isinstance(taken[0], moves.Interrupt)


def test_a_guess_at_cut_speech_takes_nothing() -> None:
    walk = Walk()
    agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    assert walk.after(350, moves.Said("why", False)) == []
    walk.after(200, moves.Hushed(walk.now + 150))
    assert walk.feed(moves.Said("mhm", True)) == [moves.Forget(), moves.Resume()]


def test_the_agent_goes_on_while_the_caller_still_acknowledges() -> None:
    walk = Walk()
    generation = agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    assert walk.after(350, moves.Said("mhm", False)) == [moves.Resume()]
    assert walk.state.floor is Floor.CONTESTED
    assert walk.after(350, moves.Said("mhm but", False)) == [moves.Hold()]
    taken = walk.after(350, moves.Said("mhm but wait", False, "mhm but"))
    assert taken[0] == moves.Interrupt(generation, by_caller=True)


def test_an_agent_that_went_on_is_not_resumed_twice() -> None:
    walk = Walk()
    agent_speaks(walk)
    walk.feed(moves.Sounded(walk.now))
    walk.after(350, moves.Said("mhm", False))
    walk.after(200, moves.Hushed(walk.now + 150))
    assert walk.feed(moves.Said("mhm", True)) == [moves.Forget()]
    assert walk.state.floor is Floor.AGENT


def test_before_the_agent_is_heard_it_waits_for_the_end_of_an_acknowledgement() -> None:
    walk = Walk()
    spoken_turn(walk)
    walk.after(2000)
    assert walk.state.floor is Floor.WAITING
    walk.feed(moves.Sounded(walk.now))
    assert walk.after(350, moves.Said("mhm", False)) == []


def test_the_confidence_of_brief_words_decides_whether_they_pass() -> None:
    rules = Rules(
        patience_ms=RULES.patience_ms,
        passing=lambda words, spoken_ms, confidence: confidence < 0.5,
        humming=RULES.humming,
    )
    for confidence, action in ((0.4, moves.Forget()), (0.6, moves.Interrupt(1, by_caller=True))):
        walk = Walk(rules)
        agent_speaks(walk)
        walk.feed(moves.Sounded(walk.now))
        walk.after(300, moves.Hushed(walk.now + 250))
        assert walk.feed(moves.Said("emma", True, confidence=confidence))[0] == action


@pytest.mark.long
def test_a_million_things_happen_in_one_conversation() -> None:
    draw = random.Random(7)
    things = ["sound", "hush", "ready", "audible", "finished", "ask", "cancel", "commit", "drop"]
    words = [("", False), ("", True), ("mhm", True), ("so the", True), ("go on", True)]
    walk = Walk()
    for _ in range(1000):
        events = (
            (draw.randrange(900), draw.choice([*things, *words, draw.random()]))
            for _ in range(1000)
        )
        live_through(walk, events)
        walk.actions.clear()
        walk.known = {n: state for n, state in walk.known.items() if state in ("live", "prepared")}


def test_a_response_held_from_its_beginning_by_noise_was_paused_for_nothing() -> None:
    walk = Walk()
    walk.feed(moves.Sounded(0))
    assert walk.feed(moves.Asked())[-1] == moves.Hold()
    walk.after(200, moves.Hushed(150))
    assert moves.Resume() in walk.feed(moves.Said("", True))
    assert walk.state.false_pauses == 1
