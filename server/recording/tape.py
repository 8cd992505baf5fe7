"""One session's recording, as it runs: filled by the event loop, emptied by a thread."""

import asyncio
import logging
from collections import deque

import numpy as np
import soxr
from numpy.typing import NDArray

from engine.frames import CALLER_HZ
from server.recording.store import Recordings
from server.recording.timeline import TICKS_HZ, Timeline
from server.recording.wav import FRAME, HEADER, HZ, MOST_BYTES, Stereo

log = logging.getLogger(__name__)

MOST_QUEUED = 16 * 2**20
"""Bytes that may wait for the disk: some minutes. A disk so slow records nothing."""

TICKS = TICKS_HZ // HZ

Piece = tuple[int, bytes, int]
"""Where it begins in ticks, the PCM, its rate."""


class Side:
    """One channel: pieces that follow one another are resampled as one."""

    def __init__(self, channel: int) -> None:
        self.channel = channel
        self._queue: deque[Piece] = deque()
        self._rate_hz = 0
        self._end = -1  # of the last piece, in ticks
        self._next = 0  # sample to be written
        self._stream: soxr.ResampleStream | None = None

    def put(self, begin: int, pcm: bytes, rate_hz: int) -> None:
        """Called on the event loop."""
        self._queue.append((begin, pcm, rate_hz))

    def write(self, file: Stereo) -> int:
        """Write what has come, in the thread; how many bytes that was. Raises `OSError`."""
        taken = 0
        run: list[bytes] = []
        for _ in range(len(self._queue)):
            begin, pcm, rate_hz = self._queue.popleft()
            taken += len(pcm)
            if (begin, rate_hz) != (self._end, self._rate_hz):
                self._write(file, b"".join(run))
                run = []
                self.finish(file)
                self._begin(begin, rate_hz)
            run.append(pcm)
            self._end = begin + len(pcm) // 2 * TICKS_HZ // rate_hz
        self._write(file, b"".join(run))
        return taken

    def finish(self, file: Stereo) -> None:
        """Write what the resampler holds back. Raises `OSError`."""
        if self._stream is not None:
            none: NDArray[np.int16] = np.empty(0, np.int16)
            self._put(file, self._stream.resample_chunk(none, last=True))
            self._stream = None

    def _begin(self, begin: int, rate_hz: int) -> None:
        self._rate_hz, self._next = rate_hz, begin // TICKS
        if rate_hz != HZ:
            self._stream = soxr.ResampleStream(rate_hz, HZ, 1, dtype="int16")

    def _write(self, file: Stereo, pcm: bytes) -> None:
        samples = np.frombuffer(pcm, "<i2")
        if self._stream is not None and len(samples):
            samples = self._stream.resample_chunk(samples)
        self._put(file, samples)

    def _put(self, file: Stereo, samples: NDArray[np.int16]) -> None:
        if len(samples):
            file.put(self.channel, self._next, samples)
            self._next += len(samples)


class Tape:
    """Satisfies `engine.tap.Tap`. It costs the event loop an entry in a queue for each piece.

    What cannot be written stops it, with a line in the log, and never its session.
    """

    def __init__(self, recordings: Recordings, account_id: str, session_id: str) -> None:
        self._recordings = recordings
        self._account_id = account_id
        self._session_id = session_id
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._timeline = Timeline()
        self._caller, self._agent = Side(0), Side(1)
        self._put = self._written = 0
        self._file: Stereo | None = None
        self.stopped = False
        self.over = False

    def heard(self, pcm: bytes) -> None:
        """The caller's audio, as it comes in."""
        ticks = len(pcm) // 2 * TICKS_HZ // CALLER_HZ
        self._take(self._caller, self._timeline.hear(ticks, self._now()), pcm, CALLER_HZ)

    def said(self, pcm: bytes, rate_hz: int) -> None:
        """The agent's, as it is sent."""
        ticks = len(pcm) // 2 * TICKS_HZ // rate_hz
        self._take(self._agent, self._timeline.say(ticks, self._now()), pcm, rate_hz)

    @property
    def due(self) -> bool:
        """Is there something to be done for it in the thread?"""
        return self.over or self._put != self._written

    def write(self) -> None:
        """Write what has come: in the thread."""
        if self.stopped:
            return
        try:
            self._write(over=self.over)
        except OSError as error:
            self._stop(error.strerror or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - this recording fails, the others go on
            self._stop(type(error).__name__)

    def close(self) -> None:
        """Nothing is written any more."""
        self.stopped = True
        if self._file is not None:
            self._file.close()
            self._file = None

    def _now(self) -> float:
        return self._clock() - self._began

    def _take(self, side: Side, begin: int, pcm: bytes, rate_hz: int) -> None:
        if self.stopped:
            return
        if self._put - self._written > MOST_QUEUED:
            self._stop("the disk is too slow")
        elif begin // TICKS * FRAME + HEADER + 2 * len(pcm) * HZ // rate_hz > MOST_BYTES:
            self._stop("the file is as long as it can be")
        else:
            self._put += len(pcm)
            side.put(begin, pcm, rate_hz)

    def _write(self, *, over: bool) -> None:
        if self._file is None:
            if not self._put:
                return
            self._recordings.make_room(self._account_id)
            self._file = Stereo(self._recordings.wav(self._account_id, self._session_id))
        for side in (self._caller, self._agent):
            self._written += side.write(self._file)
            if over:
                side.finish(self._file)
        self._file.mend()

    def _stop(self, why: str) -> None:
        self.stopped = True
        log.error("a recording stops", extra={"session": self._session_id, "error": why})
