"""Asking a server over HTTP, as the commands do."""

import http.client
import ipaddress
import urllib.error
import urllib.request
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

T = TypeVar("T")

ANSWER_S = 30.0


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody: a key is for the server that was named."""

    def redirect_request(self, *_: object) -> None:
        return None


_afar = urllib.request.build_opener(_Stay)
_here = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))
"""To this machine there is no proxy on the way."""


class WebError(Exception):
    """The server does not answer, or says no; the text is for whoever gave the command."""


def ask(method: str, url: str, key: str, kind: type[T], body: Any = None) -> T:
    """The answer of the server as `kind`. Raises `WebError`."""
    data = None if body is None else msgspec.json.encode(body)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        opener = _here if is_here(url) else _afar
        with opener.open(request, timeout=ANSWER_S) as answer:
            return msgspec.json.decode(answer.read() or b"null", type=kind)
    except urllib.error.HTTPError as refused:
        with refused:
            raise WebError(f"{url}: {_said(refused)}") from refused
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise WebError(f"{url}: {reason}: is the server running there?") from error
    except msgspec.MsgspecError as error:
        raise WebError(f"{url}: this is no VoiceForge: {error}") from error


def is_here(url: str) -> bool:
    """Whether the address is this machine's own: nothing that is sent there leaves it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _said(refused: urllib.error.HTTPError) -> str:
    """What the server says in the shape of OpenAI's errors, or else its status."""
    try:
        return str(msgspec.json.decode(refused.read())["error"]["message"])
    except (msgspec.MsgspecError, KeyError, TypeError, OSError):
        return f"HTTP {refused.code}"
