"""Questions to the collections: the model says what they mean, PostgreSQL what lies near."""

import struct
from collections.abc import Sequence

from engine.capabilities import Embedding, TextToEmbed
from engine.inference import Inference, InferenceError, Priority
from storage import passages
from storage.database import Database
from storage.passages import DIMENSIONS, PREPARING_S, Found, Passage

DEADLINE_MS = 300
"""For a question, which somebody waits for. It takes 2 where nothing else does."""

NO_HURRY_MS = 600_000

LONGEST_QUESTION = 2_000
"""Characters; the model reads about 1,000."""

_VECTOR = struct.Struct(f"<{DIMENSIONS}f")


class Library:
    """What all collections hold, and the model that knows what it means."""

    def __init__(self, database: Database, embed: Inference[TextToEmbed, Embedding]) -> None:
        self.database = database
        self._embed = embed
        self._prepared = False

    async def prepare(self) -> None:
        """See to it that the database can search. Raises `ExtensionMissing`, `StorageError`."""
        if not self._prepared:
            await self.database.once(passages.prepare, PREPARING_S)
            self._prepared = True

    async def search(
        self, question: str, collection_ids: Sequence[str], *, account_id: str | None, most: int
    ) -> list[Found]:
        """The passages that fit best, best first. Raises `Missing`, `StorageError`,
        `InferenceError`.
        """
        await self.prepare()
        asked = question[:LONGEST_QUESTION]
        meaning = await self.meaning(asked, Priority.FIRST, DEADLINE_MS)
        return await self.database.run(
            lambda c: passages.search(
                c, asked, meaning, collection_ids, account_id=account_id, most=most
            )
        )

    async def wake(self) -> None:
        """Somebody will ask soon: have the model loaded. Raises `InferenceError`."""
        await self.meaning("", Priority.SPECULATIVE, NO_HURRY_MS)

    async def meaning_of(self, passage: Passage) -> tuple[float, ...]:
        """Of a passage, read below its heading. Raises `InferenceError`."""
        text = f"{passage.heading}\n{passage.text}" if passage.heading else passage.text
        return await self.meaning(text, Priority.BATCH, NO_HURRY_MS)

    async def meaning(self, text: str, priority: Priority, deadline_ms: int) -> tuple[float, ...]:
        """Where a text lies. Raises `InferenceError`."""
        request = self._embed.request(TextToEmbed(text), priority=priority, deadline_ms=deadline_ms)
        try:
            async for found in request:
                return _VECTOR.unpack(found.vector)
        finally:
            request.cancel()
        raise InferenceError("no_result", "the embedding model said nothing")
