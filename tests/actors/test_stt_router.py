"""Which recogniser hears what, and what a session learns of its caller's language."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from actors.languages import BRIEF_MS
from actors.stt_router import CallerLanguage, RoutedSTT
from engine.capabilities import Clip, Transcript
from engine.inference import InferenceError, Priority, Request
from tests.scripted import Scripted, silence

LONG = silence(BRIEF_MS + 500)
BRIEF = silence(BRIEF_MS - 500)

Recogniser = Scripted[Clip, Transcript]


def hears(*transcripts: Transcript | InferenceError, seconds: float = 0) -> Recogniser:
    """Answers every request with the next of these."""
    left = iter(transcripts)

    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        await asyncio.sleep(seconds)
        heard = next(left)
        if isinstance(heard, InferenceError):
            raise heard
        yield heard

    return Scripted(script)


async def ask(
    fast: Recogniser, many: Recogniser, clip: Clip, deadline_ms: int = 300
) -> list[Transcript]:
    request = RoutedSTT(fast, many).request(clip, priority=Priority.FIRST, deadline_ms=deadline_ms)
    return [transcript async for transcript in request]


@pytest.mark.parametrize("language", ["en", "en-GB", "EN_us"])
async def test_english_goes_to_the_fast_one(language: str) -> None:
    fast, many = hears(Transcript("Hello.", 0.2)), hears()
    assert await ask(fast, many, Clip(LONG, language)) == [Transcript("Hello.", 0.2)]


async def test_another_language_and_the_times_of_words_go_to_the_other() -> None:
    fast, many = hears(), hears(Transcript("Hola."), Transcript("Hello."), Transcript("Hi."))
    for clip in (Clip(LONG, "es"), Clip(LONG, "en", words=True), Clip(LONG, "auto", words=True)):
        await ask(fast, many, clip)
    assert [clip.language for clip in many.asked] == ["es", "en", "auto"]


async def test_what_the_fast_one_is_sure_of_is_english() -> None:
    fast, many = hears(Transcript("What time is it?", 0.9)), hears()
    heard = await ask(fast, many, Clip(LONG, "auto"))
    assert heard == [Transcript("What time is it?", 0.9, "en")]
    assert fast.asked[0].language == "en"


async def test_what_it_doubts_is_heard_by_the_other() -> None:
    spanish = Transcript("¿Qué hora es?", 0.8, "es")
    fast, many = hears(Transcript("Key aura s.", 0.4)), hears(spanish)
    assert await ask(fast, many, Clip(LONG, "auto")) == [spanish]
    assert many.asked[0].language == "auto"


async def test_silence_is_not_doubted() -> None:
    assert await ask(hears(Transcript("")), hears(), Clip(LONG, "auto")) == [Transcript("")]


async def test_a_brief_sound_of_an_english_caller_is_not_doubted() -> None:
    fast, many = hears(Transcript("Mhm.", 0.3)), hears()
    heard = await ask(fast, many, Clip(BRIEF, "auto", expected="en"))
    assert heard == [Transcript("Mhm.", 0.3, "en")]


async def test_a_caller_of_another_language_does_not_wait_for_the_fast_one() -> None:
    spanish = Transcript("Sí.", 0.8, "es")
    assert await ask(hears(), hears(spanish), Clip(BRIEF, "auto", expected="es")) == [spanish]


async def test_where_the_fast_one_fails_the_other_hears_english_too() -> None:
    fast, many = hears(InferenceError("worker_lost", "gone")), hears(Transcript("Hi.", 0.9, "en"))
    assert await ask(fast, many, Clip(LONG, "auto")) == [Transcript("Hi.", 0.9, "en")]


async def test_where_the_other_fails_the_request_does() -> None:
    fast, many = hears(Transcript("Key.", 0.1)), hears(InferenceError("overloaded", "too much"))
    with pytest.raises(InferenceError, match="too much"):
        await ask(fast, many, Clip(LONG, "auto"))


async def test_a_cancelled_request_ends_and_asks_nobody_else() -> None:
    fast, many = hears(Transcript("Key.", 0.1), seconds=0.01), hears()
    request: Request[Transcript] = RoutedSTT(fast, many).request(
        Clip(LONG, "auto"), priority=Priority.FIRST, deadline_ms=300
    )
    asyncio.get_running_loop().call_soon(request.cancel)
    assert [transcript async for transcript in request] == []
    assert many.asked == []


async def test_a_promotion_reaches_both() -> None:
    fast = hears(Transcript("Key.", 0.1), seconds=0.01)
    many = hears(Transcript("¿Qué?", 0.9, "es"))
    request = RoutedSTT(fast, many).request(
        Clip(LONG, "auto"), priority=Priority.SPECULATIVE, deadline_ms=300
    )
    request.promote(Priority.FIRST, 200)
    assert [transcript.language async for transcript in request] == ["es"]
    assert fast.requests[0].priorities == [Priority.SPECULATIVE, Priority.FIRST]
    assert many.requests[0].priorities == [Priority.FIRST]


def test_a_session_with_a_language_asks_for_it() -> None:
    caller = CallerLanguage("de")
    caller.heard(caller.clip(LONG), Transcript("Hello there.", 0.9, "en"))
    assert caller.clip(LONG).language == "de"


def test_what_a_caller_speaks_is_remembered_and_can_change() -> None:
    caller = CallerLanguage("auto")
    assert caller.clip(LONG) == Clip(LONG, "auto")
    caller.heard(caller.clip(LONG), Transcript("Guten Tag.", 0.8, "de"))
    assert caller.clip(BRIEF) == Clip(BRIEF, "auto", "de")
    caller.heard(caller.clip(LONG), Transcript("Do you speak English?", 0.8, "en"))
    assert caller.clip(BRIEF).expected == "en"


@pytest.mark.parametrize(
    ("pcm", "transcript"),
    [
        (BRIEF, Transcript("Hm.", 0.9, "pl")),
        (LONG, Transcript("Hm hm.", 0.3, "pl")),
        (LONG, Transcript("", 1.0, "pl")),
        (LONG, Transcript("Hm hm.", 0.9)),
    ],
)
def test_a_brief_or_doubtful_sound_teaches_nothing(pcm: bytes, transcript: Transcript) -> None:
    caller = CallerLanguage("auto")
    caller.heard(caller.clip(LONG), Transcript("Guten Tag.", 0.8, "de"))
    caller.heard(caller.clip(pcm), transcript)
    assert caller.clip(pcm).expected == "de"


@pytest.mark.parametrize(
    ("clip", "asked"),
    [
        (Clip(LONG, "en", by="many"), ["many", "fast"]),
        (Clip(LONG, "en", by="fast"), ["fast", "many"]),
        (Clip(LONG, "auto", by="fast"), ["fast", "many"]),
        (Clip(LONG, "auto", by="many"), ["many"]),
        (Clip(LONG, "en"), ["fast", "many"]),
        (Clip(LONG, "es"), ["many"]),
        (Clip(LONG, "es", by="many"), ["many"]),
    ],
)
async def test_who_was_chosen_is_asked_and_where_that_fails_who_knows_the_language(
    clip: Clip, asked: list[str]
) -> None:
    broken = InferenceError("worker_lost", "it is gone")
    fast, many = hears(broken), hears(broken)
    with pytest.raises(InferenceError, match="gone"):
        await ask(fast, many, clip)
    assert sorted(asked) == sorted(["fast"] * len(fast.asked) + ["many"] * len(many.asked))
    works = Transcript("Hello.", 0.1)
    recognisers = {"fast": hears(broken), "many": hears(broken)}
    recognisers[asked[-1]] = hears(works)
    assert await ask(recognisers["fast"], recognisers["many"], clip) == [works]
    assert len(recognisers[asked[0]].asked) == 1


def test_a_session_s_terms_and_choice_go_with_each_clip() -> None:
    caller = CallerLanguage("en")
    caller.terms, caller.by = ("Zadarma",), "many"
    assert caller.clip(LONG) == Clip(LONG, "en", terms=("Zadarma",), by="many")
