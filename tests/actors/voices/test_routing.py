"""Who speaks what, on machines that have more or less."""

import time

import pytest
from msgspec.structs import replace

from actors.voices.catalogue import Catalogue, UnknownVoice, catalogue
from actors.voices.here import Machine
from actors.voices.routing import NoVoice, VoiceNotHere, WrongLanguage, choose, parts

WHOLE = Machine(frozenset({"piper-joe", "kokoro-82m"}), espeak=True)
NEURAL = replace(WHOLE, espeak=False)
BARE = Machine(espeak=True)

HINDI = "सुप्रभात, आज बहुत सुंदर दिन है।"


def who(machine: Machine, **asked: str) -> tuple[str, str]:
    chosen = choose(machine, **asked)  # type: ignore[arg-type]
    return chosen.voice.id, chosen.language


def test_asked_for_nothing_the_usual_voice_speaks() -> None:
    assert who(WHOLE) == ("en_US-joe-medium", "en")
    assert who(WHOLE, usual="hi") == ("espeak-hi", "hi")


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en", "en_US-joe-medium"),
        ("en-GB", "en_US-joe-medium"),
        ("hi-IN", "espeak-hi"),
        ("pt-BR", "espeak-pt-br"),
        ("pt", "espeak-pt"),
        ("zh-CN", "espeak-cmn"),
        ("no", "espeak-nb"),
        ("nb-NO", "espeak-nb"),
        ("ja", "espeak-ja"),
        ("mi", "espeak-mi"),
    ],
)
def test_the_best_voice_of_a_language(language: str, voice: str) -> None:
    assert who(WHOLE, language=language) == (voice, language)


def test_the_next_engine_speaks_where_the_best_is_missing() -> None:
    only_kokoro = Machine(frozenset({"kokoro-82m"}), espeak=True)
    assert choose(only_kokoro, language="en").voice.engine == "kokoro"
    assert who(BARE, language="en-GB") == ("espeak-en-gb", "en-GB")


def test_thirty_languages_are_spoken_on_a_machine_with_no_weights() -> None:
    spoken = {choose(BARE, language=tag).voice.id for tag in catalogue().languages if tag != "chr"}
    assert len(spoken) > 100


def test_a_voice_of_the_hub_speaks_once_it_is_here() -> None:
    hindi = replace(
        catalogue().voice("hi_IN-rohan-medium"),
        weights="here",
        model="piper-rohan",
        reads=("hi-IN",),
    )
    others = [voice for voice in catalogue().voices if voice.id != hindi.id]
    more = Machine(frozenset({"piper-rohan"}), espeak=True)
    assert choose(more, language="hi", among=Catalogue([*others, hindi])).voice == hindi


def test_a_voice_is_had_by_its_name_or_ours() -> None:
    assert who(WHOLE, voice="joe") == ("en_US-joe-medium", "en-US")
    assert who(WHOLE, voice="jm_kumo") == ("jm_kumo", "en-US")
    assert who(WHOLE, voice="espeak-hi", language="hi-IN") == ("espeak-hi", "hi-IN")
    with pytest.raises(UnknownVoice, match="unknown voice 'nobody'"):
        choose(WHOLE, voice="nobody")


def test_a_language_that_a_voice_does_not_read_is_an_error_or_another_voice() -> None:
    with pytest.raises(WrongLanguage, match="voice en_US-joe-medium reads en-US and no hi"):
        choose(WHOLE, voice="joe", language="hi")
    chosen = choose(WHOLE, voice="joe", language="hi", otherwise="fallback")
    assert (chosen.voice.id, chosen.instead_of) == ("espeak-hi", "en_US-joe-medium")


def test_a_japanese_voice_that_can_only_be_given_english_does_not_read_japanese() -> None:
    with pytest.raises(WrongLanguage, match="jf_alpha reads en-US and no ja"):
        choose(WHOLE, voice="jf_alpha", language="ja")


def test_a_voice_that_is_not_here_is_an_error_or_another_voice() -> None:
    with pytest.raises(VoiceNotHere, match=r"hf_alpha cannot speak .* they lie at https://"):
        choose(WHOLE, voice="hf_alpha")
    with pytest.raises(VoiceNotHere, match="voiceforge models pull piper-joe"):
        choose(BARE, voice="joe")
    assert choose(WHOLE, voice="hf_alpha", otherwise="fallback").voice.id == "espeak-hi"


def test_another_voice_is_a_woman_for_a_woman() -> None:
    no_piper = Machine(frozenset({"kokoro-82m"}))
    for asked, gender in (("af_heart", "female"), ("am_adam", "male")):
        chosen = choose(no_piper, voice=asked, otherwise="fallback")
        assert (chosen.voice.gender, chosen.instead_of) == (gender, asked)


def test_where_nobody_speaks_it_the_text_says_what_would_help() -> None:
    with pytest.raises(NoVoice, match=r"no voice here speaks hi: .*apt-get install espeak-ng"):
        choose(NEURAL, language="hi")
    with pytest.raises(NoVoice, match="no voice here speaks lo: no engine of this server can"):
        choose(WHOLE, language="lo")


def split(text: str, machine: Machine = WHOLE, **asked: str) -> list[tuple[str, str, str]]:
    found = parts(text, machine, **asked)  # type: ignore[arg-type]
    assert "".join(part.text for part in found) == text
    return [(part.text, part.chosen.voice.id, part.chosen.language) for part in found]


def test_a_text_is_spoken_by_who_reads_its_language() -> None:
    assert split(HINDI) == [(HINDI, "espeak-hi", "hi")]
    assert split("The library opens at nine.") == [
        ("The library opens at nine.", "en_US-joe-medium", "en")
    ]
    assert split("") == []


def test_each_script_of_a_text_has_its_voice() -> None:
    assert split(f"In Hindi: {HINDI} That means good morning.") == [
        ("In Hindi: ", "en_US-joe-medium", "en"),
        (f"{HINDI} ", "espeak-hi", "hi"),
        ("That means good morning.", "en_US-joe-medium", "en"),
    ]


def test_neighbours_of_one_voice_and_language_are_one_part() -> None:
    text = f"{HINDI} iPhone {HINDI}"
    assert split(text, voice="espeak-hi") == [(text, "espeak-hi", "hi")]


def test_a_voice_that_cannot_read_a_part_is_an_error_or_another_voice_for_that_part() -> None:
    with pytest.raises(WrongLanguage):
        parts(f"Listen: {HINDI}", WHOLE, voice="joe")
    assert split(f"Listen: {HINDI}", voice="joe", otherwise="fallback") == [
        ("Listen: ", "en_US-joe-medium", "en-US"),
        (HINDI, "espeak-hi", "hi"),
    ]


def test_what_is_brief_is_spoken_in_the_language_of_the_voice() -> None:
    assert split("Ok.", voice="espeak-fr-fr") == [("Ok.", "espeak-fr-fr", "fr-FR")]


def test_a_voice_whose_language_cannot_be_found_is_believed() -> None:
    text = "Kia ora koutou katoa, ko tēnei te reo Māori."
    assert split(text, voice="espeak-mi") == [(text, "espeak-mi", "mi")]


def test_the_language_of_a_text_can_be_said() -> None:
    assert split("Gift", language="de-AT") == [("Gift", "espeak-de", "de-AT")]


def test_a_text_that_changes_its_script_at_every_character_takes_no_longer_than_another() -> None:
    text = "你a" * 20_000
    began = time.monotonic()
    assert len(parts(text, WHOLE)) == len(text)
    assert time.monotonic() - began < 5  # a tenth of one, here; a choice for each, a minute
