"""When the sound of a silence is judged, in virtual time."""

import asyncio

from actors.judge import JUDGED_AT_MS, Judge
from engine.caller_audio import CallerAudio
from engine.frames import CALLER_HZ, Audio, Frame, Hush, Onset, Scored, Voice
from tests import scripted
from tests.virtual_time import in_virtual_time

WINDOW = 512


def fail(error: BaseException) -> None:
    raise AssertionError("the actor failed") from error


class Line:
    """Audio into one `Judge`, at the caller's pace."""

    def __init__(self) -> None:
        self.turn = scripted.turn(0.7)
        self.audio = CallerAudio()
        self.audio.emit = lambda frame: None
        self.judge = Judge(self.turn, self.audio)
        self.frames: list[Frame] = []
        self.judge.emit = self.frames.append
        self.judge.start(fail)

    async def hears(self, ms: int) -> None:
        for _ in range(ms * CALLER_HZ // 1000 // WINDOW):
            self.audio.receive(Audio(bytes(2 * WINDOW), self.audio.end))
            self.judge.receive(Voice(0.1, -60.0, self.audio.end))
            await asyncio.sleep(WINDOW / CALLER_HZ)

    async def speaks(self, ms: int) -> int:
        """A stretch of speech, and the hush behind it; where that is."""
        self.judge.receive(Onset(self.audio.end))
        await self.hears(ms)
        hush = self.audio.end
        self.judge.receive(Hush(hush, hush))
        return hush

    @property
    def scores(self) -> list[Scored]:
        return [frame for frame in self.frames if isinstance(frame, Scored)]


def test_a_silence_is_judged_twice() -> None:
    async def scenario() -> None:
        line = Line()
        hush = await line.speaks(1000)
        await line.hears(JUDGED_AT_MS[0] - 50)
        assert line.scores == []
        await line.hears(2000)
        assert line.scores == [Scored(0.7, hush)] * len(JUDGED_AT_MS)
        lengths = [len(clip.pcm) / 2 / CALLER_HZ for clip in line.turn.asked]
        assert lengths[0] < lengths[1] < 2.0

    in_virtual_time(scenario())


def test_a_caller_who_goes_on_is_not_judged_by_the_silence_before() -> None:
    async def scenario() -> None:
        line = Line()
        await line.speaks(1000)
        await line.hears(JUDGED_AT_MS[0] + 16)  # it has just been asked
        await line.speaks(500)
        assert line.scores == []

    in_virtual_time(scenario())


def test_only_the_last_eight_seconds_are_judged() -> None:
    async def scenario() -> None:
        line = Line()
        line.audio.keep_from(0)
        await line.speaks(20_000)
        await line.hears(400)
        assert len(line.turn.asked[0].pcm) == 2 * 8 * CALLER_HZ

    in_virtual_time(scenario())
