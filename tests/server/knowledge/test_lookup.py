"""What a session looks up, as its caller's words settle."""

import asyncio
from typing import Any

import pytest

from engine.frames import Passage
from engine.inference import InferenceError
from server.knowledge import lookup as lookup_module
from server.knowledge.lookup import REMEMBERED, Lookup
from storage.errors import StorageError, Unavailable
from storage.passages import Found


class Shelves:
    """A library that answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.woken = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.error: Exception | None = None

    async def search(
        self, question: str, collection_ids: Any, *, account_id: str, most: int
    ) -> list[Found]:
        assert (collection_ids, account_id) == (("col_1",), "acc_1")
        self.asked.append(question)
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.cancelled.append(question)
            raise
        if self.error is not None:
            raise self.error
        return [Found("doc_1", "menu", 0, "", 0, f"about {question}", 0.1, 0.9)]

    async def wake(self) -> None:
        self.woken += 1
        raise InferenceError("worker_lost", "the worker was lost")


def session(shelves: Any) -> Lookup:
    return Lookup(shelves, "acc_1", ["col_1"])


def texts(found: tuple[Passage, ...]) -> list[str]:
    return [one.text for one in found]


async def test_what_was_asked_before_the_verdict_is_there_after_it() -> None:
    shelves = Shelves()
    lookup = session(shelves)
    assert texts(await lookup.passages("What does bread cost?")) == ["about What does bread cost?"]
    assert len(await lookup.passages("what does  bread cost?")) == 1
    assert shelves.asked == ["What does bread cost?"]
    assert await lookup.passages("  ") == ()
    lookup.close()


async def test_who_asks_while_it_is_on_its_way_waits_for_the_same_search() -> None:
    shelves = Shelves()
    shelves.answers.clear()
    lookup = session(shelves)
    both = [asyncio.create_task(lookup.passages("bread")) for _ in range(2)]
    await asyncio.sleep(0)
    both[0].cancel()
    await asyncio.sleep(0)
    shelves.answers.set()
    assert texts(await both[1]) == ["about bread"]
    assert (shelves.asked, shelves.cancelled) == (["bread"], [])
    lookup.close()


async def test_words_that_were_not_the_last_are_cancelled() -> None:
    shelves = Shelves()
    shelves.answers.clear()
    lookup = session(shelves)
    first = asyncio.create_task(lookup.passages("What does"))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait([first])
    await asyncio.sleep(0)
    assert shelves.cancelled == ["What does"]
    shelves.answers.set()
    assert len(await lookup.passages("What does")) == 1  # it is asked anew
    lookup.close()


async def test_what_takes_too_long_is_left_out_and_there_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lookup_module, "PATIENCE_S", 0.02)
    shelves = Shelves()
    shelves.answers.clear()
    lookup = session(shelves)
    assert await lookup.passages("bread") == ()
    shelves.answers.set()
    assert len(await lookup.passages("bread")) == 1
    assert shelves.asked == ["bread"]
    lookup.close()


@pytest.mark.parametrize(
    "error",
    [Unavailable("away"), StorageError("no"), InferenceError("worker_lost", "lost")],
)
async def test_what_fails_finds_nothing_and_is_tried_again(error: Exception) -> None:
    shelves = Shelves()
    shelves.error = error
    lookup = session(shelves)
    assert await lookup.passages("bread") == ()
    shelves.error = None
    assert len(await lookup.passages("bread")) == 1
    lookup.close()


async def test_so_many_questions_are_remembered_and_no_more() -> None:
    shelves = Shelves()
    lookup = session(shelves)
    for number in range(REMEMBERED + 1):
        await lookup.passages(f"bread {number}")
    await lookup.passages("bread 1")
    assert len(shelves.asked) == REMEMBERED + 1
    await lookup.passages("bread 0")
    assert len(shelves.asked) == REMEMBERED + 2
    lookup.close()


async def test_a_session_that_ends_leaves_nothing_behind() -> None:
    shelves = Shelves()
    shelves.answers.clear()
    lookup = session(shelves)
    lookup.start()
    waiting = asyncio.create_task(lookup.passages("bread"))
    await asyncio.sleep(0.01)
    lookup.close()
    assert await waiting == ()
    assert (shelves.cancelled, shelves.woken) == (["bread"], 1)
    lookup.close()
