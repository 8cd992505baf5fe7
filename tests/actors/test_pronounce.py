"""What is said for the texts that LLMs write."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.pronounce import Word, prepare


def said(text: str) -> str:
    return " ".join(word.text + word.stop for word in prepare(text).words)


SPOKEN = {
    # numbers
    "I have 3.5 apples": "I have three point five apples",
    "1,000,234 nuts": "one million two hundred thirty four nuts",
    "-5 or −5": "minus five or minus five",
    "0.5 and .5": "zero point five and zero point five",
    "agent 007": "agent zero zero seven",
    "12345678901234567890": "one two three four five six seven eight nine zero one two three four "
    "five six seven eight nine zero",
    "I have 2 cats.": "I have two cats.",
    "the 1st, 2nd and 21st": "the first, second and twenty first",
    "pages 10-20": "pages ten to twenty",
    "3–4 days": "three to four days",
    "1/2 cup and 3/4": "one half cup and three quarters",
    "2 1/2 cups": "two and a half cups",
    "½ or 2½": "one half or two and a half",
    "24/7 since 9/11": "twenty four seven since nine eleven",
    "100% or 3.5 %": "one hundred percent or three point five percent",
    "version 1.2.3": "version one point two point three",
    "192.168.1.1": "one hundred ninety two dot one hundred sixty eight dot one dot one",
    # years, dates, times
    "in 1999, 2005 and 2026": "in nineteen ninety nine, two thousand five and twenty twenty six",
    "1900 to 1906": "nineteen hundred to nineteen oh six",
    "1990-1995": "nineteen ninety to nineteen ninety five",
    "the 1990s and '80s": "the nineteen nineties and eighties",
    "the 2000s": "the two thousands",
    "May 3rd": "May third",
    "May 3, 2026.": "May third, twenty twenty six.",
    "3 May 2026": "the third of May twenty twenty six",
    "2026-05-03": "May third twenty twenty six",
    "5/3/2026": "May third twenty twenty six",
    "25/12/2026": "December twenty fifth twenty twenty six",
    "Jan. 5 or Dec 25": "January fifth or December twenty fifth",
    "6:15, 6:05 and 6:00": "six fifteen, six oh five and six o'clock",
    "14:30 or 14:00": "fourteen thirty or fourteen hundred",
    "10am": "ten A.M",
    "10:30 p.m. today": "ten thirty P.M today",
    "at 6 p.m. Then": "at six P.M. Then",
    # money
    "$3.50": "three dollars and fifty cents",
    "$1": "one dollar",
    "$1,000.50": "one thousand dollars and fifty cents",
    "$0.99": "ninety nine cents",
    "$1.2 million": "one point two million dollars",
    "$5M or $10k": "five million dollars or ten thousand dollars",
    "£1.01": "one pound and one penny",
    "50€ or €7": "fifty euros or seven euros",
    "-$4": "minus four dollars",
    # phone numbers and addresses
    "555-1234": "five five five, one two three four",
    "(415) 555-2671": "four one five, five five five, two six seven one",
    "+1 415-555-2671": "plus one, four one five, five five five, two six seven one",
    "me@example.co.uk": "me at example dot co dot uk",
    "john_doe99@gmail.com": "john underscore doe ninety nine at gmail dot com",
    "https://example.com/a.": "example dot com slash ay.",
    "www.test.org": "W.W.W dot test dot org",
    "See example.com, ok": "See example dot com, okay",
    "[our site](https://x.y/z)": "our site",
    "![pic](a.png)": "pic",
    # units and symbols
    "5 km at 60 mph": "five kilometers at sixty miles per hour",
    "1 kg of 16 GB": "one kilogram of sixteen gigabytes",
    "20°C or -5 °F": "twenty degrees Celsius or minus five degrees Fahrenheit",
    "A & B + C = D": "A and B plus C equals D",
    "me @ home": "me at home",
    "#5 and #tag": "number five and hash tag",
    "3 * 4 or 3 × 4": "three times four or three times four",
    "5 > 3": "five greater than three",
    # abbreviations and acronyms
    "Dr. Smith at 12 Oak Dr. now": "Doctor Smith at twelve Oak Drive now",
    "St. Mary's on 5 Main St. now": "Saint Mary's on five Main Street now",
    "e.g. this, i.e. that": "for example this, that is that",
    "eggs, etc. The end": "eggs, et cetera. The end",
    "Mr. J. R. Smith vs. Mrs. X": "Mister J R Smith versus Missus X",
    "No. 5 is it. No. Really": "number five is it. No. Really",
    "Ph.D. student": "P.H.D student",
    "the U.S. Army": "the U.S Army",
    "NASA, the API and HTML": "nasa, the A.P.I and H.T.M.L",
    "APIs and PCs": "APIs and PCs",
    "I am NOT OK": "I am not okay",
    "COVID-19 and GPT-4": "covid nineteen and G.P.T four",
    "A plan, plan A": "A plan, plan ay",
    "World War II": "World War two",
    "Henry VIII": "Henry the eighth",
    "Chapter IV": "Chapter four",
    # marks
    "**Bold** and _it_ and `code`": "Bold and it and code",
    "## Title\n- one\n- two": "Title. one. two",
    "1. First\n2. Second": "one, First. two, Second",
    '```python\nprint("hi")\n```': "print, hi.",
    "<b>bold</b>": "bold",
    '"Yes," she said (quietly).': "Yes, she said, quietly.",
    "Wait... what?!": "Wait, what?",
    "Well — ok": "Well, okay",
    "naïve café, John’s": "naive cafe, John's",
    # what cannot be spoken
    "Hello 🎉 world 😀!": "Hello world!",
    "שלום hello مرحبا world 你好。": "hello world.",
    "a\x00b": "a B",
    "so\u00adft": "soft",
    "🎉": "",
    "שלום": "",
    "": "",
    " \n\t ": "",
}


@pytest.mark.parametrize("text", SPOKEN)
def test_text_is_said_as_a_person_would(text: str) -> None:
    assert said(text) == SPOKEN[text]


def test_words_know_the_characters_that_they_stand_for() -> None:
    text = "🎉 **Pay** ($3.50), 🙂 please 你好!"
    spans = [text[word.start_char : word.end_char] for word in prepare(text).words]
    assert spans == ["🎉 **Pay**", "$3.50), 🙂", "please 你好!"]


def test_a_word_carries_the_stop_behind_it() -> None:
    assert prepare("Hi, you!").words == (Word("Hi", 0, 3, ","), Word("you", 4, 8, "!"))


@given(st.text(max_size=300) | st.text(alphabet="aZ .,-/:$€%°#@&[]()*_`~\n'1270½IVmk", max_size=80))
def test_any_text_is_prepared_and_its_words_cover_it_in_order(text: str) -> None:
    words = prepare(text).words
    if words:
        assert words[0].start_char == 0
        assert words[-1].end_char == len(text)
    ends = [0, *(word.end_char for word in words)]
    assert all(
        before <= word.start_char < word.end_char for before, word in zip(ends, words, strict=False)
    )
    assert all(word.text.strip() and word.stop in ("", *".,;:!?") for word in words)


@pytest.mark.parametrize(
    "bit", ["Hello there, you. ", "a", "1", "a-", "](", "1,", "http://", "$1 "]
)
def test_a_hundred_thousand_characters_are_prepared_in_a_few_seconds(bit: str) -> None:
    began = time.process_time()
    prepare((bit * 100_000)[:100_000])
    assert time.process_time() - began < 4
