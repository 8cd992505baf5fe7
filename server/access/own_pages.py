"""Whether a browser asks for a page of this server, or for somebody else's.

A cookie travels with whatever a browser sends here, whoever has it sent. So wherever one counts, or
is made, the browser must not say that it asks for another page.
"""

from collections.abc import Mapping
from typing import Any

from server.access.credentials import header
from server.access.denied import Denied

OURS = (None, "same-origin", "none")
"""What `Sec-Fetch-Site` may be: older browsers do not send it, and `none` is a person who has typed
an address. Other ports and other names of one domain are `same-site`: not ours."""

USUAL_PORTS = {"http": ":80", "https": ":443"}
"""Which browsers leave out, and some proxies do not."""


def check_page(scope: Mapping[str, Any]) -> None:
    """Raises `Denied` if this was sent for a page of another origin. A WebSocket's handshake must
    say for which it is: nothing else keeps other pages from it.
    """
    site, origin = header(scope, b"sec-fetch-site"), header(scope, b"origin")
    if site not in OURS:
        raise foreign(f"a {site} page")
    if origin is None:
        if scope["type"] == "websocket":
            raise foreign("a page that does not say where it is from (no Origin)")
    elif not is_own(origin, header(scope, b"host") or ""):
        raise foreign(f"a page of {origin[:80]}")


def is_own(origin: str, host: str) -> bool:
    """Whether it is the origin of pages at this host. A proxy may hide their scheme."""
    scheme, _, place = origin.partition("://")
    usual = USUAL_PORTS.get(scheme)
    return usual is not None and bool(place) and place == host.lower().removesuffix(usual)


def foreign(page: str) -> Denied:
    text = (
        f"this came from {page}, and a sign-in counts on pages of this server only. Behind a "
        "reverse proxy, have it pass on `Host`, or name it (VOICEFORGE_PROXIES) and have it send "
        "`X-Forwarded-Host`; from elsewhere send a key"
    )
    return Denied(403, "origin_not_allowed", text)
