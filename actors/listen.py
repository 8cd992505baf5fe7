"""The session's ear: turns the caller's utterance into words while it is spoken."""

from actors.agreement import Agreement
from actors.stt_router import CallerLanguage
from engine.actor import WaitingActor
from engine.caller_audio import CallerAudio
from engine.capabilities import Clip, Transcript
from engine.frames import CALLER_HZ, Frame, Hush, Onset, Voice, Words, WordsFailed
from engine.inference import Inference, InferenceError, Priority, Request

PARTIAL_MS = 350
"""New speech between two partial transcripts: about one word."""

PARTIAL_SHARE = 0.15
"""Of a long utterance, so much must be new before it is transcribed again, as each time costs its
whole length."""

SETTLE_MS = 10_000
"""At a hush after so much speech its transcript is settled, and the next one starts behind it."""

FINAL_DEADLINE_MS = 300
PARTIAL_DEADLINE_MS = 500


class _Partial(Frame, frozen=True):
    end: int


class _Final(Frame, frozen=True):
    at: int
    end: int


class Listen(WaitingActor):
    """Emits `Words` while an utterance lasts.

    `prefix_ms` of audio before the onset belong to an utterance.
    """

    def __init__(
        self,
        stt: Inference[Clip, Transcript],
        audio: CallerAudio,
        caller: CallerLanguage,
        prefix_ms: int,
    ) -> None:
        super().__init__()
        self._caller = caller
        self.prefix_ms = prefix_ms
        self._stt = stt
        self._audio = audio
        self._request: Request[Transcript] | None = None
        self._begin_utterance(None)

    @property
    def utterance_start(self) -> int | None:
        """Where the present utterance begins, its prefix included; None between utterances."""
        return self._start

    def receive(self, frame: Frame) -> None:
        self.emit(frame)
        match frame:
            case Voice(_, _, at_samples):
                self._audio.look(at_samples)
                self._follow(at_samples)
            case Onset(at_samples):
                self._sounding = True
                if self._start is None:
                    start = at_samples - self.prefix_ms * CALLER_HZ // 1000
                    self._begin_utterance(max(start, self._audio.begin))
                    self._partial_at = at_samples
            case Hush(at_samples, now_samples) if self._start is not None:
                self._sounding = False
                self._supersede()
                self.queue(_Final(at_samples, now_samples))

    def drop(self) -> None:
        """The utterance is over, whatever is still being transcribed of it."""
        self._supersede()
        self._begin_utterance(None)
        self._audio.keep_from(None)

    async def handle(self, frame: Frame) -> None:
        match frame:
            case _Final(at, end):
                await self._transcribe_final(at, end)
            case _Partial(end):
                await self._transcribe_partial(end)

    def _begin_utterance(self, start: int | None) -> None:
        self._start = start
        self._segment = start or 0
        self._settled = ("", "")  # stable words, and the truth that may respell them
        self._worded = False
        self._agreement = Agreement()
        self._sounding = start is not None
        self._partial_at = start or 0
        if start is not None:
            self._audio.keep_from(start)

    def _follow(self, end: int) -> None:
        if self._start is None or not self._sounding or self._request is not None or self._inbox:
            return
        due = max(PARTIAL_MS * CALLER_HZ // 1000, int((end - self._segment) * PARTIAL_SHARE))
        if end - self._partial_at >= due:
            self._partial_at = end
            self.queue(_Partial(end))

    def _supersede(self) -> None:
        """What is being transcribed of the utterance is out of date."""
        self._inbox.clear()
        if self._request is not None:
            self._request.cancel()

    async def _transcribe_partial(self, end: int) -> None:
        start = self._start
        contested = not self._worded  # the first words may interrupt the agent
        priority = Priority.FIRST if contested else Priority.PARTIAL
        try:
            heard = await self._words(self._segment, end, priority, PARTIAL_DEADLINE_MS)
        except InferenceError:
            return  # the final transcript will tell
        if heard is None or self._start != start or not self._sounding:
            return
        self._worded = self._worded or bool(heard.text)
        stable, text = self._joined(*self._agreement.update(heard.text))
        self.emit(Words(stable, text, False, end, heard.confidence))

    async def _transcribe_final(self, at: int, end: int) -> None:
        start = self._start
        try:
            heard = await self._words(self._segment, end, Priority.FIRST, FINAL_DEADLINE_MS)
        except InferenceError as error:
            if self._start == start:
                self.emit(WordsFailed(error.code, str(error), at))
            return
        if heard is None or self._start != start:
            return
        stable, text = self._joined(*self._agreement.final(heard.text))
        self.emit(Words(stable, text, True, at, heard.confidence))
        if end - self._segment > SETTLE_MS * CALLER_HZ // 1000:
            self._settled = stable, text
            self._segment = at
            self._agreement = Agreement()

    async def _words(
        self, start: int, end: int, priority: Priority, deadline: int
    ) -> Transcript | None:
        clip = self._caller.clip(self._audio.slice(start, end))
        transcript = await self._ask(clip, priority, deadline)
        if transcript is not None:
            self._caller.heard(clip, transcript)
        return transcript

    async def _ask(self, clip: Clip, priority: Priority, deadline_ms: int) -> Transcript | None:
        """The transcript, or None if the request was cancelled."""
        request = self._stt.request(clip, priority=priority, deadline_ms=deadline_ms)
        self._request = request
        try:
            async for transcript in request:
                return transcript
        finally:
            request.cancel()
            if self._request is request:
                self._request = None
        return None

    def _joined(self, stable: str, text: str) -> tuple[str, str]:
        """The same of the whole utterance."""
        settled_stable, settled_text = self._settled
        return f"{settled_stable} {stable}".strip(), f"{settled_text} {text}".strip()
