"""Where documents lie that are not read yet: each gateway takes one after the other."""

import asyncio
import contextlib
import logging
from datetime import timedelta
from functools import partial

from engine.inference import InferenceError
from server.beside import beside, going_on
from server.knowledge.ingest import ingest
from server.knowledge.library import Library
from storage import unfinished
from storage.errors import ExtensionMissing, Missing, StorageError

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
"""After which a document is taken up whose reader has died."""

RENEW_EVERY_S = 4.0

LOOK_EVERY_S = 5.0
"""For what other gateways have let lie. What comes in here is taken at once."""

PAUSE = timedelta(seconds=30)
"""After what it needs was away."""

OURS = "an error of the server, whose log says more"
"""Why a document waits that was no matter of the document."""


class Desk:
    """Reads the documents that lie there, one at a time."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._news = asyncio.Event()

    def put(self) -> None:
        """There is another one."""
        self._news.set()

    async def run(self) -> None:
        """Read, until cancelled. What is not finished then is gone on with by another gateway, or
        after the next start.
        """
        while True:
            self._news.clear()
            with going_on("reading documents"):
                await self._all()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._news.wait()

    async def _all(self) -> None:
        try:
            while await self._one():
                pass
        except StorageError as error:
            log.warning("documents wait", extra={"error": str(error)})

    async def _one(self) -> bool:
        """Whether there was one."""
        database = self._library.database
        document_id = await database.once(partial(unfinished.claim, lease=LEASE))
        if document_id is None:
            return False
        lay_back = partial(unfinished.postpone, document_id=document_id)
        try:
            async with beside(self._renew(document_id)):
                await ingest(self._library, document_id, lambda done, of: None)
        except Missing:
            log.info("a document was deleted while it was read", extra={"document": document_id})
        except (InferenceError, ExtensionMissing) as error:
            log.warning("a document waits", extra={"document": document_id, "error": str(error)})
            await database.run(partial(lay_back, why=str(error), pause=PAUSE))
        except StorageError:
            raise
        except Exception:  # the others shall not wait for it
            await database.run(partial(lay_back, why=OURS, pause=PAUSE))
            raise
        except asyncio.CancelledError:
            with contextlib.suppress(StorageError):
                await database.once(partial(lay_back, why="the server was stopped"), RENEW_EVERY_S)
            raise
        return True

    async def _renew(self, document_id: str) -> None:
        renew = partial(unfinished.renew, document_id=document_id, lease=LEASE)
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            with contextlib.suppress(StorageError):  # whoever reads will notice
                await self._library.database.once(renew)
