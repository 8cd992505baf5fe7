"""A document as it comes: in pieces, so that no step holds up the loop that carries audio."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from litestar.datastructures import UploadFile

from server.access.denied import Denied, retry
from server.knowledge.kinds import Unreadable, kind_of
from storage.knowledge import Upload

MOST_BYTES = 20 << 20
"""Of a document: a book of some thousand pages of text."""

MOST_BODY_BYTES = MOST_BYTES + (64 << 10)
"""Of a request, with what a form has around the file."""

PIECE_BYTES = 256 << 10
"""To be hashed, or sent to the database, in a fraction of a millisecond."""

MOST_AT_ONCE = 4
"""Of those that come in, which are held in memory until they are whole."""

RETRY_S = 5

FORM = "multipart/form-data"

UNNAMED = "document"

LONGEST_NAME = 200
"""Characters."""


class Uploads:
    """Receives documents."""

    def __init__(self) -> None:
        self._coming = 0

    async def receive(self, request: Request[Any, Any, Any], name: str | None) -> Upload:
        """The document in a request, as its body or as the file of a form. Raises `Denied`."""
        if self._coming >= MOST_AT_ONCE:
            text = f"{self._coming} documents are coming in, the most at once"
            raise retry(503, "too_many_uploads", text, RETRY_S)
        self._coming += 1
        try:
            return await self._receive(request, name)
        finally:
            self._coming -= 1

    async def _receive(self, request: Request[Any, Any, Any], name: str | None) -> Upload:
        said = request.headers.get("content-type", "")
        if said.startswith(FORM):
            file = await file_of(request)
            return await upload(name or file.filename, file.content_type, read(file))
        return await upload(name, said, request.stream())


async def file_of(request: Request[Any, Any, Any]) -> UploadFile:
    """The first file of a form. Raises `Denied`."""
    form = await request.form()
    for value in form.values():
        if isinstance(value, UploadFile):
            return value
    raise Denied(400, "invalid_value", "the form has no file: send one, as `file`")


async def read(file: UploadFile) -> AsyncIterator[bytes]:
    """What is in it."""
    while piece := await file.read(PIECE_BYTES):
        yield piece


async def upload(name: str | None, said: str, content: AsyncIterator[bytes]) -> Upload:
    """The document, if it is of a kind that can be read, not empty and not too large. Raises
    `Denied`.
    """
    called = name or UNNAMED
    if len(called) > LONGEST_NAME:
        text = f"the document's name has {len(called)} characters: {LONGEST_NAME} are the most"
        raise Denied(400, "invalid_value", text)
    try:
        kind = kind_of(said, called)
    except Unreadable as error:
        raise Denied(400, "unknown_kind", str(error)) from None
    pieces, digest = [], hashlib.sha256()
    async for piece in pieces_of(content):
        digest.update(piece)
        pieces.append(piece)
        await asyncio.sleep(0)  # much may be there already: audio goes first
    if not pieces:
        raise Denied(400, "invalid_value", "the document is empty")
    return Upload(called, kind, digest.digest(), pieces)


async def pieces_of(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Some pieces as pieces of one size. Raises `Denied` for a document that is too large."""
    size, held = 0, bytearray()
    async for some in content:
        size += len(some)
        if size > MOST_BYTES:
            text = f"the document has more than {MOST_BYTES} bytes: split it"
            raise Denied(413, "too_large", text)
        held += some
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)
