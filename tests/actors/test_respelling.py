from actors.respelling import MOST_CHARS, Respelt, Said
from engine.capabilities import Pronounced, SpokenWord


def word(respelt: Respelt, text: str) -> SpokenWord:
    at = respelt.text.index(text)
    return respelt.source(SpokenWord(at, at + len(text), 100, 200))


def test_what_is_written_is_found_where_it_stands() -> None:
    written = "My NASA badge, and IEEE papers."
    ieee = written.index("IEEE")
    respelt = Respelt(written, [Said(3, 7, alias="nassa"), Said(ieee, ieee + 4, "I triple E")])
    assert respelt.text == "My nassa badge, and I triple E papers."
    assert respelt.pronounced == ()
    for spoken, meant in (
        ("My", "My"), ("nassa", "NASA"), ("badge,", "badge,"), ("triple", "IEEE"), ("E ", "IEEE "),
        ("papers.", "papers."),
    ):  # fmt: skip
        found = word(respelt, spoken)
        assert written[found.start_char : found.end_char] == meant
        assert (found.start_samples, found.end_samples) == (100, 200)


def test_what_is_told_in_the_ipa_stays_as_it_is_written() -> None:
    respelt = Respelt("I say tomato.", [Said(6, 12, ipa="təˈmɑːtoʊ")])
    assert respelt.text == "I say tomato."
    assert respelt.pronounced == (Pronounced(6, 12, "təˈmɑːtoʊ"),)


def test_what_is_not_to_be_said_is_passed_over() -> None:
    respelt = Respelt("one [sic] two", [Said(4, 10)])
    assert respelt.text == "one two"
    two = word(respelt, "two")
    assert (two.start_char, two.end_char) == (10, 13)


def test_a_text_of_which_nothing_is_said_is_empty() -> None:
    assert Respelt("abc", [Said(0, 3)]).text == ""
    assert Respelt("", []).text == ""


def test_there_is_an_end_to_what_is_said() -> None:
    written = "x " * 100
    said = [Said(2 * place, 2 * place + 1, alias="y" * 300) for place in range(100)]
    assert len(Respelt(written, said).text) < MOST_CHARS + 600
