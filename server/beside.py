"""Work that goes on beside other work."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` as long as the block lasts. That it failed is logged at once."""
    task = asyncio.create_task(work)
    task.add_done_callback(tell_failure)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of it; when one part fails the others are cancelled, and its error is raised."""
    tasks = [asyncio.create_task(part) for part in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@contextlib.contextmanager
def going_on(what: str) -> Iterator[None]:
    """For one round of a loop that must not end: what goes wrong in it is logged, with `what` it is
    that goes on, and the next round comes.
    """
    try:
        yield
    except Exception:
        log.exception("an error, and work goes on", extra={"work": what})


def tell_failure(task: asyncio.Task[Any]) -> None:
    """Log the exception that a task ended with, if any."""
    if not task.cancelled() and task.exception() is not None:
        log.error("work ended early", exc_info=task.exception())
