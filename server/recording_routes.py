"""`/v1/sessions/{id}/recording`: how a session sounded."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream
from msgspec import Meta

from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied
from server.media_types import sends
from server.public import NO_KEY
from server.recording import opus, wav
from server.recording.links import PATH, Format, Links
from server.recording.opus import NotEncoded
from server.recording.store import Recordings
from server.refusals import refusals
from server.usage_routes import account_of
from storage import sessions
from storage.database import Database
from storage.sessions import Session

RECORDS = [Needs("records")]

TYPES: dict[Format, str] = {"wav": "audio/wav", "opus": "audio/ogg"}
ENDINGS: dict[Format, str] = {"wav": "wav", "opus": "ogg"}

Asked = Request[Any, Any, Any]


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link for so many seconds."""

    format: Format = "wav"
    seconds: Annotated[int, Meta(ge=1, le=86_400)] = 300


class MadeLink(msgspec.Struct, frozen=True):
    """Whoever has the `url` hears the recording, until `expires_at`, in seconds since 1970."""

    url: str
    expires_at: int


def routes(database: Database, recordings: Recordings, links: Links) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records and the files."""

    async def find(session_id: str, account_id: str | None) -> Session:
        return await database.run(lambda c: sessions.get(c, session_id, account_id))

    async def sound(session: Session, form: Format) -> Stream:
        account_id, session_id = session.account_id, session.id
        source = recordings.wav(account_id, session_id)
        size = await asyncio.to_thread(size_of, source, session_id)
        if form == "wav":
            return streamed(form, session_id, wav.HEADER + size, wav.read(source, size))
        if session.ended_at is None:
            text = f"session {session_id!r} is open: until it has ended its recording is wav only"
            raise Denied(409, "session_open", text)
        small = recordings.ogg(account_id, session_id)
        try:
            await opus.encode(source, small)
        except NotEncoded as error:
            text = f"the recording cannot be encoded: {error}; ask for it as wav"
            raise Denied(503, "not_encoded", text, kind="server_error") from error
        length = await asyncio.to_thread(lambda: small.stat().st_size)
        return streamed(form, session_id, length, blocks(small))

    @get(
        "/v1/sessions/{session_id:str}/recording",
        guards=RECORDS,
        responses=refusals(404, 409),
        operation_class=sends(*TYPES.values()),
        summary="How a session sounded",
    )
    async def recording(
        session_id: FromPath[str],
        request: Asked,
        format: FromQuery[Format] = "wav",  # noqa: A002 - what clients send
    ) -> Stream:
        """The caller on the left, the agent on the right, 24 kHz: WAV (16 bit), of a session that
        is open as far as it is; or Opus in Ogg. 404 if it was not recorded, or on another machine.
        """
        session = await find(session_id, account_of(caller_of(request.scope), None))
        return await sound(session, format)

    @post(
        "/v1/sessions/{session_id:str}/recording/link",
        guards=RECORDS,
        responses=refusals(404),
        summary="A link to a recording",
    )
    async def link(
        session_id: FromPath[str], request: Asked, data: JSONBody[Wanted | None] = None
    ) -> MadeLink:
        """It needs no key, for some minutes: for a player in a web page."""
        wanted = data or Wanted()
        session = await find(session_id, account_of(caller_of(request.scope), None))
        source = recordings.wav(session.account_id, session.id)
        await asyncio.to_thread(size_of, source, session_id)
        token, until = links.make(session.account_id, session.id, wanted.format, wanted.seconds)
        return MadeLink(f"{str(request.base_url).rstrip('/')}{PATH}{token}", until)

    @get(
        PATH + "{token:str}",
        security=NO_KEY,
        responses=refusals(404, 409, keyed=False),
        operation_class=sends(*TYPES.values()),
        summary="A recording, by its link",
    )
    async def linked(token: FromPath[str]) -> Stream:
        """404 for a link that is none, or whose time is over."""
        opened = links.open(token)
        if opened is None:
            raise Denied(404, "not_found", "there is no such link, or its time is over")
        return await sound(await find(opened.session_id, opened.account_id), opened.format)

    return [recording, link, linked]


def size_of(path: Path, session_id: str) -> int:
    """Bytes of sound. Raises `Denied`."""
    try:
        return wav.whole(path)
    except FileNotFoundError:
        text = f"there is no recording of session {session_id!r} here"
        raise Denied(404, "not_recorded", text) from None


def streamed(form: Format, session_id: str, length: int, body: Iterator[bytes]) -> Stream:
    """An answer that is read from the disk as the client takes it."""
    headers = {
        "content-length": str(length),
        "content-disposition": f'attachment; filename="{session_id}.{ENDINGS[form]}"',
        "cache-control": "private, no-store",
    }
    return Stream(off_the_loop(body), media_type=TYPES[form], headers=headers)


def blocks(path: Path) -> Iterator[bytes]:
    """A file, some of it at a time."""
    with path.open("rb") as file:
        while block := file.read(wav.BLOCK):
            yield block


async def off_the_loop(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same, read in threads."""
    while (block := await asyncio.to_thread(next, body, None)) is not None:
        yield block
