"""The way of a gateway's records into the database: at once, or through files of its own while that
does not answer. In order, and once each.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path

import msgspec

from server import spool
from server.beside import beside, going_on
from storage import records
from storage.database import Connection, Database
from storage.errors import StorageError, Unfit
from storage.ids import new_id
from storage.records import Changes
from storage.sessions import News

log = logging.getLogger(__name__)

KIND = "journal"
"""How the names of writers begin."""

EVERY_S, AT_ONCE_S = 0.5, 0.4
"""Between two looks at what is new; and for the database to take it before it goes into a file. A
gateway that is killed loses their sum at most."""

ANSWER_S, LAST_S = 20.0, 3.0
"""For the database to take a batch from a file; and all of them as the gateway ends."""

MOST_BYTES = 64 * 2**20
"""In files, or in memory where the disk takes nothing: some hours of a hundred conversations. The
oldest give way."""

Take = Callable[[], Iterable[Changes]]
"""Gives what is new since it was last called; what is not taken of that, the next time."""

Announce = Callable[[Connection, News], Awaitable[None]]


async def nobody(connection: Connection, news: News) -> None:
    """Is told of nothing."""


_decoder = msgspec.msgpack.Decoder(Changes)


class Batch:
    """What was new at one moment, encoded. `body` is None once it is in its file."""

    def __init__(self, number: int, body: bytes | None = None) -> None:
        self.number = number
        self.size = 0 if body is None else len(body)
        self.body = body


class Journal:
    """One `writer`. In `folder` each of this machine has one of its own, for as long as it lives,
    and locked: whoever finds it open delivers what is in it, and ends the writer's sessions.
    `announce` is told, within the transaction that writes it, which sessions began and ended.
    """

    def __init__(self, folder: Path, announce: Announce = nobody) -> None:
        self._announce = announce
        self.writer = new_id(KIND)
        self._folder = folder
        self._files: spool.Locked | None = None
        self._number = 0
        self._waiting: deque[Batch] = deque()
        self._size = 0  # of what waits, in bytes
        self._left_behind = True  # there may be folders of those who died
        self._dropped = 0
        self._troubles: dict[str, str] = {}

    async def keep(self, database: Database, take: Take) -> None:
        """Write down what is new, twice a second until cancelled, and once more then."""
        self.open()
        try:
            async with beside(self._keep_delivering(database)):
                while True:
                    await asyncio.sleep(EVERY_S)
                    with going_on("the journal"):
                        await self._write_all(database, take)
        finally:
            await self._write_all(database, take)
            await self.close(database)

    async def write(self, database: Database, changes: Changes) -> None:
        """Write down what is new: at once, if nothing waits before it."""
        self._number += 1
        batch = Batch(self._number, msgspec.msgpack.encode(changes))
        written = False
        try:
            written = not self._waiting and await self._wrote_at_once(database, changes)
            if not written:
                await self._save(batch)
        finally:  # also where the gateway ends meanwhile
            if not written:
                self._waiting.append(batch)
                self._size += batch.size
                self._keep_within()

    async def deliver(self, database: Database, within_s: float = ANSWER_S) -> None:
        """Write down what waits, and what others left behind."""
        try:
            while self._waiting:
                batch = self._waiting[0]
                await self._put(database, self._files, batch, within_s)
                if self._waiting and self._waiting[0] is batch:  # it did not have to give way
                    self._forget_first()
            if self._left_behind:
                await self._take_over(database)
            self._went("the database", None)
        except StorageError as error:
            self._went("the database", str(error))

    async def _keep_delivering(self, database: Database) -> None:
        while True:
            with going_on("the journal"):
                await self.deliver(database)
            await asyncio.sleep(EVERY_S)

    async def _written(
        self, connection: Connection, writer: str, number: int, changes: Changes
    ) -> None:
        """Write a batch down, and what follows from it, in one transaction."""
        news = await records.write(connection, writer, number, changes)
        if news is not None:
            await self._announce(connection, news)

    async def _closed(self, connection: Connection, writer: str) -> int:
        """End what a writer left open. How many they were."""
        news = await records.close(connection, writer)
        await self._announce(connection, news)
        return len(news.ended)

    async def _wrote_at_once(self, database: Database, changes: Changes) -> bool:
        number = self._number
        try:
            await database.once(lambda c: self._written(c, self.writer, number, changes), AT_ONCE_S)
        except Exception:  # noqa: BLE001  from its file it is said again, and why it cannot be written
            return False
        return True

    async def _put(
        self, database: Database, files: spool.Locked | None, batch: Batch, within_s: float
    ) -> None:
        """Have the database take a batch. One that it can never take is put aside, for a person."""
        writer = self.writer if files is None else files.writer
        try:
            body = batch.body
            if body is None:
                assert files is not None
                body = files.read(batch.number)
            changes = _decoder.decode(body)
            await database.once(lambda c: self._written(c, writer, batch.number, changes), within_s)
        except Exception as error:
            if isinstance(error, StorageError) and not isinstance(error, Unfit):
                raise  # of the database, which will take it another time
            kept = "nowhere"
            if files is not None and batch.body is None:
                with contextlib.suppress(OSError):
                    kept = str(files.put_aside(batch.number))
            extra = {"kept": kept, "error": type(error).__name__}
            log.error("records cannot be written, and are put aside", extra=extra)

    async def _save(self, batch: Batch) -> None:
        """Have it in a file. Where that fails memory must do."""
        if self._files is None or batch.body is None:
            return
        try:
            await asyncio.to_thread(self._files.save, batch.number, batch.body)
            batch.body = None
            self._went("the disk", None)
        except OSError as error:
            self._went("the disk", error.strerror)

    def _keep_within(self) -> None:
        """See that not too much waits."""
        while self._size > MOST_BYTES:
            if not self._dropped:
                text = "records are dropped: the database is away for too long"
                log.error(text, extra={"most_bytes": MOST_BYTES})
            self._dropped += self._forget_first()

    def _forget_first(self) -> int:
        """It waits no more; how many bytes that was."""
        batch = self._waiting.popleft()
        self._size -= batch.size
        if self._files is not None:
            self._drop(self._files, batch.number)
        return batch.size

    def _drop(self, files: spool.Locked, number: int) -> None:
        """Its file goes. One that stays does no harm: nothing is written twice."""
        try:
            files.drop(number)
        except OSError as error:
            self._went("the disk", error.strerror)

    async def _take_over(self, database: Database) -> None:
        try:
            for files in spool.left_behind(self._folder, KIND):
                await self._take_one_over(database, files)
        except OSError as error:  # the next gateway tries again
            self._went("the disk", error.strerror)
        self._left_behind = False

    async def _take_one_over(self, database: Database, files: spool.Locked) -> None:
        for number in files.batches():
            await self._put(database, files, Batch(number), ANSWER_S)
            self._drop(files, number)
        lost = await database.once(partial(self._closed, writer=files.writer), ANSWER_S)
        if lost:
            log.warning("sessions were lost with their gateway", extra={"sessions": lost})
        try:
            files.remove()
        except OSError as error:
            self._went("the disk", error.strerror)

    def open(self) -> None:
        """Have a folder."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # here is what was said
            self._files = spool.new(self._folder, self.writer)
        except OSError as error:
            self._went("the disk", error.strerror)

    async def _write_all(self, database: Database, take: Take) -> None:
        for changes in take():
            await self.write(database, changes)

    async def close(self, database: Database) -> None:
        """Nothing more will come. What the database does not take stays for the next gateway."""
        await self.deliver(database, LAST_S)
        if self._files is not None:
            if not self._waiting:
                try:
                    await database.once(partial(self._closed, writer=self.writer), LAST_S)
                    self._files.remove()
                except StorageError as error:
                    self._went("the database", str(error))
                except OSError as error:
                    self._went("the disk", error.strerror)
            self._files.close()

    def _went(self, where: str, trouble: str | None) -> None:
        """Tell once that something cannot be written there, and once that it can again."""
        before = self._troubles.pop(where, None)
        if trouble is not None:
            self._troubles[where] = trouble
            if before is None:
                log.error("records cannot be written", extra={"to": where, "error": trouble})
        elif before is not None:
            extra = {"to": where, "dropped_bytes": self._dropped}
            log.info("records can be written again", extra=extra)
            self._dropped = 0
