"""Speech in segments, in virtual time. The words stand in the audio (`tests.scripted`)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from actors.stenographer import (
    AHEAD_S,
    LONGEST_S,
    MOST_WAITING,
    SHORT_S,
    Manner,
    Stenographer,
    Written,
)
from engine.actor import Actor
from engine.capabilities import Clip, TimedWord, Transcript
from engine.frames import CALLER_HZ, Frame
from engine.inference import InferenceError, Priority
from tests.scripted import LoudnessVad, Scripted, decoded, noise, silence, spoken, stt
from tests.virtual_time import in_virtual_time

CHUNK_MS = 50
BY_SILENCE = Manner("en", silence_ms=500, speech_ms=100)
BY_HAND = Manner("en")


class Speaker:
    """Somebody who is written down, in real time."""

    def __init__(
        self,
        manner: Manner,
        recogniser: Scripted[Clip, Transcript] | None = None,
        vad: Actor | None = None,
    ) -> None:
        self.stt = recogniser or stt()
        self.guesses: list[str] = []
        self.written: list[Written] = []
        self.told: list[str] = []
        """Guesses, and what was written, as they came."""
        self.pen = Stenographer(vad or LoudnessVad(), self.stt, manner, self._guess)
        self.writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while True:
            written = await self.pen.written()
            self.written.append(written)
            self.told.append(written.text)

    def _guess(self, text: str) -> None:
        self.guesses.append(text)
        self.told.append(f"{text} …")

    async def says(self, pcm: bytes) -> None:
        size = 2 * CALLER_HZ * CHUNK_MS // 1000
        for at in range(0, len(pcm), size):
            await self.pen.room()
            self.pen.hear(pcm[at : at + size])
            await asyncio.sleep(CHUNK_MS / 1000)

    async def leaves(self) -> None:
        await asyncio.sleep(1)
        self.pen.close()
        self.writing.cancel()
        await asyncio.gather(self.writing, return_exceptions=True)

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.written]


def test_a_silence_ends_a_segment_and_guesses_come_before() -> None:
    async def scenario() -> None:
        speaker = Speaker(BY_SILENCE)
        await speaker.says(silence(1000) + spoken("one two three four five") + silence(700))
        assert speaker.texts == ["one two three four five"]
        assert speaker.guesses[0] in ("one", "one two")
        assert len(speaker.guesses) >= 3
        asked = len(speaker.stt.asked)
        await speaker.says(spoken("six seven") + silence(300) + spoken("eight") + silence(700))
        assert speaker.texts[1:] == ["six seven eight"]
        assert speaker.guesses[-1] == "six seven eight"
        assert len(speaker.stt.asked) > asked
        await speaker.leaves()

    in_virtual_time(scenario())


def test_what_the_live_ear_has_heard_is_not_asked_again() -> None:
    async def scenario() -> None:
        speaker = Speaker(BY_SILENCE)
        await speaker.says(silence(300) + spoken("one") + silence(200))
        asked = len(speaker.stt.asked)
        await speaker.says(silence(500))
        assert (speaker.texts, len(speaker.stt.asked)) == (["one"], asked)
        assert speaker.stt.requests[-1].priorities == [Priority.FIRST]
        await speaker.leaves()

    in_virtual_time(scenario())


def test_guesses_come_when_what_was_said_before_them_is_told() -> None:
    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        text = decoded(clip.pcm)
        await asyncio.sleep(2 if text == "one two three" else 0.05)
        yield Transcript(text)

    async def scenario() -> None:
        speaker = Speaker(BY_HAND, Scripted(script))
        await speaker.says(spoken("one two three"))
        speaker.pen.commit()
        told = len(speaker.told)
        await speaker.says(spoken("four five six"))
        assert speaker.told[told:] == []
        await speaker.says(silence(2000))
        assert speaker.told[told:] == ["one two three", "four five six …"]
        speaker.pen.commit()
        await speaker.leaves()
        assert speaker.told[-1] == "four five six"

    in_virtual_time(scenario())


def test_a_long_segment_does_not_compete_with_first_words() -> None:
    async def scenario() -> None:
        speaker = Speaker(BY_HAND, vad=Deaf())
        for seconds in (SHORT_S - 1, SHORT_S + 1, 40):
            for _ in range(seconds):
                speaker.pen.hear(silence(1000))
            speaker.pen.commit()
        await speaker.leaves()
        assert [request.priorities for request in speaker.stt.requests] == [
            [Priority.FIRST],
            *[[Priority.PARTIAL]] * 3,
        ]

    in_virtual_time(scenario())


def test_a_sound_that_is_too_brief_is_no_segment() -> None:
    async def scenario() -> None:
        speaker = Speaker(Manner("en", silence_ms=500, speech_ms=400))
        await speaker.says(silence(500) + noise(200) + silence(900) + spoken("one two"))
        await speaker.says(silence(900))
        assert speaker.texts == ["one two"]
        await speaker.leaves()

    in_virtual_time(scenario())


def test_by_hand_a_segment_holds_all_that_came_and_nothing_twice() -> None:
    async def scenario() -> None:
        speaker = Speaker(BY_HAND)
        await speaker.says(silence(400) + spoken("one two") + silence(1500) + spoken("three"))
        assert speaker.texts == []
        speaker.pen.commit()
        await speaker.says(spoken("four five"))
        speaker.pen.commit()
        await speaker.leaves()
        assert speaker.texts == ["one two three", "four five"]
        assert not any(guess.startswith("three") for guess in speaker.guesses)

    in_virtual_time(scenario())


def test_by_hand_a_segment_holds_also_what_the_vad_takes_for_no_speech() -> None:
    async def scenario() -> None:
        speaker = Speaker(BY_HAND, vad=LoudnessVad(0.45))
        text = " ".join(f"word{n}" for n in range(400))
        words = spoken(text)
        await speaker.says(words[: 2 * CALLER_HZ * 20])
        speaker.pen.commit()
        await asyncio.sleep(1)
        assert len(speaker.texts[0].split()) == pytest.approx(20 / 0.26, abs=1)
        await speaker.says(words[2 * CALLER_HZ * 20 :] + silence(1000 * LONGEST_S))
        await speaker.leaves()
        assert len(" ".join(speaker.texts).split()) == pytest.approx(400, abs=2)
        assert len(speaker.texts) == 2  # what came after 90 s by itself, the rest is not committed
        assert speaker.guesses == []

    in_virtual_time(scenario())


def test_a_commit_does_not_wait_until_a_voice_is_found() -> None:
    async def scenario() -> None:
        speaker = Speaker(BY_HAND, vad=Deaf())
        speaker.pen.hear(spoken("one two three"))
        speaker.pen.commit()
        speaker.pen.commit()
        await speaker.leaves()
        assert speaker.texts == ["one two three", ""]

    in_virtual_time(scenario())


class Deaf(Actor):
    """Finds no voice, and may fail."""

    def start(self, failed: Callable[[BaseException], None]) -> None:
        self.fail = failed

    def receive(self, frame: Frame) -> None:
        self.emit(frame)


def test_times_count_from_the_beginning_and_the_language_is_told() -> None:
    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        words = (TimedWord("x", 300, 540, 0.9),) if clip.words else ()
        yield Transcript(decoded(clip.pcm), 0.9, "de", words)

    async def scenario() -> None:
        manner = Manner("auto", silence_ms=500, times=True, language_told=True)
        speaker = Speaker(manner, Scripted(script))
        await speaker.says(silence(992) + spoken("one") + silence(700))
        [written] = speaker.written
        assert (written.text, written.language) == ("one", "de")
        [word] = written.words
        assert abs(word.start_ms - 992) <= 35
        await speaker.leaves()

    in_virtual_time(scenario())


@pytest.mark.parametrize("manner", [BY_HAND, BY_SILENCE])
def test_a_segment_without_end_is_ended(manner: Manner) -> None:
    async def scenario() -> None:
        speaker = Speaker(manner)
        text = " ".join(f"word{n}" for n in range(400))
        await speaker.says(spoken(text))
        [first] = speaker.texts
        assert 0.9 < len(first.split()) * 0.26 / LONGEST_S < 1.01
        speaker.pen.commit()
        await speaker.leaves()
        assert abs(len(" ".join(speaker.texts).split()) - 400) <= 1

    in_virtual_time(scenario())


def test_no_more_is_taken_than_is_looked_at_and_written_down() -> None:
    async def scenario() -> None:
        speaker = Speaker(BY_HAND, vad=Deaf())
        speaker.pen.hear(bytes(2 * CALLER_HZ * (AHEAD_S + 1)))
        assert await times_out(speaker.pen.room())
        slow = Speaker(BY_HAND, stt(seconds=30.0))
        for _ in range(MOST_WAITING + 1):
            await slow.says(spoken("one"))
            slow.pen.commit()
        assert await times_out(slow.pen.room())
        await asyncio.sleep(31)
        await slow.pen.room()
        await speaker.leaves()
        await slow.leaves()

    in_virtual_time(scenario())


async def times_out(waiting: Coroutine[Any, Any, None]) -> bool:
    try:
        async with asyncio.timeout(1):
            await waiting
    except TimeoutError:
        return True
    return False


def test_what_fails_is_raised_to_who_waits() -> None:
    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        raise InferenceError("worker_lost", "it died")
        yield Transcript("")

    async def scenario() -> None:
        speaker = Speaker(BY_SILENCE, Scripted(script))
        await speaker.says(silence(300) + spoken("one") + silence(700))
        with pytest.raises(InferenceError, match="it died"):
            await speaker.writing
        speaker.pen.close()

    in_virtual_time(scenario())


def test_what_fails_while_a_segment_is_written_down_is_raised_behind_it() -> None:
    async def scenario() -> None:
        vad = Deaf()
        speaker = Speaker(BY_HAND, stt(seconds=1.0), vad)
        await speaker.says(spoken("one"))
        speaker.pen.commit()
        await asyncio.sleep(0.5)
        vad.fail(RuntimeError("no VAD"))
        with pytest.raises(RuntimeError, match="no VAD"):
            async with asyncio.timeout(5):
                await speaker.writing
        assert speaker.texts == ["one"]
        speaker.pen.close()

    in_virtual_time(scenario())


@pytest.mark.parametrize("wait_s", [0, 1])
def test_what_fails_is_raised_to_who_waits_for_room(wait_s: float) -> None:
    async def scenario() -> None:
        vad = Deaf()
        speaker = Speaker(BY_HAND, vad=vad)
        speaker.pen.hear(silence(1000 * (AHEAD_S + 1)))
        asyncio.get_running_loop().call_later(wait_s, vad.fail, RuntimeError("no VAD"))
        await asyncio.sleep(0.5)
        with pytest.raises(RuntimeError, match="no VAD"):
            async with asyncio.timeout(5):
                await speaker.pen.room()
        await speaker.leaves()

    in_virtual_time(scenario())
