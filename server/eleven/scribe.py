"""`/v1/speech-to-text/realtime`: speech that is transcribed while it is still spoken."""

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from actors.stenographer import Hearing, Stenographer, Written
from actors.vad import Vad
from engine.inference import InferenceError, kind_of
from engine.meter import Meter, Watch
from server.access.authority import require
from server.access.caller import Caller, caller_of
from server.access.denied import Denied
from server.door import Door
from server.eleven.input_formats import Incoming
from server.eleven.scribe_messages import (
    MOST_BYTES,
    AudioChunk,
    Committed,
    Detailed,
    Failed,
    Partial,
    SessionStarted,
    TranscriptionWord,
)
from server.eleven.scribe_options import Options, manner_of, options_of, shown
from server.eleven.words import Word, timed
from server.places import SPENT
from server.transcription.metered import Transcriptions
from transports.audio import AudioError
from transports.handshake import POLICY, TRY_LATER, Refused
from transports.outbox import Message, Outbox, Send
from transports.reading import Receive

OURS = 1011
"""A close code (RFC 6455, 7.4.1)."""

IDLE_S = 60.0
"""Without a message a client is taken for gone."""

CALLER_BYTES_A_MS = 32

PIECE_BYTES = 32_000
"""Of a chunk at once, a third of a second and more: resampling holds the loop that carries audio.
"""


ASKED_AGAIN_MS = 30_000
"""After so much audio it is asked again whether the caller may use more."""

HELD_BYTES = 1 << 20
"""Of messages that wait to be taken: half a minute of speech. A client that leaves behind them is
seen to leave."""

MESSAGE_BYTES = 256
"""What a message holds beside its text, about."""

log = logging.getLogger(__name__)


class Broken(Exception):
    """The client is told what went wrong, and the socket closed with this code."""

    def __init__(self, error: str, message: str, code: int = POLICY) -> None:
        super().__init__(message)
        self.error = error
        self.code = code


class Scribe:
    """An ASGI application for the WebSocket. Each connection has a place at the `door`, as live
    sessions have; `hearing` is None until the models are loaded.
    """

    def __init__(
        self,
        hearing: Callable[[Watch], Hearing | None],
        door: Door,
        transcriptions: Transcriptions,
    ) -> None:
        self._hearing = hearing
        self._door = door
        self._transcriptions = transcriptions

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        outbox = Outbox(send, {"type": "websocket.accept"})
        try:
            await self._serve(scope, receive, outbox)
        except Broken as broken:
            await end(outbox, broken)
        except Exception as error:  # noqa: BLE001 - the client is told, whatever it is
            log.error("a transcription failed", extra={"error": type(error).__name__})
            text = "what hears you failed: connect again"
            await end(outbox, Broken("transcriber_error", text, OURS))
        finally:
            outbox.task.cancel()
            await asyncio.gather(outbox.task, return_exceptions=True)
            if not outbox.accepted:  # the client left meanwhile; a server wants its handshake ended
                with contextlib.suppress(OSError, RuntimeError):  # as `transports.outbox`
                    await send({"type": "websocket.close", "code": OURS, "reason": ""})

    async def _serve(self, scope: Message, receive: Receive, outbox: Outbox) -> None:
        caller = caller_of(scope)
        try:
            require(caller, "speech")
            options = options_of(scope)
            manner = manner_of(options)
            place = await self._door.enter(caller)
        except (Denied, Refused) as no:
            raise refused(no) from no
        meter = self._transcriptions.began(caller)
        try:
            hearing = self._hearing(meter.watch)
            if hearing is None or not hearing.vad.free:
                text = "nobody can be heard now: try again in some seconds"
                raise Broken("resource_exhausted", text, TRY_LATER)
            started = SessionStarted(f"scribe_{secrets.token_urlsafe(12)}", shown(options))
            outbox.put(encoded(started))

            def guess(text: str) -> None:
                outbox.put(encoded(Partial(text)))

            stenographer = Stenographer(Vad(hearing.vad), hearing.stt, manner, guess)
            try:
                admit = self._transcriptions.admit
                await Taken(stenographer, options, caller, meter, admit, receive, outbox).run()
            finally:
                stenographer.close()
        finally:
            self._transcriptions.ended(meter)
            place.give_back()


class Taken:
    """One connection's speech. Nothing more is taken while there is much to write down, or much
    that the client has not read; some of it is read all the same, as its leaving comes behind it.
    """

    def __init__(
        self,
        stenographer: Stenographer,
        options: Options,
        caller: Caller,
        meter: Meter,
        admit: Callable[[Caller], Coroutine[Any, Any, None]],
        receive: Receive,
        outbox: Outbox,
    ) -> None:
        self._stenographer = stenographer
        self._options = options
        self._caller = caller
        self._meter = meter
        self._admit = admit
        self._receive = receive
        self._outbox = outbox
        self._incoming = Incoming(options.audio_format)
        self._begun = False
        self._unasked_ms = 0.0
        self._held: deque[Message] = deque()
        self._held_bytes = 0
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Until the client is gone. Raises `Broken`."""
        reading = asyncio.create_task(self._read())
        taking = asyncio.create_task(self._take_all())
        writing = asyncio.create_task(self._write())
        try:
            tasks = {reading, taking, writing, self._outbox.task}
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in (writing, taking, reading):
                if task.done():
                    task.result()
        finally:
            for task in (reading, taking, writing):
                task.cancel()
            await asyncio.gather(reading, taking, writing, return_exceptions=True)

    async def _read(self) -> None:
        """Read the client's messages until it is gone."""
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    message = await self._receive()
            except TimeoutError:
                text = f"no message came for {IDLE_S:.0f} s"
                raise Broken("insufficient_audio_activity", text) from None
            if message["type"] == "websocket.disconnect":
                return
            self._held.append(message)
            self._held_bytes += weight(message)
            self._moved.set()
            while self._held_bytes > HELD_BYTES:
                await self._move()

    async def _take_all(self) -> None:
        """Take what is read, in order."""
        while True:
            await self._outbox.room()
            while not self._held:
                await self._move()
            message = self._held.popleft()
            await self._take(read(message))
            self._held_bytes -= weight(message)
            self._moved.set()

    async def _move(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    async def _take(self, chunk: AudioChunk) -> None:
        if chunk.sample_rate not in (None, self._incoming.rate_hz):
            text = f"sample_rate is {chunk.sample_rate}, audio_format {self._options.audio_format}"
            raise Broken("input_error", text)
        if chunk.previous_text and self._begun:
            raise Broken("input_error", "previous_text comes with the first chunk, or not at all")
        self._begun = True
        audio = chunk.audio_base_64
        try:
            self._incoming.check(audio)
        except AudioError as error:
            raise Broken("input_error", str(error)) from error
        for at in range(0, len(audio), PIECE_BYTES):
            self._hear(self._incoming.feed(audio[at : at + PIECE_BYTES]))
            await asyncio.sleep(0)
            await self._stenographer.room()
            await self._ask_again()
        if chunk.commit:
            self._hear(self._incoming.rest())
            self._stenographer.commit()
            await self._stenographer.room()

    def _hear(self, pcm: bytes) -> None:
        ms = len(pcm) / CALLER_BYTES_A_MS
        self._meter.hear(ms)
        self._unasked_ms += ms
        self._stenographer.hear(pcm)

    async def _ask_again(self) -> None:
        """Whether the month is used up; what has been heard by then is still written down."""
        if self._unasked_ms < ASKED_AGAIN_MS:
            return
        self._unasked_ms = 0.0
        try:
            await self._admit(self._caller)
        except Denied as no:
            if no.code != SPENT:  # nobody could say: that is no fault of the caller
                log.warning("it is not known who may go on", extra={"error": no.code})
                return
            self._stenographer.commit()
            await self._stenographer.done()
            raise refused(no) from no

    async def _write(self) -> None:
        """Tell each segment when it is written down."""
        while True:
            try:
                self._tell(await self._stenographer.written())
            except InferenceError as error:
                ours = kind_of(error.code) == "server_error"
                raise Broken("transcriber_error", str(error), OURS if ours else POLICY) from error

    def _tell(self, written: Written) -> None:
        self._outbox.put(encoded(Committed(written.text)))
        options = self._options
        if options.include_timestamps or options.include_language_detection:
            words = [word_of(word) for word in timed(written.text, written.words)]
            told = words if options.include_timestamps else None
            self._outbox.put(encoded(Detailed(written.text, written.language or None, told)))


async def end(outbox: Outbox, broken: Broken) -> None:
    """Tell why, and close the socket."""
    outbox.put(encoded(Failed(broken.error, str(broken))))
    outbox.close(broken.code, broken.error)
    await asyncio.wait({outbox.task})


def weight(message: Message) -> int:
    """Bytes that a message holds, about."""
    return len(message.get("text") or message.get("bytes") or "") + MESSAGE_BYTES


def read(message: Message) -> AudioChunk:
    """The chunk in a message. Raises `Broken`."""
    data = message.get("text") or message.get("bytes") or ""
    try:
        chunk = msgspec.json.decode(data, type=AudioChunk)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Broken("input_error", f"no input_audio_chunk: {error}") from error
    if len(chunk.audio_base_64) > MOST_BYTES:
        text = f"audio has {len(chunk.audio_base_64)} bytes: {MOST_BYTES} are the most; send it in"
        raise Broken("chunk_size_exceeded", f"{text} several chunks")
    return chunk


def word_of(word: Word) -> TranscriptionWord:
    """A word as the WebSocket tells it."""
    return TranscriptionWord(
        word.text, word.start, word.end, word.type, word.logprob, characters=list(word.text)
    )


def refused(no: Denied | Refused) -> Broken:
    """Why somebody is not heard, in the words of this socket."""
    if no.code == SPENT:
        return Broken("quota_exceeded", str(no))
    match no.status:
        case 401 | 403:
            return Broken("auth_error", str(no))
        case 429:
            return Broken("rate_limited", str(no), TRY_LATER)
        case 503:
            return Broken("resource_exhausted", str(no), TRY_LATER)
    return Broken("invalid_request", str(no))


def encoded(told: msgspec.Struct) -> str:
    """As it is sent."""
    return msgspec.json.encode(told).decode()
