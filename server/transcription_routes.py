"""`/v1/audio/transcriptions`: what is said in a recording, as OpenAI's SDKs ask for it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any, get_args

from litestar import MediaType, Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.response import Stream

from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied
from server.forms import AROUND_BYTES, Forms
from server.leaving import unless_left
from server.media_types import BINARY, EVENTS, event, sends
from server.refusals import refusals
from server.transcription.decoding import Decoding
from server.transcription.metered import Transcriptions
from server.transcription.openai_forms import (
    Format,
    Granularity,
    TranscriptionWanted,
    hearing,
    verbose,
    wanted,
    whole,
)
from server.transcription.subtitles import srt, vtt
from server.transcription.told import Told, gathered
from server.transcription.transcribing import Heard
from transports.realtime import aliases

SRT, VTT = "application/x-subrip", "text/vtt"

STRING = Schema(type=OpenAPIType.STRING)
FORM = Schema(
    type=OpenAPIType.OBJECT,
    required=["file"],
    properties={
        "file": BINARY,
        "model": Schema(
            type=OpenAPIType.STRING, enum=list(aliases.TRANSCRIBERS), default="whisper-1"
        ),
        "language": Schema(type=OpenAPIType.STRING, description="ISO 639-1; else it is found"),
        "prompt": Schema(
            type=OpenAPIType.STRING,
            description="names and words that may be said, with commas between",
        ),
        "response_format": Schema(
            type=OpenAPIType.STRING,
            enum=list(get_args(Format)),
            default="json",
        ),
        "stream": Schema(type=OpenAPIType.BOOLEAN, default=False),
        "timestamp_granularities[]": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=OpenAPIType.STRING, enum=list(get_args(Granularity))),
        ),
    },
)

Asked = Request[Any, Any, Any]
Answer = Response[dict[str, Any]] | Response[str] | Stream


def routes(transcriptions: Transcriptions, forms: Forms) -> list[HTTPRouteHandler]:
    """The handlers."""

    @post(
        "/v1/audio/transcriptions",
        guards=[Needs("speech")],
        status_code=200,
        request_max_body_size=forms.most_bytes + AROUND_BYTES,
        responses=refusals(408, 413),
        operation_class=sends("text/plain", SRT, VTT, EVENTS, json=True, form=FORM),
        summary="Transcribe a recording",
    )
    async def transcribe(request: Asked) -> Answer:
        """Of anything that FFmpeg reads, up to six hours. `srt`, `vtt` and `verbose_json` come with
        times. With `stream` in events, each as soon as its half minute is heard.
        """
        async with AsyncExitStack() as stack:
            caller = caller_of(request.scope)
            await transcriptions.admit(caller)
            form = await stack.enter_async_context(forms.received(request, caller.account_id))
            asked = wanted(form.fields)
            recording = Decoding(form.sent)
            heard = transcriptions.heard(recording, hearing(asked), caller)
            await stack.enter_async_context(aclosing(heard))
            if asked.stream:
                first = await unless_left(request, anext(heard, None))
                stream = events(asked, first, heard, stack.pop_all())
                return Stream(stream, media_type=EVENTS)
            told = await unless_left(request, gathered(heard))
            return await asyncio.to_thread(answer, asked, told)  # of hours it takes a while

    return [transcribe]


def answer(asked: TranscriptionWanted, told: Told) -> Answer:
    """The transcript in the format that is asked for."""
    match asked.response_format:
        case "text":
            return Response(told.text + "\n", media_type=MediaType.TEXT)
        case "srt":
            return Response(srt(told.segments()), media_type=SRT)
        case "vtt":
            return Response(vtt(told.segments()), media_type=VTT)
        case "verbose_json":
            return Response(verbose(told, asked.timestamp_granularities))
    return Response(whole(told))


async def events(
    asked: TranscriptionWanted,
    first: Heard | None,
    rest: AsyncGenerator[Heard, None],
    stack: AsyncExitStack,
) -> AsyncIterator[bytes]:
    """The transcript as server-sent events. What fails in the middle is an event, too."""
    told = Told()
    async with stack:
        if first is not None:
            yield delta(told, first)
        try:
            async for heard in rest:
                yield delta(told, heard)
        except Denied as denied:
            error = {"type": denied.kind, "code": denied.code, "message": str(denied)}
            yield event({"type": "error", "error": error})
            return
        yield await asyncio.to_thread(done, asked, told)


def done(asked: TranscriptionWanted, told: Told) -> bytes:
    """The last event: all of it."""
    timed = asked.response_format == "verbose_json"
    all_of_it = verbose(told, asked.timestamp_granularities) if timed else whole(told)
    return event({"type": "transcript.text.done", **all_of_it})


def delta(told: Told, heard: Heard) -> bytes:
    """What is to be written behind what stands there; and, of our own, how far it is heard."""
    far = {"heard_s": heard.end_ms / 1000, "duration_s": heard.of_ms / 1000}
    return event({"type": "transcript.text.delta", "delta": told.take(heard), **far})
