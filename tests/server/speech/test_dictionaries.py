"""The dictionaries that a text is to be spoken with."""

import pytest

from actors.dictionary import Dictionary, Rule
from server.access.caller import OURSELVES, Caller
from server.access.denied import Denied
from server.speech import dictionaries as speech
from server.speech.dictionaries import Dictionaries, Locator, encoded
from storage import accounts, dictionaries
from storage.database import Database
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]


class Account:
    """An account with dictionaries."""

    def __init__(self, database: Database, account_id: str) -> None:
        self.database = database
        self.caller = Caller(account_id, scopes=("speech",))
        self.id = account_id

    async def make(self, *rules: Rule) -> dictionaries.Dictionary:
        kept = encoded(rules)
        return await self.database.once(lambda c: dictionaries.create(c, self.id, "a", None, kept))

    async def set_rules(
        self, dictionary: dictionaries.Dictionary, *rules: Rule
    ) -> dictionaries.Dictionary:
        kept = encoded(rules)
        return await self.database.once(lambda c: dictionaries.set_rules(c, dictionary, kept))


@pytest.fixture
async def account(database: Database) -> Account:
    return Account(database, (await database.once(accounts.first)).id)


def told(dictionary: Dictionary, text: str) -> list[str]:
    return [one.alias for one in dictionary.said(text)]


async def test_several_are_one_and_the_earlier_go_first(account: Account) -> None:
    first = await account.make(Rule("a", "1"), Rule("b c", "2"))
    second = await account.make(Rule("a", "3"), Rule("b", "4"), Rule("c", "5"))
    found = Dictionaries(account.database)
    locators = [Locator(first.id), Locator(second.id)]
    assert told(await found.of(account.caller, locators), "a b c") == ["1", "2"]
    locators.reverse()
    assert told(await found.of(account.caller, locators), "a b c b") == ["3", "2", "4"]
    assert (await found.of(OURSELVES, [])).rules == ()


async def test_the_latest_version_is_taken_unless_one_is_named(account: Account) -> None:
    first = await account.make(Rule("a", "1"))
    found = Dictionaries(account.database)
    assert told(await found.of(account.caller, [Locator(first.id)]), "a") == ["1"]
    second = await account.set_rules(first, Rule("a", "2"))
    assert told(await found.of(account.caller, [Locator(first.id)]), "a") == ["2"]
    for version, alias in ((first, "1"), (second, "2")):
        locator = Locator(version.id, version.version_id)
        assert told(await found.of(account.caller, [locator]), "a") == [alias]


async def test_what_cannot_be_had_is_told(account: Account) -> None:
    mine = await account.make(Rule("a", "1"))
    mill = await account.database.once(lambda c: accounts.create(c, "Mill"))
    theirs = await Account(account.database, mill.id).make(Rule("a", "2"))
    found = Dictionaries(account.database)
    for locator in (
        Locator("dict_none"),
        Locator(theirs.id),
        Locator(mine.id, theirs.version_id),
        Locator(mine.id, "dictver_none"),
    ):
        with pytest.raises(Denied, match="there is no pronunciation dictionary") as refused:
            await found.of(account.caller, [Locator(mine.id), locator])
        assert refused.value.status == 404
    with pytest.raises(Denied, match="4 pronunciation dictionaries are asked for: 3 at most"):
        await found.of(account.caller, [Locator(mine.id)] * 4)
    with pytest.raises(Denied, match="ask with a key"):
        await found.of(OURSELVES, [Locator(mine.id)])


async def test_one_that_was_used_may_still_be_archived_or_deleted(account: Account) -> None:
    mine = await account.make(Rule("a", "1"))
    found = Dictionaries(account.database)
    await found.of(account.caller, [Locator(mine.id)])
    await account.database.once(lambda c: dictionaries.change(c, mine, "a", archived=True))
    for locator in (Locator(mine.id), Locator(mine.id, mine.version_id)):
        with pytest.raises(Denied, match=f"{mine.id} is archived"):
            await found.of(account.caller, [locator])
    await account.database.once(lambda c: dictionaries.delete(c, account.id, mine.id))
    with pytest.raises(Denied, match="there is no"):
        await found.of(account.caller, [Locator(mine.id)])


async def test_those_that_were_used_last_are_remembered(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "MOST_KEPT_RULES", 2)
    made = [await account.make(Rule("a", str(number))) for number in range(3)]
    found = Dictionaries(account.database)

    async def use(number: int) -> Dictionary:
        return await found.of(account.caller, [Locator(made[number].id)])

    first, second = await use(0), await use(1)
    assert await use(0) is first
    await use(2)
    assert await use(0) is first
    assert await use(1) is not second
    big = await account.make(*(Rule(str(number), "x") for number in range(3)))
    assert len((await found.of(account.caller, [Locator(big.id)])).rules) == 3
