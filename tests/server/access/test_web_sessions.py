"""The cookies of browsers that have signed in."""

import base64
import os

import pytest

from server.access.web_sessions import COOKIE, LASTS_S, WebSessions, cookie_in
from server.outbound.sealing import Sealing
from tests.server.access.test_guesses import Clock

KEY = os.urandom(32)


def test_it_holds_the_key_for_whoever_has_the_servers_secret_and_shows_it_to_nobody() -> None:
    cookie = WebSessions(KEY).make("vf_right")
    assert "vf_right" not in cookie
    assert WebSessions(KEY).key(cookie) == "vf_right"  # another gateway, or another start
    assert WebSessions(os.urandom(32)).key(cookie) is None
    assert WebSessions(KEY).make("vf_right") != cookie


def test_it_ends_after_twelve_hours() -> None:
    wall = Clock()
    sessions = WebSessions(KEY, wall)
    cookie = sessions.make("vf_right")
    wall.now += LASTS_S - 1
    assert sessions.key(cookie) == "vf_right"
    wall.now += 1
    assert sessions.key(cookie) is None


def test_not_one_bit_of_it_can_be_changed() -> None:
    sessions = WebSessions(KEY)
    cookie = sessions.make("vf_right")
    for place, letter in enumerate(cookie[:-1]):  # of the last one some bits mean nothing
        other = "A" if letter != "A" else "B"
        assert sessions.key(cookie[:place] + other + cookie[place + 1 :]) is None, place


@pytest.mark.parametrize("cookie", ["", "x", "vf_right", "é", "%00", "A" * 10_000, "AAAA=", "kw=="])
def test_what_is_no_cookie_of_ours_opens_nothing(cookie: str) -> None:
    assert WebSessions(KEY).key(cookie) is None


def test_a_secret_of_an_account_that_is_sealed_with_the_servers_key_is_none() -> None:
    sealed = Sealing(KEY).seal('["vf_right",99999999999]', "", COOKIE)
    assert WebSessions(KEY).key(base64.urlsafe_b64encode(sealed).decode()) is None


def test_a_token_is_for_one_cookie() -> None:
    sessions = WebSessions(KEY)
    one, other = sessions.make("vf_right"), sessions.make("vf_right")
    assert sessions.is_token(sessions.token(one), one)
    assert WebSessions(KEY).is_token(sessions.token(one), one)
    assert not sessions.is_token(sessions.token(one), other)
    assert not WebSessions(os.urandom(32)).is_token(sessions.token(one), one)
    for wrong in ("", "é", sessions.token(one)[:-1], one):
        assert not sessions.is_token(wrong, one)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (b"vf_session=abc", "abc"),
        (b"a=b; vf_session=abc; c=d", "abc"),
        (b"a=b;vf_session=abc", "abc"),
        (b"vf_session=a=b", "a=b"),
        (b"xvf_session=abc", None),
        (b"vf_session=", None),
        (b"vf_session", None),
        (b"", None),
    ],
)
def test_it_is_found_among_other_cookies(sent: bytes, found: str | None) -> None:
    assert cookie_in({"headers": [(b"cookie", sent)]}) == found
    assert cookie_in({"headers": []}) is None
