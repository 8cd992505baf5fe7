"""The catalogue: what it holds, and what it refuses to hold."""

from collections import Counter
from pathlib import Path

import pytest

from actors.manifest import load_manifest
from actors.voices.catalogue import (
    FOLDER,
    SAMPLES,
    CatalogueError,
    UnknownVoice,
    catalogue,
    read,
)
from actors.voices.here import Machine
from actors.voices.tags import language, nearness, well_formed
from transports.realtime import aliases

HEAD = """
engine = "kokoro"
licence = "Apache-2.0"
weights = "hub"
source = "https://lists.example/"
phonemes = ["en"]
"""
GOOD = 'id = "a", at = "a", name = "A", languages = ["en"]'


def written(folder: Path, rows: str, head: str = HEAD, name: str = "kokoro.toml") -> Path:
    (folder / SAMPLES).write_bytes((FOLDER / SAMPLES).read_bytes())
    (folder / name).write_text(f"{head}\nvoice = [{rows}]", "utf-8")
    return folder


def test_it_holds_every_voice_of_the_lists() -> None:
    voices = catalogue().voices
    assert Counter(voice.engine for voice in voices) == {"piper": 179, "kokoro": 54, "espeak": 130}
    assert len(catalogue().languages) > 110
    neural = {language(tag) for v in voices if v.engine != "espeak" for tag in v.languages}
    assert len(neural) > 50


def test_kokoro_has_as_many_women_and_men_of_each_language_as_its_list_counts() -> None:
    counted = Counter((v.languages[0], v.gender) for v in catalogue().of_engine("kokoro"))
    assert counted == {
        ("en-US", "female"): 11,
        ("en-US", "male"): 9,
        ("en-GB", "female"): 4,
        ("en-GB", "male"): 4,
        ("ja-JP", "female"): 4,
        ("ja-JP", "male"): 1,
        ("zh-CN", "female"): 4,
        ("zh-CN", "male"): 4,
        ("es", "female"): 1,
        ("es", "male"): 2,
        ("fr-FR", "female"): 1,
        ("hi-IN", "female"): 2,
        ("hi-IN", "male"): 2,
        ("it-IT", "female"): 1,
        ("it-IT", "male"): 1,
        ("pt-BR", "female"): 1,
        ("pt-BR", "male"): 2,
    }


def test_every_voice_that_the_server_speaks_with_is_in_it() -> None:
    here = Machine(frozenset({"piper-joe", "kokoro-82m"}), espeak=True)
    for name in aliases.VOICES.values():
        voice = catalogue().voice(name)
        assert here.lacks(voice) == ""
        assert voice.reads == ("en-US",)


def test_what_is_here_is_a_voice_of_a_model_that_the_store_knows() -> None:
    known = load_manifest()
    for voice in catalogue().voices:
        if voice.weights == "here":
            assert known[voice.model].role == "tts"
            assert known[voice.model].family == voice.engine


def test_a_piper_voice_lies_where_its_id_says() -> None:
    for voice in catalogue().of_engine("piper"):
        code, name, quality = voice.id.split("-")
        assert voice.source.endswith(f"/{code.split('_')[0]}/{code}/{name}/{quality}")
        assert voice.languages == (code.replace("_", "-"),)


def test_every_voice_has_something_to_say() -> None:
    assert [voice.id for voice in catalogue().voices if not voice.sample] == []
    assert catalogue().voice("hf_alpha").sample.startswith("सुप्रभात")
    assert catalogue().voice("espeak-jbo").sample.startswith("1, 2, 3")


@pytest.mark.parametrize("tag", ["hi", "hi-IN", "HI_in"])
def test_voices_are_found_by_language_whatever_its_region(tag: str) -> None:
    found = catalogue().of_language(tag)
    assert [voice.id for voice in found][-1] == "espeak-hi"
    assert Counter(voice.engine for voice in found) == {"piper": 3, "kokoro": 4, "espeak": 1}


def test_a_name_that_no_voice_has_is_refused() -> None:
    with pytest.raises(UnknownVoice, match=r"unknown voice 'nobody'.*voiceforge voices"):
        catalogue().voice("nobody")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('id = "a", at = "a", languages = ["en"]', r"row 2 \(a\): .*`name`"),
        (f'{GOOD}, colour = "red"', r"row 2 \(a\): .*`colour`"),
        (f'{GOOD}, gender = "many"', r"row 2 \(a\): .*'many'"),
        (GOOD.replace('"en"', '"english"'), r"row 2 \(a\): language 'english' is no tag"),
        (GOOD.replace('"en"', '"en-us"'), r"row 2 \(a\): language 'en-us' is no tag"),
        (GOOD.replace('["en"]', "[]"), r"row 2 \(a\): languages is empty"),
        (GOOD.replace('id = "a"', 'id = "../a"'), r"row 2 \(\.\./a\): '\.\./a' is no id"),
        (GOOD.replace('at = "a"', 'at = "a b"'), r"source 'https://lists.example/a b' is no"),
        (f'{GOOD}, weights = "here"', r"weights are 'here' and model is ''"),
        (GOOD.replace('"a"', '"first"'), r"'first' is a voice of kokoro.toml"),
        (f'{GOOD}, aliases = ["first"]', r"'first' is a voice of kokoro.toml"),
    ],
)
def test_a_wrong_row_is_refused_by_file_row_and_value(tmp_path: Path, row: str, says: str) -> None:
    first = GOOD.replace('"a"', '"first"')
    folder = written(tmp_path, f"{{ {first} }}, {{ {row} }}")
    with pytest.raises(CatalogueError, match=rf"kokoro.toml.*{says}"):
        read(folder)


@pytest.mark.parametrize(
    ("head", "rows", "says"),
    [
        (HEAD, "", "a row for each voice"),
        (HEAD.replace("kokoro", "tacotron"), f"{{ {GOOD} }}", "tacotron"),
        (HEAD.replace("kokoro", "piper"), f"{{ {GOOD} }}", "named for it"),
        (HEAD + "speed = 1", f"{{ {GOOD} }}", "speed"),
        ("engine =", "", "Invalid value"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, head: str, rows: str, says: str) -> None:
    with pytest.raises(CatalogueError, match=rf"kokoro.toml: .*{says}"):
        read(written(tmp_path, rows, head))


def test_a_voice_reads_what_phonemes_can_be_made_for(tmp_path: Path) -> None:
    rows = f"{{ {GOOD} }}, " + "{ id = 'b', at = 'b', name = 'B', languages = ['ja-JP'] }"
    found = read(written(tmp_path, rows))
    assert [voice.reads for voice in found.voices] == [("en",), ()]


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("en_US-amy-low", "its weights are not here; they lie at https://huggingface.co/rhasspy"),
        ("joe", "voiceforge models pull piper-joe"),
        ("espeak-hi", "apt-get install espeak-ng"),
    ],
)
def test_what_cannot_speak_says_what_it_lacks(named: str, says: str) -> None:
    assert says in Machine().lacks(catalogue().voice(named))


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant-TW", "es-419", "en-GB-x-rp", "de-1996"])
def test_good_tags(tag: str) -> None:
    assert well_formed(tag)


@pytest.mark.parametrize("tag", ["", "EN", "english", "pt_BR", "pt-br", "en-", "en-GB-x", "e"])
def test_bad_tags(tag: str) -> None:
    assert not well_formed(tag)


def test_the_nearer_of_two_tags() -> None:
    wanted = "pt-BR"
    assert [nearness(tag, wanted) for tag in ("pt-BR", "pt", "pt-PT", "es")] == [3, 2, 1, 0]
    assert nearness("cmn", "zh") > 0
    assert nearness("nb", "no-NO") > 0
