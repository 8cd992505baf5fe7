"""A voice that says some words otherwise than they are written."""

from actors.dictionary import Dictionary, Rule
from actors.spelled import Spelled
from engine.capabilities import Pronounced, Utterance
from engine.inference import Priority
from tests.scripted import tts


async def test_the_voice_is_given_what_to_say_and_its_words_are_those_that_are_written() -> None:
    rules = [Rule("NASA", alias="the space agency"), Rule("tomato", ipa="təˈmɑːtoʊ")]
    voice = tts()
    spelled = Spelled(voice, Dictionary(rules).said)
    written = "Ask NASA for a tomato."
    request = spelled.request(Utterance(written, "joe"), priority=Priority.FIRST, deadline_ms=100)
    words = [word async for speech in request for word in speech.words]
    [given] = voice.asked
    assert given.text == "Ask the space agency for a tomato."
    assert given.pronounced == (Pronounced(27, 33, "təˈmɑːtoʊ"),)
    told = [written[word.start_char : word.end_char].strip(" .") for word in words]
    assert list(dict.fromkeys(told)) == ["Ask", "NASA", "for", "a", "tomato"]
    assert request.compute_ms >= 0
