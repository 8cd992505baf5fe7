"""SSML: what is between the tags, and what they ask for."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.respelling import Said
from server.speech import ssml
from server.speech.ssml import SayAs, SsmlError, Stretch, inline, is_ssml, parse


def spoken(source: str) -> list[tuple[str, str | None, float, int]]:
    """Text, language, rate and the pause behind it, by stretches."""
    marked = parse(source)
    assert "".join(marked.text[s.start_char : s.end_char] for s in marked.stretches) == marked.text
    return [
        (marked.text[s.start_char : s.end_char], s.language, round(s.rate, 3), s.pause_ms)
        for s in marked.stretches
    ]


@pytest.mark.parametrize(
    ("source", "stretches"),
    [
        ("<speak>Hi.</speak>", [("Hi.", None, 1, 0)]),
        (
            "<speak>One<break time='500ms'/>two<break time='1.5s'/></speak>",
            [("One", None, 1, 500), ("two", None, 1, 1500)],
        ),
        ("<speak><break/>Hi</speak>", [("", None, 1, 400), ("Hi", None, 1, 0)]),
        (
            "<speak>a<break strength='none'/>b<break strength='x-strong'/>c</speak>",
            [("ab", None, 1, 1000), ("c", None, 1, 0)],
        ),
        (
            "<speak>a <prosody rate='slow'>b <prosody rate='200%'>c</prosody></prosody> d</speak>",
            [("a ", None, 1, 0), ("b ", None, 0.75, 0), ("c", None, 1.5, 0), (" d", None, 1, 0)],
        ),
        ("<speak><prosody rate='-20%'>a</prosody></speak>", [("a", None, 0.8, 0)]),
        ("<speak><prosody rate='1.1'>a</prosody></speak>", [("a", None, 1.1, 0)]),
        (
            "<speak>a <lang xml:lang='fr-FR'>b</lang></speak>",
            [("a ", None, 1, 0), ("b", "fr-FR", 1, 0)],
        ),
        ("<speak xml:lang='de'>a</speak>", [("a", "de", 1, 0)]),
        (
            "<speak><p><s>One.</s><s>Two</s></p><p>Three.</p></speak>",
            [
                ("One.", None, 1, 0),
                ("Two", None, 1, 600),
                ("Three.", None, 1, 400),
            ],
        ),
        (
            "<speak>fish &amp; chips &lt;3\n\tlater</speak>",
            [("fish & chips <3  later", None, 1, 0)],
        ),
        ("<speak>a<metadata>not <b>this</b></metadata>b</speak>", [("ab", None, 1, 0)]),
        ("<?xml version='1.0' encoding='latin-1'?>\n<speak>Grüße</speak>", [("Grüße", None, 1, 0)]),
        (
            "<s:speak xmlns:s='http://www.w3.org/2001/10/synthesis'>a<s:break/>b</s:speak>",
            [("a", None, 1, 400), ("b", None, 1, 0)],
        ),
    ],
)
def test_what_is_between_the_tags_is_spoken_as_they_ask(
    source: str, stretches: list[tuple[str, str | None, float, int]]
) -> None:
    assert is_ssml(source) or source.startswith("<s:")
    assert spoken(source) == stretches


def test_what_is_said_otherwise_is_found_in_the_text() -> None:
    marked = parse(
        "<speak>The <sub alias='World Wide Web'>WWW</sub>, <phoneme ph='təˈmɑːtoʊ'>tomato</phoneme>"
        " on <say-as interpret-as='date' format='dmy'>1/2/26</say-as>.</speak>"
    )
    assert marked.text == "The WWW, tomato on 1/2/26."
    assert marked.said == (
        Said(4, 7, alias="World Wide Web"),
        Said(9, 15, ipa="təˈmɑːtoʊ"),
        SayAs(19, 25, "date", "dmy"),
    )
    assert marked.ignored == ()


def test_the_outer_of_two_that_say_it_otherwise_holds() -> None:
    marked = parse("<speak><sub alias='x'>a <sub alias='y'>b</sub></sub></speak>")
    assert marked.said == (Said(0, 3, alias="x"),)


def test_what_nothing_comes_of_is_told() -> None:
    marked = parse(
        "<speak>a<emphasis level='strong'>b</emphasis><mark name='x'/>"
        "<prosody pitch='high' rate='fast'>c</prosody>"
        "<phoneme alphabet='x-sampa' ph='a'>d</phoneme><Größe>e</Größe></speak>"
    )
    assert marked.text == "abcde"
    assert marked.said == ()
    assert marked.ignored == ("emphasis", "mark", "prosody pitch", "phoneme alphabet", "Gre")


BOMB = (
    "<!DOCTYPE speak [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    + "]><speak>&j;</speak>"
)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("<speak>Hi <break time='1s'></speak>", "mismatched tag"),
        ("<speak>Hi", "no element found"),
        ("<speak>Hi</speak> there", "junk after document element"),
        ("<speak>this & that</speak>", "& written &amp;"),
        ("<speak>&nbsp;</speak>", "undefined entity"),
        ("<speak>\x00</speak>", "not well-formed"),
        (BOMB, "a document type"),
        ("<!DOCTYPE speak SYSTEM 'file:///etc/passwd'><speak>a</speak>", "a document type"),
        ("<p>a</p>", "the outermost tag has to be <speak>"),
        ("<speak><break time='11s'/></speak>", "0 to 10 s"),
        ("<speak><break time='-1s'/></speak>", "0 to 10 s"),
        ("<speak><break time='soon'/></speak>", "0 to 10 s"),
        ("<speak><break strength='huge'/></speak>", "one of none"),
        ("<speak><prosody rate='9'>a</prosody></speak>", "20% to 400%"),
        ("<speak><prosody rate='quick'>a</prosody></speak>", "one of x-slow"),
        ("<speak><lang>a</lang></speak>", "<lang> needs xml:lang"),
        ("<speak><lang xml:lang='klingon!'>a</lang></speak>", "a tag such as en"),
        ("<speak><sub>a</sub></speak>", "<sub> needs alias"),
        ("<speak><phoneme>a</phoneme></speak>", "<phoneme> needs ph"),
        ("<speak><say-as>a</say-as></speak>", "<say-as> needs interpret-as"),
        (f"<speak><sub alias='{'x' * 301}'>a</sub></speak>", "more than 300"),
        (f"<speak><phoneme ph='a'>{'x' * 301}</phoneme></speak>", "more than 300 characters in"),
        ("<speak>" + "<x>" * 100 + "</x>" * 100 + "</speak>", "64 deep"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(source: str, told: str) -> None:
    with pytest.raises(SsmlError, match=told) as error:
        parse(source)
    assert str(error.value).startswith("the SSML cannot be read at line ")


def test_an_error_quotes_nothing_that_is_to_be_spoken() -> None:
    with pytest.raises(SsmlError) as error:
        parse("<speak>secret <sub>secret</sub></speak>")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "plain", "pauses"),
    [
        (
            "Well, <break time='1s'/> if x < 3 & y > 4: AT&T.",
            "Well,  if x < 3 & y > 4: AT&T.",
            [1000],
        ),
        ("fish &amp; chips <break time='1s' />", "fish & chips ", [1000]),
        ("no <b>tag</b> of ours", "no <b>tag</b> of ours", []),
        ("<p>Only in whole documents</p>", "<p>Only in whole documents</p>", []),
    ],
)
def test_tags_in_a_text_that_is_no_document(text: str, plain: str, pauses: list[int]) -> None:
    marked = inline(text)
    assert marked.text == plain
    assert [one.pause_ms for one in marked.stretches if one.pause_ms] == pauses


def test_pauses_add_up_to_the_longest_at_most() -> None:
    breaks = "<break time='10s'/>" * 3000
    [stretch] = parse(f"<speak>Hi{breaks}</speak>").stretches
    assert stretch.pause_ms == 10_000


def test_a_text_with_tags_in_it_may_hold_anything_else() -> None:
    assert inline("a \x01 &#0; b <break/>").text == "a   &#0; b "


def test_a_tag_in_a_text_is_closed_too() -> None:
    with pytest.raises(SsmlError, match="mismatched tag"):
        inline("a <phoneme ph='x'>b <break/>")


def test_a_text_without_marks_is_one_stretch() -> None:
    assert ssml.unmarked("a < b").stretches == (Stretch(0, 5),)
    assert not is_ssml("<speaker> talks")
    assert not is_ssml("I <speak>")


@given(
    st.lists(st.sampled_from(["<s>", "</s>", "<break/>", "a", "&", "<", "<lang xml:lang='de'>"]))
)
def test_nothing_but_an_error_comes_of_any_text(parts: list[str]) -> None:
    try:
        spoken(f"<speak>{''.join(parts)}</speak>")
    except SsmlError:
        return


def test_a_hundred_thousand_characters_take_no_time() -> None:
    source = "<speak>" + "<sub alias='a'>b</sub> " * 4000 + "</speak>"
    began = time.process_time()
    assert len(parse(source).said) == 4000
    assert time.process_time() - began < 2
