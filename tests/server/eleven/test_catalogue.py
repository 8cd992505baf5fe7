"""The voices that are listed are those that can speak, page by page."""

import pytest

from actors.voices.catalogue import catalogue
from actors.voices.here import Machine
from server.access.denied import Denied
from server.eleven import aliases as eleven
from server.eleven.catalogue import Sought, every_voice, found, page_of, voice_of
from server.speech.voices import named, voices
from tests.server.speech.test_speakers import MACHINE
from transports.realtime import aliases


def test_every_voice_that_a_name_stands_for_is_listed() -> None:
    assert {voice.id for voice in voices(MACHINE)} >= set(aliases.VOICES.values())


def test_whatever_can_speak_is_listed_and_nothing_else() -> None:
    espeak = [voice.id for voice in catalogue().of_engine("espeak")]
    assert [voice.voice_id for voice in every_voice(Machine(espeak=True))] == espeak
    assert [voice.id for voice in voices(Machine(frozenset(("piper-joe",))))] == ["joe"]
    german = voice_of("espeak-de", Machine(espeak=True))
    assert (german.name, german.labels["language"]) == ("German", "de")


def test_a_voice_says_what_it_is_good_for() -> None:
    told = {voice.voice_id: voice for voice in every_voice(MACHINE)}
    joe, kumo, german = told["joe"], told["jm_kumo"], told["espeak-de"]
    assert (joe.voiceforge.default, joe.voiceforge.converses) == (True, True)
    assert {*joe.voiceforge.aliases, "joe"} == {n for n, v in aliases.VOICES.items() if v == "joe"}
    assert (kumo.voiceforge.engine, kumo.voiceforge.converses) == ("kokoro", True)
    assert (german.voiceforge.natural, german.voiceforge.converses) == (False, False)
    assert [voice.voice_id for voice in told.values() if voice.voiceforge.default] == ["joe"]
    assert german.description == "Robotic, by espeak-ng"


@pytest.mark.parametrize(
    ("published", "shown"),
    [("upc_ona", "Upc Ona"), ("joe", "Joe"), ("English (America)", "English (America)")],
)
def test_names_are_shown_as_people_write_them(published: str, shown: str) -> None:
    assert named(published) == shown


def test_a_voice_that_cannot_speak_here_says_what_it_lacks() -> None:
    with pytest.raises(Denied, match="it needs the program espeak-ng: apt-get install"):
        voice_of("espeak-de", Machine())


@pytest.mark.parametrize("voice_id", [*aliases.VOICES, *eleven.VOICES])
def test_every_name_is_a_voice(voice_id: str) -> None:
    assert voice_of(voice_id, MACHINE).voice_id == voice_id


def test_pages_hold_all_of_them_once() -> None:
    every = every_voice(MACHINE)
    told, after = [], None
    while True:
        page = page_of(every, 40, after)
        told += page.voices
        after = page.next_page_token
        assert page.has_more == (after is not None)
        if after is None:
            break
    assert told == every
    assert page_of([], 4, None).voices == []


def test_a_token_of_no_page_is_refused() -> None:
    with pytest.raises(Denied, match="next_page_token is 'x'"):
        page_of(every_voice(MACHINE), 4, "x")


@pytest.mark.parametrize(
    ("sought", "ids"),
    [
        (Sought(search="KUMO"), ["jm_kumo"]),
        (Sought(gender="male", accent="ja-JP"), ["jm_kumo"]),
        (Sought(accent="en-US"), ["joe", "espeak-en-us"]),
        (Sought(language=["de"]), ["espeak-de"]),
        (Sought(category="cloned"), []),
        (Sought(voice_type="personal"), []),
        (Sought(voice_ids=["nobody", "jf_alpha"]), ["jf_alpha"]),
    ],
)
def test_what_is_looked_for_is_found(sought: Sought, ids: list[str]) -> None:
    assert [voice.voice_id for voice in found(sought, MACHINE)] == ids
