"""One run of the server: start everything, serve until asked to stop, stop everything."""

import asyncio
import contextlib
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from server import web_app_files, whereabouts
from server.access.admin_key import FILE as KEY_FILE
from server.beside import beside
from server.handover import Acceptor
from server.learning import state_folder
from server.listening import ServeError, StopSignals, address, listen
from server.readiness import State
from server.settings import Settings
from server.supervisor import Supervisor

log = logging.getLogger(__name__)

Tell = Callable[[str], None]
"""Prints a line for the person who started the server."""


async def run(settings: Settings, tell: Tell) -> None:
    """Serve until SIGTERM or SIGINT, and end the sessions gently. Raises `ServeError`."""
    signals = StopSignals()
    bound = listen(settings.host, settings.port)
    where = address(bound)
    with contextlib.closing(bound), sockets_folder() as sockets:
        supervisor = Supervisor(settings, sockets, tell)
        async with (
            contextlib.aclosing(supervisor),
            beside(Acceptor(bound, supervisor.give).run()),
            contextlib.AsyncExitStack() as opened,
        ):
            if await started(supervisor, signals):
                folder = state_folder(settings)
                opened.enter_context(whereabouts.told(folder, f"http://{where}"))
                tell(welcome(where, folder / KEY_FILE, has_app=web_app_files.is_built()))
                log.info("listening", extra={"address": where})
                await opened.enter_async_context(beside(supervisor.keep_books()))
                async with (
                    beside(supervisor.learn()),
                    beside(supervisor.unload_idle()),
                    beside(supervisor.keep_database()),
                    beside(tell_missing(supervisor.path(), tell)),
                ):
                    await signals.asked.wait()
            if supervisor.sessions:
                within_s = settings.limits.drain_s
                tell(f"waiting {within_s:g} s for sessions to finish; Ctrl-C ends them now")
            await supervisor.drain()
    log.info("stopped")


@contextlib.contextmanager
def sockets_folder() -> Iterator[Path]:
    """A folder that only we may enter, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="voiceforge-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


async def started(supervisor: Supervisor, signals: StopSignals) -> bool:
    """Whether sessions could begin before somebody asked to stop."""
    starting = asyncio.create_task(supervisor.start())
    asked = asyncio.create_task(signals.asked.wait())
    await asyncio.wait((starting, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait((starting,))
        return False
    await starting
    return True


async def tell_missing(path: str, tell: Tell) -> None:
    """Ask every model once, and say which do not answer, such as an endpoint that is down."""
    reader, writer = await asyncio.open_unix_connection(path)
    with contextlib.closing(writer):
        writer.write(b"GET /readyz HTTP/1.0\r\n\r\n")  # whose answer ends with the connection
        _, _, body = (await reader.read()).partition(b"\r\n\r\n")
    state = msgspec.json.decode(body, type=State)
    for model, missing in state.models.items():
        if missing != "ready":
            tell(f"{model:5} does not answer: {missing}")


def program() -> str:
    """How a person at this prompt calls `voiceforge`."""
    if shutil.which("voiceforge"):
        return "voiceforge"
    beside_python = Path(sys.executable).parent / "voiceforge"
    with contextlib.suppress(ValueError):
        return str(beside_python.relative_to(Path.cwd()))
    return str(beside_python)


def welcome(where: str, key_file: Path, *, has_app: bool) -> str:
    """What a person needs to know once the server is ready."""
    app = f"  app:    http://{where}/app/\n" if has_app else ""
    return (
        f"VoiceForge listens on http://{where} (Ctrl-C stops it)\n"
        f"{app}"
        f"  key:    the administrator's is in {key_file}\n"
        f"  talk:   {program()} talk\n"
        f"  client: OpenAI Realtime at ws://{where}/v1/realtime\n"
        f"  read:   http://{where}/docs"
    )


__all__ = ["ServeError", "run"]
