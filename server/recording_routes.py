"""`/v1/sessions/{id}/recording`: how a session sounded."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream
from msgspec import Meta

from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied
from server.media_types import sends
from server.public import NO_KEY
from server.ranges import OutOfReach, Part, part_of
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

PARTLY = {206: ResponseSpec(None, description="the part asked for", generate_examples=False)}

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

    async def sound(session: Session, form: Format, request: Asked) -> Stream:
        account_id, session_id = session.account_id, session.id
        source = recordings.wav(account_id, session_id)
        size = await asyncio.to_thread(size_of, source, session_id)
        over = session.ended_at is not None
        if form == "wav":
            length = wav.HEADER + size
            part = wanted_of(request, length) if over else None  # of an open one it grows meanwhile
            begin, end = (part.begin, part.end) if part else (0, length)
            body = wav.read(source, size, begin, end)
        else:
            small, length = await encoded(source, recordings.ogg(account_id, session_id), session)
            part = wanted_of(request, length)
            begin, end = (part.begin, part.end) if part else (0, length)
            body = wav.blocks(small, begin, end)
        headers = {
            "content-length": str(end - begin),
            "content-disposition": f'attachment; filename="{session_id}.{ENDINGS[form]}"',
            "cache-control": "private, no-store",
            "accept-ranges": "bytes" if over else "none",
        }
        if part:
            headers["content-range"] = f"bytes {begin}-{end - 1}/{length}"
        status = 206 if part else 200
        stream = off_the_loop(body)
        return Stream(stream, media_type=TYPES[form], headers=headers, status_code=status)

    @get(
        "/v1/sessions/{session_id:str}/recording",
        guards=RECORDS,
        responses=refusals(404, 409, 416) | PARTLY,
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
        Of one that is over, a part can be had with `Range`.
        """
        session = await find(session_id, account_of(caller_of(request.scope), None))
        return await sound(session, format, request)

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
        responses=refusals(404, 409, 416, keyed=False) | PARTLY,
        operation_class=sends(*TYPES.values()),
        summary="A recording, by its link",
    )
    async def linked(token: FromPath[str], request: Asked) -> Stream:
        """404 for a link that is none, or whose time is over."""
        opened = links.open(token)
        if opened is None:
            raise Denied(404, "not_found", "there is no such link, or its time is over")
        session = await find(opened.session_id, opened.account_id)
        return await sound(session, opened.format, request)

    return [recording, link, linked]


def size_of(path: Path, session_id: str) -> int:
    """Bytes of sound. Raises `Denied`."""
    try:
        return wav.whole(path)
    except FileNotFoundError:
        text = f"there is no recording of session {session_id!r} here"
        raise Denied(404, "not_recorded", text) from None


async def encoded(source: Path, small: Path, session: Session) -> tuple[Path, int]:
    """The recording as Opus, and its bytes. Raises `Denied`."""
    if session.ended_at is None:
        text = f"session {session.id!r} is open: until it has ended its recording is wav only"
        raise Denied(409, "session_open", text)
    try:
        await opus.encode(source, small)
    except NotEncoded as error:
        text = f"the recording cannot be encoded: {error}; ask for it as wav"
        raise Denied(503, "not_encoded", text, kind="server_error") from error
    return small, await asyncio.to_thread(lambda: small.stat().st_size)


def wanted_of(request: Asked, length: int) -> Part | None:
    """The part that is asked for. There is no version that `If-Range` could name: with it, the
    whole. Raises `Denied`.
    """
    if "if-range" in request.headers:
        return None
    try:
        return part_of(request.headers.get("range"), length)
    except OutOfReach as error:
        headers = {"content-range": f"bytes */{length}"}
        raise Denied(416, "range_not_satisfiable", str(error), headers=headers) from error


async def off_the_loop(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same, read in threads."""
    while (block := await asyncio.to_thread(next, body, None)) is not None:
        yield block
