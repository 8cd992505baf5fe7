"""What all gateways tell of use, added up and written down: at once into a file, and from there
into the database, whenever that answers. Nothing is lost meanwhile, and nothing counts twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from server import spool
from server.beside import going_on
from storage import usage
from storage.database import Database
from storage.errors import StorageError, Unfit
from storage.ids import new_id
from storage.usage import NOTHING, Amounts, Subject

log = logging.getLogger(__name__)

KIND = "usage"
"""How the names of writers begin."""

WRITE_EVERY_S = 2.0
"""So much is lost at most when the machine loses its power."""

ANSWER_S, LAST_S = 20.0, 5.0
"""For the database to take a batch; and as the server ends."""

MOST_LINES = 20_000
"""Kept apart while the database is away, some 5 MB: beyond, sessions are summed up by key, model
and hour."""

_decoder = msgspec.msgpack.Decoder(list[tuple[Subject, Amounts]])


class Batch:
    """What was added up. `tried`: the database may have it, so that it must not change any more."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lines: dict[Subject, Amounts] = {}
        self.tried = False
        self._changes = self._kept = 0

    @property
    def kept(self) -> bool:
        """Whether all of it is in its file."""
        return self._kept == self._changes

    def add(self, lines: Mapping[Subject, Amounts]) -> None:
        """More of it."""
        self._changes += 1
        for subject, amounts in lines.items():
            self.lines[subject] = self.lines.get(subject, NOTHING) + amounts
        if len(self.lines) > MOST_LINES:
            self._sum_up()

    async def keep_in(self, files: spool.Locked) -> None:
        """Write its file. Raises `OSError`."""
        changes, lines = self._changes, dict(self.lines)
        await asyncio.to_thread(self._save, files, lines)
        self._kept = changes

    def _save(self, files: spool.Locked, lines: Mapping[Subject, Amounts]) -> None:
        files.save(self.number, msgspec.msgpack.encode(list(lines.items())))

    def _sum_up(self) -> None:
        apart, self.lines = self.lines, {}
        for subject, amounts in apart.items():
            whole = replace(subject, session_id="")
            self.lines[whole] = self.lines.get(whole, NOTHING) + amounts
        log.warning("sessions are summed up: the database is away", extra={"lines": len(apart)})


class Books:
    """One writer of what is used. `folder` keeps what is not yet in the database.

    Of the two batches that there may be, the first was tried, and the second takes what comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer = new_id(KIND)
        self._files: spool.Locked | None = None
        self._batches = [Batch(1)]
        self._left_behind = True  # there may be files of an earlier run
        self._troubles: dict[str, str] = {}
        self.writing = asyncio.Lock()
        """Held while batches pass into the database, so that whoever holds it finds each there or
        in `unwritten`, and none in both."""

    def add(self, lines: Mapping[Subject, Amounts]) -> None:
        """It was used."""
        if self._batches[-1].tried:
            self._batches.append(Batch(self._batches[-1].number + 1))
        self._batches[-1].add(lines)

    @property
    def unwritten(self) -> list[Mapping[Subject, Amounts]]:
        """What the database does not have; of earlier runs, only what it has never been asked."""
        return [batch.lines for batch in self._batches]

    async def keep(self, database: Database) -> None:
        """Write down what was used, every two seconds until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(WRITE_EVERY_S)
                with going_on("the books"):
                    await self.write(database)
        finally:
            await self.write(database, LAST_S)

    async def write(self, database: Database, within_s: float = ANSWER_S) -> None:
        """Write down what is not yet."""
        async with self.writing:
            try:
                if self._left_behind:
                    await self._deliver_left_behind(database, within_s)
                while self._batches[0].lines:
                    await self._deliver(database, within_s)
                self._went("the database", None)
            except StorageError as error:
                self._went("the database", str(error))
            await self._save()

    async def _deliver(self, database: Database, within_s: float) -> None:
        batch = self._batches[0]
        batch.tried = True
        await self._save()
        try:
            await put(database, within_s, self._writer, batch.number, batch.lines)
        except Unfit as error:
            put_aside(self._files if batch.kept else None, batch.number, error)
        if len(self._batches) == 1:
            self._batches.append(Batch(batch.number + 1))
        del self._batches[0]
        if self._files is not None:
            self._drop(self._files, batch.number)

    def _drop(self, files: spool.Locked, number: int) -> None:
        """Its file goes. One that stays does no harm: nothing counts twice."""
        try:
            files.drop(number)
        except OSError as error:
            self._went("the disk", error.strerror)

    async def _save(self) -> None:
        """Have everything in files. Where that fails memory must do."""
        try:
            for batch in self._batches:
                if batch.lines and not batch.kept:
                    if self._files is None:
                        self._files = spool.new(self._folder, self._writer)
                    await batch.keep_in(self._files)
                    self._went("the disk", None)
        except OSError as error:
            self._went("the disk", error.strerror)

    async def _deliver_left_behind(self, database: Database, within_s: float) -> None:
        try:
            for files in spool.left_behind(self._folder, KIND):
                await self._deliver_files(database, files, within_s)
        except OSError as error:  # the next run tries again
            self._went("the disk", error.strerror)
        self._left_behind = False

    async def _deliver_files(
        self, database: Database, files: spool.Locked, within_s: float
    ) -> None:
        for number in files.batches():
            try:
                lines = dict(_decoder.decode(files.read(number)))
                await put(database, within_s, files.writer, number, lines)
            except (OSError, ValueError, Unfit) as error:
                put_aside(files, number, error)
            self._drop(files, number)
        files.remove()

    def _went(self, where: str, trouble: str | None) -> None:
        """Tell once that something cannot be written there, and once that it can again."""
        before = self._troubles.pop(where, None)
        if trouble is not None:
            self._troubles[where] = trouble
        if trouble is not None and before is None:
            log.error("what is used cannot be written", extra={"to": where, "error": trouble})
        elif trouble is None and before is not None:
            log.info("what is used can be written again", extra={"to": where})

    def close(self) -> None:
        """Leave the folder: without a batch in it, none stays."""
        if self._files is not None:
            try:
                if not self._files.batches():
                    self._files.remove()
            except OSError as error:
                self._went("the disk", error.strerror)
            self._files.close()


def put_aside(files: spool.Locked | None, number: int, why: Exception) -> None:
    """The database can never take this batch: a person may, from its file."""
    kept = "nowhere"
    if files is not None:
        with contextlib.suppress(OSError):
            kept = str(files.put_aside(number))
    extra = {"kept": kept, "error": type(why).__name__}
    log.error("what was used cannot be written, and is put aside", extra=extra)


async def put(
    database: Database, within_s: float, writer: str, number: int, lines: Mapping[Subject, Amounts]
) -> None:
    """Have the database take a batch. Raises `StorageError`; it may have it nevertheless."""
    await database.once(lambda c: usage.add(c, writer, number, lines), within_s)
