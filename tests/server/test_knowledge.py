"""Knowledge on a whole server, with the real model: whatever dies, what was sent is read."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.server.program import Server
from tests.server.test_access import asked, made
from tests.server.wire import until

pytestmark = pytest.mark.models

DATA = Path(__file__).parents[1] / "data" / "knowledge"

BOOK = "".join(
    f"# Bread {n}\n\nLoaf number {n} is baked for {n} minutes, and costs {n} euros and a half.\n\n"
    for n in range(2, 202)
)
"""Takes some seconds to embed."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_GATEWAYS="2") as server:
        yield server.until_ready()


class Shelf:
    """A collection of an account of its own."""

    def __init__(self, server: Server, key: str, ident: str) -> None:
        self.server = server
        self.key = key
        self.route = f"/v1/knowledge/{ident}"

    async def ask(self, path: str) -> Any:
        status, text = await asyncio.to_thread(
            self.server.ask, "GET", self.route + path, None, self.key
        )
        assert status == 200, text
        return json.loads(text)

    async def send(self, content: bytes, kind: str) -> str:
        headers = {"authorization": f"Bearer {self.key}", "content-type": kind}
        url = f"{self.server.url}{self.route}/documents?name=sent"
        request = urllib.request.Request(url, content, headers)

        def post() -> Any:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())

        document: str = (await asyncio.to_thread(post))["id"]
        return document

    async def until(self, document: str, **wanted: Any) -> Any:
        """The document, when it is so."""
        told: Any = None

        async def is_so() -> bool:
            nonlocal told
            path = f"{self.route}/documents/{document}"
            try:
                status, text = await asyncio.to_thread(self.server.ask, "GET", path, None, self.key)
            except OSError:  # the gateway is gone
                return False
            if status == 503:  # the database is away
                return False
            told = json.loads(text)
            assert told["state"] != "failed", told
            return all(
                told[name] > value if name == "embedded" else told[name] == value
                for name, value in wanted.items()
            )

        await until(is_so, 120)
        return told

    async def found(self, question: str) -> list[str]:
        query = question.replace(" ", "+")
        return [one["text"] for one in (await self.ask(f"/search?q={query}"))["data"]]


async def opened(server: Server) -> Shelf:
    account = (await asked(server, "POST", "/v1/admin/accounts", {"name": "Bakery"}))["id"]
    _, key = await made(server, account_id=account, scopes=["agents"])
    body = {"name": "Books"}
    status, text = await asyncio.to_thread(server.ask, "POST", "/v1/knowledge", body, key)
    assert status == 201, text
    return Shelf(server, key, json.loads(text)["id"])


def process(server: Server, *words: str) -> psutil.Process:
    """One of its processes, by the words of its command line."""
    return next(p for p in server.family() if all(word in p.cmdline() for word in words))


async def test_a_pdf_is_sent_and_what_it_says_is_found(server: Server) -> None:
    shelf = await opened(server)
    document = await shelf.send((DATA / "bakery.pdf").read_bytes(), "application/pdf")
    assert (await shelf.until(document, state="ready"))["passages"] == 3
    for question, word in (
        ("When does the shop shut?", "evening"),
        ("How long before do I have to ask for a cake?", "two days"),
        ("price of a loaf", "four euros"),
    ):
        assert word in (await shelf.found(question))[0], question


@pytest.mark.parametrize("name", ["gateway", "model", "database"])
async def test_whatever_dies_while_a_book_is_read_it_is_read_to_its_end(
    server: Server, name: str
) -> None:
    shelf = await opened(server)
    document = await shelf.send(BOOK.encode(), "text/markdown")
    began = await shelf.until(document, state="reading", embedded=8)
    assert began["passages"] == 200
    match name:
        case "gateway":
            for gateway in [p for p in server.family() if "server.gateway" in p.cmdline()]:
                gateway.kill()
        case "model":
            process(server, "actors.workers", "embed").kill()
        case "database":
            next(p for p in server.family() if p.name() == "postgres").kill()
    ready = await shelf.until(document, state="ready")
    assert (ready["passages"], ready["embedded"]) == (200, 200)
    assert "number 123 " in (await shelf.found("What does loaf number 123 cost?"))[0]
