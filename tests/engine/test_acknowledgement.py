"""What only says that one listens."""

import pytest

from engine.acknowledgement import is_acknowledgement, is_humming, is_passing

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
    *(
        "Okay, 4.",
        "Yes, 42",
        "Sí, mañana",
        "Okay stop",
        "Right, what about Tuesday?",
        "Really? How much?",
        "Hold on",
        "I see a problem",
    ),
    *("and", "so", "Um", "Thirteen", "Good question", "I got it wrong", "the right one"),
    "yes yes yes yes yes yes yes",
]


@pytest.mark.parametrize("text", LISTENING)
def test_listening_takes_no_turn(text: str) -> None:
    assert is_acknowledgement(text)


@pytest.mark.parametrize("text", TAKING_THE_TURN)
def test_anything_else_does(text: str) -> None:
    assert not is_acknowledgement(text)


@pytest.mark.parametrize("text", ["Mhm.", "Okay then.", "Yes sir", "Yes, yes, so."])
def test_acknowledgements_pass_however_sure_the_words_are(text: str) -> None:
    assert is_passing(text, 350, 1.0)


@pytest.mark.parametrize("text", ["Emma!", "God is.", "No, ho,", "I hope", "Tuesday."])
def test_a_brief_sound_passes_if_its_words_are_doubtful(text: str) -> None:
    assert is_passing(text, 350, 0.45)
    assert not is_passing(text, 350, 0.7)
    assert is_passing(text, 1000, 0.45)
    assert not is_passing(text, 1000, 0.6)
    assert not is_passing(text, 1400, 0.45)


@pytest.mark.parametrize("text", ["Stop", "No,", "But wait", "What?", "I want"])
def test_words_that_claim_the_floor_are_believed_sooner(text: str) -> None:
    assert not is_passing(text, 350, 0.6)
    assert is_passing(text, 350, 0.5)


def test_what_is_too_short_to_hold_a_word_passes() -> None:
    assert is_passing("I.", 64, 0.9)
    assert not is_passing("", 64, 0.9)


def test_what_lasts_does_not_pass_unless_it_acknowledges() -> None:
    assert is_passing("Okay, good.", 1000, 0.9)
    assert not is_passing("Two large pizzas", 1000, 0.9)


def test_an_acknowledgement_hums_from_its_first_word() -> None:
    assert is_humming("Yes, yes", "", 350, 0.8)
    assert not is_humming("Yes, but", "Yes,", 700, 0.8)


def test_so_does_a_sound_of_which_no_words_come() -> None:
    assert is_humming("No, though", "", 700, 0.4)
    assert not is_humming("No, though", "", 350, 0.4)
    assert not is_humming("No, though", "", 700, 0.8)
    assert not is_humming("What is the aisle", "What is", 700, 0.4)


def test_more_words_than_a_hum_makes_are_speech_however_doubtful() -> None:
    assert is_passing("White, white, white,", 600, 0.56)
    assert not is_passing("Who painted the monoliths's.", 1300, 0.45)
    assert not is_passing("Let me see.", 224, 0.38)
    assert not is_humming("Who painted the", "", 700, 0.34)
    assert is_humming("Yes, yes, yes, right", "", 700, 0.34)
