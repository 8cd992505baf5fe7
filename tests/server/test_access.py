"""Keys at work: a server with two gateways, its command line, and clients that may or may not."""

import asyncio
import contextlib
import json
import signal
import stat
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from server.access.admin_key import FILE, VARIABLE
from storage import keys
from storage.database import Database
from storage.embedded import EmbeddedPostgres
from tests.folder import folder
from tests.server.program import Server, voiceforge
from tests.server.undisturbed import undisturbed
from tests.server.wire import Wire, until

pytestmark = pytest.mark.models

BRIEF = {"output_modalities": ["text"], "max_output_tokens": 8}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_GATEWAYS="2") as server:
        yield server.until_ready()


async def asked(server: Server, method: str, path: str, body: Any = None) -> Any:
    """What an administrator is answered."""
    status, text = await asyncio.to_thread(server.ask, method, path, body)
    assert status in (200, 201, 204), text
    return json.loads(text) if text else None


async def made(server: Server, **terms: Any) -> tuple[str, str]:
    """A new key: its id and what to send."""
    told = await asked(server, "POST", "/v1/admin/keys", {"name": "shop", **terms})
    return told["key"]["id"], told["secret"]


def line(server: Server, key: str, query: str = "", **options: Any) -> connect:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    url = server.realtime_url + (f"?{query}" if query else "")
    return connect(url, additional_headers=headers, **options)


async def refusal(server: Server, key: str, query: str = "") -> tuple[int, str, str | None]:
    """Status, code and Retry-After of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as refused:
        async with line(server, key, query):
            pass
    response = refused.value.response
    error = json.loads(response.body or b"")["error"]
    return response.status_code, error["code"], response.headers.get("retry-after")


async def begun(socket: ClientConnection) -> tuple[Wire, dict[str, Any]]:
    wire = Wire(socket)
    session: dict[str, Any] = (await wire.until("session.created"))["session"]
    return wire, session


def gateway_of(session: dict[str, Any]) -> str:
    gateway: str = session["id"].split("_")[1]
    return gateway


def test_the_first_start_shows_a_key_once_and_keeps_it_for_its_owner() -> None:
    with folder() as path:
        state = str(path / "state")
        shown = []
        for _ in range(2):
            with Server(VOICEFORGE_STATE=state) as server:
                server.until_ready()
                shown.append([row.strip() for row in server.out if row.startswith("admin key: ")])
                file = server.state / FILE
                assert stat.S_IMODE(file.stat().st_mode) == 0o600
                assert server.get("/v1/admin/keys")[0] == 200
                server.signal(signal.SIGTERM)
                server.wait(20)
                assert server.key not in "".join(server.err)
            file.chmod(0o644)  # the next start mends it
        assert shown == [[f"admin key: {server.key}"], []]
        file.write_text("vf_lost")
        with Server(VOICEFORGE_STATE=state) as server:
            server.until_ready()
            assert server.key != "vf_lost"
            assert server.get("/v1/admin/keys")[0] == 200


def test_a_key_that_cannot_be_kept_ends_the_start_with_a_reason() -> None:
    with folder() as path:
        (path / "state").mkdir()
        (path / "state" / FILE).mkdir()
        ended = voiceforge("serve", "--port", "0", VOICEFORGE_STATE=str(path / "state"))
        assert ended.status == 1
        assert f"{FILE}: the administrator's key cannot be kept there" in ended.err


def test_keys_are_made_listed_rotated_and_revoked_from_the_command_line(server: Server) -> None:
    here = {"VOICEFORGE_STATE": str(server.state)}

    def keys_cli(*words: str, status: int = 0, **more: str) -> str:
        environ = here | more
        ended = voiceforge("keys", *words, "--url", server.url, timeout_s=60, **environ)
        assert ended.status == status, ended.err
        return ended.out if status == 0 else ended.err

    secret = keys_cli("create", "--name", "till", "--quiet").strip()
    assert secret.startswith("vf_")
    assert len(secret) == 35
    limited = keys_cli("create", "--expires", "12h", "--scope", "system", "--requests", "60")
    assert "may: system; not shown again" in limited
    listed = keys_cli("list").splitlines()
    assert listed[0].split()[:2] == ["id", "key"]
    (row,) = (row for row in listed if " till " in row)
    assert row.split()[1] == secret[:7] + "…"
    assert "good" in row
    assert secret not in "".join(listed)
    ident = row.split()[0]
    status, _ = server.ask("GET", "/v1/system", key=secret)
    assert status == 403
    second = keys_cli("rotate", ident, "--grace", "1h", "--quiet").strip()
    for key in (secret, second):
        assert server.ask("GET", "/v1/realtime", key=key)[0] == 426
    assert f"{ident} ({secret[:7]}…, till) is revoked" in keys_cli("revoke", ident)
    assert server.ask("GET", "/v1/realtime", key=secret)[0] == 401
    assert server.ask("GET", "/v1/realtime", key=second)[0] == 426
    found = json.loads(keys_cli("list", "--json"))
    assert [key["revoked_at"] is None for key in found if key["name"] == "till"] == [False, True]
    (own,) = (key["id"] for key in found if key["name"] == "admin")
    rotated = keys_cli("rotate", own, "--grace", "1m", "--quiet").strip()
    assert server.key == rotated  # this machine goes on with it
    assert "there is no key 'key_none'" in keys_cli("revoke", "key_none", status=1)
    assert "expected a number and s, m, h or d" in keys_cli(
        "rotate", ident, "--grace", "x", status=1
    )
    assert "lacks the scope 'admin'" in keys_cli("list", status=1, **{VARIABLE: second})
    away = voiceforge("keys", "list", "--url", "http://127.0.0.1:9", timeout_s=60, **here)
    assert (away.status, "is the server running there?" in away.err) == (1, True)
    with folder() as empty:
        nobody = voiceforge("keys", "list", "--url", server.url, VOICEFORGE_STATE=str(empty))
    assert (nobody.status, f"set {VARIABLE}" in nobody.err) == (1, True)
    afar = voiceforge("keys", "list", "--url", "http://192.0.2.1:8000", timeout_s=60, **here)
    assert (afar.status, "no key for http://192.0.2.1:8000" in afar.err) == (1, True)


async def test_without_a_key_nobody_is_let_in(server: Server) -> None:
    assert await refusal(server, "") == (401, "missing_api_key", None)
    assert await refusal(server, "vf_wrong") == (401, "invalid_api_key", None)
    status, text = await asyncio.to_thread(server.ask, "GET", "/v1/system", None, "vf_wrong")
    assert (status, json.loads(text)["error"]["code"]) == (401, "invalid_api_key")
    text = server.get("/metrics")[1]
    assert 'voiceforge_requests_denied_total{code="invalid_api_key"' in text


async def test_a_revoked_key_ends_its_sessions_in_every_gateway_and_no_others(
    server: Server,
) -> None:
    ident, key = await made(server)
    async with (
        line(server, key) as one,
        line(server, key) as two,
        line(server, server.key) as other,
    ):
        sessions = [(await begun(socket))[1] for socket in (one, two)]
        assert {gateway_of(session) for session in sessions} == {"0", "1"}
        wire, _ = await begun(other)
        await asked(server, "POST", f"/v1/admin/keys/{ident}/revoke")
        for socket in (one, two):
            error = json.loads(await asyncio.wait_for(socket.recv(), 2))
            assert (error["type"], error["error"]["code"]) == ("error", "key_revoked")
            assert json.loads(await socket.recv())["type"] == "voiceforge.session.ended"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "key_revoked")
        assert await refusal(server, key) == (401, "expired_api_key", None)
        await wire.configure(**BRIEF)
        assert (await wire.ask("Say hello."))["output"]


async def test_a_revoked_key_listens_to_nobody_any_more(server: Server) -> None:
    ident, supervisor = await made(server)
    _, owner = await made(server)
    async with (
        line(server, owner) as one,
        line(server, owner) as two,
        contextlib.AsyncExitStack() as stack,
    ):
        sidebands = []
        for socket in (one, two):  # in either gateway, through either
            _, session = await begun(socket)
            for _ in range(2):
                joining = line(server, supervisor, f"call_id={session['id']}")
                sidebands.append(await stack.enter_async_context(joining))
                await begun(sidebands[-1])
        await asked(server, "POST", f"/v1/admin/keys/{ident}/revoke")
        for sideband in sidebands:
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(sideband.recv(), 5)
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "key_revoked")
        for socket in (one, two):
            wire = Wire(socket)
            await wire.configure(**BRIEF)
            assert (await wire.ask("Say hello."))["output"]


async def test_one_that_another_machine_revoked_ends_them_within_seconds(server: Server) -> None:
    ident, key = await made(server)
    async with line(server, key) as socket:
        await begun(socket)
        async with Database(EmbeddedPostgres(server.state / "postgres").url) as database:
            await database.run(lambda connection: keys.revoke(connection, ident))
        error = json.loads(await asyncio.wait_for(socket.recv(), 10))
        assert error["error"]["code"] == "key_revoked"
    assert await refusal(server, key) == (401, "expired_api_key", None)


async def test_no_account_reaches_anothers_session_through_any_gateway(server: Server) -> None:
    account = await asked(server, "POST", "/v1/admin/accounts", {"name": "Thief"})
    _, thief = await made(server, account_id=account["id"])
    _, owner = await made(server)
    async with line(server, owner) as one, line(server, owner) as two:
        for socket in (one, two):
            wire, session = await begun(socket)
            ident, token = session["id"], session["voiceforge"]["resume"]
            for _ in range(3):  # through either gateway
                found = await refusal(server, thief, f"call_id={ident}")
                assert found == (404, "session_not_found", None)
                route = f"/v1/realtime/calls/{ident}/hangup"
                status, text = await asyncio.to_thread(server.ask, "POST", route, None, thief)
                assert (status, "no session" in text) == (404, True)
                async with line(server, thief, f"session_id={ident}&resume={token}") as stolen:
                    told = json.loads(await stolen.recv())
                    assert told["error"]["code"] == "session_not_found"
                async with line(server, owner, f"call_id={ident}") as sideband:
                    assert json.loads(await sideband.recv())["type"] == "session.created"
            await wire.configure(**BRIEF)
            assert (await wire.ask("Say hello."))["output"]
        status, _ = await asyncio.to_thread(server.ask, "POST", route, None, owner)
        assert status == 200


async def test_sessions_at_once_are_counted_over_all_gateways_by_key_and_account(
    server: Server,
) -> None:
    limits = {"concurrent_sessions": 3}
    account = await asked(
        server, "POST", "/v1/admin/accounts", {"name": "Bakery", "limits": limits}
    )
    _, one = await made(server, account_id=account["id"], limits={"concurrent_sessions": 2})
    _, two = await made(server, account_id=account["id"])
    async with line(server, one) as first, line(server, one) as second:
        for socket in (first, second):
            await begun(socket)
        for _ in range(4):
            assert await refusal(server, one) == (429, "session_limit", "10")
        async with line(server, two) as third:
            await begun(third)
            assert await refusal(server, two) == (429, "session_limit", "10")

        async def free() -> bool:
            try:
                async with line(server, two) as socket:
                    return "session.created" in str(await socket.recv())
            except InvalidStatus:
                return False

        await until(free, 5)


async def test_requests_a_minute_are_counted_over_all_gateways(server: Server) -> None:
    _, key = await made(server, limits={"requests_per_minute": 40}, scopes=["system"])

    async def once(_: int) -> int:
        return (await asyncio.to_thread(server.ask, "GET", "/v1/system", None, key))[0]

    statuses = await asyncio.gather(*map(once, range(80)))
    served = statuses.count(200)
    assert 40 <= served <= 44, served  # one more has come every 1.5 s
    assert set(statuses) == {200, 429}


async def test_a_browser_gets_a_secret_whose_session_is_as_was_meant(server: Server) -> None:
    session = {
        "type": "realtime",
        "output_modalities": ["text"],
        "instructions": "You answer every question with the single word banana.",
        "max_output_tokens": 16,
    }
    body = {"session": session, "expires_after": {"anchor": "created_at", "seconds": 30}}
    told = await asked(server, "POST", "/v1/realtime/client_secrets", body)
    offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{told['value']}")]
    async with line(server, "", subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"
        wire, created = await begun(socket)
        assert created["instructions"] == session["instructions"]
        assert created["output_modalities"] == ["text"]
        answer = await wire.ask("What is your favourite fruit? Say banana.")
        assert "banana" in json.dumps(answer["output"]).lower()
    assert told["value"] not in "".join(server.err)


async def test_while_the_database_is_away_known_keys_go_on_and_it_comes_back(
    server: Server,
) -> None:
    _, known = await made(server)
    _, unknown = await made(server)
    async with line(server, known) as one, line(server, known) as two:  # to each gateway
        for socket in (one, two):
            await begun(socket)
        (database,) = (process for process in server.family() if process.name() == "postgres")
        whole = [database, *database.children(recursive=True)]
        async with undisturbed(server):
            for process in whole:
                process.suspend()
            try:
                await asyncio.sleep(6)  # what was asked is fresh no more
                async with line(server, known) as late:
                    await begun(late)
                assert await refusal(server, unknown) == (503, "database_unavailable", "2")
            finally:
                database.kill()
                for process in whole:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.resume()

            async def back() -> bool:
                status, _ = await asyncio.to_thread(
                    server.ask, "GET", "/v1/realtime", None, unknown
                )
                return status == 426

            await until(back, 30)


def test_a_key_never_reaches_the_log(server: Server) -> None:
    told = [row for row in server.out if not row.startswith("admin key: ")]
    assert server.key not in "".join(server.err + told)
