"""Connections on their way from the one process that accepts them to the one that serves them.

Several processes that accept from one socket do not share the load: whoever is awake takes all of
it (measured with two gateways: 288 to 3). So the supervisor accepts, and hands each connection, a
file descriptor over a Unix socket, to the gateway with the fewest sessions.
"""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn


log = logging.getLogger(__name__)

AT_ONCE = 64  # descriptors taken in one go
NO_FILES_S = 0.2  # out of file descriptors: until some connections have ended
NOBODY_S = 0.02

Give = Callable[[socket.socket], bool]
"""Hands a connection to some gateway; False if none takes one now."""


class Acceptor:
    """Accepts on `bound` and gives away what comes, in order. While nobody takes any, they wait."""

    def __init__(self, bound: socket.socket, give: Give) -> None:
        bound.setblocking(False)
        self._bound = bound
        self._give = give

    async def run(self) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._bound)
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    continue  # it was gone before it was taken
                log.warning("no connection can be taken", extra={"error": error.strerror})
                await asyncio.sleep(NO_FILES_S)
                continue
            with contextlib.closing(connection):  # the gateway has its own copy
                while not self._give(connection):  # noqa: ASYNC110 - a process is waited for
                    await asyncio.sleep(NOBODY_S)


def hand(channel: socket.socket, connection: socket.socket) -> bool:
    """Send a connection over a channel that does not block; False if it takes none now."""
    try:
        socket.send_fds(channel, [b"c"], [connection.fileno()])
    except OSError:
        return False
    return True


class Taking:
    """Serves the connections that come over `channel`, as `server` does those it accepts; by
    another `config`, if one is given, which has been loaded.
    """

    def __init__(
        self,
        channel: socket.socket,
        server: "uvicorn.Server",
        config: "uvicorn.Config | None" = None,
    ) -> None:
        channel.setblocking(False)
        self._channel = channel
        self._server = server
        self._config = config or server.config
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Begin; `server` must have started."""
        self._loop.add_reader(self._channel.fileno(), self._take)

    def stop(self) -> None:
        """Take no more."""
        self._loop.remove_reader(self._channel.fileno())

    def _take(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._channel, AT_ONCE, AT_ONCE)
        except BlockingIOError:
            return
        except OSError as error:
            log.warning("a connection could not be taken", extra={"error": error.strerror})
            return
        if not data:
            self.stop()  # the supervisor is gone, and so are we
            return
        for descriptor in descriptors:
            connection = socket.socket(fileno=descriptor)
            connection.setblocking(False)
            with contextlib.suppress(OSError):  # no TCP: a Unix socket has no delay
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task: asyncio.Task[object] = self._loop.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client has gone already
            await self._loop.connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        server, config = self._server, self._config
        made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=server.server_state, app_state=server.lifespan.state
        )
        return made
