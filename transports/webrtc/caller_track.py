"""The caller's speech: from RTP packets to the PCM that the session hears.

The line is never silent for the session: what is lost is recovered from the copy in the packet
after it, or concealed; while nothing comes at all it hears silence, so that a turn ends in time.
What comes late after that is heard nevertheless, all at once, and what is then too much is left out
where the caller says nothing. So the session's time follows the real one, however the caller's
clock drifts, and whether it stands still or goes on where a browser sends nothing.
"""

import asyncio
from collections.abc import Callable

import numpy as np

from engine.frames import CALLER_HZ
from transports.webrtc.jitter import JitterBuffer, Lost
from transports.webrtc.opus import Decoder, OpusError
from transports.webrtc.packet import CLOCK_HZ, Packet, ticks_after

TICKS = CLOCK_HZ // CALLER_HZ
"""Of the RTP clock, in a sample."""

SILENT_S = 0.1
"""Nothing came for so long: the session hears silence from now on. Jitter stays below."""

SILENCE_S = 0.06
SILENCE_SAMPLES = round(SILENCE_S * CALLER_HZ)
"""As much at a time."""

MOST_CAUGHT_UP_S = 2.0

USUAL_SAMPLES = CALLER_HZ // 50

MOST_CONCEALED = CALLER_HZ // 10
"""Samples: a voice that is made up is believed for 100 ms."""

LONGEST_PAUSE = 10 * CALLER_HZ
"""Samples: what jumps further ahead is a stream that begins anew."""

QUIET = 330
"""Peak of a frame in which nobody speaks, -40 dBFS: it can be left out."""

MOST_AHEAD_S = 1.0
"""What is left out at most, after one stall or many: for so long a turn's end may go unseen."""

Hear = Callable[[bytes], None]


class CallerTrack:
    """`hear` is called with mono 16-bit PCM at `CALLER_HZ`. Must be called from the event loop."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._decoder = Decoder(CALLER_HZ)
        self._buffer = JitterBuffer()
        self._loop = asyncio.get_running_loop()
        self._source: int | None = None
        self._ticks: int | None = None
        self._usual = USUAL_SAMPLES
        self._made_up = 0  # samples of silence since the last packet
        self._ahead_s = 0.0  # heard more than time has passed, as of then
        self._ahead_at = 0.0
        self._heard_at = 0.0
        self._waiting: asyncio.TimerHandle | None = None
        self._watching: asyncio.TimerHandle | None = None
        self.lost_packets = 0

    def receive(self, packet: Packet) -> None:
        """Take one as it comes from the network."""
        now = self._loop.time()
        if packet.source != self._source:
            self._source, self._ticks = packet.source, None
            self._buffer = JitterBuffer()
        self._buffer.put(packet, now)
        self._pass_on(now)

    def close(self) -> None:
        """Hear nothing any more."""
        for timer in (self._waiting, self._watching):
            if timer is not None:
                timer.cancel()
        self._hear = lambda pcm: None

    def _pass_on(self, now: float) -> None:
        for piece in self._buffer.take(now):
            if self._watching is None:
                self._watch_from(now)
            if isinstance(piece, Lost):
                self._make_up(piece)
            else:
                self._decode(piece)
            self._heard_at = now
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        due = self._buffer.due()
        if due is not None:
            self._waiting = self._loop.call_at(due, self._give_up, due)

    def _give_up(self, due: float) -> None:
        self._waiting = None
        self._pass_on(max(due, self._loop.time()))  # a timer may be a hair early

    def _decode(self, packet: Packet) -> None:
        pause = self._pause_before(packet)
        try:
            pcm = self._decoder.decode(packet.payload)
        except OpusError:
            pcm = self._decoder.conceal(self._usual)
        if pause > 0:
            self._silence(pause)
        self._made_up = 0
        samples = len(pcm) // 2
        self._usual = samples
        self._ticks = (packet.ticks + samples * TICKS) % (1 << 32)
        if self._ahead() < SILENT_S or not quiet(pcm):
            self._pass(pcm)

    def _make_up(self, lost: Lost) -> None:
        """What was lost, as far as the clock says that it was anything."""
        self.lost_packets += lost.count
        missing = min(self._pause_before(lost.following), lost.count * self._usual)
        if missing <= 0 or self._ticks is None:
            return
        self._ticks = (self._ticks + missing * TICKS) % (1 << 32)
        at_end = min(missing, self._usual)
        concealed = min(missing - at_end, MOST_CONCEALED) // self._usual * self._usual
        missing -= concealed + at_end
        for _ in range(concealed // self._usual):
            self._pass(self._decoder.conceal(self._usual))
        if missing:
            self._silence(missing)
        try:
            self._pass(self._decoder.recover(lost.following.payload, at_end))
        except OpusError:
            self._pass(bytes(2 * at_end))

    def _pause_before(self, packet: Packet) -> int:
        """Samples between what was decoded last and the packet; 0 where the clock jumps."""
        if self._ticks is None:
            return 0
        samples = ticks_after(packet.ticks, self._ticks) // TICKS
        return samples if 0 <= samples <= LONGEST_PAUSE else 0

    def _silence(self, samples: int) -> None:
        """A pause of the caller's, of which some may have been heard already."""
        known = min(self._made_up, samples)
        self._made_up -= known
        if samples > known:
            self._pass(bytes(2 * (samples - known)))

    def _pass(self, pcm: bytes) -> None:
        """Let the session hear it."""
        self._ahead_s = min(MOST_AHEAD_S, self._ahead() + len(pcm) / 2 / CALLER_HZ)
        self._ahead_at = self._loop.time()
        self._hear(pcm)

    def _ahead(self) -> float:
        """How many seconds more were heard than have passed; late speech comes faster than that."""
        return max(0.0, self._ahead_s - (self._loop.time() - self._ahead_at))

    def _watch(self, due: float) -> None:
        """See whether anything comes; be silent in time if not."""
        now = max(due, self._loop.time())
        if now - self._heard_at > MOST_CAUGHT_UP_S:  # this process slept: nobody waited meanwhile
            self._heard_at = now - SILENT_S
        while now >= self._heard_at + SILENT_S:
            self._heard_at += SILENCE_S
            self._made_up += SILENCE_SAMPLES
            self._pass(bytes(2 * SILENCE_SAMPLES))
        self._watch_from(self._heard_at)

    def _watch_from(self, heard_at: float) -> None:
        due = heard_at + SILENT_S
        self._watching = self._loop.call_at(due, self._watch, due)


def quiet(pcm: bytes) -> bool:
    """Whether nobody speaks in it."""
    return int(np.abs(np.frombuffer(pcm, np.int16).astype(np.int32)).max(initial=0)) < QUIET
