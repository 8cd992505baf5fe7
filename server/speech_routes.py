"""`/v1/audio/speech`: text that is spoken, as OpenAI's SDKs ask for it."""

import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from litestar.response import Stream
from msgspec import Meta

from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied
from server.media_types import EVENTS, event, sends
from server.refusals import refusals
from server.speech import names
from server.speech.dictionaries import MOST, Locator
from server.speech.formats import FORMATS, Name
from server.speech.script import told
from server.speech.speaking import LONGEST_CHARS, Speaking, Wanted, begun, encoded
from transports.realtime import aliases

SPEECH = [Needs("speech")]

Asked = Request[Any, Any, Any]


class VoiceId(msgspec.Struct, frozen=True):
    """A voice, by its id."""

    id: str


class SpeechWanted(msgspec.Struct, frozen=True):
    """What is to be spoken, by which `voice`, and how it is sent: with `stream_format` "sse" in
    events. The input may be SSML (<speak>…</speak>). `instructions` are accepted, and no voice here
    can follow them. `language` (BCP-47) is our own; unset it is found, and the voice behind
    OpenAI's names chosen by it. So are `pronunciation_dictionaries`.
    """

    input: Annotated[str, Meta(min_length=1, max_length=LONGEST_CHARS)]
    model: str = names.MODELS[0]
    voice: str | VoiceId = "alloy"
    response_format: Name = "mp3"
    speed: Annotated[float, Meta(ge=0.25, le=4.0)] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    instructions: str | None = None
    language: str | None = None
    pronunciation_dictionaries: Annotated[list[Locator], Meta(max_length=MOST)] = []


def routes(speaking: Speaking) -> list[HTTPRouteHandler]:
    """The handlers."""

    @post(
        "/v1/audio/speech",
        guards=SPEECH,
        status_code=200,
        responses=refusals(404),
        operation_class=sends(*(form.media_type for form in FORMATS.values()), EVENTS),
        summary="Speak a text",
    )
    async def speak(data: JSONBody[SpeechWanted], request: Asked) -> Stream:
        """The audio, sent as it is made: mp3, opus (in Ogg), aac (ADTS), flac, wav or pcm (16 bit,
        24 kHz), all mono. As `text/event-stream` it is in `speech.audio.delta` events, in base64.
        """
        caller = caller_of(request.scope)
        await speaking.admit(caller)
        said = await speaking.script(
            data.input,
            caller,
            voice=checked(data),
            language=data.language,
            dictionaries=data.pronunciation_dictionaries,
        )
        form = FORMATS[data.response_format]
        wanted = Wanted(said, data.speed, form.rate_hz)
        speech = speaking.speech(wanted, caller)
        sent = await begun(encoded(speech, form.make()), "input")
        if data.stream_format == "sse":
            sent, kind = events(sent, len(data.input)), EVENTS
        else:
            kind = form.media_type
        return Stream(sent, media_type=kind, headers=told(said))

    return [speak]


def checked(data: SpeechWanted) -> str | None:
    """The voice that is asked for; None for OpenAI's names, which any may have. Raises `Denied`."""
    if data.model not in names.MODELS:
        text = f"unknown model {data.model[:64]!r}: choose one of {', '.join(names.MODELS)}"
        raise Denied(400, "invalid_value", f"model: {text}")
    name = data.voice.id if isinstance(data.voice, VoiceId) else data.voice
    return None if aliases.VOICES.get(name, name) != name else name


async def events(audio: AsyncIterator[bytes], characters: int) -> AsyncIterator[bytes]:
    """The audio as server-sent events. Tokens are not counted here, characters are."""
    async for piece in audio:
        text = base64.b64encode(piece).decode()
        yield event({"type": "speech.audio.delta", "audio": text})
    tokens = dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), 0)
    yield event({"type": "speech.audio.done", "usage": {**tokens, "characters": characters}})
