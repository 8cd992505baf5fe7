"""The guard before browsers that have signed in: what counts as one of the server's own pages."""

from typing import Any

import msgspec
import pytest

from server.access.caller import Caller, cookie_of
from server.access.denied import Denied
from server.access.guesses import AT_ONCE
from server.access.own_pages import is_own
from server.access.web_sessions import LASTS_S
from tests.server.access.test_guard import Answer, Site, key, raw

HOST = "127.0.0.1:8000"
PAGE = "http://127.0.0.1:8000"


class Browser:
    """One that has signed in at a site with a key."""

    def __init__(self, site: Site, key: str = "vf_right") -> None:
        self.site = site
        self.cookie = site.web_sessions.make(key)
        self.token = site.web_sessions.token(self.cookie)

    async def ask(self, method: str = "GET", **headers: str) -> Answer:
        own = {"host": HOST, "cookie": f"a=b; vf_session={self.cookie}"}
        return await self.site.ask(method=method, **own | headers)

    async def connect(self, **headers: str) -> Answer:
        own = {"host": HOST, "cookie": f"vf_session={self.cookie}"}
        scope = {
            "type": "websocket",
            "path": "/v1/realtime",
            "client": ("192.0.2.1", 5),
            "headers": raw(own | headers),
            "extensions": {"websocket.http.response": {}},
        }
        return await self.site.connect(scope)


def told(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.error.get("code")


async def test_the_cookie_stands_for_the_key() -> None:
    site = Site()
    answer = await Browser(site).ask()
    assert answer.status == 200
    assert site.callers == [site.known.caller]
    assert answer.headers == {"a": "b", "x-ratelimit-remaining-requests": "3"}


async def test_a_key_that_is_shown_wins_over_it() -> None:
    site = Site()
    assert told(await Browser(site).ask(authorization="Bearer vf_wrong"))[1] == "invalid_api_key"
    other = Browser(site, "vf_wrong")
    assert (await other.ask("POST", authorization="Bearer vf_right")).status == 200
    assert (await other.ask("POST", xi_api_key="vf_right")).status == 200


async def test_who_shows_a_key_is_not_signed_in() -> None:
    site = Site()
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await site._application(scope, receive, send)

    site.guard._application = application
    browser = Browser(site)
    await browser.ask()
    await browser.ask(authorization="Bearer vf_right")
    assert [cookie_of(scope) for scope in scopes] == [browser.cookie, None]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "MERGE"])
async def test_what_changes_something_needs_the_token_of_this_cookie(method: str) -> None:
    site = Site()
    browser, other = Browser(site), Browser(site)
    assert told(await browser.ask(method)) == (403, "csrf_failed")
    for wrong in (other.token, "", browser.token[:-1], browser.cookie):
        assert told(await browser.ask(method, x_csrf_token=wrong)) == (403, "csrf_failed")
    assert site.callers == []
    assert site.denied == ["csrf_failed"] * 5
    assert (await browser.ask(method, x_csrf_token=browser.token)).status == 200
    assert (await browser.ask(method, x_csrf_token=browser.token, origin=PAGE)).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_what_only_reads_needs_none(method: str) -> None:
    assert (await Browser(Site()).ask(method)).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:9000",
        "http://127.0.0.1",
        "http://localhost:8000",
        "https://evil.example",
        "http://127.0.0.1:8000.evil.example",
        "http://evil.example:8000",
        "null",
        "file://127.0.0.1:8000",
        "",
    ],
)
async def test_another_page_is_refused_though_it_has_the_token(origin: str) -> None:
    site = Site()
    browser = Browser(site)
    answer = await browser.ask("POST", x_csrf_token=browser.token, origin=origin)
    assert told(answer) == (403, "origin_not_allowed")
    assert told(await browser.ask(origin=origin)) == (403, "origin_not_allowed")
    assert told(await browser.connect(origin=origin)) == (403, "origin_not_allowed")
    assert site.callers == []


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403), ("", 403)],
)
async def test_a_browser_that_says_it_asks_for_another_page_is_refused(
    site: str, status: int
) -> None:
    assert (await Browser(Site()).ask(sec_fetch_site=site)).status == status


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("https://voice.example", "voice.example", True),
        ("http://voice.example", "voice.example", True),
        ("https://voice.example", "voice.example:443", True),
        ("http://voice.example", "voice.example:80", True),
        ("https://voice.example", "Voice.Example", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("https://voice.example", "voice.example:80", False),
        ("https://voice.example:8443", "voice.example", False),
        ("https://voice.example", "voice.example:8443", False),
        ("https://voice.example.evil.example", "voice.example", False),
        ("https://", "", False),
        ("null", "null", False),
        ("chrome-extension://voice.example", "voice.example", False),
    ],
)
def test_a_page_is_the_servers_own_whatever_the_scheme(origin: str, host: str, own: bool) -> None:
    assert is_own(origin, host) == own


async def test_a_websocket_must_say_that_it_is_for_a_page_of_this_server() -> None:
    site = Site()
    browser = Browser(site)
    assert told(await browser.connect()) == (403, "origin_not_allowed")
    assert told(await browser.connect(origin="http://localhost:3000"))[0] == 403
    assert site.callers == []
    assert (await browser.connect(origin=PAGE)).status == 200
    assert site.callers == [site.known.caller]


async def test_a_sign_in_that_is_over_is_no_guess() -> None:
    site = Site()
    browser = Browser(site)
    site.wall.now += LASTS_S
    for _ in range(2 * AT_ONCE):
        assert told(await browser.ask()) == (401, "sign_in_expired")
    assert (site.looks, site.callers) == (0, [])
    assert told(await site.ask(cookie="vf_session=made-up")) == (401, "sign_in_expired")


async def test_what_the_key_may_not_its_cookie_may_not() -> None:
    pages = Site(key(origins=("https://shop.example",)))
    browser = Browser(pages)
    answer = await browser.ask("POST", x_csrf_token=browser.token, origin=PAGE)
    assert told(answer) == (403, "origin_not_allowed")
    here = Site(key(addresses=("10.0.0.0/8",)))
    assert told(await Browser(here).ask()) == (403, "address_not_allowed")
    ended = Site(msgspec.structs.replace(key(), good_for_s=0.0))
    assert told(await Browser(ended).ask()) == (401, "expired_api_key")
    full = Site()
    full.full = True
    assert told(await Browser(full).ask()) == (429, "rate_limit_exceeded")


async def signing_in(site: Site, secret: str, **headers: str) -> str:
    """The code of the no; empty if there is none."""
    sent = {"host": HOST, **headers}
    scope = {"type": "http", "method": "POST", "client": ("192.0.2.1", 5), "headers": raw(sent)}
    try:
        entered = await site.entrance.sign_in(scope, secret)
    except Denied as denied:
        return denied.code
    assert entered.cookie is not None
    assert site.web_sessions.key(entered.cookie) == secret
    return ""


async def test_a_key_becomes_a_cookie() -> None:
    site = Site()
    assert await signing_in(site, "vf_right") == ""
    assert await signing_in(site, "vf_right", origin=PAGE, sec_fetch_site="same-origin") == ""


async def test_wrong_keys_are_slowed_down_in_a_body_as_in_a_header() -> None:
    site = Site()
    half = AT_ONCE // 2
    for number in range(half):
        assert await signing_in(site, f"vf_{number}") == "invalid_api_key"
        assert (await site.ask(authorization=f"Bearer vf_x{number}")).status == 401
    looks = site.looks
    assert await signing_in(site, "vf_y") == "too_many_wrong_keys"
    assert told(await site.ask(authorization="Bearer vf_y")) == (429, "too_many_wrong_keys")
    assert site.looks == looks
    assert site.denied.count("invalid_api_key") == AT_ONCE


async def test_nobody_is_signed_in_by_anothers_page() -> None:
    site = Site()
    for page in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}):
        assert await signing_in(site, "vf_right", **page) == "origin_not_allowed"
    assert site.looks == 0


async def test_signing_in_asks_what_every_use_of_the_key_asks() -> None:
    pages = Site(key(origins=("https://shop.example",)))
    assert await signing_in(pages, "vf_right", origin=PAGE) == "origin_not_allowed"
    assert await signing_in(Site(key(addresses=("10.0.0.0/8",))), "vf_right") == (
        "address_not_allowed"
    )
    ended = Site(msgspec.structs.replace(key(), good_for_s=0.0))
    assert await signing_in(ended, "vf_right") == "expired_api_key"
    full = Site()
    full.full = True
    assert await signing_in(full, "vf_right") == "rate_limit_exceeded"


async def test_a_client_secret_does_not_sign_in() -> None:
    secret = Caller("acc_1", "key_1", ("realtime",), session={})
    site = Site(msgspec.structs.replace(key(), caller=secret))
    assert await signing_in(site, "ek_right") == "client_secret"
    assert site.denied == ["client_secret"]
