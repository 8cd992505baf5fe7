"""`voiceforge voices`, as a process."""

from pathlib import Path

import msgspec

from actors.voices.catalogue import catalogue
from tests.server.program import voiceforge


def test_it_lists_the_voices_of_a_language(tmp_path: Path) -> None:
    done = voiceforge("voices", "--language", "hi", VOICEFORGE_MODELS=str(tmp_path))
    assert done.status == 0, done.err
    head, *rows = done.out.splitlines()
    assert head.split() == ["id", "name", "languages", "gender", "engine", "here"]
    assert [row.split()[0] for row in rows] == [v.id for v in catalogue().of_language("hi")]
    first = ["hi_IN-pratham-medium", "pratham", "hi-IN", "-", "piper"]
    assert rows[0].split() == [*first, "no:", "weights", "on", "the", "hub"]


def test_it_says_what_a_voice_lacks_and_how_to_mend_that(tmp_path: Path) -> None:
    done = voiceforge("voices", "--json", VOICEFORGE_MODELS=str(tmp_path))
    told = {line["id"]: line for line in msgspec.json.decode(done.out)}
    assert len(told) == len(catalogue().voices)
    joe = told["en_US-joe-medium"]
    assert not joe["speaks_here"]
    assert "voiceforge models pull piper-joe" in joe["lacks"]
    assert joe["licence"] == "CC0-1.0"
    assert joe["aliases"] == ["joe"]


def test_an_engine_can_be_asked_for(tmp_path: Path) -> None:
    done = voiceforge(
        "voices", "--engine", "kokoro", "--language", "en-GB", VOICEFORGE_MODELS=str(tmp_path)
    )
    assert [row.split()[0][0] for row in done.out.splitlines()[1:]] == list("a" * 20 + "b" * 8)


def test_a_pull_of_nothing_is_refused(tmp_path: Path) -> None:
    done = voiceforge("voices", "pull", VOICEFORGE_MODELS=str(tmp_path))
    assert done.status == 1
    assert "no voice is named: give ids" in done.err


def test_what_is_no_language_is_refused(tmp_path: Path) -> None:
    done = voiceforge("voices", "--language", "hindi", VOICEFORGE_MODELS=str(tmp_path))
    assert done.status == 1
    assert done.err.strip() == "voiceforge: --language hindi: expected a tag like hi or pt-BR"
