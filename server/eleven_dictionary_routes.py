"""`/v1/pronunciation-dictionaries`: how words are said, as ElevenLabs' SDKs tell it."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal, get_args

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from actors.dictionary import Rule
from server.access.authority import Needs, owner_of
from server.access.denied import Denied
from server.eleven import dictionaries as shapes
from server.eleven import errors, pls
from server.eleven.dictionaries import (
    DictionaryChange,
    DictionaryMetadata,
    DictionaryPage,
    DictionaryVersion,
    DictionaryWithRules,
    MadeDictionary,
    NewDictionary,
    NewFromFile,
    NewRules,
    RuleStrings,
)
from server.forms import Forms
from server.media_types import BINARY, sends
from server.speech.dictionaries import decoded, encoded
from storage import dictionaries
from storage.database import Connection, Database
from storage.dictionaries import Dictionary, Order

SPEECH = [Needs("speech")]
MANY, NAMED, CHANGED = errors.refusals(), errors.refusals(404), errors.refusals(404, 413)
SENT = errors.refusals(404, 408, 413)

MOST_FILE_BYTES = 4 << 20
MOST_BODY_BYTES = 8 << 20
"""Of ten thousand rules, as people write them, each has ten times what it needs."""

KEEP_S = 30.0
"""For the database to take that, and for a change that waits until it has."""

PAGE = 30
Size = Annotated[int, QueryParameter(ge=1, le=100)]
Sort = Literal["creation_time_unix", "created_at_unix", "name"]
Direction = Literal["ascending", "descending", "ASCENDING", "DESCENDING"]

FORM = Schema(
    type=OpenAPIType.OBJECT,
    required=["name", "file"],
    properties={
        "name": Schema(type=OpenAPIType.STRING, min_length=1, max_length=shapes.LONGEST_NAME),
        "file": BINARY,
        "description": Schema(type=OpenAPIType.STRING, max_length=shapes.LONGEST_DESCRIPTION),
        "workspace_access": Schema(type=OpenAPIType.STRING, enum=get_args(shapes.Access)),
    },
)

ROOT = "/v1/pronunciation-dictionaries"
ONE = ROOT + "/{dictionary_id:str}"

Asked = Request[Any, Any, Any]
Changing = Callable[[list[Rule]], list[Rule]]


def routes(database: Database, failing: errors.Handlers) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records; `failing` says what goes wrong."""
    forms = Forms(MOST_FILE_BYTES)

    @post(
        ROOT + "/add-from-rules",
        guards=SPEECH,
        status_code=200,
        request_max_body_size=MOST_BODY_BYTES,
        responses=CHANGED,
        exception_handlers=failing,
        summary="Make a pronunciation dictionary (ElevenLabs' dialect)",
    )
    async def add_from_rules(request: Asked, data: JSONBody[NewDictionary]) -> MadeDictionary:
        """Of the account of the key. A rule says a string as an alias is said, or as phonemes tell.
        Of rules that fit at a place the longest is taken, and of two for the same the earlier.
        """
        rules = await asyncio.to_thread(lambda: encoded(shapes.rules_in(data.rules)))
        return await make(request, data.name, data.description, rules)

    @post(
        ROOT + "/add-from-file",
        guards=SPEECH,
        status_code=200,
        request_max_body_size=2 * MOST_FILE_BYTES,
        responses=SENT,
        exception_handlers=failing,
        operation_class=sends(json=True, form=FORM),
        summary="Make one from a lexicon",
    )
    async def add_from_file(request: Asked) -> MadeDictionary:
        """In PLS, the W3C's Pronunciation Lexicon Specification 1.0, of at most 4 MB."""
        async with forms.received(request, owner_of(request.scope)) as form:
            asked = from_file(form.fields)
            file = form.sent
            rules = await asyncio.to_thread(lambda: encoded(lexicon(file.read())))
        return await make(request, asked.name, asked.description, rules)

    async def make(
        request: Asked, name: str, description: str | None, rules: str
    ) -> MadeDictionary:
        owner = owner_of(request.scope)
        return shapes.made(
            await database.once(
                lambda c: dictionaries.create(c, owner, name, description, rules), KEEP_S
            )
        )

    @get(
        ROOT,
        guards=SPEECH,
        responses=MANY,
        exception_handlers=failing,
        summary="The pronunciation dictionaries",
    )
    async def list_dictionaries(
        request: Asked,
        cursor: FromQuery[str | None] = None,
        page_size: Size = PAGE,
        sort: FromQuery[Sort] = "creation_time_unix",
        sort_direction: FromQuery[Direction] = "descending",
        include_archived: FromQuery[bool] = False,
    ) -> DictionaryPage:
        """Of the account, so many at a time, at their latest versions."""
        owner = owner_of(request.scope)
        order: Order = "name" if sort == "name" else "created_at"
        after = None if cursor is None else shapes.place(cursor)
        found = await database.run(
            lambda c: dictionaries.listed(
                c,
                owner,
                after,
                page_size + 1,
                order=order,
                descending=sort_direction.lower() == "descending",
                archived=include_archived,
            )
        )
        shown, more = found[:page_size], len(found) > page_size
        told = [shapes.metadata(one) for one in shown]
        return DictionaryPage(told, more, shapes.cursor(shown[-1]) if more else None)

    @get(
        ONE,
        guards=SPEECH,
        responses=NAMED,
        exception_handlers=failing,
        summary="A pronunciation dictionary",
    )
    async def get_dictionary(dictionary_id: FromPath[str], request: Asked) -> DictionaryWithRules:
        """At its latest version, with its rules."""
        owner = owner_of(request.scope)
        kept, rules = await database.run(lambda c: read(c, owner, dictionary_id))
        return await asyncio.to_thread(lambda: shapes.with_rules(kept, decoded(rules)))

    @patch(
        ONE,
        guards=SPEECH,
        responses=NAMED,
        exception_handlers=failing,
        summary="Rename a pronunciation dictionary, or archive it",
    )
    async def change_dictionary(
        dictionary_id: FromPath[str], request: Asked, data: JSONBody[DictionaryChange]
    ) -> DictionaryMetadata:
        """Nothing is spoken with one in the archive, until `archived` is false again."""
        owner = owner_of(request.scope)

        async def change(connection: Connection) -> Dictionary:
            there = await dictionaries.get(connection, owner, dictionary_id, lock=True)
            name = there.name if data.name is None else data.name
            was = there.archived_at is not None
            archived = was if data.archived is None else data.archived
            return await dictionaries.change(connection, there, name, archived)

        return shapes.metadata(await database.once(change, KEEP_S))

    @delete(
        ONE,
        guards=SPEECH,
        responses=NAMED,
        exception_handlers=failing,
        summary="Delete a pronunciation dictionary",
    )
    async def delete_dictionary(dictionary_id: FromPath[str], request: Asked) -> None:
        """With all its versions. ElevenLabs only archives them."""
        owner = owner_of(request.scope)
        await database.once(lambda c: dictionaries.delete(c, owner, dictionary_id), KEEP_S)

    @post(
        ONE + "/set-rules",
        guards=SPEECH,
        status_code=200,
        request_max_body_size=MOST_BODY_BYTES,
        responses=CHANGED,
        exception_handlers=failing,
        summary="Set the rules of a pronunciation dictionary",
    )
    async def set_rules(
        dictionary_id: FromPath[str], request: Asked, data: JSONBody[NewRules]
    ) -> DictionaryVersion:
        """In place of all that it has. Rules that differ are a new version; earlier ones stay."""
        owner = owner_of(request.scope)
        rules = await asyncio.to_thread(lambda: encoded(shapes.rules_in(data.rules)))

        async def change(connection: Connection) -> Dictionary:
            there = await dictionaries.get(connection, owner, dictionary_id, lock=True)
            return await dictionaries.set_rules(connection, there, rules)

        return shapes.versioned(await database.once(change, KEEP_S))

    @post(
        ONE + "/add-rules",
        guards=SPEECH,
        status_code=200,
        request_max_body_size=MOST_BODY_BYTES,
        responses=CHANGED,
        exception_handlers=failing,
        summary="Add rules to a pronunciation dictionary",
    )
    async def add_rules(
        dictionary_id: FromPath[str], request: Asked, data: JSONBody[NewRules]
    ) -> DictionaryVersion:
        """Behind those that it has, and in place of those for the same strings."""
        added = await asyncio.to_thread(shapes.rules_in, data.rules)
        return await revise(request, dictionary_id, lambda rules: shapes.with_added(rules, added))

    @post(
        ONE + "/remove-rules",
        guards=SPEECH,
        status_code=200,
        responses=CHANGED,
        exception_handlers=failing,
        summary="Remove rules from a pronunciation dictionary",
    )
    async def remove_rules(
        dictionary_id: FromPath[str], request: Asked, data: JSONBody[RuleStrings]
    ) -> DictionaryVersion:
        """Those for these strings. A string without any changes nothing."""
        strings = frozenset(data.rule_strings)
        return await revise(request, dictionary_id, lambda rules: shapes.without(rules, strings))

    async def revise(request: Asked, dictionary_id: str, changed: Changing) -> DictionaryVersion:
        """From the rules that it has. They are changed while nobody waits for them, and again if
        they were others meanwhile: then somebody else's change was made.
        """
        owner = owner_of(request.scope)

        async def keep(connection: Connection, was: Dictionary, rules: str) -> Dictionary | None:
            there = await dictionaries.get(connection, owner, dictionary_id, lock=True)
            if there.version_id != was.version_id:
                return None
            return await dictionaries.set_rules(connection, there, rules)

        while True:
            was, kept = await database.run(lambda c: read(c, owner, dictionary_id))
            rules = await asyncio.to_thread(revised, kept, changed)
            now = await database.once(partial(keep, was=was, rules=rules), KEEP_S)
            if now is not None:
                return shapes.versioned(now)

    @get(
        ONE + "/{version_id:str}/download",
        guards=SPEECH,
        responses=NAMED,
        exception_handlers=failing,
        operation_class=sends(pls.MEDIA_TYPE),
        summary="A version of a pronunciation dictionary as a lexicon",
    )
    async def download(
        dictionary_id: FromPath[str], version_id: FromPath[str], request: Asked
    ) -> Response[bytes]:
        """In PLS, which cannot say that a rule holds in any case, or inside words."""
        owner = owner_of(request.scope)
        _, rules = await database.run(lambda c: read(c, owner, dictionary_id, version_id))
        file = await asyncio.to_thread(lambda: pls.written(decoded(rules)).encode())
        return Response(file, media_type=pls.MEDIA_TYPE)

    return [
        add_from_rules,
        add_from_file,
        list_dictionaries,
        get_dictionary,
        change_dictionary,
        delete_dictionary,
        set_rules,
        add_rules,
        remove_rules,
        download,
    ]


async def read(
    connection: Connection, owner: str, dictionary_id: str, version_id: str | None = None
) -> tuple[Dictionary, str]:
    """A dictionary, and its rules. Raises `Missing`."""
    found = await dictionaries.get(connection, owner, dictionary_id, version_id)
    return found, await dictionaries.rules_of(connection, found.version_id)


def revised(kept: str, changed: Changing) -> str:
    """Rules, changed. Raises `Denied`."""
    rules = changed(decoded(kept))
    shapes.not_too_many(rules)
    return encoded(rules)


def from_file(fields: dict[str, list[str]]) -> NewFromFile:
    """What a form asks for. Raises `Denied`."""
    told = {name: values[-1] for name, values in fields.items() if values[-1]}
    try:
        return msgspec.convert(told, NewFromFile)
    except msgspec.ValidationError as error:
        raise Denied(400, "invalid_value", str(error)) from error


def lexicon(file: bytes) -> list[Rule]:
    """The rules in a file. Raises `Denied`."""
    try:
        return pls.read(file)
    except pls.PlsError as error:
        raise Denied(400, "invalid_lexicon", f"file: {error}") from error
