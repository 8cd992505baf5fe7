"""Collections and their documents."""

from datetime import timedelta
from functools import partial

import asyncpg
import pytest

from storage import accounts, knowledge, unfinished
from storage.database import Database
from storage.errors import Missing, TooMany, Unfit
from storage.knowledge import Upload

HOURS = Upload("hours.txt", "text/plain", b"1" * 32, [b"We are open ", b"until six."])


async def test_collections_are_their_accounts_own(connection: asyncpg.Connection) -> None:
    ours, theirs = [(await accounts.create(connection, name)).id for name in ("Ours", "Theirs")]
    menu = await knowledge.create(connection, ours, "Menu")
    prices = await knowledge.create(connection, ours, "Preise", "de")
    other = await knowledge.create(connection, theirs, "Other")
    assert await knowledge.listed(connection, ours) == [menu, prices]
    assert await knowledge.listed(connection, ours, after=menu.id) == [prices]
    assert await knowledge.listed(connection, most=2) == [menu, prices]
    assert await knowledge.get(connection, other.id) == other
    for refused in (
        knowledge.get(connection, other.id, ours),
        knowledge.delete(connection, other.id, ours),
        knowledge.documents(connection, other.id, ours),
        knowledge.add(connection, other.id, HOURS, ours),
    ):
        with pytest.raises(Missing, match=other.id):
            await refused
    with pytest.raises(Missing, match="acc_none"):
        await knowledge.create(connection, "acc_none", "Menu")
    await accounts.delete(connection, ours)
    assert await knowledge.listed(connection) == [other]


async def test_a_document_is_in_a_collection_once(connection: asyncpg.Connection) -> None:
    account = (await accounts.first(connection)).id
    menu, other = [(await knowledge.create(connection, account, name)).id for name in ("A", "B")]
    first, new = await knowledge.add(connection, menu, HOURS)
    assert (first.state, first.size_bytes, new) == ("waiting", 22, True)
    assert await knowledge.add(connection, menu, HOURS) == (first, False)
    assert (await knowledge.add(connection, other, HOURS))[1]
    assert await knowledge.documents(connection, menu) == [first]
    assert [await unfinished.piece(connection, first.id, at) for at in range(3)] == [
        b"We are open ",
        b"until six.",
        None,
    ]
    with pytest.raises(Missing):
        await knowledge.document(connection, first.id, other)
    await knowledge.delete_document(connection, first.id, menu)
    assert await knowledge.documents(connection, menu) == []
    assert await unfinished.piece(connection, first.id, 0) is None


async def test_what_failed_is_tried_again_when_it_comes_again(
    connection: asyncpg.Connection,
) -> None:
    account = (await accounts.first(connection)).id
    menu = (await knowledge.create(connection, account, "Menu")).id
    document, _ = await knowledge.add(connection, menu, HOURS)
    await unfinished.fail(connection, document.id, "it is no PDF")
    failed = await knowledge.document(connection, document.id, menu)
    assert (failed.state, failed.error) == ("failed", "it is no PDF")
    assert await unfinished.piece(connection, document.id, 0) is None
    again, new = await knowledge.add(connection, menu, HOURS)
    assert (again.id, again.state, again.error, new) == (document.id, "waiting", None, True)
    assert await unfinished.piece(connection, document.id, 1) == b"until six."


async def test_a_claimed_document_is_nobody_elses_until_its_lease_ends(database: Database) -> None:
    long, none = timedelta(minutes=1), timedelta()
    account = (await database.once(accounts.first)).id
    menu = (await database.once(lambda c: knowledge.create(c, account, "Menu"))).id
    document, _ = await database.once(lambda c: knowledge.add(c, menu, HOURS))
    assert await database.once(lambda c: unfinished.claim(c, long)) == document.id
    assert await database.once(lambda c: unfinished.claim(c, long)) is None
    await database.once(lambda c: unfinished.renew(c, document.id, none))  # as if it had died
    assert await database.once(lambda c: unfinished.claim(c, long)) == document.id
    await database.once(lambda c: unfinished.postpone(c, document.id, "no model", long))
    waiting = await database.once(lambda c: unfinished.get(c, document.id))
    assert (waiting.state, waiting.error) == ("waiting", "no model")
    assert await database.once(lambda c: unfinished.claim(c, long)) is None
    await database.once(lambda c: unfinished.finish(c, document.id, 3))
    await database.once(lambda c: unfinished.renew(c, document.id, none))
    assert await database.once(lambda c: unfinished.claim(c, long)) is None
    ready = await database.once(lambda c: unfinished.get(c, document.id))
    assert (ready.state, ready.passages, ready.embedded) == ("ready", 3, 3)


async def test_there_are_so_many_and_no_more(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "MOST_COLLECTIONS", 1)
    monkeypatch.setattr(knowledge, "MOST_DOCUMENTS", 1)
    account = (await accounts.first(connection)).id
    menu = (await knowledge.create(connection, account, "Menu")).id
    with pytest.raises(TooMany, match="has 1 collections"):
        await knowledge.create(connection, account, "More")
    await knowledge.add(connection, menu, HOURS)
    with pytest.raises(TooMany, match="has 1 documents"):
        await knowledge.add(connection, menu, HOURS)


async def test_a_name_with_a_nul_is_unfit(database: Database) -> None:
    account = (await database.once(accounts.first)).id
    with pytest.raises(Unfit):
        await database.once(lambda c: knowledge.create(c, account, "a\0b"))


async def test_accounts_take_turns_however_much_one_of_them_brings(database: Database) -> None:
    lease = timedelta(minutes=1)
    names: dict[str, str] = {}

    async def bring(account: str, count: int) -> None:
        made = (await database.once(lambda c: accounts.create(c, account))).id
        shelf = (await database.once(lambda c: knowledge.create(c, made, "Shelf"))).id
        for number in range(count):
            upload = Upload(f"{number}", "text/plain", f"{account} {number}".encode(), [b"x"])
            document, _ = await database.once(
                partial(knowledge.add, collection_id=shelf, upload=upload)
            )
            names[document.id] = f"{account} {number}"

    await bring("library", 3)
    await bring("shop", 2)
    claimed = [await database.once(lambda c: unfinished.claim(c, lease)) for _ in range(6)]
    told = [names[ident] for ident in claimed if ident is not None]
    assert told == ["library 0", "shop 0", "library 1", "shop 1", "library 2"]
    assert claimed[-1] is None
