"""`/v1/voices` and `/v2/voices`: the voices, as ElevenLabs' SDKs look for them."""

from typing import Annotated, Any, Literal

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec.structs import replace

from server.eleven import aliases, catalogue, errors
from server.eleven.catalogue import ElevenVoice, ElevenVoices, Sought, VoicePage
from server.media_types import sends
from server.public import NO_KEY
from server.speech import previews
from server.speech.previews import Previews
from server.speech.speakers import Speakers

PAGE = 10

FRESH = "public, max-age=86400"
"""For a day a preview is not asked for again. Then its version says whether it has changed."""

UNCHANGED = ResponseSpec(
    None, description="it is the version that is known", generate_examples=False
)

Asked = Request[Any, Any, Any]

Size = Annotated[int, QueryParameter(ge=1, le=100)]


def routes(speakers: Speakers, heard: Previews, failing: errors.Handlers) -> list[HTTPRouteHandler]:
    """The handlers; `speakers` know who is here, `failing` says what goes wrong."""

    @get(
        "/v1/voices",
        responses=errors.refusals(),
        exception_handlers=failing,
        summary="The voices (ElevenLabs' dialect)",
    )
    async def list_voices(request: Asked) -> ElevenVoices:
        """Those that can speak here now, under their own names. ElevenLabs' ids are aliases."""
        every = catalogue.every_voice(await speakers.machine())
        return ElevenVoices([audible(voice, request) for voice in every])

    @get(
        "/v1/voices/{voice_id:str}",
        responses=errors.refusals(404),
        exception_handlers=failing,
        summary="A voice",
    )
    async def get_voice(voice_id: FromPath[str], request: Asked) -> ElevenVoice:
        """Who speaks under an id, be it an alias; 404 if nobody does, or not on this machine."""
        return audible(catalogue.voice_of(voice_id, await speakers.machine()), request)

    @get(
        "/v1/voices/{voice_id:str}/preview",
        security=NO_KEY,
        responses=errors.refusals(404, 503, keyed=False) | {304: UNCHANGED},
        exception_handlers=failing,
        operation_class=sends(previews.FORM.media_type),
        summary="How a voice sounds",
    )
    async def preview(voice_id: FromPath[str], request: Asked) -> Response[bytes | None]:
        """A sentence in its language, as MP3, made when it is first asked for. 404 if the voice
        cannot speak on this machine.
        """
        made = await heard.of(aliases.speaks(voice_id))
        headers = {"etag": f'"{made.version}"', "cache-control": FRESH}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(None, status_code=304, headers=headers)
        return Response(made.sound, media_type=previews.FORM.media_type, headers=headers)

    @get(
        "/v2/voices",
        responses=errors.refusals(),
        exception_handlers=failing,
        summary="Look for voices",
    )
    async def search(
        request: Asked,
        search: FromQuery[str | None] = None,
        page_size: Size = PAGE,
        next_page_token: FromQuery[str | None] = None,
        sort: FromQuery[Literal["name", "created_at_unix"] | None] = None,
        sort_direction: FromQuery[Literal["asc", "desc"]] = "asc",
        voice_type: FromQuery[str | None] = None,
        category: FromQuery[str | None] = None,
        gender: FromQuery[str | None] = None,
        accent: FromQuery[str | None] = None,
        language: FromQuery[list[str] | None] = None,
        voice_ids: FromQuery[list[str] | None] = None,
    ) -> VoicePage:
        """Those that are all of what is asked for, so many at a time. `search` stands somewhere in
        what is told of a voice.
        """
        sought = Sought(search, category, voice_type, gender, accent, language, voice_ids)
        some = catalogue.found(sought, await speakers.machine())
        if sort == "name":
            some.sort(key=lambda voice: voice.name)
        if sort_direction == "desc":
            some.reverse()
        page = catalogue.page_of(some, page_size, next_page_token)
        return replace(page, voices=[audible(voice, request) for voice in page.voices])

    return [list_voices, get_voice, preview, search]


def audible(voice: ElevenVoice, request: Asked) -> ElevenVoice:
    """With the address of its preview, as the client reaches this server."""
    base = str(request.base_url).rstrip("/")
    return replace(voice, preview_url=base + previews.path_of(voice.voice_id))
