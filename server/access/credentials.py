"""Where a client may put its key."""

from collections.abc import Iterable, Mapping
from typing import Any

BEARER = "bearer "
SUBPROTOCOL = "openai-insecure-api-key."
"""Browsers can give a WebSocket no header, so OpenAI's clients offer the key as a subprotocol."""


def key_in(scope: Mapping[str, Any]) -> str | None:
    """The key of a request or a WebSocket's handshake; None without any.

    `Authorization: Bearer …`, `xi-api-key: …` as ElevenLabs' clients send it, or the subprotocol.
    """
    bearer = header(scope, b"authorization")
    if bearer is not None and bearer.lower().startswith(BEARER):
        shown = bearer[len(BEARER) :].strip()
        if shown:
            return shown
    named = header(scope, b"xi-api-key")
    if named:
        return named.strip()
    offered: Iterable[str] = scope.get("subprotocols") or ()
    return next((p.removeprefix(SUBPROTOCOL) for p in offered if p.startswith(SUBPROTOCOL)), None)


def header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """The first header with this name, in lower case; None without it."""
    found = (value for key, value in scope.get("headers", ()) if key == name)
    value: bytes | None = next(found, None)
    return None if value is None else value.decode("latin-1")
