"""Where the server listens, and the signals that stop it: before anything slow is imported."""

import asyncio
import logging
import os
import signal
import socket

log = logging.getLogger(__name__)


class ServeError(Exception):
    """The server cannot start; the text says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Bind before anything slow begins, so that a port that is taken is told at once."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ServeError(f"host {host!r} cannot be resolved: {error.strerror}") from error
    bound = socket.socket(family, kind)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen(2048)
    except OSError as error:
        bound.close()
        raise ServeError(
            f"cannot listen on {host} port {port}: {error.strerror}; "
            "stop what uses it, or choose another with --port"
        ) from error
    return bound


def address(bound: socket.socket) -> str:
    """Where a client finds the socket, as `host:port`."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class StopSignals:
    """SIGTERM and SIGINT: the first asks to stop, the second ends the process at once.

    Workers die with the process: the kernel sees to it (`engine.child`).
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._got, number)

    def _got(self, number: signal.Signals) -> None:
        if self.asked.is_set():
            os._exit(128 + number)
        log.info("stopping", extra={"signal": number.name})
        self.asked.set()
