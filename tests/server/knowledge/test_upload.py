"""A document as it comes."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

from server.beside import beside
from server.knowledge.upload import MOST_BYTES, PIECE_BYTES, upload


async def test_a_document_that_is_there_at_once_lets_others_go_first() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def content() -> AsyncIterator[bytes]:
        yield b"x" * MOST_BYTES

    async with beside(count()):
        came = await upload("name", "text/plain", content())
    assert turns >= MOST_BYTES // PIECE_BYTES
    assert came.hash == hashlib.sha256(b"x" * MOST_BYTES).digest()
