"""What only says that one listens."""

import pytest

from engine.acknowledgement import is_acknowledgement, is_passing

LISTENING = [
    *("Mhm.", "Mm-hmm.", "Mm.", "Mmm", "Hmm", "Hm.", "Uh-huh!", "Uh huh.", "Um-hum", "Mhmm"),
    *("Right.", "Okay.", "Ok,", "Okay, good.", "Yeah, yeah, yeah.", "I see,", "Got it.", "Sure,"),
    *(
        "Oh, really?",
        "Oh",
        "Ah, I see.",
        "That's right.",
        "That\u2019s right",
        "Okay, sounds good.",
    ),
    *("Aha!", "All right.", "Of course.", "Oh wow", "YES", "Mm-hmm, mm-hmm."),
]

TAKING_THE_TURN = [
    *("", "   ", "...", "Yes but", "No.", "Stop.", "Wait", "No, no", "Uh-uh", "Mm-mm", "what"),
    *("Okay stop", "Right, what about Tuesday?", "Really? How much?", "Hold on", "I see a problem"),
    *("and", "so", "Um", "Thirteen", "Good question", "I got it wrong", "the right one"),
    "yes yes yes yes yes yes yes",
]


@pytest.mark.parametrize("text", LISTENING)
def test_listening_takes_no_turn(text: str) -> None:
    assert is_acknowledgement(text)


@pytest.mark.parametrize("text", TAKING_THE_TURN)
def test_anything_else_does(text: str) -> None:
    assert not is_acknowledgement(text)


@pytest.mark.parametrize("text", ["Mhm.", "Emma!", "God is.", "Yes sir", "Yes, yes, so."])
def test_a_brief_sound_that_claims_nothing_passes(text: str) -> None:
    assert is_passing(text, 350)


@pytest.mark.parametrize("text", ["Stop", "No,", "But wait", "What?", "I want", "Two large pizzas"])
def test_what_claims_the_floor_does_not_pass(text: str) -> None:
    assert not is_passing(text, 350)


def test_what_lasts_does_not_pass_unless_it_acknowledges() -> None:
    assert not is_passing("Emma!", 900)
    assert is_passing("Okay, good.", 1000)
    assert not is_passing("", 100)
