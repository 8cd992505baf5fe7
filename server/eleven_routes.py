"""`/v1/text-to-speech`: text that is spoken, as ElevenLabs' SDKs ask for it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import MediaType, Request, WebSocket, post, websocket
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from server.access.authority import Needs
from server.access.caller import caller_of
from server.eleven import aliases, errors
from server.eleven.alignment import Aligner
from server.eleven.output_formats import FORMATS, MEDIA_TYPES, USUAL, Name
from server.eleven.timed import Stretch, TimedAudio, lines, stretches, whole
from server.eleven.wanted import TextToSpeech, speed_of
from server.lines import Application
from server.media_types import LINES, sends
from server.speech.formats import Format
from server.speech.script import told
from server.speech.speaking import Speaking, Wanted, begun, encoded

SPEECH = [Needs("speech")]
EVERY = errors.refusals(404)

TIMED = ResponseSpec(TimedAudio, description="the speech, timed", generate_examples=False)

Latency = Annotated[int | None, QueryParameter(ge=0, le=4)]

Asked = Request[Any, Any, Any]


def routes(speaking: Speaking, failing: errors.Handlers) -> list[HTTPRouteHandler]:
    """The handlers; `failing` says what goes wrong."""

    @post(
        ["/v1/text-to-speech/{voice_id:str}", "/v1/text-to-speech/{voice_id:str}/stream"],
        guards=SPEECH,
        status_code=200,
        responses=EVERY,
        exception_handlers=failing,
        operation_class=sends(*MEDIA_TYPES),
        summary="Speak a text (ElevenLabs' dialect)",
    )
    async def speak(
        voice_id: FromPath[str],
        data: JSONBody[TextToSpeech],
        request: Asked,
        output_format: FromQuery[Name] = USUAL,
        optimize_streaming_latency: Latency = None,
        enable_logging: FromQuery[bool] = True,
    ) -> Stream:
        """The audio, sent as it is made, by either path. The quickest way is always taken, and no
        text is logged, whatever is asked for.
        """
        wanted, form = await scripted(voice_id, data, output_format, request)
        speech = speaking.speech(wanted, caller_of(request.scope))
        sent = await begun(encoded(speech, form.make()), "text")
        return Stream(sent, media_type=form.media_type, headers=told(wanted.script))

    @post(
        "/v1/text-to-speech/{voice_id:str}/with-timestamps",
        guards=SPEECH,
        status_code=200,
        responses=EVERY | {200: TIMED},
        exception_handlers=failing,
        summary="Speak a text, and say when each character is heard",
    )
    async def speak_timed(
        voice_id: FromPath[str],
        data: JSONBody[TextToSpeech],
        request: Asked,
        output_format: FromQuery[Name] = USUAL,
        optimize_streaming_latency: Latency = None,
        enable_logging: FromQuery[bool] = True,
    ) -> Stream:
        """The audio in base64, and its characters with the seconds in which they are heard. Within
        a word they follow evenly; spaces and stops have the time between two words.
        """
        found, headers = await timed(voice_id, data, output_format, request)
        return Stream(whole(found), media_type=MediaType.JSON, headers=headers)

    @post(
        "/v1/text-to-speech/{voice_id:str}/stream/with-timestamps",
        guards=SPEECH,
        status_code=200,
        responses=EVERY,
        exception_handlers=failing,
        operation_class=sends(LINES),
        summary="The same, sent as it is made",
    )
    async def stream_timed(
        voice_id: FromPath[str],
        data: JSONBody[TextToSpeech],
        request: Asked,
        output_format: FromQuery[Name] = USUAL,
        optimize_streaming_latency: Latency = None,
        enable_logging: FromQuery[bool] = True,
    ) -> Stream:
        """A line of JSON for each stretch of audio, with the characters in it. The seconds count
        from the beginning of the speech.
        """
        found, headers = await timed(voice_id, data, output_format, request)
        return Stream(lines(found), media_type=LINES, headers=headers)

    async def scripted(
        voice_id: str, data: TextToSpeech, name: Name, request: Asked
    ) -> tuple[Wanted, Format]:
        aliases.check_model(data.model_id)
        form = FORMATS[name]
        voice = aliases.named(voice_id)
        caller = caller_of(request.scope)
        await speaking.admit(caller)
        said = await speaking.script(
            data.text,
            caller,
            voice=voice,
            language=data.language_code,
            dictionaries=data.pronunciation_dictionary_locators or (),
            tags_inline=True,
        )
        return Wanted(said, speed_of(data.voice_settings), form.rate_hz), form

    async def timed(
        voice_id: str, data: TextToSpeech, name: Name, request: Asked
    ) -> tuple[AsyncIterator[Stretch], dict[str, str]]:
        wanted, form = await scripted(voice_id, data, name, request)
        speech = speaking.speech(wanted, caller_of(request.scope))
        aligner = Aligner(form.rate_hz, wanted.script.text, form.lead_samples)
        found = await begun(stretches(speech, form.make(), aligner), "text")
        return found, told(wanted.script)

    return [speak, speak_timed, stream_timed]


def socket(stream_input: Application) -> WebsocketRouteHandler:
    """The WebSocket. Litestar finds it; its loop is ours."""

    @websocket("/v1/text-to-speech/{voice_id:str}/stream-input")
    async def connection(socket: WebSocket[Any, Any, Any]) -> None:
        await stream_input(socket.scope, socket.receive, socket.send)

    return connection
