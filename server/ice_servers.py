"""What helps browsers to reach us: STUN and TURN, with credentials that last for some hours."""

import base64
import hashlib
import hmac
import ipaddress

import msgspec

from server.settings import WebRtcSettings
from transports.webrtc.ice import Reach
from transports.webrtc.reflexive import StunServer

LASTS_S = 12 * 3600
"""As long as the longest call that anybody would make: a TURN server asks for them all along."""

PORTS = range(1, 65_536)


class IceServer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of `RTCPeerConnection`'s `iceServers`."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceServers(msgspec.Struct, frozen=True):
    """What to give `RTCPeerConnection`; `expires_at` in seconds since 1970."""

    ice_servers: list[IceServer]
    expires_at: int


def ice_servers(settings: WebRtcSettings, secret: str | None, who: str, now: float) -> IceServers:
    """For a caller whose name is `who`; `secret` is shared with the TURN server."""
    until = int(now) + LASTS_S
    found = []
    if settings.stun is not None:
        found.append(IceServer([f"stun:{settings.stun}"]))
    if settings.turn is not None and secret is not None:
        name = f"{until}:{who}"
        found.append(IceServer(settings.turn.split(","), name, password(secret, name)))
    return IceServers(found, until)


def password(secret: str, name: str) -> str:
    """As coturn's `use-auth-secret` has it (draft-uberti-behave-turn-rest-00, 2.2)."""
    digest = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def check(settings: WebRtcSettings) -> None:
    """Raises `ValueError`, which begins with the name of the setting, for what cannot be."""
    if settings.turn is not None and settings.turn_secret is None:
        raise ValueError("turn: set turn_secret too, which the TURN server shares with this one")
    reach_of(settings)


def reach_of(settings: WebRtcSettings) -> Reach:
    """How calls come to this machine. Raises `ValueError` for what is no address or port."""
    stun = None
    if settings.stun is not None:
        host, _, port = settings.stun.rpartition(":")
        stun = StunServer(host, port_of(port, "stun"))
    ports = None
    if settings.ports is not None:
        first, _, last = settings.ports.partition("-")
        ports = port_of(first, "ports"), port_of(last, "ports")
        if ports[0] > ports[1]:
            raise ValueError(f"ports: {settings.ports} ends before it begins")
    return Reach(
        addresses_of(settings.addresses, "addresses"),
        addresses_of(settings.announced, "announced"),
        ports,
        stun,
    )


def addresses_of(given: str | None, setting: str) -> tuple[str, ...]:
    """Single addresses, with commas between them. Raises `ValueError`."""
    try:
        return tuple(str(ipaddress.ip_address(one)) for one in (given or "").split(",") if one)
    except ValueError as error:
        raise ValueError(f"{setting}: {error}") from None


def port_of(given: str, setting: str) -> int:
    """Raises `ValueError`."""
    if int(given) not in PORTS:
        raise ValueError(f"{setting}: {given} is no port: 1 to 65535 are")
    return int(given)
