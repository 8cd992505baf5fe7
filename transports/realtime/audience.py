"""Who is told what a session says: its client, and the sidebands beside it."""

from typing import Protocol

import msgspec

from engine.errors import RequestError
from transports.realtime.wire import ServerEvent

MOVED = 4001  # private range of RFC 6455: the session goes on at another connection

MOST_SIDEBANDS = 8
"""A session's events are written once for each; more than a few mean connections that leak."""

_encoder = msgspec.json.Encoder()


class Outlet(Protocol):
    """The way to one socket; both calls return at once."""

    def put(self, text: str) -> None:
        """Send one event."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Send what was put, then close. What is put afterwards is dropped."""
        ...


class Audience:
    """The sockets of one session. Its client may be away; what it is told then is dropped.

    Sidebands get everything but the agent's audio, which is most of what is sent, and which they
    have no use for.
    """

    def __init__(self, client: Outlet) -> None:
        self._client: Outlet | None = client
        self._sidebands: list[Outlet] = []

    @property
    def client_away(self) -> bool:
        """Whether nobody would hear the agent."""
        return self._client is None

    def has(self, client: Outlet) -> bool:
        """Whether the client is at this socket."""
        return self._client is client

    # ---- who is there -----------------------------------------------------------------------

    def move(self, client: Outlet) -> None:
        """The client is at another socket now."""
        if self._client is not None:
            self._client.close(MOVED, "the session goes on at another connection")
        self._client = client

    def leave(self, client: Outlet) -> bool:
        """The client at this socket is gone. False if it had already moved to another."""
        if self._client is not client:
            return False
        self._client = None
        return True

    def join(self, sideband: Outlet) -> None:
        """One more listens. Raises `RequestError` if it is one too many."""
        if len(self._sidebands) >= MOST_SIDEBANDS:
            raise RequestError(
                "too_many_sidebands",
                f"{MOST_SIDEBANDS} sidebands are connected to this session, the most that one may "
                "have: close one",
                "call_id",
            )
        self._sidebands.append(sideband)

    def part(self, sideband: Outlet) -> None:
        """A sideband is gone. Harmless if it was not there."""
        if sideband in self._sidebands:
            self._sidebands.remove(sideband)

    # ---- what they are told -----------------------------------------------------------------

    def tell(self, event: ServerEvent, for_sidebands: ServerEvent | None = None) -> None:
        """Tell everybody; sidebands get `for_sidebands` instead, where that is given."""
        if self._client is None and not self._sidebands:
            return
        text = text_of(event)
        self.tell_client(text)
        if self._sidebands and for_sidebands is not None:
            text = text_of(for_sidebands)
        for sideband in self._sidebands:
            sideband.put(text)

    def tell_client(self, text: str) -> None:
        """Send an event that is already JSON text to the client alone."""
        if self._client is not None:
            self._client.put(text)

    def answer(self, asker: Outlet | None, event: ServerEvent) -> None:
        """Tell who asked, and nobody else; None is the client."""
        if asker is None:
            self.tell_client(text_of(event))
        else:
            asker.put(text_of(event))

    def close(self, code: int, reason: str) -> None:
        """Close every socket."""
        for outlet in (self._client, *self._sidebands):
            if outlet is not None:
                outlet.close(code, reason)
        self._sidebands.clear()


def text_of(event: ServerEvent) -> str:
    """The event as JSON."""
    return _encoder.encode(event).decode()
