"""The caller's recent audio: one owner, read by whoever transcribes or judges it."""

from engine.actor import Actor
from engine.frames import CALLER_HZ, Audio, Frame

RECENT_MS = 1000
"""Kept at any time, so that an utterance can begin before its onset was noticed."""

LONGEST_MS = 300_000
"""An utterance, with what the VAD has not yet looked at, may be so long."""


class BufferFull(Exception):
    """The caller's audio buffer holds all that it may."""


class CallerAudio(Actor):
    """Keeps the last second that the VAD has looked at and all behind it, or since `keep_from`; one
    that is `whole` keeps all since `forget`.

    Positions in samples at `CALLER_HZ`.
    """

    def __init__(self, *, whole: bool = False) -> None:
        super().__init__()
        self._whole = whole
        self.end = 0
        """Where the audio received so far ends."""
        self._pcm = bytearray()
        self._from: int | None = None
        self._looked = 0
        self._forgotten = 0

    @property
    def begin(self) -> int:
        """Where the audio still kept begins."""
        return self.end - len(self._pcm) // 2

    def receive(self, frame: Frame) -> None:
        if isinstance(frame, Audio):
            self._take(frame.pcm)
        self.emit(frame)

    def slice(self, start: int, end: int) -> bytes:
        """The PCM between two positions, as far as it is still kept."""
        first = self.begin
        return bytes(self._pcm[max(0, start - first) * 2 : max(0, end - first) * 2])

    def look(self, position: int) -> None:
        """The VAD has looked at everything before `position`."""
        self._looked = position
        self._trim()

    def keep_from(self, position: int | None) -> None:
        """Keep everything from `position` on; None: only the last second."""
        self._from = position
        self._trim()

    def forget(self, position: int) -> None:
        """Nobody will ask for anything before `position` any more."""
        self._forgotten = position
        self._trim()

    def _take(self, pcm: bytes) -> None:
        if len(self._pcm) + len(pcm) > LONGEST_MS * CALLER_HZ // 1000 * 2:
            raise BufferFull(
                f"the audio buffer holds {LONGEST_MS // 1000} s: commit or clear it first"
            )
        self._pcm += pcm
        self.end += len(pcm) // 2

    def _trim(self) -> None:
        keep = 0 if self._whole else self._looked - RECENT_MS * CALLER_HZ // 1000
        if self._from is not None:
            keep = min(keep, self._from)
        surplus = max(keep, self._forgotten) - self.begin
        if surplus > 0:
            del self._pcm[: surplus * 2]

    def close(self) -> None:
        self._pcm.clear()
