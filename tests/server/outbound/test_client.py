"""Asking servers that mean well, and servers that do not."""

import asyncio
import gzip
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from server.outbound.addresses import Rules
from server.outbound.client import Answer, Outbound, followed
from server.outbound.errors import OutboundError, TooLarge
from server.outbound.networks import networks

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST = 64 * 1024


class Servers:
    """Servers on addresses of this machine, each of which does one thing. Asked are they as if
    only 127.0.0.1 were public; `names` are looked up in turn.
    """

    def __init__(self) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.seen: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.looked_up = 0
        self._runners: list[web.AppRunner] = []
        self.outbound = Outbound(Rules(networks("127.0.0.1")), self._look_up)

    async def _look_up(self, host: str) -> list[str]:
        self.looked_up += 1
        if host not in self.names:
            raise OSError("unknown")
        answers = self.names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def start(
        self, handler: Handler, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> str:
        """Its address."""

        async def noting(request: web.Request) -> web.StreamResponse:
            self.seen.append(request)
            self.bodies.append(await request.read())
            return await handler(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", noting)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, host, 0, ssl_context=tls)
        await site.start()
        self._runners.append(runner)
        scheme = "https" if tls else "http"
        return f"{scheme}://{host}:{runner.addresses[0][1]}"

    async def ask(self, url: str, method: str = "GET", **given: Any) -> Answer:
        return await self.outbound.ask(
            method, url, **{"timeout_s": 5.0, "most_bytes": MOST, **given}
        )

    async def refusal(self, url: str, method: str = "GET", **given: Any) -> OutboundError:
        with pytest.raises(OutboundError) as raised:
            await self.ask(url, method, **given)
        return raised.value

    async def close(self) -> None:
        for runner in self._runners:
            await runner.cleanup()


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    servers = Servers()
    async with servers.outbound:
        yield servers
    await servers.close()


def says(text: str, **headers: str) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, headers=headers)

    return handle


def leads(to: str, status: int = 302) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"location": to})

    return handle


async def test_what_is_sent_arrives_and_what_is_answered_comes_back(servers: Servers) -> None:
    url = await servers.start(says("Täglich", **{"X-Kind": "bread"}))
    answer = await servers.ask(
        f"{url}/bread?day=1", "POST", headers={"X-Shop": "7"}, body=b'{"a":1}'
    )
    assert (answer.status, answer.body.decode()) == (200, "Täglich")
    assert answer.headers["x-kind"] == "bread"
    (seen,) = servers.seen
    assert (seen.method, seen.path_qs, servers.bodies) == ("POST", "/bread?day=1", [b'{"a":1}'])
    assert seen.headers["x-shop"] == "7"
    assert seen.headers["user-agent"].startswith("VoiceForge/")
    assert "cookie" not in seen.headers


async def test_any_status_is_an_answer(servers: Servers) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(status=500, text="no")

    assert (await servers.ask(await servers.start(handle))).status == 500


async def test_no_cookie_and_no_proxy_of_the_environment_is_used(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    url = await servers.start(says("", **{"Set-Cookie": "who=me"}))
    for _ in range(2):
        assert (await servers.ask(url)).status == 200
    assert "cookie" not in servers.seen[1].headers


async def test_a_private_server_is_not_called(servers: Servers) -> None:
    url = await servers.start(says("metadata"), "127.0.0.2")
    assert (await servers.refusal(url)).code == "refused_address"
    servers.names["inside"] = [["127.0.0.2"]]
    named = url.replace("127.0.0.2", "inside")
    refused = await servers.refusal(f"{named}/?token=hush")
    assert (refused.code, "inside" in str(refused), "hush" in str(refused)) == (
        "refused_address",
        True,
        False,
    )
    assert servers.seen == []


async def test_a_redirect_to_a_private_server_is_not_followed(servers: Servers) -> None:
    inside = await servers.start(says("metadata"), "127.0.0.2")
    servers.names["inside"] = [["127.0.0.2"]]
    for to in (inside, inside.replace("127.0.0.2", "inside")):
        url = await servers.start(leads(f"{to}/latest/meta-data"))
        assert (await servers.refusal(url, redirects=3)).code == "refused_address"
    assert {request.host.partition(":")[0] for request in servers.seen} == {"127.0.0.1"}


async def test_a_name_that_changes_its_address_leads_nowhere_else(servers: Servers) -> None:
    url = await servers.start(says("outside"))
    port = url.rpartition(":")[2]
    servers.names["rebinding"] = [["127.0.0.1"], ["127.0.0.2"]]
    named = f"http://rebinding:{port}"
    assert (await servers.ask(named, headers={"X-One": "1"})).body == b"outside"
    assert servers.looked_up == 1  # and that is what was connected to
    for runner in servers._runners:
        await runner.cleanup()  # so that there is no connection to be used again
    assert (await servers.refusal(named)).code == "refused_address"


async def test_redirects_are_followed_as_far_as_is_said(servers: Servers) -> None:
    end = await servers.start(says("the end"))
    third = await servers.start(leads(end))
    second = await servers.start(leads(third))
    first = await servers.start(leads(second))
    assert (await servers.ask(first, redirects=3)).body == b"the end"
    assert (await servers.refusal(first, redirects=2)).code == "bad_redirect"
    answer = await servers.ask(first)
    assert (answer.status, answer.headers["location"]) == (302, second)
    relative = await servers.start(leads("/again"))
    assert (await servers.refusal(relative, redirects=3)).code == "bad_redirect"
    for nowhere in ("file:///etc/passwd", "http://user:hush@127.0.0.1/", "http://[", "gopher://x"):
        url = await servers.start(leads(nowhere))
        refused = await servers.refusal(url, redirects=1)
        assert (refused.code, "hush" in str(refused)) == ("bad_redirect", False)


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [
        (301, "GET", b""),
        (302, "GET", b""),
        (303, "GET", b""),
        (307, "POST", b"x"),
        (308, "POST", b"x"),
    ],
)
async def test_another_origin_gets_no_secret(
    servers: Servers, status: int, method: str, body: bytes
) -> None:
    end = await servers.start(says("the end"))
    url = await servers.start(leads(end, status))
    headers = {"Authorization": "Bearer hush", "X-Key": "hush", "Accept": "text/x"}
    await servers.ask(url, "POST", headers=headers, body=b"x", redirects=1)
    first, last = servers.seen
    assert first.headers["x-key"] == "hush"
    assert "hush" not in str(last.headers)
    assert last.headers["accept"] == "text/x"
    assert (last.method, servers.bodies[1]) == (method, body)


def test_a_redirect_never_leads_from_https_to_http() -> None:
    here = URL("https://shop.example/a?key=hush")
    assert str(followed(here, "../b")) == "https://shop.example/b"
    assert str(followed(here, "//mill.example/b#c")) == "https://mill.example/b"
    with pytest.raises(OutboundError, match="from https to http") as raised:
        followed(here, "http://shop.example/b?key=hush")
    assert (raised.value.code, "hush" in str(raised.value)) == ("bad_redirect", False)


async def test_the_same_origin_gets_all_headers_again(servers: Servers) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            raise web.HTTPFound("/there")
        return web.Response()

    url = await servers.start(handle)
    await servers.ask(url, headers={"X-Key": "mine"}, redirects=1)
    assert servers.seen[1].headers["x-key"] == "mine"


async def test_an_answer_is_read_to_its_limit_and_no_further(servers: Servers) -> None:
    sent = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(160):
            await answer.write(bytes(64 * 1024))
            sent += 64 * 1024
        return answer

    url = await servers.start(handle)
    with pytest.raises(TooLarge) as raised:
        await servers.ask(url)
    assert raised.value.code == "too_large"
    assert f"more than {MOST} bytes" in str(raised.value)
    await asyncio.sleep(0.1)
    assert sent < 10 * 1024 * 1024
    exact = await servers.start(says("x" * MOST))
    assert len((await servers.ask(exact)).body) == MOST


async def test_what_is_packed_is_unpacked_to_the_limit_and_no_further(servers: Servers) -> None:
    def packed(data: bytes) -> Handler:
        async def handle(_: web.Request) -> web.StreamResponse:
            return web.Response(body=data, headers={"content-encoding": "gzip"})

        return handle

    bomb = gzip.compress(bytes(50 * 1024 * 1024))
    assert len(bomb) < MOST
    assert (await servers.refusal(await servers.start(packed(bomb)))).code == "too_large"
    good = gzip.compress(b"bread" * 100)
    assert (await servers.ask(await servers.start(packed(good)))).body == b"bread" * 100
    after = good + bytes(1024 * 1024)
    assert (await servers.ask(await servers.start(packed(after)))).body == b"bread" * 100
    for broken in (good[:-20], b"no gzip at all"):
        refused = await servers.refusal(await servers.start(packed(broken)))
        assert refused.code == "unreachable"


async def test_a_server_that_drips_hangs_or_never_accepts_is_left(servers: Servers) -> None:
    hold = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while not hold.is_set():
            await answer.write(b".")
            await asyncio.sleep(0.02)
        return answer

    async def hang(_: web.Request) -> web.StreamResponse:
        await hold.wait()
        return web.Response()

    for url in (await servers.start(drip), await servers.start(hang)):
        refused = await servers.refusal(f"{url}/?token=hush", timeout_s=0.2)
        assert (refused.code, str(refused)) == (
            "timeout",
            "127.0.0.1 did not answer within 0.2 s",
        )
    hold.set()


async def test_a_name_server_that_hangs_is_left_too() -> None:
    async def look_up(_: str) -> list[str]:
        await asyncio.Event().wait()
        raise AssertionError

    async with Outbound(Rules(), look_up) as outbound:
        with pytest.raises(OutboundError) as raised:
            await outbound.ask("GET", "http://shop.example", timeout_s=0.1, most_bytes=1)
    assert raised.value.code == "timeout"


async def test_what_cannot_be_reached_is_told(servers: Servers) -> None:
    unknown = await servers.refusal("http://nobody.example/")
    assert (unknown.code, str(unknown)) == (
        "unreachable",
        "nobody.example is a name that cannot be looked up",
    )
    assert (await servers.refusal("http://127.0.0.1:1/")).code == "unreachable"


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"]
)
async def test_a_server_that_speaks_no_http_is_told(servers: Servers, said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    listening = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    refused = await servers.refusal(f"http://127.0.0.1:{port}/?token=hush")
    assert (refused.code, "hush" in str(refused)) == ("unreachable", False)
    listening.close()


async def test_a_certificate_that_nobody_signed_is_refused(
    servers: Servers, tmp_path: Path
) -> None:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout key -out cert"
    await asyncio.to_thread(
        subprocess.run, command.split(), cwd=tmp_path, check=True, capture_output=True
    )
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    url = await servers.start(says("bread"), tls=tls)
    refused = await servers.refusal(f"{url}/?token=hush")
    assert refused.code == "unreachable"
    assert "certificate that is not trusted: self-signed certificate" in str(refused)
    plain = url.replace("https", "http")
    assert (await servers.refusal(plain)).code == "unreachable"
    assert servers.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "/path",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "unix:///run/docker.sock",
        "http://",
        "http:///path",
        "http://[::1",
        "http://user:hush@shop.example/",
        "http://hush@shop.example/",
        "http://shop.example:0/",
        "http://shop.example:99999/",
        "http://127.1/",
        "http://2130706433/",
        "http://shop.example/" + "x" * 8000,
    ],
)
async def test_what_is_no_url_for_us_is_refused(servers: Servers, url: str) -> None:
    refused = await servers.refusal(url)
    assert (refused.code, "hush" in str(refused)) == ("bad_url", False)


async def test_an_address_in_other_digits_is_the_same_address(servers: Servers) -> None:
    for host in ("①②⑦.⓪.⓪.②", "127。0。0。2", "[::ffff:127.0.0.2]", "[::1]"):
        refused = await servers.refusal(f"http://{host}/")
        assert refused.code in ("refused_address", "bad_url"), host


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Key", "hush\r\nX-Other: 1"),
        ("X-Key", "hush\0"),
        ("X-Key", "hush 🥐"),
        ("X Key", "hush"),
        ("", "hush"),
        ("Host", "hush"),
        ("Transfer-Encoding", "hush"),
        ("content-length", "3"),
    ],
)
async def test_what_is_no_header_is_refused_without_its_value(
    servers: Servers, name: str, value: str
) -> None:
    refused = await servers.refusal("http://127.0.0.1/", headers={name: value})
    assert (refused.code, "hush" in str(refused)) == ("bad_header", False)
