"""Model workers kept by a measurement itself, as the product's supervisor keeps them."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Generic, TypeVar

from engine.keeper import Keeper
from engine.link import Link
from engine.load import Load
from engine.pool import Pool
from engine.process import WorkerCommand

P = TypeVar("P")
R = TypeVar("R")


class Local(Generic[P, R]):
    """A worker of this program, and the pool that asks it."""

    def __init__(self, pool: Pool[P, R], keeper: Keeper) -> None:
        self.pool = pool
        self._keeper = keeper

    @property
    def load(self) -> Load:
        """What the worker last said of itself, up to a second ago."""
        return self._keeper.status.load


@contextlib.asynccontextmanager
async def local(
    name: str, command: WorkerCommand, payload: type[P], result: type[R]
) -> AsyncIterator[Local[P, R]]:
    """Start a worker that takes `payload` and answers with `result`; end it with the block."""
    with tempfile.TemporaryDirectory(prefix="voiceforge-bench-") as folder:
        keeper = Keeper(name, command, Path(folder))
        link = Link(name)
        keeper.changed = link.follow
        pool: Pool[P, R] = Pool(name, result, [link])
        link.follow(keeper.status)
        keeper.start()
        try:
            await pool.start()
            await pool.ready()
            yield Local(pool, keeper)
        finally:
            await pool.close()
            await keeper.close()
