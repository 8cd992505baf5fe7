"""What browsers are told of how to reach us, and how settings say it."""

import pytest

from server.ice_servers import LASTS_S, ice_servers, password, reach_of
from server.settings import Secret, WebRtcSettings
from server.settings_sources import SettingsError, load

TURN = WebRtcSettings(
    turn="turn:turn.example.com:3478,turns:turn.example.com:5349?transport=tcp",
    turn_secret=Secret("north"),
)


def test_the_password_is_what_coturn_makes_of_the_name() -> None:
    """As `openssl dgst -sha1 -hmac north -binary | base64` has it."""
    assert password("north", "1433895918:ninefingers") == "jy8hTxmOO7UtEKXqSkSlvakPVYA="


def test_where_none_is_needed_there_is_none() -> None:
    assert ice_servers(WebRtcSettings(), None, "key_1", 1000.0).ice_servers == []


def test_credentials_last_for_some_hours_and_name_the_key() -> None:
    told = ice_servers(TURN, "north", "key_1", 1000.5)
    [server] = told.ice_servers
    assert told.expires_at == 1000 + LASTS_S
    assert server.username == f"{1000 + LASTS_S}:key_1"
    assert server.credential == password("north", server.username)
    assert len(server.urls) == 2


def test_stun_needs_no_credentials() -> None:
    [server] = ice_servers(WebRtcSettings(stun="stun.example.com:3478"), None, "", 0).ice_servers
    assert (server.urls, server.credential) == (["stun:stun.example.com:3478"], None)


def test_addresses_and_ports_are_read() -> None:
    reach = reach_of(
        WebRtcSettings(
            addresses="10.0.0.5,fd00::5",
            announced="203.0.113.7",
            ports="50000-50999",
            stun="stun.example.com:3478",
        )
    )
    assert reach.addresses == ("10.0.0.5", "fd00::5")
    assert reach.announced == ("203.0.113.7",)
    assert reach.ports == (50_000, 50_999)
    assert reach.stun is not None
    assert (reach.stun.host, reach.stun.port) == ("stun.example.com", 3478)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORTS", "50000", "allowed: UDP ports"),
        ("PORTS", "50999-50000", "ends before it begins"),
        ("PORTS", "1-99999", "99999 is no port"),
        ("ADDRESSES", "10.0.0.0/8", "addresses"),
        ("STUN", "stun.example.com", "a STUN server"),
        ("TURN", "stun:turn.example.com", "a TURN server"),
        ("TURN", "turn:turn.example.com:3478", "set turn_secret too"),
    ],
)
def test_what_cannot_be_is_told_where_it_was_set(name: str, value: str, told: str) -> None:
    variable = f"VOICEFORGE_WEBRTC__{name}"
    with pytest.raises(SettingsError, match=told) as wrong:
        load(environ={variable: value})
    assert variable in str(wrong.value)


def test_no_gateway_s_settings_hold_the_secret() -> None:
    environ = {
        "VOICEFORGE_WEBRTC__TURN": "turn:turn.example.com:3478",
        "VOICEFORGE_WEBRTC__TURN_SECRET": "north",
    }
    settings = load(environ=environ).settings
    assert settings.webrtc.turn_secret == Secret("north")
    assert settings.without_secrets().webrtc.turn_secret is None
