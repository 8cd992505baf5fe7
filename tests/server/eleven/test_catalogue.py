"""The voices that are listed are those that can speak, page by page."""

import pytest

from server.access.denied import Denied
from server.eleven import aliases as eleven
from server.eleven.catalogue import Sought, every_voice, found, page_of, voice_of
from server.speech.voices import voices
from transports.realtime import aliases


def test_every_voice_that_a_name_stands_for_is_listed() -> None:
    assert {voice.id for voice in voices()} == set(aliases.VOICES.values())


@pytest.mark.parametrize("voice_id", [*aliases.VOICES, *eleven.VOICES])
def test_every_name_is_a_voice(voice_id: str) -> None:
    assert voice_of(voice_id).voice_id == voice_id


def test_pages_hold_all_of_them_once() -> None:
    every = every_voice()
    told, after = [], None
    while True:
        page = page_of(every, 4, after)
        told += page.voices
        after = page.next_page_token
        assert page.has_more == (after is not None)
        if after is None:
            break
    assert told == every
    assert page_of([], 4, None).voices == []


def test_a_token_of_no_page_is_refused() -> None:
    with pytest.raises(Denied, match="next_page_token is 'x'"):
        page_of(every_voice(), 4, "x")


@pytest.mark.parametrize(
    ("sought", "ids"),
    [
        (Sought(search="KUMO"), ["jm_kumo"]),
        (Sought(gender="male", accent="ja-JP"), ["jm_kumo"]),
        (Sought(accent="en-US"), ["joe"]),
        (Sought(language=["de"]), []),
        (Sought(category="cloned"), []),
        (Sought(voice_type="personal"), []),
        (Sought(voice_ids=["nobody", "jf_alpha"]), ["jf_alpha"]),
    ],
)
def test_what_is_looked_for_is_found(sought: Sought, ids: list[str]) -> None:
    assert [voice.voice_id for voice in found(sought)] == ids
