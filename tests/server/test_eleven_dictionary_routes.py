"""`/v1/pronunciation-dictionaries`, as strangers ask for them. (tests/peers has the real SDK.)"""

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from server import eleven_dictionary_routes
from server.access.caller import AS, Caller
from server.app import HANDLERS
from server.eleven import dictionaries as shapes
from server.eleven import errors
from server.eleven_dictionary_routes import MOST_FILE_BYTES
from storage import accounts, dictionaries
from storage.database import Database
from tests.server.eleven.test_dictionaries import ALIAS, PHONEME
from tests.server.eleven.test_pls import LAUGHS, W3C, zipped
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]

ROOT = "/v1/pronunciation-dictionaries"


class Desk:
    """The routes, asked by an account."""

    def __init__(self, client: httpx.AsyncClient, caller: Caller) -> None:
        self._client = client
        self._caller = caller

    async def ask(
        self, method: str, path: str = "", body: Any = None, **more: Any
    ) -> tuple[int, Any]:
        headers = {"caller": self._caller.told()}
        answer = await self._client.request(method, ROOT + path, json=body, headers=headers, **more)
        kind = answer.headers.get("content-type", "")
        return answer.status_code, answer.json() if "json" in kind else answer.text

    async def make(self, *rules: Any, name: str = "a") -> Any:
        body = {"name": name, "rules": rules or [ALIAS]}
        status, told = await self.ask("POST", "/add-from-rules", body)
        assert status == 200, told
        return told

    async def form(self, body: bytes) -> tuple[int, Any]:
        headers = {"caller": self._caller.told(), "content-type": "multipart/form-data; boundary=x"}
        answer = await self._client.post(ROOT + "/add-from-file", content=body, headers=headers)
        return answer.status_code, answer.json()

    async def upload(self, file: bytes, **fields: str) -> tuple[int, Any]:
        files = {"file": ("a.pls", file)}
        return await self.ask("POST", "/add-from-file", data=fields, files=files)


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    failing = errors.handlers(HANDLERS)
    app = Litestar(eleven_dictionary_routes.routes(database, failing), logging_config=None)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        scope[AS] = msgspec.json.decode(dict(scope["headers"])[b"caller"], type=Caller)
        await app(scope, receive, send)

    transport = httpx.ASGITransport(guarded)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


@pytest.fixture
async def bakery(client: httpx.AsyncClient, database: Database) -> Desk:
    account = await database.once(accounts.first)
    return Desk(client, Caller(account.id, scopes=("speech",)))


@pytest.fixture
async def mill(client: httpx.AsyncClient, database: Database) -> Desk:
    account = await database.once(lambda c: accounts.create(c, "Mill"))
    return Desk(client, Caller(account.id, scopes=("speech",)))


async def test_another_account_neither_sees_nor_changes_it(bakery: Desk, mill: Desk) -> None:
    made = await bakery.make()
    one, version = f"/{made['id']}", made["version_id"]
    assert (await mill.ask("GET"))[1]["pronunciation_dictionaries"] == []
    for method, path, body in (
        ("GET", one, None),
        ("PATCH", one, {"name": "b"}),
        ("DELETE", one, None),
        ("GET", f"{one}/{version}/download", None),
        ("POST", f"{one}/set-rules", {"rules": [ALIAS]}),
        ("POST", f"{one}/add-rules", {"rules": [ALIAS]}),
        ("POST", f"{one}/remove-rules", {"rule_strings": ["NASA"]}),
    ):
        status, told = await mill.ask(method, path, body)
        assert status == 404, path
        assert told["detail"]["status"] == "not_found"
        assert made["id"] in told["detail"]["message"]
    status, told = await mill.ask("GET", params={"cursor": made["id"]})
    assert (status, told["detail"]["status"]) == (400, "invalid_cursor")
    assert (await bakery.ask("GET", one))[1]["name"] == "a"


async def test_one_is_deleted_with_its_versions(bakery: Desk) -> None:
    made = await bakery.make()
    assert (await bakery.ask("DELETE", f"/{made['id']}"))[0] == 204
    for path in (f"/{made['id']}", f"/{made['id']}/{made['version_id']}/download"):
        assert (await bakery.ask("GET", path))[0] == 404


async def test_each_change_of_rules_is_a_version_and_what_is_no_change_is_none(
    bakery: Desk,
) -> None:
    made = await bakery.make(ALIAS, PHONEME)
    one = f"/{made['id']}"
    again = {**ALIAS, "alias": "N A S A", "case_sensitive": False}
    _, added = await bakery.ask("POST", f"{one}/add-rules", {"rules": [again]})
    assert added["version_rules_num"] == 2
    rules = (await bakery.ask("GET", one))[1]["rules"]
    assert [rule["string_to_replace"] for rule in rules] == ["tomato", "NASA"]
    assert rules[1] == {**again, "word_boundaries": True}
    for body in ({"rules": rules}, {"rules": [again]}):
        kind = "set-rules" if len(body["rules"]) == 2 else "add-rules"
        assert (await bakery.ask("POST", f"{one}/{kind}", body))[1] == added
    gone = {"rule_strings": ["NASA", "NASA", "nobody"]}
    _, removed = await bakery.ask("POST", f"{one}/remove-rules", gone)
    assert removed["version_rules_num"] == 1
    assert (await bakery.ask("POST", f"{one}/remove-rules", gone))[1] == removed
    _, empty = await bakery.ask("POST", f"{one}/remove-rules", {"rule_strings": ["tomato"]})
    assert empty["version_rules_num"] == 0
    for version, count in ((made, 2), (added, 2), (removed, 1), (empty, 0)):
        status, file = await bakery.ask("GET", f"{one}/{version['version_id']}/download")
        assert (status, file.count("<lexeme>")) == (200, count)


async def test_changes_at_once_do_not_undo_each_other(bakery: Desk) -> None:
    made = await bakery.make()
    one = f"/{made['id']}"
    told = await asyncio.gather(
        bakery.ask("PATCH", one, {"name": "b"}),
        *(
            bakery.ask("POST", f"{one}/add-rules", {"rules": [ALIAS | {"string_to_replace": name}]})
            for name in "abcdefgh"
        ),
    )
    assert [status for status, _ in told] == [200] * 9
    _, shown = await bakery.ask("GET", one)
    assert shown["name"] == "b"
    assert sorted(rule["string_to_replace"] for rule in shown["rules"]) == ["NASA", *"abcdefgh"]


async def test_a_change_without_anything_changes_nothing(bakery: Desk) -> None:
    made = await bakery.make()
    one = f"/{made['id']}"
    _, before = await bakery.ask("PATCH", one, {})
    assert (before["name"], before["archived_time_unix"]) == ("a", None)
    _, archived = await bakery.ask("PATCH", one, {"archived": True})
    assert archived["archived_time_unix"] >= archived["creation_time_unix"]
    assert (await bakery.ask("PATCH", one, {"name": "b"}))[1] == {**archived, "name": "b"}
    _, back = await bakery.ask("PATCH", one, {"archived": False, "name": "a"})
    assert back == before


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"rules": []}, "Expected `array` of length >= 1"),
        ({"rules": [ALIAS | {"string_to_replace": ""}]}, "Expected `str` of length >= 1"),
        ({"rules": [ALIAS] * 10_001}, "Expected `array` of length <= 10000"),
        ({"rules": [ALIAS], "name": ""}, "length >= 1"),
        ({"rules": [ALIAS], "name": "a" * 201}, "length <= 200"),
        ({"rules": [ALIAS], "workspace_access": "root"}, "root"),
        ({}, "rules"),
        ([], ""),
    ],
)
async def test_what_cannot_be_read_is_told_with_its_place(
    bakery: Desk, body: Any, told: str
) -> None:
    if isinstance(body, dict):
        body = {"name": "a"} | body
    status, answer = await bakery.ask("POST", "/add-from-rules", body)
    assert status == 422, answer
    assert told in str(answer["detail"])
    assert answer["detail"][0]["loc"][0] == "body"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (PHONEME | {"alphabet": "x-sampa"}, "'x-sampa' is not known: write ipa or cmu-arpabet"),
        (PHONEME | {"alphabet": "cmu-arpabet", "phoneme": "T AH9"}, "'AH9' is no sound"),
        (ALIAS | {"string_to_replace": "  "}, "rules[0].string_to_replace: is blank"),
        (ALIAS | {"alias": "\0"}, "rules[0].alias: has U+0000"),
    ],
)
async def test_what_cannot_be_said_is_told(bakery: Desk, rule: Any, told: str) -> None:
    status, answer = await bakery.ask("POST", "/add-from-rules", {"name": "a", "rules": [rule]})
    assert (status, answer["detail"]["status"]) == (400, "invalid_rule")
    assert told in answer["detail"]["message"]


async def test_a_dictionary_grows_to_so_many_rules(bakery: Desk) -> None:
    rules = [ALIAS | {"string_to_replace": str(number)} for number in range(10_000)]
    made = await bakery.make(*rules)
    status, told = await bakery.ask("POST", f"/{made['id']}/add-rules", {"rules": [ALIAS]})
    assert (status, told["detail"]["status"]) == (400, "too_many_rules")
    assert "would have 10001 rules: 10000 at most" in told["detail"]["message"]


async def test_who_speaks_does_not_wait_for_rules(
    bakery: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_loop = threading.get_ident()
    threads = set()

    def seen(work: Callable[..., Any]) -> Callable[..., Any]:
        def done(*given: Any) -> Any:
            threads.add(threading.get_ident())
            return work(*given)

        return done

    for name in ("rules_in", "with_added", "without", "with_rules"):
        monkeypatch.setattr(shapes, name, seen(getattr(shapes, name)))
    for name in ("decoded", "encoded"):
        monkeypatch.setattr(
            eleven_dictionary_routes, name, seen(getattr(eleven_dictionary_routes, name))
        )
    one = f"/{(await bakery.make(ALIAS))['id']}"
    for path, body in (
        (f"{one}/set-rules", {"rules": [PHONEME]}),
        (f"{one}/add-rules", {"rules": [ALIAS]}),
        (f"{one}/remove-rules", {"rule_strings": ["NASA"]}),
    ):
        assert (await bakery.ask("POST", path, body))[0] == 200
    assert (await bakery.upload(W3C, name="b"))[0] == 200
    assert (await bakery.ask("GET", one))[0] == 200
    assert threads
    assert on_the_loop not in threads


async def test_an_account_has_so_many(bakery: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionaries, "MOST", 1)
    await bakery.make()
    status, told = await bakery.ask("POST", "/add-from-rules", {"name": "b", "rules": [ALIAS]})
    assert (status, told["detail"]["status"]) == (429, "too_many")


async def test_a_body_that_is_too_large_is_refused(bakery: Desk) -> None:
    body = {"name": "a" * (9 << 20), "rules": [ALIAS]}
    assert (await bakery.ask("POST", "/add-from-rules", body))[0] == 413
    status, told = await bakery.upload(b"x" * (MOST_FILE_BYTES + 1), name="a")
    assert (status, told["detail"]["status"]) == (413, "too_large")


async def test_a_lexicon_becomes_a_dictionary(bakery: Desk) -> None:
    status, made = await bakery.upload(W3C, name="W3C", description="of words")
    assert (status, made["version_rules_num"], made["description"]) == (200, 6, "of words")
    _, shown = await bakery.ask("GET", f"/{made['id']}")
    assert shown["rules"][5]["alphabet"] == "cmu-arpabet"
    _, file = await bakery.ask("GET", f"/{made['id']}/{made['version_id']}/download")
    _, again = await bakery.upload(file.encode(), name="again")
    assert (await bakery.ask("GET", f"/{again['id']}"))[1]["rules"] == shown["rules"]


@pytest.mark.parametrize(
    ("file", "fields", "told"),
    [
        (W3C[:900], {"name": "a"}, "file: it is no XML: line"),
        (LAUGHS.encode(), {"name": "a"}, "DOCTYPE"),
        (zipped(), {"name": "a"}, "no XML"),
        (W3C.replace(b'"ipa"', b'"x-sampa"'), {"name": "a"}, "line 13: alphabet: 'x-sampa'"),
        (b"", {"name": "a"}, "empty"),
        (W3C, {}, "name"),
        (W3C, {"name": "a" * 201}, "$.name"),
        (W3C, {"name": "a", "workspace_access": "root"}, "$.workspace_access"),
        (W3C, {"name": "a\0"}, "cannot hold"),
    ],
)
async def test_what_is_no_lexicon_is_told(
    bakery: Desk, file: bytes, fields: dict[str, str], told: str
) -> None:
    status, answer = await bakery.upload(file, **fields)
    assert status == 400, answer
    assert told in answer["detail"]["message"]


async def test_a_file_is_needed(bakery: Desk) -> None:
    body = b'--x\r\ncontent-disposition: form-data; name="name"\r\n\r\na\r\n--x--\r\n'
    status, told = await bakery.form(body)
    assert (status, told["detail"]["status"]) == (400, "invalid_value")
    assert told["detail"]["message"] == "the form has no file: send one, as `file`"


def test_the_form_is_described_as_it_is_read(database: Database) -> None:
    failing = errors.handlers(HANDLERS)
    app = Litestar(eleven_dictionary_routes.routes(database, failing), logging_config=None)
    told = app.openapi_schema.to_schema()["paths"][f"{ROOT}/add-from-file"]["post"]["requestBody"]
    fields = told["content"]["multipart/form-data"]["schema"]["properties"]
    assert fields["name"] == {"type": "string", "minLength": 1, "maxLength": 200}
    assert fields["description"] == {"type": "string", "maxLength": 2000}
    access = ["admin", "editor", "commenter", "viewer"]
    assert list(fields["workspace_access"]["enum"]) == access


async def test_a_form_is_needed(bakery: Desk) -> None:
    status, told = await bakery.ask("POST", "/add-from-file", {"name": "a"})
    assert (status, told["detail"]["status"]) == (400, "invalid_value")


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": "0"},
        {"page_size": "101"},
        {"page_size": "x"},
        {"sort": "color"},
        {"sort_direction": "up"},
        {"include_archived": "perhaps"},
    ],
)
async def test_a_page_that_cannot_be_is_told(bakery: Desk, query: dict[str, str]) -> None:
    status, told = await bakery.ask("GET", params=query)
    assert status == 422
    assert told["detail"][0]["loc"] == ["query", *query]


@pytest.mark.parametrize("sort", ["name", "creation_time_unix"])
async def test_a_page_follows_one_whose_last_is_deleted(bakery: Desk, sort: str) -> None:
    for name in "abcd":
        await bakery.make(name=name)
    asked = {"page_size": "2", "sort": sort, "sort_direction": "ascending"}
    _, first = await bakery.ask("GET", params=asked)
    last = first["pronunciation_dictionaries"][-1]
    assert (last["name"], first["has_more"]) == ("b", True)
    await bakery.ask("DELETE", f"/{last['id']}")
    status, second = await bakery.ask("GET", params=asked | {"cursor": first["next_cursor"]})
    assert status == 200, second
    assert [one["name"] for one in second["pronunciation_dictionaries"]] == ["c", "d"]


@pytest.mark.parametrize(
    "told",
    ["", "x", "é", "dict_1", b"\xff", b"{}", b'["2026-01-01T00:00:00", "a", "b"]', b'["a", "b"]'],
)
async def test_a_cursor_that_leads_nowhere_is_told(bakery: Desk, told: str | bytes) -> None:
    cursor = told if isinstance(told, str) else base64.urlsafe_b64encode(told).decode()
    status, answer = await bakery.ask("GET", params={"cursor": cursor})
    assert (status, answer["detail"]["status"]) == (400, "invalid_cursor")


async def test_a_key_needs_the_scope_for_speech(
    client: httpx.AsyncClient, database: Database
) -> None:
    agents = Desk(client, Caller(accounts.FIRST, scopes=("agents",)))
    for method, path in (
        ("GET", ""),
        ("GET", "/a"),
        ("GET", "/a/b/download"),
        ("PATCH", "/a"),
        ("DELETE", "/a"),
        *(("POST", f"/{route}") for route in ("add-from-rules", "add-from-file")),
        *(("POST", f"/a/{kind}-rules") for kind in ("set", "add", "remove")),
    ):
        status, told = await agents.ask(method, path, {})
        assert (status, told["detail"]["status"]) == (403, "insufficient_scope"), path
