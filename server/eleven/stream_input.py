"""`/v1/text-to-speech/{voice_id}/stream-input`: text that is spoken while it is still written."""

import asyncio
import logging
from collections.abc import Mapping

import msgspec

from actors.cut import Cutter
from actors.spelled import Spelling
from engine.inference import InferenceError, kind_of
from engine.meter import Meter
from server.access.authority import require
from server.access.caller import Caller, caller_of
from server.access.denied import Denied, tell
from server.eleven import aliases
from server.eleven.alignment import Aligner, Timed, chunk_alignment
from server.eleven.messages import FINAL, Failed, Text, audio_output
from server.eleven.output_formats import FORMATS, USUAL
from server.eleven.wanted import speed_of
from server.speech.formats import Format
from server.speech.reading import AHEAD, Piece, Reader, said_in
from server.speech.script import nothing, script
from server.speech.speaking import Speaking
from server.speech.ssml import unmarked
from storage.errors import StorageError, Unfit
from transports.handshake import POLICY, query_of
from transports.outbox import Message, Send
from transports.reading import Receive

NORMAL, OURS = 1000, 1011
"""Close codes (RFC 6455, 7.4.1)."""

log = logging.getLogger(__name__)

HANDSHAKE_S = 5.0
"""For a voice that is being fetched; clients give up on a handshake after ten."""

INACTIVITY_S = (1.0, 20.0, 180.0)
"""For the next message to come: the least, the usual and the most that a client may ask for."""

STOPS = (".", "!", "?", "…", "。", "！", "？")


class Broken(Exception):
    """The client is told what went wrong, and the socket closed with this code."""

    def __init__(self, error: str, message: str, code: int = POLICY) -> None:
        super().__init__(message)
        self.error = error
        self.code = code


class Flush:
    """All that came so far is to be heard."""


class End:
    """The text has ended."""


class Options(msgspec.Struct, frozen=True):
    """What the address says: who speaks (None: the best for the language), in what (None: it is
    found), how it is encoded, and how long to wait for text.
    """

    voice: str | None
    language: str | None
    form: Format
    patience_s: float
    auto_mode: bool


class StreamInput:
    """An ASGI application for the WebSocket; the route says whose voice it is."""

    def __init__(self, speaking: Speaking) -> None:
        self._speaking = speaking

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        caller = caller_of(scope)
        try:
            require(caller, "speech")
            options = options_of(scope["path_params"]["voice_id"], query_of(scope))
            await self._speaking.admit(caller)
            speakers = self._speaking.speakers
            await speakers.check(options.voice, options.language, HANDSHAKE_S)
        except Denied as denied:
            await tell(denied, scope, receive, send)
            return
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        meter = self._speaking.began(caller)
        try:
            await Dictation(self._speaking, options, caller, meter, receive, send).run()
        finally:
            self._speaking.ended(meter)


class Dictation:
    """One connection's text: read, cut, spoken and sent. Two pieces are asked for ahead of the one
    that is heard; until there is room for another nothing more is read.
    """

    def __init__(
        self,
        speaking: Speaking,
        options: Options,
        caller: Caller,
        meter: Meter,
        receive: Receive,
        send: Send,
    ) -> None:
        self._speaking = speaking
        self._options = options
        self._caller = caller
        self._meter = meter
        self._receive = receive
        self._send = send
        self._cutter = Cutter()
        self._reader: Reader | None = None
        self._asked: set[Piece] = set()
        self._ahead: asyncio.Queue[Piece | Flush | End | Broken] = asyncio.Queue(AHEAD)
        self._aligner = Aligner(options.form.rate_hz, lead_samples=options.form.lead_samples)
        self._encoder = options.form.make()
        self._samples = 0
        self._unsent: list[Timed] = []
        self._begun = False
        self._language = "en"
        self._spelling: Spelling = nothing

    async def run(self) -> None:
        """Until all is said, or the client is gone."""
        reading = asyncio.create_task(self._read())
        saying = asyncio.create_task(self._say())
        try:
            await asyncio.wait({reading, saying}, return_when=asyncio.FIRST_COMPLETED)
            (reading if reading.done() else saying).result()
        except (OSError, RuntimeError) as gone:  # as `transports.outbox`
            log.info("a client left before it heard all", extra={"error": type(gone).__name__})
        finally:
            for task in (reading, saying):
                task.cancel()
            for piece in self._asked:
                piece.request.cancel()
            await asyncio.gather(reading, saying, return_exceptions=True)

    async def _read(self) -> None:
        """Take the client's messages until it is gone."""
        try:
            while (message := await self._next()) is not None:
                await self._take(message)
                if message.text == "":
                    await self._ahead.put(End())
                    break
            else:
                return
        except TimeoutError:
            text = f"no text came within {self._options.patience_s:g} s: see inactivity_timeout"
            await self._ahead.put(Broken("input_timeout_exceeded", text))
        except Denied as denied:
            await self._ahead.put(Broken(denied.code, str(denied)))
        except Unfit as error:
            await self._ahead.put(Broken("invalid_message", str(error)))
        except StorageError as error:
            log.warning("no dictionary could be read", extra={"error": type(error).__name__})
            text = "the dictionaries cannot be read just now: come again"
            await self._ahead.put(Broken("database_unavailable", text, OURS))
        except Broken as broken:
            await self._ahead.put(broken)
        while (await self._receive())["type"] != "websocket.disconnect":
            pass  # nothing that comes behind the end counts

    async def _next(self) -> Text | None:
        """The client's next message; None if it is gone."""
        async with asyncio.timeout(self._options.patience_s):
            message = await self._receive()
        if message["type"] == "websocket.disconnect":
            return None
        try:
            return msgspec.json.decode(message.get("text") or message.get("bytes") or "", type=Text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Broken("invalid_message", str(error)) from error

    async def _take(self, message: Text) -> None:
        """Ask for the pieces that are whole now."""
        text = message.text
        if self._reader is None:
            self._reader = self._made(message)
            locators = message.pronunciation_dictionary_locators or ()
            self._spelling = await self._speaking.spelling(self._caller, locators)
            text = "" if text == " " else text  # how a client opens, and nothing to say
        stops = self._options.auto_mode and text.rstrip().endswith(STOPS)
        flushes = message.flush or message.text == "" or stops
        pieces = self._cutter.feed(text)
        for piece in [*pieces, *self._cutter.flush()] if flushes else pieces:
            await self._speaking.admit(self._caller)
            await self._ask(piece, self._reader)
        if flushes:
            await self._ahead.put(Flush())

    async def _ask(self, piece: str, reader: Reader) -> None:
        """Have it spoken. A few letters are taken to be in the language of what came before."""
        options, speakers = self._options, self._speaking.speakers
        found = await script(
            speakers,
            unmarked(piece),
            options.voice,
            options.language,
            self._spelling,
            self._language,
        )
        for line in found.lines:
            self._language = line.part.chosen.language
            asked = reader.ask(line.part.text, line.part.chosen.voice.id, said_in(line))
            self._asked.add(asked)
            await self._ahead.put(asked)

    def _made(self, first: Text) -> Reader:
        speed = speed_of(first.voice_settings)
        return Reader(self._speaking.voices(self._meter), speed, self._options.form.rate_hz)

    async def _say(self) -> None:
        """Say what was asked for, in order, and how it ended."""
        try:
            while not isinstance(part := await self._ahead.get(), End):
                await self._do(part)
        except InferenceError as error:
            ours = kind_of(error.code) == "server_error"
            await self._fail(Broken(error.code, str(error), OURS if ours else POLICY))
        except Broken as broken:
            await self._fail(broken)
        else:
            await self._tell(FINAL)
            await self._send({"type": "websocket.close", "code": NORMAL})

    async def _do(self, part: Piece | Flush | Broken) -> None:
        match part:
            case Piece():
                await self._speak(part)
            case Flush():
                await self._finish()
            case Broken():
                raise part

    async def _speak(self, piece: Piece) -> None:
        assert self._reader is not None  # it was asked
        self._aligner.add(piece.text)
        async for speech in self._reader.say(piece):
            began, self._samples = self._samples, self._samples + len(speech.pcm) // 2
            self._begun = True
            audio = await self._encoder.feed(speech.pcm)
            await self._tell_audio(audio, self._aligner.up_to(speech.words), began)
        self._asked.discard(piece)

    async def _finish(self) -> None:
        """End the file, so that all of it can be heard. What follows is another, joined to it."""
        if not self._begun:
            return
        encoder, self._encoder = self._encoder, self._options.form.make()
        self._begun = False
        audio = b"".join([piece async for piece in encoder.end()])
        await self._tell_audio(audio, self._aligner.rest(self._samples), self._samples)

    async def _tell_audio(self, audio: bytes, timed: list[Timed], began: int) -> None:
        """With the characters of audio that an encoder has held back until now."""
        self._unsent += timed
        if audio or (self._unsent and not self._begun):
            at = began / self._options.form.rate_hz
            timed, self._unsent = self._unsent, []
            await self._tell(audio_output(audio, chunk_alignment(timed, at)))

    async def _fail(self, broken: Broken) -> None:
        failed = Failed(str(broken), broken.error, broken.code)
        await self._tell(msgspec.json.encode(failed).decode())
        close = {"type": "websocket.close", "code": broken.code, "reason": broken.error}
        await self._send(close)

    async def _tell(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})


def options_of(voice_id: str, query: Mapping[str, str]) -> Options:
    """What the address asks for; the rest of it is accepted. Raises `Denied`."""
    aliases.check_model(query.get("model_id") or aliases.MODEL)
    name = query.get("output_format") or USUAL
    form = next((form for known, form in FORMATS.items() if known == name), None)
    if form is None or name.startswith("wav"):  # a file with a header, which ends but once
        known = ", ".join(one for one in FORMATS if not one.startswith("wav"))
        text = f"unknown output_format {name[:64]!r}: choose one of {known}"
        raise Denied(400, "invalid_output_format", text)
    auto_mode = query.get("auto_mode", "").lower() == "true"
    language = query.get("language_code") or None
    return Options(aliases.named(voice_id), language, form, patience_of(query), auto_mode)


def patience_of(query: Mapping[str, str]) -> float:
    """How long to wait for text. Raises `Denied`."""
    least, usual, most = INACTIVITY_S
    asked = query.get("inactivity_timeout") or str(usual)
    try:
        seconds = float(asked)
    except ValueError:
        seconds = 0.0
    if not least <= seconds <= most:
        text = f"inactivity_timeout is {asked[:20]!r}: it must be {least:g} to {most:g} seconds"
        raise Denied(400, "invalid_value", text)
    return seconds
