"""The pronunciation dictionaries that a text is to be spoken with."""

import asyncio
from collections.abc import Sequence

import msgspec

from actors.dictionary import Dictionary, Rule
from server.access.caller import Caller
from server.access.denied import Denied
from storage import dictionaries
from storage.database import Connection, Database
from storage.errors import Missing

MOST = 3
"""For one text, as with ElevenLabs."""

MOST_KEPT_RULES = 50_000
"""In memory: some ten megabytes, as people write them."""

NONE = Dictionary()


class Locator(msgspec.Struct, frozen=True):
    """A dictionary, at this version or at the latest."""

    pronunciation_dictionary_id: str
    version_id: str | None = None


class Dictionaries:
    """Finds them, and remembers those that were used last: a version never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[tuple[str, ...], Dictionary] = {}

    async def of(self, caller: Caller, locators: Sequence[Locator]) -> Dictionary:
        """All of them as one; earlier ones go before later ones. Raises `Denied`, `StorageError`.

        Of ten thousand rules it takes tens of ms to find those that fit a long text: ask in a
        thread.
        """
        if not locators:
            return NONE
        if len(locators) > MOST:
            text = f"{len(locators)} pronunciation dictionaries are asked for: {MOST} at most"
            raise Denied(400, "too_many_pronunciation_dictionaries", text)
        owner = caller.account_id
        if owner is None:
            raise Denied(400, "no_account", "dictionaries belong to an account: ask with a key")
        versions = await self._database.run(lambda c: found(c, owner, locators))
        dictionary = self._kept.pop(versions, None)
        if dictionary is None:
            rules = await self._database.run(lambda c: rules_of(c, versions))
            dictionary = await asyncio.to_thread(built, rules)
        self._keep(versions, dictionary)
        return dictionary

    def _keep(self, versions: tuple[str, ...], dictionary: Dictionary) -> None:
        """As the last one; the first ones go, if they are too many."""
        self._kept[versions] = dictionary
        rules = sum(len(kept.rules) for kept in self._kept.values())
        while rules > MOST_KEPT_RULES:
            first = next(iter(self._kept))
            rules -= len(self._kept.pop(first).rules)


async def found(connection: Connection, owner: str, locators: Sequence[Locator]) -> tuple[str, ...]:
    """The ids of their versions. Raises `Denied`."""
    versions = []
    for locator in locators:
        dictionary_id = locator.pronunciation_dictionary_id
        try:
            one = await dictionaries.get(connection, owner, dictionary_id, locator.version_id)
        except Missing as error:
            raise Denied(404, "pronunciation_dictionary_not_found", str(error)) from error
        if one.archived_at is not None:
            text = f"pronunciation dictionary {one.id} is archived: take it out of the archive"
            raise Denied(400, "pronunciation_dictionary_archived", text)
        versions.append(one.version_id)
    return tuple(versions)


async def rules_of(connection: Connection, versions: Sequence[str]) -> list[str]:
    """The rules of each, in JSON."""
    return [await dictionaries.rules_of(connection, version) for version in versions]


def built(rules: Sequence[str]) -> Dictionary:
    """One of all these."""
    return Dictionary(rule for some in rules for rule in decoded(some))


def decoded(rules: str) -> list[Rule]:
    """As they are kept."""
    return msgspec.json.decode(rules, type=list[Rule])


def encoded(rules: Sequence[Rule]) -> str:
    """To be kept."""
    return msgspec.json.encode(rules).decode()
