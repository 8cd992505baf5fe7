"""Who speaks a text."""

from pathlib import Path

import pytest

from actors.voices.here import Machine
from server.access.denied import Denied
from server.speech.speakers import Speakers, plain_english

MACHINE = Machine(frozenset(("piper-joe", "kokoro-82m")), espeak=True)


def speakers(machine: Machine = MACHINE, otherwise: str = "error") -> Speakers:
    made = Speakers(Path(), otherwise)  # type: ignore[arg-type]
    made._seen = machine, made._clock() + 1e9
    return made


async def voices(text: str, voice: str | None = None, language: str | None = None) -> str:
    return ", ".join(part.chosen.voice.id for part in await speakers().parts(text, voice, language))


@pytest.mark.parametrize(
    ("text", "voice"),
    [
        ("What is the largest ocean on earth?", "en_US-joe-medium"),
        ("Hello.", "en_US-joe-medium"),
        ("Guten Tag, wie geht es Ihnen heute?", "espeak-de"),
        ("Где находится ближайшая аптека?", "espeak-ru"),
        ("The word for it is аптека.", "en_US-joe-medium, espeak-ru"),
    ],
)
async def test_the_best_voice_for_the_language_speaks(text: str, voice: str) -> None:
    assert await voices(text) == voice


async def test_whoever_is_named_speaks_what_is_in_its_script() -> None:
    assert await voices("Guten Tag, wie geht es Ihnen heute?", "jf_alpha") == "jf_alpha"
    assert await voices("Zadarma, Kubernetes, Ljubljana.", "joe") == "en_US-joe-medium"
    assert await voices("Guten Tag.", language="de-AT") == "espeak-de"


async def test_a_voice_that_cannot_read_it_is_an_error_or_replaced() -> None:
    text = "Где находится ближайшая аптека?"
    with pytest.raises(Denied, match="voice en_US-joe-medium reads en-US and no ru"):
        await voices(text, "joe")
    parts = await speakers(otherwise="fallback").parts(text, "joe", None)
    assert [part.chosen.voice.id for part in parts] == ["espeak-ru"]


@pytest.mark.parametrize(
    ("voice", "language", "told"),
    [
        ("bob", None, "unknown voice 'bob'"),
        ("af_heart", None, "its weights are not here"),
        (None, "klingon!", "language is 'klingon!'"),
        (None, "tlh", "no voice here speaks tlh"),
    ],
)
async def test_who_cannot_speak_is_told(voice: str | None, language: str | None, told: str) -> None:
    with pytest.raises(Denied, match=told):
        await voices("Hello.", voice, language)


async def test_without_the_program_it_is_told_what_to_install() -> None:
    bare = Machine(frozenset(("piper-joe",)), espeak=False)
    with pytest.raises(Denied, match="apt-get install espeak-ng"):
        await speakers(bare).parts("Guten Tag, wie geht es Ihnen heute?", None, None)


def test_english_is_told_by_its_commonest_words_alone() -> None:
    assert plain_english("The library opens at nine, and what you see is all there is.") == "en"
    for other in (
        "Hello.",
        "Das ist von hier.",
        "El perro es de la casa.",
        "Ma come va, tutto bene?",
    ):
        assert plain_english(other) is None
    assert plain_english("The word for it is аптека.") is None
