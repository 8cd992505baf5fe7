"""`/v1/audio/speech`: text that is spoken, as OpenAI's SDKs ask for it."""

import base64
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from litestar.response import Stream
from msgspec import Meta

from engine.capabilities import Speech, Utterance
from engine.inference import BAD_PAYLOAD, Inference, InferenceError
from engine.meter import Meter, Watch
from server.access.authority import Needs
from server.access.caller import Caller, caller_of
from server.access.denied import Denied, retry
from server.door import Quota
from server.media_types import EVENTS, event, sends
from server.metering.collector import Collector
from server.refusals import refusals
from server.speech import names
from server.speech.formats import FORMATS, RATE_HZ, Encoder, Name
from server.speech.reading import read_out
from transports.realtime import aliases
from transports.websocket import Refused

LONGEST_CHARS = 100_000
"""Two hours of speech. OpenAI takes 4,096."""

RETRY_MODEL_S = 5

SPEECH = [Needs("speech")]

Asked = Request[Any, Any, Any]


class VoiceId(msgspec.Struct, frozen=True):
    """A voice, by its id."""

    id: str


class SpeechWanted(msgspec.Struct, frozen=True):
    """What is to be spoken, by which `voice`, and how it is sent: with `stream_format` "sse" in
    events. `instructions` are accepted, and no voice here can follow them.
    """

    input: Annotated[str, Meta(min_length=1, max_length=LONGEST_CHARS)]
    model: str = names.MODELS[0]
    voice: str | VoiceId = "alloy"
    response_format: Name = "mp3"
    speed: Annotated[float, Meta(ge=0.25, le=4.0)] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    instructions: str | None = None


def routes(
    tts: Callable[[Watch], Inference[Utterance, Speech]], quota: Quota, collector: Collector
) -> list[HTTPRouteHandler]:
    """The handlers. What is asked of `tts` is counted by the `collector`."""

    @post(
        "/v1/audio/speech",
        guards=SPEECH,
        status_code=200,
        responses=refusals(),
        operation_class=sends(*(form.media_type for form in FORMATS.values()), EVENTS),
        summary="Speak a text",
    )
    async def speak(data: JSONBody[SpeechWanted], request: Asked) -> Stream:
        """The audio, sent as it is made: mp3, opus (in Ogg), flac, wav or pcm (16 bit, 24 kHz), all
        mono. As `text/event-stream` it is in `speech.audio.delta` events, in base64.
        """
        voice = checked(data)
        caller = caller_of(request.scope)
        try:
            await quota.check(caller)
        except Refused as no:
            raise retry(no.status, no.code, str(no), no.retry_after_s) from no
        audio = spoken(data, voice, caller)
        try:
            first = await anext(audio, None)
        except InferenceError as error:
            if error.code == BAD_PAYLOAD:
                raise Denied(400, "invalid_value", str(error)) from error
            raise retry(503, error.code, str(error), RETRY_MODEL_S) from error
        if first is None:
            text = "input holds nothing that can be spoken: it needs letters or digits"
            raise Denied(400, "invalid_value", text)
        sent = whole(first, audio)
        if data.stream_format == "sse":
            return Stream(events(sent, len(data.input)), media_type=EVENTS)
        return Stream(sent, media_type=FORMATS[data.response_format].media_type)

    async def spoken(data: SpeechWanted, voice: str, caller: Caller) -> AsyncGenerator[bytes, None]:
        meter = Meter()
        collector.began(f"speech_{secrets.token_urlsafe(12)}", meter, caller)
        encoder = FORMATS[data.response_format].make()
        try:
            model = tts(meter.watch)
            async with aclosing(read_out(model, data.input, voice, data.speed, RATE_HZ)) as speech:
                async for piece in encoded(speech, encoder):
                    yield piece
        finally:
            collector.ended(meter)

    return [speak]


def checked(data: SpeechWanted) -> str:
    """The voice that speaks. Raises `Denied`."""
    if data.model not in names.MODELS:
        text = f"unknown model {data.model[:64]!r}: choose one of {', '.join(names.MODELS)}"
        raise Denied(400, "invalid_value", f"model: {text}")
    try:
        return aliases.voice(data.voice.id if isinstance(data.voice, VoiceId) else data.voice)
    except aliases.UnknownName as error:
        raise Denied(400, "invalid_value", f"voice: {error}") from error


async def encoded(speech: AsyncIterator[bytes], encoder: Encoder) -> AsyncIterator[bytes]:
    """A file of it, as it grows; nothing of no speech."""
    begun = False
    async for pcm in speech:
        begun = True
        if piece := await encoder.feed(pcm):
            yield piece
    if begun:
        async for rest in encoder.end():
            yield rest


async def whole(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """Both. Who stops in the middle stops the work."""
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


async def events(audio: AsyncIterator[bytes], characters: int) -> AsyncIterator[bytes]:
    """The audio as server-sent events. Tokens are not counted here, characters are."""
    async for piece in audio:
        text = base64.b64encode(piece).decode()
        yield event({"type": "speech.audio.delta", "audio": text})
    tokens = dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), 0)
    yield event({"type": "speech.audio.done", "usage": {**tokens, "characters": characters}})
