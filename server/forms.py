"""A form with a file: the file goes to the disk as it comes, however large it is."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO
from weakref import WeakSet

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from server.access.denied import Denied, retry
from server.media_types import MULTIPART

FILE = "file"
AROUND_BYTES = 1 << 20
"""Of a form, around its file."""

MOST_FIELDS = 64
MOST_FIELD_BYTES = 64 << 10

WRITTEN_BYTES = 256 << 10
"""At once, in a thread."""

STALLED_S = 30.0
"""Without a byte a client is taken for gone."""

MOST_AT_ONCE, MOST_EACH = 16, 8
"""Files that come in, or are worked on, in this gateway; of one account."""

RETRY_S = 5


class Form(msgspec.Struct, eq=False, weakref=True):
    """Its fields, each with all its values, and its file, of which so many bytes have come."""

    owner: str | None
    file: BinaryIO
    file_bytes: int = -1
    fields: dict[str, list[str]] = {}

    @property
    def sent(self) -> BinaryIO:
        """The file. Raises `Denied` unless there is something in it."""
        if self.file_bytes < 0:
            raise Denied(400, "invalid_value", "the form has no file: send one, as `file`")
        if not self.file_bytes:
            raise Denied(400, "invalid_value", "file is empty")
        return self.file


class Forms:
    """Receives forms whose file has at most `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._open: WeakSet[Form] = WeakSet()

    @asynccontextmanager
    async def received(
        self, request: Request[Any, Any, Any], owner: str | None
    ) -> AsyncIterator[Form]:
        """The form of a request; its file is gone with the block. Raises `Denied`, also where its
        `owner`, an account, has enough others.
        """
        own = sum(form.owner == owner for form in self._open)
        if len(self._open) >= MOST_AT_ONCE or own >= MOST_EACH:
            text = f"{len(self._open)} files are worked on here, {own} of them yours"
            raise retry(503, "too_many_uploads", text, RETRY_S)
        kind, options = request.content_type
        if kind != MULTIPART or not options.get("boundary"):
            text = f"send a form ({MULTIPART}), with a file as `file`"
            raise Denied(400, "invalid_value", text)
        with tempfile.TemporaryFile() as file:
            form = Form(owner, file)
            self._open.add(form)
            try:
                await self._fill(form, request, options["boundary"])
                file.flush()
                file.seek(0)
                yield form
            finally:
                self._open.discard(form)

    async def _fill(self, form: Form, request: Request[Any, Any, Any], boundary: str) -> None:
        try:
            with PushMultipartParser(boundary, max_segment_count=MOST_FIELDS) as parser:
                part = _Part(form, self.most_bytes)
                async for chunk in unstalled(request):
                    for event in parser.parse(chunk):
                        if isinstance(event, MultipartSegment):
                            await part.begin(event)
                        elif event is not None:
                            await part.take(bytes(event))
                        else:
                            await part.end()
        except (MultipartError, UnicodeError) as error:
            raise Denied(400, "invalid_value", f"the form cannot be read: {error}") from error
        except OSError as error:
            text = f"the file cannot be kept here: {error.strerror}"
            raise retry(503, "no_room", text, RETRY_S) from error


class _Part:
    """The part of a form that is coming."""

    def __init__(self, form: Form, most_bytes: int) -> None:
        self._form = form
        self._most_bytes = most_bytes
        self._segment: MultipartSegment | None = None
        self._held = bytearray()

    @property
    def _is_file(self) -> bool:
        return self._segment is not None and self._segment.name == FILE

    async def begin(self, segment: MultipartSegment) -> None:
        self._segment = segment
        if not self._is_file:
            return
        if self._form.file_bytes >= 0:
            raise Denied(400, "invalid_value", "the form has two files: send one")
        self._form.file_bytes = 0

    async def take(self, data: bytes) -> None:
        self._held += data
        if self._is_file:
            self._form.file_bytes += len(data)
            if self._form.file_bytes > self._most_bytes:
                text = f"file has more than {self._most_bytes >> 20} MB, the most here: split it"
                raise Denied(413, "too_large", text)
            if len(self._held) >= WRITTEN_BYTES:
                await self._write()
        elif len(self._held) > MOST_FIELD_BYTES:
            name = (self._segment.name if self._segment else None) or ""
            text = f"{name[:64]}: has more than {MOST_FIELD_BYTES} bytes"
            raise Denied(400, "invalid_value", text)

    async def end(self) -> None:
        if self._is_file:
            await self._write()
        elif self._segment is not None:
            values = self._form.fields.setdefault(self._segment.name or "", [])
            values.append(self._held.decode("utf-8"))
        self._held.clear()

    async def _write(self) -> None:
        data = bytes(self._held)
        self._held.clear()
        await asyncio.to_thread(self._form.file.write, data)


def fault(error: msgspec.ValidationError) -> tuple[str, str]:
    """The field at fault, as it stands in a form, if that is known; and what is wrong with it."""
    said, _, place = str(error).partition(" - at `$.")
    return place.rstrip("`"), said


async def unstalled(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `Denied` if nothing does for long."""
    body = request.stream()
    while True:
        try:
            async with asyncio.timeout(STALLED_S):
                chunk = await anext(body, None)
        except TimeoutError:
            text = f"nothing of the file came for {STALLED_S:.0f} s"
            raise Denied(408, "too_slow", text) from None
        except InternalServerException as error:  # how Litestar says that it left
            raise Denied(400, "client_left", "the form did not come to its end") from error
        if chunk is None:
            return
        yield chunk
