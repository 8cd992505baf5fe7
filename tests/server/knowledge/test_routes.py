"""`/v1/knowledge` behind the real guard, with a real database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.beside import beside
from server.knowledge.upload import MOST_AT_ONCE, MOST_BYTES
from storage import passages
from storage.errors import ExtensionMissing
from storage.knowledge import DICTIONARIES
from tests.server.access.test_routes import Site, site
from tests.server.wire import until
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "site", "url"]

DATA = Path(__file__).parents[2] / "data" / "knowledge"
FORM_WITHOUT_FILE = b'--y\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--y--\r\n'
MENU = "# Menu\n\nRye bread costs four euros.\n\n# Hours\n\nWe close at six."


class Shop:
    """An account with a key for its agents, and a collection."""

    def __init__(self, site: Site, key: str) -> None:
        self.site = site
        self.key = key
        self.id = ""

    @property
    def route(self) -> str:
        return f"/v1/knowledge/{self.id}"

    async def ask(self, method: str, path: str = "", body: Any = None) -> tuple[int, Any]:
        return await self.site.ask(method, self.route + path, body, key=self.key)

    async def send(
        self, content: Any, kind: str = "text/markdown", name: str = "menu.md", **more: Any
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.key}"} | ({"content-type": kind} if kind else {})
        return await self.site.client.post(
            f"{self.route}/documents",
            params={"name": name} if name else {},
            headers=headers,
            **({"content": content} if content is not None else {}),
            **more,
        )

    async def ended(self, document_id: str) -> Any:
        """The document, once it is ready or has failed."""
        told: Any = None

        async def is_so() -> bool:
            nonlocal told
            _, told = await self.ask("GET", f"/documents/{document_id}")
            return told["state"] in ("ready", "failed")

        await until(is_so, 30)
        return told


async def opened(site: Site, name: str) -> Shop:
    _, account = await site.ask("POST", "/v1/admin/accounts", {"name": name})
    made = await site.make({"account_id": account["id"], "scopes": ["agents"]})
    shop = Shop(site, made["secret"])
    status, collection = await site.ask("POST", "/v1/knowledge", {"name": name}, key=shop.key)
    assert (status, collection["account_id"]) == (201, account["id"])
    shop.id = collection["id"]
    return shop


@pytest.fixture
async def shop(site: Site) -> AsyncIterator[Shop]:
    async with beside(site.desk.run()):
        yield await opened(site, "Shop")


async def test_a_document_is_sent_read_found_and_deleted(shop: Shop) -> None:
    answer = await shop.send(MENU)
    came = answer.json()
    assert (answer.status_code, came["name"], came["media_type"]) == (
        201,
        "menu.md",
        "text/markdown",
    )
    ready = await shop.ended(came["id"])
    assert (ready["state"], ready["passages"], ready["embedded"]) == ("ready", 2, 2)
    status, found = await shop.ask("GET", "/search?q=What+does+bread+cost&limit=1")
    (first,) = found["data"]
    assert (status, first["document"], first["heading"]) == (200, "menu.md", "Menu")
    assert first["text"] == "Rye bread costs four euros."
    assert first["document_id"] == came["id"]
    assert (await shop.ask("GET", "/documents"))[1]["data"] == [ready]
    assert (await shop.ask("DELETE", f"/documents/{came['id']}"))[0] == 204
    assert (await shop.ask("GET", "/search?q=bread"))[1] == {"data": []}
    assert (await shop.ask("DELETE"))[0] == 204
    assert (await shop.ask("GET"))[0] == 404


async def test_a_form_and_a_body_are_the_same(shop: Shop) -> None:
    pdf = (DATA / "bakery.pdf").read_bytes()
    files = {"file": ("bakery.pdf", pdf, "application/octet-stream")}
    by_form = await shop.send(None, kind="", name="", files=files)
    assert (by_form.status_code, by_form.json()["name"]) == (201, "bakery.pdf")
    by_body = await shop.send(pdf, "application/pdf")
    assert by_body.status_code == 200  # it is there already
    assert by_body.json()["id"] == by_form.json()["id"]
    assert (await shop.ended(by_form.json()["id"]))["passages"] == 3


async def test_what_fails_says_why_and_may_be_sent_again(shop: Shop) -> None:
    encrypted = (DATA / "encrypted.pdf").read_bytes()
    came = (await shop.send(encrypted, "application/pdf")).json()
    failed = await shop.ended(came["id"])
    assert failed["state"] == "failed"
    assert "remove its password" in failed["error"]
    again = await shop.send(encrypted, "application/pdf")
    assert (again.status_code, again.json()["id"]) == (201, came["id"])


WRONG = [
    (b"", "text/plain", "x", 400, "the document is empty"),
    (b"x", "image/png", "x", 400, "'image/png' is not known here: send one of text/plain"),
    (b"x", "", "menu.docx", 400, "'menu.docx'"),
    (b"x", "text/plain", "n" * 201, 400, "201 characters"),
    (b"x", "text/plain", "a\0b", 400, "cannot hold"),
    (b"x", "multipart/form-data", "x", 400, ""),
    (b"x", "multipart/form-data; boundary=y", "x", 400, "multipart"),
    (FORM_WITHOUT_FILE, "multipart/form-data; boundary=y", "x", 400, "the form has no file"),
    (b"x" * (MOST_BYTES + 1), "text/plain", "x", 413, str(MOST_BYTES)),
]


async def test_what_is_no_document_is_refused_with_what_is_wrong(shop: Shop) -> None:
    for content, kind, name, status, told in WRONG:
        answer = await shop.send(content, kind, name)
        assert answer.status_code == status, answer.text
        assert told in answer.json()["error"]["message"]
    assert (await shop.ask("GET", "/documents"))[1]["data"] == []


async def test_a_document_may_be_as_large_as_is_said(shop: Shop) -> None:
    line = b"Bread is good. " * 8 + b"\n"
    whole = b"%PDF" + line * (MOST_BYTES // len(line) - 1)  # no PDF: nobody has to embed it
    answer = await shop.send(whole + b"x" * (MOST_BYTES - len(whole)), "application/pdf")
    assert (answer.status_code, answer.json()["size_bytes"]) == (201, MOST_BYTES)
    assert (await shop.ended(answer.json()["id"]))["state"] == "failed"


async def test_many_at_once_are_refused_before_they_fill_the_memory(shop: Shop) -> None:
    enough = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await enough.wait()

    coming = [asyncio.create_task(shop.send(slow())) for _ in range(MOST_AT_ONCE)]
    await asyncio.sleep(0.5)
    refused = await shop.send(b"one more")
    enough.set()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["error"]["code"] == "too_many_uploads"
    assert {answer.status_code for answer in await asyncio.gather(*coming)} == {200, 201}


async def test_no_account_reaches_what_is_anothers(site: Site, shop: Shop) -> None:
    document = (await shop.send(MENU)).json()["id"]
    stranger = await opened(site, "Stranger")
    stranger.id, own = shop.id, stranger.id
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/documents"),
        ("GET", f"/documents/{document}"),
        ("DELETE", f"/documents/{document}"),
        ("GET", "/search?q=bread"),
    ):
        status, told = await stranger.ask(method, path)
        assert (status, told["error"]["code"]) == (404, "not_found"), path
    assert (await stranger.send(MENU)).status_code == 404
    stranger.id = own
    assert (await stranger.ask("GET", f"/documents/{document}"))[0] == 404
    listed = (await site.ask("GET", "/v1/knowledge", key=stranger.key))[1]
    assert [one["id"] for one in listed["data"]] == [own]
    assert (await site.ask("GET", "/v1/knowledge?account=acc_x", key=stranger.key))[0] == 404
    everybodys = (await site.ask("GET", "/v1/knowledge"))[1]["data"]
    assert {one["id"] for one in everybodys} == {own, shop.id}
    assert (await site.ask("GET", f"{shop.route}/search?q=bread"))[0] == 200


async def test_what_is_no_collection_is_refused(shop: Shop) -> None:
    for body in (
        {},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\0"},
        {"name": "x", "language": "english please"},
        {"name": "x", "color": "red"},
    ):
        assert (await shop.site.ask("POST", "/v1/knowledge", body, key=shop.key))[0] == 400


async def test_a_collection_may_be_in_any_language(shop: Shop) -> None:
    for language in (*DICTIONARIES, "ja", "pt-BR"):
        body = {"name": "x", "language": language}
        _, made = await shop.site.ask("POST", "/v1/knowledge", body, key=shop.key)
        shop.id = made["id"]
        came = (await shop.send(f"Ein Brot kostet vier Euro. ({language})", "text/plain")).json()
        assert (await shop.ended(came["id"]))["state"] == "ready"
        assert len((await shop.ask("GET", "/search?q=Brot"))[1]["data"]) == 1


async def test_what_is_no_question_is_refused(shop: Shop) -> None:
    for query in ("", "q=", f"q={'x' * 2001}", "q=x&limit=0", "q=x&limit=21"):
        assert (await shop.ask("GET", f"/search?{query}"))[0] == 400


async def test_a_model_that_is_away_is_told_with_when_to_come_again(shop: Shop) -> None:
    meanings: Any = shop.site.library._embed
    meanings.away = True
    status, told = await shop.ask("GET", "/search?q=bread")
    assert (status, told["error"]["code"]) == (503, "model_unavailable")


async def test_without_pgvector_it_is_told_what_to_install(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lacks(_: Any) -> None:
        raise ExtensionMissing(passages.INSTALL)

    monkeypatch.setattr(passages, "prepare", lacks)
    status, told = await shop.ask("GET", "/search?q=bread")
    assert (status, told["error"]["code"]) == (503, "extension_missing")
    assert "apt-get install" in told["error"]["message"]
    assert (await shop.send(MENU)).status_code == 503
    assert (await shop.ask("GET"))[0] == 200
