"""The agent's speech: from the paced frames of playout to RTP packets."""

import asyncio
import secrets
from collections.abc import Callable

from transports.webrtc.opus import FRAME_MS, SILENT_BYTES, Encoder
from transports.webrtc.packet import CLOCK_HZ, SEQUENCE, TICKS, Packet

RATE_HZ = 24_000

FRAME_TICKS = CLOCK_HZ * FRAME_MS // 1000

PAUSE_TICKS = 2 * FRAME_TICKS
"""What comes so much later than its turn begins anew in time; less is the clock's jitter."""

TAIL_FRAMES = 6
"""Silence that is sent after speech: a receiver that gets nothing draws out the last vowel."""

TAIL_AFTER_S = 1.5 * FRAME_MS / 1000

LEAST_LOSS, MOST_LOSS = 5, 30
"""Percent that the encoder is told to expect: some always, or the first loss would be heard."""

Send = Callable[[Packet], None]


class AgentTrack:
    """`send` is given the packets. Must be called from the event loop."""

    def __init__(self, payload_type: int, send: Send) -> None:
        self.source = secrets.randbits(32)
        self.sent_packets = 0
        self.sent_bytes = 0
        self._payload_type = payload_type
        self._send = send
        self._encoder = Encoder(RATE_HZ)
        self._encoder.expect_loss(LEAST_LOSS)
        self._loop = asyncio.get_running_loop()
        self._epoch = self._loop.time()
        self._first = secrets.randbits(32)
        self._sequence = secrets.randbits(15)  # with room before it wraps, for SRTP's sake
        self._elapsed = -PAUSE_TICKS
        self._rest = b""
        self._said_at = 0.0
        self._tail = 0
        self._marks = True
        self._timer: asyncio.TimerHandle | None = None

    @property
    def now_ticks(self) -> int:
        """What an RTP timestamp of this moment would be."""
        return (self._first + self._now()) % TICKS

    def say(self, pcm: bytes) -> None:
        """Send the next of the speech: mono 16-bit PCM at `RATE_HZ`."""
        self._said_at = self._loop.time()
        self._tail = TAIL_FRAMES
        frame_bytes = 2 * self._encoder.frame_samples
        self._rest += pcm
        while len(self._rest) >= frame_bytes:
            frame, self._rest = self._rest[:frame_bytes], self._rest[frame_bytes:]
            self._put(frame)
        if self._timer is None:
            self._timer = self._loop.call_later(TAIL_AFTER_S, self._fall_silent)

    def expect_loss(self, fraction: float) -> None:
        """So much of what was sent lately did not arrive, 0 to 1."""
        self._encoder.expect_loss(round(min(MOST_LOSS, max(LEAST_LOSS, 150 * fraction))))

    def close(self) -> None:
        """Say nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _fall_silent(self) -> None:
        """When speech has ended: what is left of it, and silence."""
        late_s = self._said_at + TAIL_AFTER_S - self._loop.time()
        if late_s > 0:
            self._timer = self._loop.call_later(late_s, self._fall_silent)
            return
        frame_bytes = 2 * self._encoder.frame_samples
        frame, self._rest = self._rest.ljust(frame_bytes, b"\0"), b""
        self._put(frame)
        self._tail -= 1
        again = self._tail > 0
        self._timer = self._loop.call_later(FRAME_MS / 1000, self._fall_silent) if again else None

    def _put(self, frame: bytes) -> None:
        now = self._now()
        follows = self._elapsed + FRAME_TICKS
        if now - follows >= PAUSE_TICKS:
            follows = now
            self._marks = True
        self._elapsed = follows
        payload = self._encoder.encode(frame)
        if len(payload) <= SILENT_BYTES:
            self._marks = True
            return
        ticks = (self._first + follows) % TICKS
        packet = Packet(
            self._payload_type, self._sequence, ticks, self.source, payload, self._marks
        )
        self._sequence = (self._sequence + 1) % SEQUENCE
        self._marks = False
        self.sent_packets += 1
        self.sent_bytes += len(payload)
        self._send(packet)

    def _now(self) -> int:
        return round((self._loop.time() - self._epoch) * CLOCK_HZ)
