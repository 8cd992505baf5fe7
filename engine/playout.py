"""Playout: paced speech, at most a little ahead of the ear.

One clock per process wakes the playouts of all sessions, staggered over 5 ms slots, instead of one
timer per session. A playout sends what has come due since its last tick, so a late tick delays
nothing by more than its lateness.
"""

import asyncio
from array import array
from collections.abc import Callable

from engine.capabilities import SpokenWord
from engine.ledger import Ledger

SLOT_MS = 5
AHEAD_MS = 3000
"""Speech that waits to be sent before synthesis pauses: an interruption wastes no more."""

FADE_MS = 10
"""Fade-in after a pause: the word starts again without a click."""


_Seat = tuple[Callable[[], None], Callable[[BaseException], None]]


class PlayoutClock:
    """Ticks callbacks at a fixed period, spread over slots of `SLOT_MS`."""

    def __init__(self, period_ms: int = 20) -> None:
        if period_ms % SLOT_MS:
            raise ValueError(f"period of {period_ms} ms: it must be a multiple of {SLOT_MS} ms")
        self._slots: list[dict[object, _Seat]] = [{} for _ in range(period_ms // SLOT_MS)]
        self._timer: asyncio.TimerHandle | None = None
        self._next_slot = 0

    def join(
        self, key: object, tick: Callable[[], None], failed: Callable[[BaseException], None]
    ) -> None:
        """Call `tick` once a period, in the least crowded slot, until `leave`.

        What it raises goes to `failed`, and it is not called again: the others do not notice.
        """
        min(self._slots, key=len)[key] = (tick, failed)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._next_slot = int(loop.time() * 1000 / SLOT_MS) + 1
            self._arm(loop)

    def leave(self, key: object) -> None:
        """Stop calling; harmless if `key` has not joined."""
        for slot in self._slots:
            slot.pop(key, None)

    def close(self) -> None:
        """Stop the clock."""
        for slot in self._slots:
            slot.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in self._slots:  # skip the slots that nobody sits in
            if self._slots[self._next_slot % len(self._slots)]:
                self._timer = loop.call_at(self._next_slot * SLOT_MS / 1000, self._run, loop)
                return
            self._next_slot += 1
        self._timer = None

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        now_slot = int(loop.time() * 1000 / SLOT_MS + 0.001)
        # After a stall each slot runs once: a playout catches up by itself.
        last = min(now_slot, self._next_slot + len(self._slots) - 1)
        for slot in range(self._next_slot, last + 1):
            seats = self._slots[slot % len(self._slots)]
            for key, (tick, failed) in list(seats.items()):
                try:
                    tick()
                except Exception as error:  # noqa: BLE001 - its session fails, the others go on
                    seats.pop(key, None)
                    failed(error)
        self._next_slot = max(now_slot, self._next_slot) + 1
        self._arm(loop)


class Playout:
    """The speech of one reply on its way to the caller.

    `send(pcm)` takes frames of `frame_ms` at `rate_hz`, the last one may be shorter; `finished` is
    called once when everything has been heard, `started` once with the first frame, `failed` with
    what these raise on the clock. Until `release`, nothing is sent. What is sent is heard
    `delay_ms` later, as far as that is known at the time.
    """

    def __init__(
        self,
        clock: PlayoutClock,
        *,
        rate_hz: int,
        lead_ms: int,
        frame_ms: int,
        delay_ms: Callable[[], int] = lambda: 0,
        send: Callable[[bytes], None],
        started: Callable[[], None],
        finished: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.ledger = Ledger()
        self.rate_hz = rate_hz
        self._clock = clock
        self._lead_samples = lead_ms * rate_hz // 1000
        self._frame_samples = frame_ms * rate_hz // 1000
        self._delay_ms = delay_ms
        self._send = send
        self._started = started
        self._finished = finished
        self._failed = failed
        self._pcm = bytearray()
        self._begin = 0  # source position of the first sample in it
        self._next = 0  # source position of the next sample to send
        self._origin: float | None = None  # when the stream's first sample is played
        self._released = False
        self._held = False
        self._complete = False
        self._closed = False
        self._faded = False
        self._drained: asyncio.Event = asyncio.Event()
        self._drained.set()

    def add(self, pcm: bytes, text: str, words: tuple[SpokenWord, ...]) -> None:
        """Take the next chunk of speech (16-bit PCM at `rate_hz`); see `Ledger.add`."""
        if self._closed:
            return
        self.ledger.add(text, len(pcm) // 2, words)
        self._pcm += pcm
        self._gauge()
        self._play()

    def complete(self) -> None:
        """No more chunks will come."""
        self._complete = True
        if not self._closed:
            self._play()

    def release(self) -> None:
        """The reply is live: it may be heard."""
        self._released = True
        self._play()

    def hold(self) -> None:
        """Stop sending at once. What was sent plays on at the other side."""
        self._held = True
        self._clock.leave(self)

    def resume(self) -> None:
        """Go on from the start of the word that was cut."""
        if not self._held:
            return
        self._held = False
        if self._origin is not None and not self._closed:
            if self._next < self.ledger.source_samples:
                self._next = self.ledger.back_to_word()
                self._faded = True
            self._origin = max(self._origin, self._now() - self._sent_seconds())
        self._play()

    def close(self) -> str:
        """Drop what is left. Returns the text that was heard."""
        self._closed = True
        self._clock.leave(self)
        self._pcm.clear()
        self._drained.set()
        return self.ledger.heard(self.heard_samples())

    def heard_samples(self) -> int:
        """How much of the stream has been played at the other side, as pacing tells."""
        if self._origin is None:
            return 0
        return max(0, min(self.ledger.sent_samples, int(self._played_s() * self.rate_hz)))

    def left_ms(self) -> float | None:
        """How much is still to be heard; None while the reply is not complete."""
        if not self._complete:
            return None
        unsent = self.ledger.source_samples - self._next
        unheard = self.ledger.sent_samples - self.heard_samples()
        return (unsent + unheard) * 1000 / self.rate_hz

    def buffered_ms(self) -> float:
        """How much speech waits to be sent."""
        return (self.ledger.source_samples - self._next) * 1000 / self.rate_hz

    async def drained(self) -> None:
        """Wait until less than `AHEAD_MS` waits to be sent."""
        await self._drained.wait()

    def _played_s(self) -> float:
        """How long the other side has played by now, pauses apart."""
        assert self._origin is not None
        return self._now() - self._origin - self._delay_ms() / 1000

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _sent_seconds(self) -> float:
        return self.ledger.sent_samples / self.rate_hz

    def _gauge(self) -> None:
        if self.buffered_ms() < AHEAD_MS:
            self._drained.set()
        else:
            self._drained.clear()

    def _play(self) -> None:
        """Send what is due, and see to it that the rest will be."""
        if not self._released or self._held or self._closed:
            return
        left = self.ledger.source_samples - self._next
        if self._origin is None:
            if left == 0:
                if self._complete:
                    self._end()
                return
            self._origin = self._now()
            self._started()
        elif left and self._now() - self._origin > self._sent_seconds():
            self._origin = self._now() - self._sent_seconds()  # it ran dry: the ear waited
        self._clock.leave(self)
        if not self._closed:
            self._clock.join(self, self._tick, self._failed)
            self._tick()

    def _tick(self) -> None:
        assert self._origin is not None
        now = self._now()
        ledger = self.ledger
        due = round((now - self._origin) * self.rate_hz) + self._lead_samples
        size = self._frame_samples
        while not self._closed and not self._held:
            left = ledger.source_samples - self._next
            if left < size and not (left and self._complete):
                break
            size = min(size, left)
            if ledger.sent_samples + size > due:
                break
            self._send_next(size)
        self._gauge()
        if self._next == ledger.source_samples and not self._held:
            if self._complete:
                if ledger.sent_samples <= self._played_s() * self.rate_hz:
                    self._end()
            else:
                self._clock.leave(self)  # dry: the next chunk starts it again

    def _send_next(self, samples: int) -> None:
        start = (self._next - self._begin) * 2
        pcm = bytes(memoryview(self._pcm)[start : start + samples * 2])
        if self._faded:
            pcm = _fade_in(pcm, FADE_MS * self.rate_hz // 1000)
            self._faded = False
        self._next += samples
        if self._next - self._begin > self.rate_hz:  # tidied once a second
            kept = self.ledger.word_start(self._next)  # playout may go back so far
            del self._pcm[: (kept - self._begin) * 2]
            self._begin = kept
        self.ledger.sent(samples)
        self._send(pcm)

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._clock.leave(self)
            self._pcm.clear()
            self._finished()


def _fade_in(pcm: bytes, samples: int) -> bytes:
    faded = array("h", pcm)
    samples = min(samples, len(faded))
    for index in range(samples):
        faded[index] = faded[index] * index // samples
    return faded.tobytes()
