"""Documents become passages, whatever is in them and whatever happens meanwhile."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.inference import InferenceError
from server.beside import beside
from server.knowledge import desk as desk_module
from server.knowledge import ingest as ingest_module
from server.knowledge.desk import Desk
from server.knowledge.ingest import ingest
from server.knowledge.kinds import Unreadable
from server.knowledge.library import Library
from server.knowledge.read import Read
from server.knowledge.reader import BROKE, MOST_BYTES, TOO_LONG
from storage import accounts, knowledge, passages, unfinished
from storage.database import Connection, Database
from storage.errors import Missing, Unavailable
from storage.knowledge import Document, Upload
from tests.server.knowledge.meanings import Meanings
from tests.server.wire import until
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]

DATA = Path(__file__).parents[2] / "data" / "knowledge"

BOOK = "\n\n".join(f"# Chapter {n}\n\nIn chapter {n} the baker bakes bread {n}." for n in range(40))


class Shelf:
    """A collection, and what reads its documents."""

    def __init__(self, database: Database, collection: str) -> None:
        self.database = database
        self.collection = collection
        self.meanings = Meanings()
        self.library = Library(database, self.meanings)
        self.desk = Desk(self.library)
        self.told: list[tuple[int, int]] = []

    async def put(self, content: bytes | str, kind: str = "text/markdown") -> str:
        """A document; its id."""
        given = content.encode() if isinstance(content, str) else content
        upload = Upload("name", kind, hashlib.sha256(given).digest(), [given[:100], given[100:]])
        added, _ = await self.database.once(lambda c: knowledge.add(c, self.collection, upload))
        return added.id

    async def ingest(self, document_id: str) -> None:
        await ingest(self.library, document_id, lambda done, of: self.told.append((done, of)))

    async def document(self, document_id: str) -> Document:
        return await self.database.run(lambda c: unfinished.get(c, document_id))

    async def texts(self, document_id: str) -> list[str]:
        async def look(connection: Connection) -> list[str]:
            rows = await connection.fetch(
                "select text from passages where document_id = $1 order by number", document_id
            )
            return [row["text"] for row in rows]

        return await self.database.run(look)

    async def until(self, document_id: str, state: str, within_s: float = 30) -> Document:
        async def is_so() -> bool:
            return (await self.document(document_id)).state == state

        await until(is_so, within_s)
        return await self.document(document_id)


def readers() -> list[psutil.Process]:
    """The processes that read documents now."""
    children = psutil.Process().children()
    return [child for child in children if "server.knowledge.reader" in child.cmdline()]


async def a_reader() -> psutil.Process:
    """One that has become ours to end."""

    async def is_so() -> bool:
        return any(reader.nice() > os.nice(0) for reader in readers())

    await until(is_so, 20)
    return readers()[0]


@pytest.fixture
async def shelf(database: Database) -> AsyncIterator[Shelf]:
    account = (await database.once(accounts.first)).id
    made = await database.once(lambda c: knowledge.create(c, account, "Books"))
    yield Shelf(database, made.id)
    assert not readers()


async def test_a_document_is_read_embedded_and_found(shelf: Shelf) -> None:
    document = await shelf.put(BOOK)
    await shelf.ingest(document)
    ready = await shelf.document(document)
    assert (ready.state, ready.passages, ready.embedded) == ("ready", 40, 40)
    assert shelf.told[0] == (0, 40)
    assert shelf.told[-1] == (40, 40)
    assert shelf.told == sorted(shelf.told)
    assert await shelf.database.run(lambda c: unfinished.piece(c, document, 0)) is None
    found = await shelf.library.search("bread 17", [shelf.collection], account_id=None, most=3)
    assert (found[0].heading, found[0].number) == ("Chapter 17", 17)


@pytest.mark.parametrize(
    ("content", "kind", "why"),
    [
        (b"GIF89a is no PDF", "application/pdf", "no PDF"),
        ((DATA / "encrypted.pdf").read_bytes(), "application/pdf", "encrypted"),
        ((DATA / "blank.pdf").read_bytes(), "application/pdf", "OCR"),
        (b" ", "text/plain", "no text"),
        (bytes(range(256)) * 50, "text/plain", "it may be another kind"),
    ],
)
async def test_what_cannot_be_read_has_failed_and_says_why(
    shelf: Shelf, content: bytes, kind: str, why: str
) -> None:
    document = await shelf.put(content, kind)
    await shelf.ingest(document)
    failed = await shelf.document(document)
    assert failed.state == "failed"
    assert why in str(failed.error)
    assert await shelf.texts(document) == []
    await shelf.ingest(document)  # begun again, it stays so
    assert (await shelf.document(document)).state == "failed"


async def test_a_document_made_to_take_hours_is_given_up(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.knowledge.read.PATIENCE_S", 3.0)
    document = await shelf.put(b"<div>" * 300_000 + b"x", "text/html")  # takes 240 s
    await shelf.ingest(document)
    failed = await shelf.document(document)
    assert (failed.state, failed.error) == ("failed", TOO_LONG)


async def test_a_document_that_kills_its_reader_has_failed(shelf: Shelf) -> None:
    document = await shelf.put(b"<div>" * 300_000 + b"x", "text/html")
    reading = asyncio.create_task(shelf.ingest(document))
    (await a_reader()).kill()
    await reading
    failed = await shelf.document(document)
    assert (failed.state, failed.error) == ("failed", BROKE)


async def test_a_reader_that_dies_within_a_message_has_broken() -> None:
    output = asyncio.StreamReader()
    output.feed_data(b"\0\0\1\0 and then")
    output.feed_eof()
    with pytest.raises(Unreadable, match=BROKE):
        [batch async for batch in Read(7, output).batches()]


async def test_what_was_stopped_goes_on_where_it_was(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await shelf.put(BOOK)

    def stop(done: int, of: int) -> None:
        if done >= 16:
            raise InferenceError("worker_lost", "the worker was killed")

    with pytest.raises(InferenceError):
        await ingest(shelf.library, document, stop)
    assert len(await shelf.texts(document)) == 16
    shelf.meanings.texts.clear()
    await shelf.ingest(document)
    assert len(shelf.meanings.texts) == 24
    assert len(await shelf.texts(document)) == 40
    assert (await shelf.document(document)).state == "ready"


async def test_two_at_once_do_what_one_does(shelf: Shelf) -> None:
    document = await shelf.put(BOOK)
    await asyncio.gather(shelf.ingest(document), shelf.ingest(document))
    assert len(await shelf.texts(document)) == 40
    assert (await shelf.document(document)).state == "ready"


async def test_the_same_document_is_not_embedded_twice(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "COPIED_AT_ONCE", 15)
    document = await shelf.put(BOOK)
    await shelf.ingest(document)
    asked = len(shelf.meanings.texts)
    assert await shelf.put(BOOK) == document
    account = accounts.FIRST
    shelf.collection = (
        await shelf.database.once(lambda c: knowledge.create(c, account, "Other"))
    ).id
    copy = await shelf.put(BOOK)
    shelf.told.clear()
    await shelf.ingest(copy)
    assert shelf.told == [(15, 40), (30, 40), (40, 40), (40, 40)]  # a large one takes its time
    assert len(shelf.meanings.texts) == asked
    assert await shelf.texts(copy) == await shelf.texts(document)
    assert (await shelf.document(copy)).passages == 40


async def test_the_same_document_that_goes_while_it_is_copied_is_read(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "COPIED_AT_ONCE", 15)
    document, first = await shelf.put(BOOK), shelf.collection
    await shelf.ingest(document)
    texts = await shelf.texts(document)
    shelf.collection = (
        await shelf.database.once(lambda c: knowledge.create(c, accounts.FIRST, "Other"))
    ).id
    copy, copying = await shelf.put(BOOK), passages.copy

    async def go(connection: Connection, **named: Any) -> None:
        await copying(connection, **named)
        if named["first"] == 0:
            await knowledge.delete_document(connection, document, first)

    monkeypatch.setattr(passages, "copy", go)
    shelf.meanings.texts.clear()
    await shelf.ingest(copy)
    assert (await shelf.document(copy)).state == "ready"
    assert await shelf.texts(copy) == texts
    assert len(shelf.meanings.texts) == 25


async def test_a_document_that_is_gone_is_missing(shelf: Shelf) -> None:
    document = await shelf.put(BOOK)
    await shelf.database.once(lambda c: knowledge.delete_document(c, document, shelf.collection))
    with pytest.raises(Missing):
        await shelf.ingest(document)


async def test_the_desk_reads_what_lies_there_and_what_comes(shelf: Shelf) -> None:
    lay, broken = await shelf.put(BOOK), await shelf.put(b"no", "application/pdf")
    async with beside(shelf.desk.run()):
        await shelf.until(lay, "ready")
        await shelf.until(broken, "failed")
        came = await shelf.put("# Another\n\nbook", "text/markdown")
        shelf.desk.put()
        await shelf.until(came, "ready", within_s=desk_module.LOOK_EVERY_S - 1)


async def test_the_desk_waits_for_a_model_that_is_away(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "PAUSE", desk_module.LEASE * 0)
    monkeypatch.setattr(desk_module, "LOOK_EVERY_S", 0.05)
    shelf.meanings.away = True
    document = await shelf.put(BOOK)

    async def waits() -> bool:
        return (await shelf.document(document)).error == "the embed worker was lost"

    async with beside(shelf.desk.run()):
        await until(waits, 20)
        shelf.meanings.away = False
        assert (await shelf.until(document, "ready")).error is None


async def test_the_desk_goes_on_when_the_database_is_back(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(desk_module, "LEASE", desk_module.LEASE / 100)
    document = await shelf.put(BOOK)
    once, refused = shelf.database.once, 0

    async def away(*given: Any, **named: Any) -> Any:
        nonlocal refused
        done = len(shelf.meanings.texts)
        if done >= 16 and refused < 40:
            refused += 1
            raise Unavailable("the database does not answer")
        return await once(*given, **named)

    monkeypatch.setattr(shelf.database, "once", away)
    monkeypatch.setattr("storage.database.PATIENCE_S", 0.1)
    async with beside(shelf.desk.run()):
        await shelf.until(document, "ready")
    assert refused == 40
    assert len(await shelf.texts(document)) == 40


async def test_an_error_of_ours_keeps_the_desk_from_no_other_document(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "LOOK_EVERY_S", 0.05)
    cursed, good = await shelf.put(BOOK), await shelf.put("# Another\n\nbook")

    async def err(library: Library, document_id: str, *given: Any) -> None:
        if document_id == cursed:
            raise ZeroDivisionError
        await ingest(library, document_id, *given)

    monkeypatch.setattr(desk_module, "ingest", err)
    async with beside(shelf.desk.run()):
        await shelf.until(good, "ready")
    waits = await shelf.document(cursed)
    assert (waits.state, waits.error) == ("waiting", desk_module.OURS)


async def test_a_desk_that_is_stopped_lays_the_document_back(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "AT_ONCE", 1)
    document = await shelf.put(BOOK * 10)  # more than is read before anybody looks

    async def begun() -> bool:
        return bool(await shelf.texts(document))

    async with beside(shelf.desk.run()):
        await until(begun, 20)
    assert (await shelf.document(document)).state == "waiting"
    async with beside(Desk(shelf.library).run()):  # that of another gateway
        await shelf.until(document, "ready")


async def test_the_reader_shares_no_secrets_and_few_resources(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEFORGE_DATABASE_URL", "postgresql://secret")
    document = await shelf.put(b"<div>" * 300_000 + b"x", "text/html")
    reading = asyncio.create_task(shelf.ingest(document))
    seen = await a_reader()
    assert "VOICEFORGE_DATABASE_URL" not in seen.environ()

    async def limited() -> bool:
        return bool(seen.rlimit(psutil.RLIMIT_AS)[0] == MOST_BYTES)

    await until(limited, 5)
    reading.cancel()
    await asyncio.wait([reading])
