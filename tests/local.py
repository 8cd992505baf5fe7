"""Workers kept in the test's own process, where the product's supervisor would keep them."""

import tempfile
from pathlib import Path

from engine.keeper import Keeper
from engine.link import Link
from engine.process import WorkerCommand


class LocalReplica(Link):
    """A link with its own keeper."""

    def __init__(self, name: str, command: WorkerCommand, *, asleep: bool = False) -> None:
        super().__init__(name)
        self._folder = tempfile.TemporaryDirectory(prefix="voiceforge-test-")
        self.keeper = Keeper(name, command, Path(self._folder.name), asleep=asleep)
        self.keeper.changed = self.follow
        self.on_wanted = self.keeper.wake
        self.follow(self.keeper.status)

    async def start(self) -> None:
        self.keeper.start()
        await super().start()

    async def close(self) -> None:
        await super().close()
        await self.keeper.close()
        self._folder.cleanup()
