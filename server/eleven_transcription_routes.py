"""`/v1/speech-to-text`: what is said in a recording, as ElevenLabs' SDKs ask for it."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from typing import Any, get_args

import msgspec
from litestar import MediaType, Request, Response, WebSocket, post, websocket
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.params import FromQuery

from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied
from server.eleven import aliases, errors
from server.eleven.exports import CANNOT
from server.eleven.exports import Name as Export
from server.eleven.speech_to_text import (
    MOST_EXPORTS,
    UNSUPPORTED,
    Granularity,
    SpeechToText,
    hearing,
    wanted,
)
from server.eleven.transcript import Transcript, transcript
from server.forms import AROUND_BYTES, Forms
from server.leaving import unless_left
from server.lines import Application
from server.media_types import BINARY, sends
from server.transcription.decoding import Decoding
from server.transcription.metered import Transcriptions
from server.transcription.sources import Plain
from server.transcription.told import Told, gathered
from server.transcription.transcribing import LONGEST_TERM, MOST_TERMS

NO_EFFECT = "accepted, and without effect"

WITHOUT_EFFECT = {
    "tag_audio_events": Schema(type=OpenAPIType.BOOLEAN, description=NO_EFFECT),
    "num_speakers": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=32, description=NO_EFFECT),
    "diarization_threshold": Schema(
        type=OpenAPIType.NUMBER, minimum=0, maximum=1, description=NO_EFFECT
    ),
    "secondary_language_codes": Schema(
        type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.STRING), description=NO_EFFECT
    ),
    "temperature": Schema(type=OpenAPIType.NUMBER, minimum=0, maximum=2, description=NO_EFFECT),
    "seed": Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=2147483647, description=NO_EFFECT),
}

REFUSED = {
    name: Schema(type=[OpenAPIType.BOOLEAN, OpenAPIType.STRING], description=f"refused: {instead}")
    for name, instead in UNSUPPORTED.items()
}

FORM = Schema(
    type=OpenAPIType.OBJECT,
    required=["file", "model_id"],
    properties={
        "file": BINARY,
        "model_id": Schema(type=OpenAPIType.STRING, enum=list(aliases.every_scribe())),
        "language_code": Schema(
            type=OpenAPIType.STRING, description="ISO 639-1 or 639-3; else it is found"
        ),
        "timestamps_granularity": Schema(
            type=OpenAPIType.STRING, enum=list(get_args(Granularity)), default="word"
        ),
        "file_format": Schema(
            type=OpenAPIType.STRING,
            enum=["pcm_s16le_16", "other"],
            default="other",
            description="samples without a header: 16 bit, little-endian, mono, 16 kHz",
        ),
        "keyterms": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=OpenAPIType.STRING, max_length=LONGEST_TERM),
            max_items=MOST_TERMS,
            description="names and words that may be said",
        ),
        "additional_formats": Schema(
            type=OpenAPIType.STRING,
            description=f"JSON: a list of at most {MOST_EXPORTS} objects, each with a `format`, "
            "which is one of " + ", ".join(sorted(set(get_args(Export)) - CANNOT)),
        ),
        **WITHOUT_EFFECT,
        **REFUSED,
    },
)

TRANSCRIPT = ResponseSpec(Transcript, description="what is said", generate_examples=False)

Asked = Request[Any, Any, Any]


def routes(
    transcriptions: Transcriptions, forms: Forms, failing: errors.Handlers
) -> list[HTTPRouteHandler]:
    """The handlers; `failing` says what goes wrong."""

    @post(
        "/v1/speech-to-text",
        guards=[Needs("speech")],
        status_code=200,
        request_max_body_size=forms.most_bytes + AROUND_BYTES,
        responses=errors.refusals(408, 413) | {200: TRANSCRIPT},
        exception_handlers=failing,
        operation_class=sends(json=True, form=FORM),
        summary="Transcribe a recording (ElevenLabs' dialect)",
    )
    async def transcribe(
        request: Asked, token: FromQuery[str | None] = None, enable_logging: FromQuery[bool] = True
    ) -> Response[bytes]:
        """Of anything that FFmpeg reads, up to six hours, with the times of words or characters.
        Nobody is told apart, no other sounds are tagged, and nothing is logged.
        """
        if token:
            text = "token: there are no single-use tokens here: send the key as `xi-api-key`"
            raise Denied(400, "unsupported", text)
        async with AsyncExitStack() as stack:
            caller = caller_of(request.scope)
            await transcriptions.admit(caller)
            form = await stack.enter_async_context(forms.received(request, caller.account_id))
            asked = wanted(form.fields)
            plain = asked.file_format == "pcm_s16le_16"
            recording = Plain(form.sent) if plain else Decoding(form.sent)
            heard = transcriptions.heard(recording, hearing(asked), caller)
            await stack.enter_async_context(aclosing(heard))
            told = await unless_left(request, gathered(heard))
            body = await asyncio.to_thread(written, asked, told)
            return Response(body, media_type=MediaType.JSON)

    return [transcribe]


def written(asked: SpeechToText, told: Told) -> bytes:
    """The transcript in JSON; of hours both take a while."""
    return msgspec.json.encode(transcript(asked, told))


def socket(scribe: Application) -> WebsocketRouteHandler:
    """The WebSocket. Litestar finds it; its loop is ours."""

    @websocket("/v1/speech-to-text/realtime")
    async def connection(socket: WebSocket[Any, Any, Any]) -> None:
        await scribe(socket.scope, socket.receive, socket.send)

    return connection
