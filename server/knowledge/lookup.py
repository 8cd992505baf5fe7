"""What one session looks up, while its caller's turn is still being judged.

It is asked as soon as the caller's words settle, before the turn verdict, and asked again when the
verdict falls: by then the answer is there, or on its way. Words that turn out not to be the last
are cancelled. A conversation never fails for what it cannot look up.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from engine.frames import Passage
from engine.inference import InferenceError
from server.knowledge.library import Library
from storage.errors import StorageError
from storage.passages import Found

log = logging.getLogger(__name__)

PATIENCE_S = 0.25
"""A search takes 20 ms; a caller does not notice so much, and notices more."""

FEW = 4
"""Passages: 800 tokens, which a small model reads in time."""

LEAST_SIMILAR = 0.2
"""What means less of the same has little to do with the question (`storage.passages.Found`)."""

REMEMBERED = 8
"""Questions of a session: those whose words still settle, and those asked again."""


Search = asyncio.Task[tuple[Passage, ...] | None]
"""What is found; None where that failed."""


class Asked:
    """A search that is on its way or done, and how many wait for it."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.waiting = 0


class Lookup:
    """Satisfies `engine.recall.Knowledge` with the collections that one session may look into."""

    def __init__(self, library: Library, account_id: str, collection_ids: Sequence[str]) -> None:
        self._library = library
        self._account_id = account_id
        self._collection_ids = tuple(collection_ids)
        self._asked: OrderedDict[str, Asked] = OrderedDict()
        self._waking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """The session begins: have the model there when the first question comes."""
        self._waking = asyncio.create_task(self._wake())

    async def passages(self, question: str) -> tuple[Passage, ...]:
        """Those that fit best, best first; none where that takes too long or fails.

        What took too long goes on, for whoever asks again. When all who wait are cancelled it is
        too.
        """
        key = " ".join(question.casefold().split())
        if not key:
            return ()
        asked = self._asked.get(key)
        if asked is None or _failed(asked.search):
            asked = Asked(asyncio.create_task(self._search(question)))
            self._asked[key] = asked
        self._asked.move_to_end(key)
        self._forget()
        asked.waiting += 1
        try:
            await asyncio.wait({asked.search}, timeout=PATIENCE_S)
        except asyncio.CancelledError:
            if asked.waiting == 1:
                asked.search.cancel()
            raise
        finally:
            asked.waiting -= 1
        done = asked.search.done() and not asked.search.cancelled()
        return (asked.search.result() if done else None) or ()

    def close(self) -> None:
        """The session has ended. Idempotent."""
        left: list[asyncio.Task[Any]] = [asked.search for asked in self._asked.values()]
        self._asked.clear()
        if self._waking is not None:
            left.append(self._waking)
        for task in left:
            task.cancel()

    async def _search(self, question: str) -> tuple[Passage, ...] | None:
        try:
            found = await self._library.search(
                question, self._collection_ids, account_id=self._account_id, most=FEW
            )
        except (InferenceError, StorageError) as error:
            log.warning("nothing can be looked up", extra={"error": str(error)})
            return None
        return tuple(passage_of(one) for one in found if one.similarity >= LEAST_SIMILAR)

    async def _wake(self) -> None:
        with contextlib.suppress(InferenceError):  # the first question says so
            await self._library.wake()

    def _forget(self) -> None:
        """The questions that were asked longest ago, but for those somebody waits for."""
        for key in list(self._asked)[: max(0, len(self._asked) - REMEMBERED)]:
            if not self._asked[key].waiting:
                self._asked.pop(key).search.cancel()


def passage_of(found: Found) -> Passage:
    """As the agent is given it, and cites it: by its place in the document."""
    title = f"{found.document}: {found.heading}" if found.heading else found.document
    return Passage(found.document_id, str(found.number), title, found.text, found.similarity)


def _failed(search: Search) -> bool:
    return search.done() and (search.cancelled() or search.result() is None)
