"""One run of the server: start everything, serve until asked to stop, stop everything."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from engine.inference import InferenceError
from server.app import build
from server.compose import Platform
from server.lines import Lines
from server.metrics import Metrics
from server.readiness import Readiness
from server.serve import ServeError, StopSignals, address, listen, serving, web_server
from server.sessions import SessionRegistry
from server.settings import Settings
from transports.websocket import RealtimeSocket

log = logging.getLogger(__name__)

GOODBYE_S = 2.0
"""How long clients may take to read the last events and the close."""

Tell = Callable[[str], None]
"""Prints a line for the person who started the server."""


async def run(settings: Settings, tell: Tell) -> None:
    """Serve until SIGTERM or SIGINT, and end the sessions gently. Raises `ServeError`."""
    signals = StopSignals()
    bound = listen(settings.host, settings.port)
    metrics, readiness = Metrics(), Readiness(("stt", "turn", "llm", "tts"))
    platform = Platform(settings, readiness, tell)
    sessions = SessionRegistry(platform.services, settings.limits, metrics)
    lines = Lines(RealtimeSocket(sessions))
    app = build(lines, readiness, metrics)
    metrics.watch_pools(platform.statuses)
    async with (
        contextlib.aclosing(platform),
        serving(web_server(app, settings), bound),
        beside(metrics.watch_loop()),
    ):
        if await started(platform, signals):
            tell(welcome(address(bound)))
            log.info("listening", extra={"address": address(bound)})
            async with beside(tell_missing(readiness, tell)):
                await signals.asked.wait()
        readiness.draining = True
        await sessions.drain(settings.limits.drain_s)
        await lines.closed(GOODBYE_S)
    log.info("stopped")


async def started(platform: Platform, signals: StopSignals) -> bool:
    """Whether the models were loaded before somebody asked to stop."""
    starting = asyncio.create_task(platform.start())
    asked = asyncio.create_task(signals.asked.wait())
    await asyncio.wait((starting, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait((starting,))
        return False
    try:
        await starting
    except InferenceError as error:
        raise ServeError(str(error)) from error
    return True


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` as long as the block lasts."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()


async def tell_missing(readiness: Readiness, tell: Tell) -> None:
    """Ask every model once, and say which do not answer, such as an endpoint that is down."""
    state = await readiness.state()
    for model, missing in state.models.items():
        if missing != "ready":
            tell(f"{model:5} does not answer: {missing}")


def welcome(where: str) -> str:
    """What a person needs to know once the server is ready."""
    return (
        f"VoiceForge listens on http://{where} (Ctrl-C stops it)\n"
        f"  talk:   voiceforge talk --url ws://{where}/v1/realtime\n"
        f"  client: OpenAI Realtime at ws://{where}/v1/realtime\n"
        f"  read:   http://{where}/docs"
    )
