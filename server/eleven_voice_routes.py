"""`/v1/voices` and `/v2/voices`: the voices, as ElevenLabs' SDKs look for them."""

from typing import Annotated, Literal

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from server.eleven import catalogue, errors
from server.eleven.catalogue import ElevenVoice, ElevenVoices, Sought, VoicePage
from server.speech.speakers import Speakers

PAGE = 10

Size = Annotated[int, QueryParameter(ge=1, le=100)]


def routes(speakers: Speakers, failing: errors.Handlers) -> list[HTTPRouteHandler]:
    """The handlers; `speakers` know who is here, `failing` says what goes wrong."""

    @get(
        "/v1/voices",
        responses=errors.refusals(),
        exception_handlers=failing,
        summary="The voices (ElevenLabs' dialect)",
    )
    async def list_voices() -> ElevenVoices:
        """Those that can speak here now, under their own names. ElevenLabs' ids are aliases."""
        return ElevenVoices(catalogue.every_voice(await speakers.machine()))

    @get(
        "/v1/voices/{voice_id:str}",
        responses=errors.refusals(404),
        exception_handlers=failing,
        summary="A voice",
    )
    async def get_voice(voice_id: FromPath[str]) -> ElevenVoice:
        """Who speaks under an id, be it an alias; 404 if nobody does, or not on this machine."""
        return catalogue.voice_of(voice_id, await speakers.machine())

    @get(
        "/v2/voices",
        responses=errors.refusals(),
        exception_handlers=failing,
        summary="Look for voices",
    )
    async def search(
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
        return catalogue.page_of(some, page_size, next_page_token)

    return [list_voices, get_voice, search]
