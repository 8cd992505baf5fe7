"""A document becomes passages that can be found."""

import asyncio
import itertools
import tempfile
from collections.abc import Callable
from functools import partial
from typing import IO

from server.knowledge.kinds import Unreadable
from server.knowledge.library import Library
from server.knowledge.read import reading
from storage import passages, unfinished
from storage.errors import Unfit
from storage.knowledge import Document
from storage.passages import Passage

AT_ONCE = 8
"""Passages that are embedded and then written together: a quarter of a second of two cores, so that
little is done twice where this process dies."""

COPIED_AT_ONCE = 200
"""Passages, in one transaction: a third of a second of the database's time."""

Progress = Callable[[int, int], None]
"""Is told how many passages can be found, and how many there will be."""


async def ingest(library: Library, document_id: str, report_progress: Progress) -> None:
    """Read a document, embed what it says and keep that; or note in it why that cannot be.

    It may be begun again wherever it was stopped, also by two at once: what is there stays. Raises
    `Missing` if the document is gone, and `StorageError` or `InferenceError` where somebody else is
    away: then it should be begun again later.
    """
    database = library.database
    document = await database.run(partial(unfinished.get, document_id=document_id))
    if document.state in ("ready", "failed"):
        return
    await library.prepare()
    try:
        count = await _copied(library, document_id, report_progress)
        if count is None:
            with tempfile.TemporaryFile() as file:
                await _fetch(library, document, file)
                count = await _keep_all(library, document, file, report_progress)
    except (Unreadable, Unfit) as error:
        failed = partial(unfinished.fail, document_id=document_id, error=str(error))
        await database.run(failed)
    else:
        await database.run(partial(unfinished.finish, document_id=document_id, passages=count))
        report_progress(count, count)


async def _copied(library: Library, document_id: str, report: Progress) -> int | None:
    """How many passages it has now, where the same document was read already. None if there is no
    such one, or it goes meanwhile: what was copied stays, and reading goes on behind that.
    """
    database = library.database
    same = await database.run(partial(passages.same, document_id=document_id))
    if same is None:
        return None
    other_id, of = same
    copy = partial(passages.copy, document_id=document_id, other_id=other_id, most=COPIED_AT_ONCE)
    count = partial(passages.count, document_id=document_id)
    done = await database.run(count)
    while done < of:
        await database.run(partial(copy, first=done))
        before, done = done, await database.run(count)
        if done == before:
            return None
        report(done, of)
    return of


async def _fetch(library: Library, document: Document, file: IO[bytes]) -> None:
    for number in itertools.count():
        piece = await library.database.run(
            partial(unfinished.piece, document_id=document.id, number=number)
        )
        if piece is None:
            break
        await asyncio.to_thread(file.write, piece)
    await asyncio.to_thread(file.flush)


async def _keep_all(library: Library, document: Document, file: IO[bytes], report: Progress) -> int:
    """How many passages it has. Those that are kept already are not embedded again."""
    done = await library.database.run(partial(passages.count, document_id=document.id))
    async with reading(file, document.media_type) as read:
        report(done, read.count)
        async for batch in read.batches():
            rest = [passage for passage in batch if passage.number >= done]
            for first in range(0, len(rest), AT_ONCE):
                some = rest[first : first + AT_ONCE]
                meanings = await _meanings(library, some)
                keep = partial(passages.add, passages=some, embeddings=meanings, of=read.count)
                await library.database.run(partial(keep, document_id=document.id))
                report(some[-1].number + 1, read.count)
    return read.count


async def _meanings(library: Library, some: list[Passage]) -> list[tuple[float, ...]]:
    asked = [asyncio.ensure_future(library.meaning_of(passage)) for passage in some]
    try:
        return await asyncio.gather(*asked)
    finally:
        for task in asked:
            task.cancel()
