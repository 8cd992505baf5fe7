"""Who says what of a text that is marked."""

from collections.abc import Sequence

import pytest

from actors.respelling import Said
from server.access.denied import Denied
from server.speech.reading import steps_of
from server.speech.script import Script, marked, nothing, script, told
from tests.server.speech.test_speakers import speakers

Step = tuple[str, str, str] | int


async def scripted(
    source: str,
    voice: str | None = None,
    *,
    language: str | None = None,
    spelling: object = nothing,
) -> Script:
    text = await marked(source, tags_inline=True)
    return await script(speakers(), text, voice, language, spelling)  # type: ignore[arg-type]


def lines(found: Script) -> list[tuple[str, str, float, int]]:
    assert "".join(line.part.text for line in found.lines) == found.text
    return [
        (one.part.text, one.part.chosen.voice.engine, one.rate, one.pause_ms) for one in found.lines
    ]


def aliases(found: Script) -> list[tuple[str, str]]:
    return [
        (found.text[one.start_char : one.end_char], one.alias or one.ipa)
        for line in found.lines
        for one in line.said
    ]


async def test_a_text_without_marks_is_as_the_router_parts_it() -> None:
    found = await scripted("The word for it is аптека.")
    assert lines(found) == [("The word for it is ", "piper", 1, 0), ("аптека.", "espeak", 1, 0)]
    assert told(found) == {
        "x-voiceforge-voice": "en_US-joe-medium, espeak-ru",
        "x-voiceforge-engine": "piper, espeak",
    }


async def test_stretches_are_spoken_by_who_can_and_as_fast_as_they_ask() -> None:
    found = await scripted(
        "<speak>Say it with me: <lang xml:lang='fr'>bonjour</lang><break time='300ms'/>"
        "<prosody rate='slow'>and the rest.</prosody></speak>"
    )
    assert lines(found) == [
        ("Say it with me: ", "piper", 1, 0),
        ("bonjour", "espeak", 1, 300),
        ("and the rest.", "piper", 0.75, 0),
    ]


async def test_pauses_without_text_stay() -> None:
    found = await scripted("<speak><break time='1s'/>Hi.<break/><break time='2s'/></speak>")
    assert [(line[0], line[3]) for line in lines(found)] == [("", 1000), ("Hi.", 2400)]


async def test_a_pause_comes_before_a_text_whose_language_is_told() -> None:
    found = await scripted("<speak xml:lang='de'><break time='1s'/>Hallo Welt</speak>")
    assert lines(found) == [("", "espeak", 1, 1000), ("Hallo Welt", "espeak", 1, 0)]


async def test_what_is_no_longer_whole_is_told() -> None:
    found = await scripted("<speak><sub alias='x'>a<break/>b</sub></speak>", "joe")
    assert told(found)["x-voiceforge-warning"] == "ignored: sub"


async def test_a_language_that_the_voice_cannot_read_is_an_error() -> None:
    with pytest.raises(Denied, match="en_US-joe-medium reads en-US and no fr"):
        await scripted("<speak>a <lang xml:lang='fr'>b</lang></speak>", "joe")


async def test_numbers_are_said_in_the_language_that_is_spoken() -> None:
    source = "<speak>{} <say-as interpret-as='ordinal'>21</say-as></speak>"
    english = await scripted(source.format("This is the"))
    assert aliases(english) == [("21", "twenty first")]
    german = await scripted(source.format("Das ist die Nummer der Wohnung"), language="de")
    assert aliases(german) == []


async def test_phonemes_are_for_those_who_know_the_ipa() -> None:
    source = "<speak><phoneme ph='təˈmɑːtoʊ'>tomato</phoneme></speak>"
    assert aliases(await scripted(source, "joe")) == [("tomato", "təˈmɑːtoʊ")]
    other = await scripted(source, "espeak-en-us")
    assert aliases(other) == []
    assert told(other)["x-voiceforge-warning"] == "ignored: phoneme"


async def test_what_nothing_came_of_is_told() -> None:
    found = await scripted(
        "<speak><emphasis>a</emphasis> <say-as interpret-as='expletive'>b</say-as></speak>", "joe"
    )
    assert told(found)["x-voiceforge-warning"] == "ignored: emphasis, say-as"


def acronyms(text: str) -> Sequence[Said]:
    return [
        Said(at, at + 3, alias="world wide web")
        for at in range(len(text))
        if text[at : at + 3] == "WWW"
    ]


async def test_a_dictionary_holds_where_no_mark_does() -> None:
    source = "<speak>The WWW, <sub alias='x'>the WWW</sub> and WWW.</speak>"
    found = await scripted(source, "joe", spelling=acronyms)
    assert aliases(found) == [
        ("WWW", "world wide web"),
        ("the WWW", "x"),
        ("WWW", "world wide web"),
    ]


async def test_pieces_keep_what_is_said_as_one_whole() -> None:
    """A stop in it ends no piece."""
    source = "<speak>I am here. <sub alias='et cetera'>Ph. D. and so on. Well.</sub> Yes.</speak>"
    [line] = (await scripted(source, "joe")).lines
    steps = list(steps_of(line))
    assert [(step[0], step[2]) for step in steps if not isinstance(step, int)] == [
        ("I am here.", ()),
        (" Ph. D. and so on. Well.", (Said(1, 24, alias="et cetera"),)),
        (" Yes.", ()),
    ]


async def test_many_stretches_are_refused() -> None:
    with pytest.raises(Denied, match="500 are the most"):
        await scripted(f"<speak>{'a<break/>' * 501}</speak>", "joe")


async def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(Denied, match="the SSML cannot be read") as denied:
        await marked("<speak>a")
    assert (denied.value.status, denied.value.code) == (400, "invalid_ssml")
