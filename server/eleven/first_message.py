"""A key in a WebSocket's first message, for clients that can give it to no header."""

import asyncio
import re

import msgspec

from server.access.credentials import key_in
from server.eleven.messages import Credentials
from server.lines import Application
from transports.handshake import POLICY
from transports.outbox import Message, Send
from transports.reading import Receive

PATH = re.compile(r"/v1/text-to-speech/[^/]+/stream-input")

PATIENCE_S = 10.0
"""For the first message of a client that nobody knows yet."""

MOST_UNKNOWN = 64
"""Of them at once; more are told that there is no key."""

LONGEST = 65_536
"""Of that message, in characters: nobody has said yet who pays for reading it."""

LONGEST_REASON = 123
"""Bytes (RFC 6455, 5.5)."""


class KeyInFirstMessage:
    """An ASGI application around another, which finds the key in a header.

    Where a client brings none, its handshake is accepted and its first message read, so that
    whatever is refused then closes the socket. The message comes again to whom it is for.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._unknown = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        late = scope["type"] == "websocket" and PATH.fullmatch(scope["path"]) is not None
        if not late or key_in(scope) is not None or self._unknown >= MOST_UNKNOWN:
            await self._application(scope, receive, send)
            return
        connect = await receive()
        await send({"type": "websocket.accept"})
        self._unknown += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                first = await receive()
        except TimeoutError:
            text = "no message with xi_api_key came"
            await send({"type": "websocket.close", "code": POLICY, "reason": text})
            return
        finally:
            self._unknown -= 1
        if first["type"] == "websocket.disconnect":
            return
        key = key_of(first)
        shown = [] if key is None else [(b"xi-api-key", key.encode())]
        known = {**scope, "headers": [*scope["headers"], *shown], "extensions": {}}
        await self._application(known, again([connect, first], receive), accepted(send))


def key_of(message: Message) -> str | None:
    """The key in it; None without any."""
    text = message.get("text") or message.get("bytes") or ""
    if len(text) > LONGEST:
        return None
    try:
        return msgspec.json.decode(text, type=Credentials).key()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def again(first: list[Message], receive: Receive) -> Receive:
    """Receives these, and then what comes."""
    left = iter(first)

    async def receiving() -> Message:
        for message in left:
            return message
        return await receive()

    return receiving


def accepted(send: Send) -> Send:
    """Sends on a socket that is accepted already, where a refusal is the reason of its close."""

    async def sending(message: Message) -> None:
        if message["type"] == "websocket.close":
            reason = str(message.get("reason") or "").encode()[:LONGEST_REASON]
            message = {**message, "reason": reason.decode(errors="ignore")}
        if message["type"] != "websocket.accept":
            await send(message)

    return sending
