"""A caller: a microphone that never stops, a loudspeaker, and ears.

The microphone sends 20 ms at a time at real pace, each frame at the moment its last sample would
have been recorded: faint noise, with clips laid over it, and if asked a room's babble and the echo
of what the loudspeaker plays.
"""

import asyncio
import wave
from pathlib import Path

import numpy as np

from bench.links import Link
from bench.sound import QUIET_DBFS, Sound, amplitude, loud, noise, resample, to_pcm

FRAME_MS = 20
ROOM_S = 10  # the room's sound repeats after so long
QUIET_AFTER_S = 2.0  # the pause after which an answer is over, as far as can be heard


class Caller:
    """One caller on a joined `link`. Times are of the event loop's clock, in seconds."""

    def __init__(self, link: Link, seed: int) -> None:
        self.link = link
        self.loop = asyncio.get_running_loop()
        rng = np.random.default_rng(seed)
        self.room = noise(link.rate_hz * ROOM_S, QUIET_DBFS, rng)
        self.echo_dbfs: float | None = None
        self.echo_delay_s = 0.0
        self.latest_s = 0.0
        """How late the latest frame of the microphone was sent."""
        self.samples = link.rate_hz * FRAME_MS // 1000
        self.sent: list[Sound] = []
        self._frame = 0
        self._clips: list[tuple[int, Sound]] = []
        self.started_at = self.loop.time()
        self._microphone = self.loop.create_task(self._record())

    def say(self, clip: Sound) -> float:
        """Begin to say `clip` (at the link's rate) with the next frame; returns when that is."""
        first = self._frame * self.samples
        self._clips.append((first, clip))
        return self.started_at + first / self.link.rate_hz

    async def until(self, at: float) -> None:
        """Wait for this moment; fails at once if the microphone broke, as nothing would follow."""
        while (left := at - self.loop.time()) > 0:
            await asyncio.sleep(min(left, 0.1))
            if self._microphone.done():
                self._microphone.result()

    async def sounds(self, after: float, before: float) -> float | None:
        """When the agent is first audible between two moments, or None if it never is.

        Returns as soon as that is known.
        """
        while True:
            now = min(self.loop.time(), before)
            heard = loud(self.link.playout.heard(after, max(now, after)))
            if len(heard):
                return after + float(heard[0]) / self.link.playout.rate_hz
            if now >= before:
                return None
            await self.until(min(before, now + 0.05))

    async def silence(self, give_up: float) -> bool:
        """Wait until the agent has finished; False if it still speaks at `give_up`."""
        while self.loop.time() < give_up:
            over = self.loop.time() - max(self.link.playout.ends_at, self.started_at)
            if not self.link.answering() and over > QUIET_AFTER_S:
                return True
            await self.until(self.loop.time() + 0.1)
        return False

    def keep(self, folder: Path, name: str) -> None:
        """Write what was said and what was heard since the beginning, as one WAV each."""
        folder.mkdir(parents=True, exist_ok=True)
        playout = self.link.playout
        heard = playout.heard(self.started_at, self.loop.time())
        said = np.concatenate(self.sent) if self.sent else np.zeros(0, np.float32)
        for kind, sound, rate in (
            ("said", said, self.link.rate_hz),
            ("heard", heard, playout.rate_hz),
        ):
            with wave.open(str(folder / f"{name}-{kind}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(rate)
                file.writeframes(to_pcm(sound))

    async def hang_up(self) -> None:
        self._microphone.cancel()
        await asyncio.gather(self._microphone, return_exceptions=True)
        await self.link.close()

    async def _record(self) -> None:
        while True:
            self._frame += 1
            due = self.started_at + self._frame * FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - self.loop.time()))
            self.latest_s = max(self.latest_s, self.loop.time() - due)
            frame = self._mixed((self._frame - 1) * self.samples)
            self.sent.append(frame)
            await self.link.send(to_pcm(frame))

    def _mixed(self, first: int) -> Sound:
        """The frame that begins at sample `first`."""
        at = first % (len(self.room) - self.samples)
        frame = self.room[at : at + self.samples].copy()
        self._clips = [(start, clip) for start, clip in self._clips if first < start + len(clip)]
        for start, clip in self._clips:
            low, high = max(0, first - start), min(len(clip), first + self.samples - start)
            if low < high:
                frame[start + low - first : start + high - first] += clip[low:high]
        if self.echo_dbfs is not None:
            frame += self._echo(first) * np.float32(amplitude(self.echo_dbfs))
        return frame

    def _echo(self, first: int) -> Sound:
        """What the loudspeaker played `echo_delay_s` before this frame."""
        start = self.started_at + first / self.link.rate_hz - self.echo_delay_s
        played = self.link.playout.heard(start, start + FRAME_MS / 1000)
        echo = resample(played, self.link.playout.rate_hz, self.link.rate_hz)
        return np.resize(echo, self.samples)
