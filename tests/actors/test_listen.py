"""Transcripts of utterances, in virtual time. The words stand in the audio (`tests.scripted`)."""

import asyncio
import itertools
from collections.abc import AsyncIterator

from actors.listen import PARTIAL_MS, SETTLE_MS, Listen
from actors.stt_router import CallerLanguage
from engine.caller_audio import CallerAudio
from engine.capabilities import Clip, Transcript
from engine.frames import CALLER_HZ, Audio, Frame, Hush, Onset, Voice, Words, WordsFailed
from engine.inference import InferenceError, Priority
from tests import scripted
from tests.scripted import Scripted, decoded, silence, spoken
from tests.virtual_time import in_virtual_time

WINDOW = 512
PREFIX_MS = 300


def fail(error: BaseException) -> None:
    raise AssertionError("the actor failed") from error


class Line:
    """A caller's line into one `Listen`, at the caller's pace."""

    def __init__(self, stt: Scripted[Clip, Transcript]) -> None:
        self.stt = stt
        self.audio = CallerAudio()
        self.audio.emit = lambda frame: None
        self.listen = Listen(stt, self.audio, CallerLanguage("en"), PREFIX_MS)
        self.frames: list[Frame] = []
        self.listen.emit = self.frames.append
        self.listen.start(fail)

    async def hears(self, pcm: bytes) -> None:
        """The next audio, a window at a time."""
        for start in range(0, len(pcm) - 2 * WINDOW + 1, 2 * WINDOW):
            self.audio.receive(Audio(pcm[start : start + 2 * WINDOW], self.audio.end))
            self.listen.receive(Voice(0.9, -20.0, self.audio.end))
            await asyncio.sleep(WINDOW / CALLER_HZ)

    def sounds(self) -> None:
        self.listen.receive(Onset(self.audio.end))

    async def hushes(self) -> None:
        """The caller falls silent; the final transcript comes."""
        said = self.audio.end
        await self.hears(silence(100))
        self.listen.receive(Hush(said, self.audio.end))
        await asyncio.sleep(1)

    @property
    def words(self) -> list[Words]:
        return [frame for frame in self.frames if isinstance(frame, Words)]


def test_words_come_while_they_are_spoken_and_all_of_them_at_the_hush() -> None:
    async def scenario() -> None:
        line = Line(scripted.stt(confidence=0.7))
        await line.hears(silence(1000))
        line.sounds()
        await line.hears(spoken("one two three four five six"))
        await line.hushes()
        *partials, final = line.words
        assert len(partials) >= 3
        assert not any(words.final for words in partials)
        stable = [words.stable for words in partials]
        assert all(later.startswith(one) for one, later in itertools.pairwise(stable))
        assert (final.text, final.final, final.confidence) == (
            "one two three four five six",
            True,
            0.7,
        )
        first, *others = [request.priorities[0] for request in line.stt.requests]
        assert first is Priority.FIRST  # it may interrupt the agent
        assert Priority.PARTIAL in others

    in_virtual_time(scenario())


def test_a_hush_does_not_wait_for_a_partial_transcript() -> None:
    async def scenario() -> None:
        line = Line(scripted.stt(seconds=0.4))
        await line.hears(silence(1000))
        line.sounds()
        await line.hears(spoken("one two"))
        hushed = asyncio.get_running_loop().time()
        await line.hushes()
        [final] = line.words
        assert final.text == "one two"
        assert asyncio.get_running_loop().time() - hushed < 1.2

    in_virtual_time(scenario())


def test_what_is_dropped_is_not_told_of() -> None:
    async def scenario() -> None:
        line = Line(scripted.stt(seconds=0.3))
        await line.hears(silence(1000))
        line.sounds()
        await line.hears(spoken("one two"))
        line.listen.drop()
        assert line.listen.utterance_start is None
        await asyncio.sleep(1)
        assert line.words == []

    in_virtual_time(scenario())


def test_a_failure_is_told_at_the_hush_only() -> None:
    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        raise InferenceError("worker_lost", "the stt worker was lost")
        yield Transcript("")

    async def scenario() -> None:
        line = Line(Scripted(script))
        await line.hears(silence(1000))
        line.sounds()
        await line.hears(spoken("one two three"))
        assert not [frame for frame in line.frames if isinstance(frame, WordsFailed)]
        await line.hushes()
        [failed] = [frame for frame in line.frames if isinstance(frame, WordsFailed)]
        assert failed.code == "worker_lost"

    in_virtual_time(scenario())


def test_a_long_utterance_is_settled_and_stable_words_stay_as_they_were_told() -> None:
    """The final transcript respells the first word, which was stable as the partials had it."""

    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        text = decoded(clip.pcm)
        yield Transcript(text.replace("one", "won") if hushed else text)

    async def scenario() -> None:
        line = Line(Scripted(script))
        await line.hears(silence(1000))
        line.sounds()
        words = " ".join(["one"] + ["two three four five six seven"] * 8)
        await line.hears(spoken(words))
        assert line.audio.end > SETTLE_MS * CALLER_HZ // 1000
        hushed.append(True)
        await line.hushes()
        hushed.clear()
        line.sounds()
        asked = len(line.stt.asked)
        await line.hears(spoken("eight nine ten"))
        assert len(line.stt.asked[asked].pcm) < 2 * CALLER_HZ * 3 * PARTIAL_MS // 1000
        last = line.words[-1]
        assert last.stable.startswith("one two")
        assert last.text.startswith("won two")

    hushed: list[bool] = []
    in_virtual_time(scenario())
