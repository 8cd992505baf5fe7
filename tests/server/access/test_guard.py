"""Who gets in: the guard around an application that says who it was told asks."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from server.access.caller import HEADER, OURSELVES, Caller, caller_of
from server.access.denied import Denied
from server.access.entrance import Entrance
from server.access.guard import Guard, Trusted
from server.access.guesses import AT_ONCE
from server.access.keyring import FRESH_S, Keyring, Known
from server.access.web_sessions import WebSessions
from storage.accounts import Limits
from storage.errors import Unavailable
from storage.keys import Key, hashed
from tests.server.access.test_guesses import Clock

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def is_open(scope: Any) -> bool:
    return bool(scope["path"] == "/healthz")


def key(**terms: Any) -> Known:
    made = Key(
        "key_1",
        "acc_1",
        "shop",
        "vf_abcd",
        ("realtime",),
        terms.get("origins", ()),
        terms.get("addresses", ()),
        Limits(),
        NOW,
        None,
        None,
        None,
    )
    return Known(made, Caller("acc_1", "key_1", ("realtime",)), float("inf"))


class Site:
    """A guarded application. `away`: the database; `full`: what counts requests says no."""

    def __init__(self, known: Known | None = None) -> None:
        self.known = known or key()
        self.away = self.full = False
        self.callers: list[Caller | None] = []
        self.looks = 0
        self.denied: list[str] = []
        self.clock = Clock()
        self.wall = Clock()
        self.web_sessions = WebSessions(bytes(32), self.wall)
        keyring = Keyring(self._look, self.clock)
        self.entrance = Entrance(keyring, self.web_sessions, self, self.denied.append)
        self.guard = Guard(self._application, is_open, self.entrance)

    async def _application(self, scope: Any, _: object, send: Any) -> None:
        self.callers.append(scope.get("voiceforge.caller"))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"{}"})

    async def _look(self, hash_: bytes, _: bool) -> Known | None:
        self.looks += 1
        if self.away:
            raise Unavailable("it is away")
        return self.known if hash_ in (hashed("vf_right"), hashed("ek_right")) else None

    async def take(self, caller: Caller) -> dict[str, str]:
        if self.full:
            raise Denied(429, "rate_limit_exceeded", "too many", headers={"retry-after": "7"})
        return {"x-ratelimit-remaining-requests": "3"}

    async def ask(
        self,
        path: str = "/v1/system",
        client: str = "192.0.2.1",
        method: str = "GET",
        **headers: str,
    ) -> "Answer":
        scope = {"type": "http", "method": method, "path": path, "client": (client, 5)}
        return await self.connect(scope | {"headers": raw(headers)})

    async def connect(self, scope: dict[str, Any]) -> "Answer":
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.guard(scope, receive, send)
        return Answer(sent)


class Answer:
    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self.status = sent[0]["status"]
        self.headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        self.error = msgspec.json.decode(sent[1]["body"]).get("error", {})


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer vf_right"},
        {"authorization": "bearer vf_right "},
        {"xi_api_key": "vf_right"},
        {"authorization": "Basic abc", "xi_api_key": "vf_right"},
    ],
)
async def test_a_key_is_found_wherever_a_client_puts_it(headers: dict[str, str]) -> None:
    site = Site()
    answer = await site.ask(**headers)
    assert answer.status == 200
    assert site.callers == [site.known.caller]
    assert answer.headers == {"a": "b", "x-ratelimit-remaining-requests": "3"}


async def test_a_browsers_websocket_offers_it_as_a_subprotocol() -> None:
    site = Site()
    offered = ["realtime", "openai-insecure-api-key.ek_right"]
    scope = {"type": "websocket", "path": "/v1/realtime", "subprotocols": offered, "headers": []}
    assert (await site.connect(scope)).status == 200
    assert site.callers == [site.known.caller]


async def test_who_shows_none_is_told_how() -> None:
    site = Site()
    for headers in ({}, {"authorization": "Basic dmY6"}, {"authorization": "Bearer "}):
        answer = await site.ask(**headers)
        assert (answer.status, answer.error["code"]) == (401, "missing_api_key")
        assert "Authorization: Bearer vf_" in answer.error["message"]
        assert answer.headers["www-authenticate"] == "Bearer"
    assert site.callers == []
    assert site.denied == ["missing_api_key"] * 3


async def test_a_wrong_one_is_refused_and_never_repeated() -> None:
    site = Site()
    answer = await site.ask(authorization="Bearer vf_wrong")
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert "vf_wrong" not in str(answer.error)
    assert site.callers == []


async def test_a_websocket_is_refused_before_its_handshake() -> None:
    site = Site()
    scope = {
        "type": "websocket",
        "path": "/v1/realtime",
        "headers": [],
        "extensions": {"websocket.http.response": {}},
    }
    answer = await site.connect(scope)
    assert (answer.status, answer.error["code"]) == (401, "missing_api_key")


@pytest.mark.parametrize("path", ["/healthz/", "//healthz", "/healthz/..", "/Healthz", "/v1"])
async def test_only_the_very_paths_of_the_list_are_public(path: str) -> None:
    site = Site()
    assert (await site.ask("/healthz")).status == 200
    assert site.callers == [None]
    assert (await site.ask(path)).status == 401


async def test_guessing_is_slowed_and_a_known_key_is_not() -> None:
    site = Site()
    assert (await site.ask(authorization="Bearer vf_right")).status == 200
    for number in range(AT_ONCE):
        answer = await site.ask(authorization=f"Bearer vf_{number}")
        assert answer.status == 401
    looks = site.looks
    answer = await site.ask(authorization="Bearer vf_x")
    assert (answer.status, answer.error["code"]) == (429, "too_many_wrong_keys")
    assert answer.headers["retry-after"] == "3"
    assert site.looks == looks
    assert (await site.ask(authorization="Bearer vf_right")).status == 200
    site.clock.now += 2 * FRESH_S  # it must be looked up again
    assert (await site.ask(authorization="Bearer vf_right")).status == 200
    assert (await site.ask(client="192.0.2.2", authorization="Bearer vf_y")).status == 401


async def test_guessing_is_slowed_though_many_keys_come_at_once() -> None:
    site = Site()
    told = await asyncio.gather(
        *(site.ask(authorization=f"Bearer vf_{number}") for number in range(200))
    )
    assert site.looks == AT_ONCE
    assert sorted({answer.status for answer in told}) == [401, 429]


async def test_those_who_come_over_ipv4_to_an_ipv6_socket_are_told_apart() -> None:
    site = Site()
    for number in range(2 * AT_ONCE):
        await site.ask(client="::ffff:192.0.2.1", authorization=f"Bearer vf_{number}")
    answer = await site.ask(client="::ffff:192.0.2.2", authorization="Bearer vf_x")
    assert answer.status == 401


async def test_what_counts_requests_may_say_no() -> None:
    site = Site()
    site.full = True
    answer = await site.ask(authorization="Bearer vf_right")
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert site.callers == []


async def test_while_the_database_is_away_an_unknown_key_must_wait_and_is_no_guess() -> None:
    site = Site()
    site.away = True
    for _ in range(2 * AT_ONCE):
        answer = await site.ask(authorization="Bearer vf_right")
        assert (answer.status, answer.error["code"]) == (503, "database_unavailable")
    site.away = False
    assert (await site.ask(authorization="Bearer vf_right")).status == 200


@pytest.mark.parametrize(
    ("networks", "client", "status"),
    [
        (("192.0.2.0/24",), "192.0.2.9", 200),
        (("192.0.2.0/24",), "::ffff:192.0.2.9", 200),
        (("192.0.2.0/24",), "198.51.100.1", 403),
        (("192.0.2.7", "2001:db8::/32"), "2001:db8::1", 200),
        (("192.0.2.7", "2001:db8::/32"), "192.0.2.8", 403),
        (("192.0.2.0/24",), "", 403),
    ],
)
async def test_a_key_for_some_addresses_is_for_no_others(
    networks: tuple[str, ...], client: str, status: int
) -> None:
    site = Site(key(addresses=networks))
    answer = await site.ask(client=client, authorization="Bearer vf_right")
    assert answer.status == status
    assert answer.error.get("code") == (None if status == 200 else "address_not_allowed")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://shop.example", 200),
        ("https://shop.example:8443", 403),
        ("http://shop.example", 403),
        ("https://shop.example.evil.example", 403),
        (None, 200),  # no browser: it could say anything
    ],
)
async def test_a_key_for_some_pages_is_for_no_others(origin: str | None, status: int) -> None:
    site = Site(key(origins=("https://shop.example",)))
    headers = {"authorization": "Bearer vf_right"} | ({} if origin is None else {"origin": origin})
    assert (await site.ask(**headers)).status == status


async def test_a_client_secret_of_such_a_key_is_for_browsers_only() -> None:
    made = key(origins=("https://shop.example",))
    site = Site(msgspec.structs.replace(made, caller=Caller("acc_1", "key_1", session={})))
    assert (await site.ask(authorization="Bearer ek_right")).status == 403
    page = {"origin": "https://shop.example"}
    assert (await site.ask(authorization="Bearer ek_right", **page)).status == 200


async def test_nobody_says_for_whom_he_asks_but_our_own_processes() -> None:
    told = Caller("acc_2", "key_2", ("realtime",), session={"instructions": "ü"}).told()
    site = Site()
    headers = {HEADER: told, "authorization": "Bearer vf_right"}
    assert (await site.ask(**headers)).status == 200
    assert site.callers == [site.known.caller]
    assert (await site.ask(**{HEADER: told})).status == 401

    seen = []

    async def application(scope: Any, *_: object) -> None:
        seen.append(caller_of(scope))

    for given in ([(HEADER.encode(), told.encode())], []):
        await Trusted(application)({"type": "http", "headers": given}, None, None)  # type: ignore[arg-type]
    assert seen == [Caller("acc_2", "key_2", ("realtime",)), OURSELVES]


def test_what_is_anothers_is_seen_by_administrators_only() -> None:
    mine = Caller("acc_1", "key_1", ("realtime", "sessions"))
    assert mine.sees("acc_1")
    assert not mine.sees("acc_2")
    assert not mine.sees(None)
    assert not mine.may("admin")
    assert not mine.may("system")
    admin = Caller("acc_1", "key_1", ("admin",))
    assert admin.sees("acc_2")
    assert admin.sees(None)
    assert admin.may("realtime")
    assert not Caller().sees(None)
