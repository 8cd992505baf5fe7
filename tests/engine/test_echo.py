"""Which words are the agent's own."""

import pytest

from engine.echo import without_echo

SAID = "The largest ocean on Earth is the Pacific Ocean, which covers a third of the planet."


@pytest.mark.parametrize(
    ("heard", "left"),
    [
        ("", ""),
        ("ocean on earth is the Pacific", ""),
        ("The largest oceans on earth, is a Pacific", ""),
        ("Pacific", ""),
        ("which covers a third of the plane", ""),
        ("on Earth is the Pacific Ocean. Wait, what about lakes?", "Wait, what about lakes?"),
        ("What about the lakes", "What about the lakes"),
        ("No, stop", "No, stop"),
        ("mhm", "mhm"),
        ("Is the Atlantic much smaller?", "Is the Atlantic much smaller?"),
    ],
)
def test_the_caller_s_words_are_those_the_agent_did_not_say(heard: str, left: str) -> None:
    assert without_echo(heard, SAID) == left


def test_a_command_is_one_though_the_agent_said_it_too() -> None:
    assert without_echo("Stop!", "Say stop when it is enough.") == "Stop!"


def test_before_the_agent_has_said_anything_all_is_the_caller_s() -> None:
    assert without_echo("Good evening", "") == "Good evening"


def test_what_was_said_long_ago_is_no_echo() -> None:
    said = "Our lighthouse was old. " + "Waves broke on the grey rocks below it. " * 10
    assert without_echo("Our lighthouse was old", said) == "Our lighthouse was old"
