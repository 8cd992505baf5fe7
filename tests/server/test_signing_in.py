"""A browser signs in: a server with two gateways, over HTTP and WebSockets."""

import asyncio
import http.cookies
import json
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close

from server.access.web_sessions import COOKIE, LASTS_S
from tests.folder import folder
from tests.server.program import Server
from tests.server.wire import Wire
from transports.handshake import POLICY

pytestmark = pytest.mark.models

SESSION = "/v1/web/session"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_GATEWAYS="2", VOICEFORGE_PROXIES="127.0.0.1") as server:
        yield server.until_ready()


class Browser:
    """Cookies, and what a page of the server sends: its own origin where a browser says one."""

    def __init__(self, server: Server) -> None:
        self.server = server
        anew = httpx.Limits(max_keepalive_connections=0)  # each time through whichever gateway
        self.client = httpx.AsyncClient(base_url=server.url, limits=anew, trust_env=False)
        self.token = ""

    @property
    def cookie(self) -> str:
        return self.client.cookies.get(COOKIE) or ""

    async def sign_in(self, key: str) -> dict[str, Any]:
        answer = await self.client.post(
            SESSION, json={"key": key}, headers={"origin": self.server.url}
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        self.token = told["csrf_token"]
        return told

    async def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Status, and the body or the code of the error."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.request(method, path, json=body, headers=named)
        told: Any = answer.json() if answer.content else None
        return answer.status_code, told["error"]["code"] if answer.is_error else told

    async def change(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return await self.ask(method, path, body, origin=self.server.url, x_csrf_token=self.token)

    def line(self, origin: str | None) -> connect:
        """A realtime socket, as a page of this origin opens one."""
        headers = {"cookie": f"{COOKIE}={self.cookie}"}
        return connect(self.server.realtime_url, origin=origin, additional_headers=headers)  # type: ignore[arg-type]


@pytest.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    browser = Browser(server)
    async with browser.client:
        yield browser


def made(server: Server, **terms: Any) -> dict[str, Any]:
    """A new key and its secret."""
    status, told = server.ask("POST", "/v1/admin/keys", {"name": "desk", **terms})
    assert status == 201, told
    answer: dict[str, Any] = json.loads(told)
    return answer


async def refused(line: connect) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as no:
        async with line:
            pass
    response = no.value.response
    return response.status_code, json.loads(response.body or b"")["error"]["code"]


async def to_the_end(socket: ClientConnection) -> tuple[list[dict[str, Any]], Close]:
    """What still comes, and how the server closes the connection."""
    told: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        try:
            while True:
                told.append(json.loads(await socket.recv()))
        except ConnectionClosed as end:
            closed = end.rcvd
    assert closed is not None
    return told, closed


async def test_it_is_told_who_it_is_and_keeps_a_cookie_that_no_page_reads(
    server: Server, browser: Browser
) -> None:
    new = made(server, scopes=["agents"])
    answer = await browser.client.post(SESSION, json={"key": new["secret"]})
    told = answer.json()
    assert told.pop("csrf_token")
    assert told == {
        "key": {"id": new["key"]["id"], "name": "desk", "prefix": new["key"]["prefix"]},
        "account_id": "acc_default",
        "account_name": "Default",
        "scopes": ["agents"],
    }
    assert answer.headers["cache-control"] == "no-store"
    (kept,) = http.cookies.SimpleCookie(answer.headers["set-cookie"]).values()
    assert kept.key == COOKIE
    assert kept.value
    assert new["secret"] not in kept.value
    assert kept["httponly"]
    assert not kept["secure"]
    terms = (kept["samesite"].lower(), kept["path"], kept["max-age"], kept["domain"])
    assert terms == ("strict", "/", str(LASTS_S), "")


async def test_behind_a_proxy_that_speaks_tls_the_cookie_is_for_tls_alone(
    server: Server, browser: Browser
) -> None:
    outside = {
        "origin": "https://voice.example",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "voice.example",
    }
    body = {"key": server.key}
    answer = await browser.client.post(SESSION, json=body, headers=outside)
    assert answer.status_code == 200, answer.text
    assert "; secure" in answer.headers["set-cookie"].lower()
    del outside["x-forwarded-host"]
    answer = await browser.client.post(SESSION, json=body, headers=outside)
    assert answer.json()["error"]["code"] == "origin_not_allowed"


async def test_it_reads_and_changes_and_a_page_that_was_loaded_again_is_told_all(
    server: Server, browser: Browser
) -> None:
    assert await browser.ask("GET", SESSION) == (401, "missing_api_key")
    told = await browser.sign_in(made(server, scopes=["agents"])["secret"])
    for _ in range(4):  # through either gateway
        assert await browser.ask("GET", SESSION) == (200, told)
    assert (await browser.ask("GET", "/v1/agents"))[0] == 200
    assert await browser.ask("GET", "/v1/system") == (403, "insufficient_scope")
    agent = {"name": "guide", "config": {"session": {"instructions": "Be brief."}}}
    assert await browser.ask("POST", "/v1/agents", agent) == (403, "csrf_failed")
    wrong = {"x_csrf_token": browser.token, "origin": "http://127.0.0.1:1"}
    assert await browser.ask("POST", "/v1/agents", agent, **wrong) == (403, "origin_not_allowed")
    status, agent = await browser.change("POST", "/v1/agents", agent)
    assert status == 201
    assert (await browser.change("DELETE", f"/v1/agents/{agent['id']}"))[0] == 204


async def test_it_talks_where_it_says_that_its_page_is_the_servers(
    server: Server, browser: Browser
) -> None:
    await browser.sign_in(made(server)["secret"])
    assert await refused(browser.line(None)) == (403, "origin_not_allowed")
    assert await refused(browser.line("http://127.0.0.1:1")) == (403, "origin_not_allowed")
    async with browser.line(server.url) as socket:
        wire = Wire(socket)
        await wire.until("session.created")
        await wire.configure(output_modalities=["text"], max_output_tokens=8)
        assert (await wire.ask("Say hello."))["output"]


async def test_it_is_spoken_to_as_text_comes(server: Server, browser: Browser) -> None:
    """Through ElevenLabs' socket, whose clients may show their key in the first message."""
    await browser.sign_in(made(server)["secret"])
    path = "/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream-input?output_format=pcm_16000"
    url = server.url.replace("http", "ws") + path
    headers = {"cookie": f"{COOKIE}={browser.cookie}"}
    for origin, heard in ((server.url, True), ("http://127.0.0.1:1", False)):
        async with connect(url, origin=origin, additional_headers=headers) as socket:  # type: ignore[arg-type]
            for text in (" ", "Good morning. ", ""):
                await socket.send(json.dumps({"text": text}))
            told, closed = await to_the_end(socket)
            assert (closed.code == POLICY) != heard
            assert any(one.get("audio") for one in told) == heard


async def test_it_signs_out(server: Server, browser: Browser) -> None:
    await browser.sign_in(made(server)["secret"])
    assert await browser.ask("DELETE", SESSION) == (403, "csrf_failed")
    cookie = browser.cookie
    assert await browser.change("DELETE", SESSION) == (204, None)
    assert browser.cookie == ""
    assert cookie
    assert await browser.ask("GET", SESSION) == (401, "missing_api_key")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"key": "vf_wrong"}, (401, "invalid_api_key")),
        ({"key": ""}, (400, None)),
        ({"key": "x" * 201}, (400, None)),
        ({"key": ["vf_wrong"]}, (400, None)),
        ({}, (400, None)),
        ([], (400, None)),
    ],
)
async def test_what_is_no_key_signs_nobody_in_and_is_not_repeated(
    browser: Browser, body: Any, told: tuple[int, str | None]
) -> None:
    answer = await browser.client.post(SESSION, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == told
    assert "vf_wrong" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_secret_for_browsers_signs_nobody_in(server: Server, browser: Browser) -> None:
    status, told = server.ask("POST", "/v1/realtime/client_secrets", {})
    assert status == 200
    body = {"key": json.loads(told)["value"]}
    assert await browser.ask("POST", SESSION, body) == (403, "client_secret")


async def test_who_shows_a_key_is_nobody_who_signed_in(server: Server, browser: Browser) -> None:
    for method in ("GET", "DELETE"):
        told = await browser.ask(method, SESSION, authorization=f"Bearer {server.key}")
        assert told == (403, "not_signed_in")


async def test_a_revoked_key_is_out_at_once_and_what_it_talks_about_ends(
    server: Server, browser: Browser
) -> None:
    new = made(server)
    await browser.sign_in(new["secret"])
    async with browser.line(server.url) as socket:
        await Wire(socket).until("session.created")
        route = f"/v1/admin/keys/{new['key']['id']}/revoke"
        assert (await asyncio.to_thread(server.ask, "POST", route))[0] == 200
        for _ in range(4):
            assert await browser.ask("GET", SESSION) == (401, "expired_api_key")
        _, closed = await to_the_end(socket)
        assert (closed.code, closed.reason) == (POLICY, "key_revoked")
    assert await refused(browser.line(server.url)) == (401, "expired_api_key")


async def test_neither_key_nor_cookie_nor_token_reaches_the_log(
    server: Server, browser: Browser
) -> None:
    await browser.sign_in(server.key)
    cookie = browser.cookie
    await browser.change("POST", "/v1/agents", {"config": 5})
    await browser.change("DELETE", SESSION)
    logged = "".join(server.err)
    assert any(line["event"] == "signed in" for line in server.logged())
    for secret in (server.key, cookie, browser.token, "vf_wrong"):
        assert secret
        assert secret not in logged


async def test_a_server_that_was_started_again_still_knows_who_signed_in() -> None:
    with folder() as path:
        state = str(path / "state")
        with Server(VOICEFORGE_STATE=state) as first:
            browser = Browser(first.until_ready())
            told = await browser.sign_in(first.key)
            cookie = browser.cookie
            await browser.client.aclose()
            first.signal(signal.SIGTERM)
            first.wait(20)
        with Server(VOICEFORGE_STATE=state) as second:
            url = second.until_ready().url + SESSION
            async with httpx.AsyncClient(trust_env=False, cookies={COOKIE: cookie}) as client:
                answer = await client.get(url)
                assert (answer.status_code, answer.json()) == (200, told)
