"""Voice activity: every session's audio through one shared Silero, batched by clock slot.

The one model that runs in the process that carries audio: a window costs about 0.06 ms in a batch,
less than its way to another process and back.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from actors.silero import Silero
from engine.actor import Actor
from engine.frames import Audio, Frame, Voice

SLOT_S = 0.008
"""Windows that become ready within a slot share a call. A quarter of a window: on average it adds
4 ms, and the loop is never held for longer than a quarter of all streams' work."""

ROUNDS = 4
"""Windows of one stream that a slot may run: a client that sends faster than real time is followed
at up to 16 times real time, and does not hold the loop for longer."""

QUIET_RMS = 10 ** (-60 / 20)
"""Of full scale. Below -60 dBFS is no voice that anybody hears: the noise floor of a line is below
it, and a muted or suppressed microphone sends zeros. Most of a call is that, and it is not run."""

SILENT_POWER = 10 ** (-90 / 10)
"""That of a sample of 1 or so, for levels: digital silence has no logarithm."""

HANGOVER_WINDOWS = 16
"""Half a second behind the last louder window still is, so that the model hears speech end."""

_CONTEXT = Silero.CONTEXT_SAMPLES
_SAMPLES = _CONTEXT + Silero.WINDOW_SAMPLES
_WINDOW_BYTES = Silero.WINDOW_SAMPLES * 2
_TO_FLOAT = np.float32(1 / 32768)


class VadStream:
    """One caller's audio on its way to the model; made by `VadSlots.open`."""

    __slots__ = (
        "_backlog",
        "_failed",
        "_filled",
        "_hear",
        "_ready",
        "_row",
        "_slots",
        "open",
        "slot",
    )

    def __init__(
        self,
        slots: "VadSlots",
        slot: int,
        row: memoryview,
        hear: Callable[[float, float], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._slots = slots
        self.slot = slot
        self._row = row
        self._hear = hear
        self._failed = failed
        self._filled = 0
        self._ready = False
        self.open = True
        self._backlog: deque[memoryview] = deque()

    def feed(self, pcm: bytes) -> None:
        """Take mono 16-bit PCM at 16 kHz, of any length. Once closed, nothing is taken."""
        if not self.open:
            return
        if len(pcm) % 2:
            raise ValueError(f"audio has {len(pcm)} bytes: 16-bit samples need an even number")
        self._take(memoryview(pcm))  # each window takes its part: as bytes, that copies the rest

    def close(self) -> None:
        """Give the slot back. Nothing is delivered from here on, also not what is pending."""
        if self.open:
            self.open = False
            self._backlog.clear()
            self._slots.release(self.slot)

    def deliver(self, probability: float, dbfs: float) -> None:
        """The window in the row was run. What its owner makes of it fails that owner only."""
        if not self.open:
            return
        try:
            self._refill()
            self._hear(probability, dbfs)
        except Exception as error:  # noqa: BLE001 - its session fails, the others go on
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        self.close()
        self._failed(error)

    def _take(self, pcm: memoryview) -> None:
        if self._ready:
            self._backlog.append(pcm)
            return
        filled = self._filled + len(pcm)
        if filled < _WINDOW_BYTES:
            self._row[self._filled : filled] = pcm
            self._filled = filled
            return
        taken = _WINDOW_BYTES - self._filled
        self._row[self._filled :] = pcm[:taken]
        if filled > _WINDOW_BYTES:
            self._backlog.append(pcm[taken:])
        self._filled = 0
        self._ready = True
        self._slots.announce(self)

    def _refill(self) -> None:
        """Fill the row with what came while its window waited."""
        self._ready = False
        waiting = self._backlog
        while waiting and not self._ready:
            pcm = waiting.popleft()
            rest = len(waiting)
            self._take(pcm)
            if len(waiting) > rest:  # what is left over goes before what came later
                waiting.appendleft(waiting.pop())


class VadSlots:
    """All streams of a process. Used from one event loop.

    Rows of one array belong to the streams, so that a slot's work is a few vectorised steps however
    many streams are ready. A row is known by its slot, but results go to the stream object that
    announced the window: the slot's next owner never gets them.
    """

    def __init__(self, model: Silero, capacity: int = 1024) -> None:
        self._model = model
        self._capacity = capacity
        self._rows = np.zeros((capacity, _SAMPLES), np.int16)
        self._memory = np.zeros((2, capacity, Silero.MEMORY), np.float32)
        self._quiet = np.zeros(capacity, np.int64)  # windows since the last louder one
        self._unused = list(range(capacity))
        self._ready: list[VadStream] = []
        self._scheduled = False

    def open(
        self, hear: Callable[[float, float], None], failed: Callable[[BaseException], None]
    ) -> VadStream:
        """A new stream; `hear` gets each window's probability of speech and its level, in order.

        The level is its root mean square in dBFS, of which -90 is the least.

        `failed` gets what `hear` raises, or the model; the stream is closed by then. Raises
        `RuntimeError` when all slots are taken.
        """
        if not self._unused:
            raise RuntimeError(
                f"all {self._capacity} VAD slots are taken: close a session or raise `capacity`"
            )
        slot = self._unused.pop()
        self._rows[slot] = 0
        self._memory[:, slot] = 0
        self._quiet[slot] = HANGOVER_WINDOWS
        row = self._rows[slot, _CONTEXT:].data.cast("B")
        return VadStream(self, slot, row, hear, failed)

    @property
    def free(self) -> int:
        """How many more streams can be opened."""
        return len(self._unused)

    def release(self, slot: int) -> None:
        self._unused.append(slot)

    def announce(self, stream: VadStream) -> None:
        """The stream's window is complete: run it in the next slot of the clock."""
        self._ready.append(stream)
        if not self._scheduled:
            self._scheduled = True
            loop = asyncio.get_running_loop()
            loop.call_at((loop.time() // SLOT_S + 1) * SLOT_S, self._tick)

    def _tick(self) -> None:
        for _ in range(ROUNDS):
            self._run()
            if not self._ready:
                break
        self._scheduled = False
        if self._ready:
            ahead, self._ready = self._ready, []
            for stream in ahead:
                self.announce(stream)

    def _run(self) -> None:
        """Run the windows that are ready, then tell their streams."""
        streams = [stream for stream in self._ready if stream.open]
        self._ready = []
        if not streams:
            return
        try:
            heard = self._infer([stream.slot for stream in streams])
        except Exception as error:  # noqa: BLE001 - each session is told
            for stream in streams:
                stream.fail(error)
            return
        for stream, (probability, dbfs) in zip(streams, heard, strict=True):
            stream.deliver(probability, dbfs)

    def _infer(self, taken: list[int]) -> Iterator[tuple[float, float]]:
        """Probability and level of the windows in these rows, whose memory and context move on.

        A stream that has long been quiet is not run: it begins anew with its next louder window.
        """
        slots = np.array(taken)
        rows = self._rows[slots]
        self._rows[slots, :_CONTEXT] = rows[:, -_CONTEXT:]
        windows = rows * _TO_FLOAT
        power = np.einsum("ij,ij->i", windows, windows) / _SAMPLES
        quiet = np.where(power < QUIET_RMS**2, self._quiet[slots] + 1, 0)
        self._quiet[slots] = quiet
        (run,) = np.nonzero(quiet <= HANGOVER_WINDOWS)
        probabilities = np.zeros(len(taken), np.float32)
        if len(run):
            awake = slots[run]
            probabilities[run], memory = self._model.probabilities(
                windows[run], self._memory[:, awake]
            )
            self._memory[:, awake] = memory
        self._memory[:, slots[quiet == HANGOVER_WINDOWS]] = 0
        dbfs = 10 * np.log10(np.maximum(power, SILENT_POWER))
        return zip(probabilities.tolist(), dbfs.tolist(), strict=True)


class Vad(Actor):
    """Passes everything on at once, and a `Voice` for each window of the caller's audio."""

    def __init__(self, slots: VadSlots) -> None:
        super().__init__()
        self._slots = slots
        self._stream: VadStream | None = None
        self._heard_samples: int | None = None

    def start(self, failed: Callable[[BaseException], None]) -> None:
        self._stream = self._slots.open(self._hear, failed)

    def receive(self, frame: Frame) -> None:
        self.emit(frame)
        if isinstance(frame, Audio) and self._stream is not None:
            if self._heard_samples is None:
                self._heard_samples = frame.at_samples
            self._stream.feed(frame.pcm)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _hear(self, probability: float, dbfs: float) -> None:
        assert self._heard_samples is not None  # audio came, or there would be no window
        self._heard_samples += Silero.WINDOW_SAMPLES
        self.emit(Voice(probability, dbfs, self._heard_samples))
