"""The web app's files, as a browser gets them. The app is a small one, built for the test."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from server.access.guard import Guard
from server.app import build
from server.door import OpenDoor
from server.lag import LoopLag
from server.listening import address, listen
from server.metrics import Metrics
from server.process import welcome
from server.public import is_public
from server.readiness import Readiness
from server.realtime import Sockets
from server.routes import routes
from server.serve import serving, web_server
from server.sessions import SessionRegistry
from server.settings import LimitSettings, Settings
from server.system import System
from server.web_app import WebApp
from server.web_app_files import Files, is_built, read
from tests.server.access.test_guard import Site

PAGE = "<!doctype html><title>VoiceForge</title><script src=/app/assets/index-3fk2.js></script>"
SCRIPT = "console.log('a script that is long enough to be worth a squeeze');\n" * 50

AS_A_BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What `npm run build` leaves."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-3fk2.js").write_text(SCRIPT)
    (folder / "assets" / "dot-9a.png").write_bytes(b"\x89PNG")
    (folder / "assets" / "odd-1.xyz").write_bytes(b"?")
    (tmp_path / "secret.key").write_text("a secret\n")
    return folder


@asynccontextmanager
async def serving_files(files: Files) -> AsyncIterator[httpx.AsyncClient]:
    """A server with these files, behind the guard, and a client of it that shows no key."""
    metrics = Metrics(LoopLag())
    sessions = SessionRegistry(lambda: None, LimitSettings(), metrics, OpenDoor())
    system = System(0, tuple, sessions)
    app = build(Sockets(sessions), routes(Readiness(()), metrics, system, has_app=bool(files)))
    guarded = Guard(WebApp(app, files), is_public, Site().entrance)
    bound = listen("127.0.0.1", 0)
    url = f"http://{address(bound)}"
    async with (
        serving(web_server(guarded, Settings()), bound),
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
async def client(built: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving_files(read(built)) as client:
        yield client


async def raw(client: httpx.AsyncClient, target: str) -> tuple[int, bytes]:
    """Status and body for a target that is sent as it stands."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), body


async def test_a_browser_is_shown_the_app_and_others_how_to_ask(client: httpx.AsyncClient) -> None:
    moved = await client.get("/", headers=AS_A_BROWSER)
    assert (moved.status_code, moved.headers["location"]) == (302, "/app/")
    shown = await client.get("/", headers={"accept": "*/*"})
    assert shown.status_code == 200
    assert "voiceforge talk --url" in shown.text
    assert 'href="/app/"' in shown.text
    short = await client.get("/app")
    assert (short.status_code, short.headers["location"]) == (308, "/app/")


async def test_every_path_of_the_apps_own_is_its_page_and_is_asked_for_each_time(
    client: httpx.AsyncClient,
) -> None:
    for path in ("/app/", "/app/index.html", "/app/agents/agent_1", "/app/a.b/c?d=/e", "/app//"):
        answer = await client.get(path)
        assert (answer.status_code, answer.text) == (200, PAGE), path
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"


async def test_what_has_a_hash_in_its_name_is_kept_for_ever(client: httpx.AsyncClient) -> None:
    answer = await client.get("/app/assets/index-3fk2.js")
    assert (answer.status_code, answer.text) == (200, SCRIPT)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    icon = await client.get("/app/favicon.svg")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.headers["cache-control"] == "no-cache"
    odd = await client.get("/app/assets/odd-1.xyz")
    assert odd.headers["content-type"] == "application/octet-stream"


async def test_a_script_of_another_version_is_not_the_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/app/assets/index-old.js")
    assert answer.status_code == 404
    assert "load the page again" in answer.json()["error"]["message"]
    assert "cache-control" not in answer.headers


@pytest.mark.parametrize(
    "target",
    [
        "/app/../secret.key",
        "/app/..%2fsecret.key",
        "/app/%2e%2e/secret.key",
        "/app/assets/../../secret.key",
        "/app/assets/..%2f..%2fsecret.key",
        "/app/assets/%2e%2e/%2e%2e/secret.key",
        "/app/..%5csecret.key",
        "/app//etc/passwd",
        "/app/%2fetc%2fpasswd",
        "/app/assets//etc/passwd",
        "/app/secret.key%00.js",
        "/app/../v1/system",
        "/app/%2e%2e/v1/system",
    ],
)
async def test_no_path_leads_out_of_the_app(client: httpx.AsyncClient, target: str) -> None:
    status, body = await raw(client, target)
    assert (status, body == PAGE.encode()) in ((200, True), (404, False))
    assert b"secret\n" not in body
    assert b"root:" not in body


async def test_it_travels_squeezed_to_who_takes_that(client: httpx.AsyncClient) -> None:
    path = "/app/assets/index-3fk2.js"
    for accepted, squeezed in (
        ("gzip, deflate, br, zstd", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("identity", False),
        ("xgzip", False),
        ("", False),
    ):
        request = client.build_request("GET", path, headers={"accept-encoding": accepted})
        answer = await client.send(request, stream=True)
        sent = b"".join([part async for part in answer.aiter_raw()])
        assert (answer.headers.get("content-encoding") == "gzip") == squeezed, accepted
        assert answer.headers["vary"] == "accept-encoding"
        assert int(answer.headers["content-length"]) == len(sent)
        assert (gzip.decompress(sent) if squeezed else sent).decode() == SCRIPT
        assert (len(sent) < len(SCRIPT) / 10) == squeezed
    small = await client.get("/app/favicon.svg", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers  # it would only grow


async def test_what_a_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    page = (await client.get("/app/")).headers["etag"]
    script = (await client.get("/app/assets/index-3fk2.js")).headers["etag"]
    assert page != script
    for known in (page, f'"other", {page}', "*"):
        answer = await client.get("/app/agents", headers={"if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == page
        assert answer.headers["cache-control"] == "no-cache"
    assert (await client.get("/app/", headers={"if-none-match": script})).status_code == 200


async def test_it_is_got_and_nothing_else(client: httpx.AsyncClient) -> None:
    got = await client.get("/app/")
    head = await client.head("/app/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = await client.request(method, "/app/")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://{client.base_url.netloc.decode()}/app/"):
            pass
    assert refused.value.response.status_code == 404


async def test_everything_of_it_says_what_a_browser_may_do_with_it(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/app/")
    again = await client.get("/app/", headers={"if-none-match": page.headers["etag"]})
    for answer in (page, again, await client.get("/app/assets/index-3fk2.js")):
        said = answer.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(said)
        assert "unsafe" not in str(said)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "microphone=(self)" in answer.headers["permissions-policy"]
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"


async def test_only_the_apps_own_paths_need_no_key(client: httpx.AsyncClient) -> None:
    for path in ("/application", "/apps/", "/App/", "//app/", "/v1/app/"):
        assert (await raw(client, path))[0] == 401, path


async def test_where_it_is_not_built_the_front_page_says_how_to_get_it(tmp_path: Path) -> None:
    files = read(tmp_path)
    assert files == {}
    async with serving_files(files) as client:
        for path in ("/app/", "/app/agents", "/app/assets/index-3fk2.js"):
            answer = await client.get(path, headers=AS_A_BROWSER)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "app_not_built")
        front = await client.get("/", headers=AS_A_BROWSER)
        assert front.status_code == 200
        assert "Install Node.js 20 or later" in front.text
        assert "/app/" not in front.text


def test_a_build_that_did_not_finish_is_none(built: Path) -> None:
    assert is_built(built)
    (built / "index.html").unlink()
    assert not is_built(built)
    assert read(built) == {}


def test_whoever_starts_the_server_is_told_where_the_app_is() -> None:
    told = welcome("127.0.0.1:8000", Path("state/admin.key"), has_app=True).splitlines()
    assert "  key:    the administrator's is in state/admin.key" in told
    assert "  app:    http://127.0.0.1:8000/app/" in told
    assert told[-1].endswith("/docs")
    assert "/app/" not in welcome("127.0.0.1:8000", Path("admin.key"), has_app=False)
