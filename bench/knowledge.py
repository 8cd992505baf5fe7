"""How quickly passages are found, and which: `python -m bench.knowledge`.

10,000 real passages in the embedded PostgreSQL, asked by one caller, one question on another, and
by four at once who never pause (as some hundreds of conversations ask), each question embedded by
the worker that sessions share. Beside it, in turns, the same questions with the same vectors
compared one by one in this process (numpy, float32): nothing finds the nearest more surely.

recall_at_5: of the five nearest by that comparison, those that the index finds too. answered_at_5:
how often the passage that answers the question is among five, by meaning and words together (ours)
and by the exact comparison of meanings alone (the peer). knowledge_added_ms: by how much callers
wait longer, at p95, for an agent that looks each question up.
"""

import argparse
import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import uvloop
from numpy.typing import NDArray

from actors.handlers import Share
from actors.store import Store
from actors.workers import model_command
from bench.docstrings import Pair, pairs
from bench.local import local
from bench.records import block as answers_of
from bench.records import serve
from bench.report import Row, Side, added, compare, finish, interleaved, percentile, rate
from bench.scripted_server import Known
from bench.servers import answers, free_port, running
from engine.capabilities import Embedding, TextToEmbed
from engine.inference import Priority
from server.commands import MINILM
from server.knowledge.library import NO_HURRY_MS, Library
from storage import accounts, knowledge, passages, unfinished
from storage.database import Database, connect
from storage.embedded import EmbeddedPostgres
from storage.knowledge import Upload
from storage.migrating import migrate
from storage.passages import DIMENSIONS, Passage

PASSAGES = 10_000
CALLERS = 4
LANES = 2
BLOCK = 200
"""Questions a block."""

TOP = 5
WRITTEN_AT_ONCE = 200

Vectors = NDArray[np.float32]


async def embedded(library: Library, known: Sequence[Pair]) -> Vectors:
    """The passages' vectors; once made they are kept, since it takes minutes."""
    name = hashlib.sha256("\0".join(pair.answer for pair in known).encode()).hexdigest()[:16]
    kept = Path(tempfile.gettempdir()) / f"voiceforge-bench-knowledge-{name}.npy"
    if kept.exists():
        made: Vectors = np.load(kept)
        return made
    vectors = np.empty((len(known), DIMENSIONS), np.float32)
    left = iter(range(len(known)))

    async def lane() -> None:
        for at in left:
            asked = known[at].answer
            vectors[at] = await library.meaning(asked, Priority.AHEAD, NO_HURRY_MS)
            if at % 500 == 0:
                print(f"embedded {at} of {len(known)}", file=sys.stderr)

    began = time.monotonic()
    await asyncio.gather(*(lane() for _ in range(2 * LANES)))
    took_s = time.monotonic() - began
    print(f"{len(known) / took_s:.1f} passages a second are embedded in {LANES} lanes")
    np.save(kept, vectors)
    return vectors


async def fill(database: Database, known: Sequence[Pair], vectors: Vectors) -> str:
    """Write all passages; the collection's id."""
    account = await database.once(accounts.first)
    made = await database.once(lambda c: knowledge.create(c, account.id, "Docstrings"))
    upload = Upload("docstrings", "text/plain", b"hash", [b"x"])
    document, _ = await database.once(lambda c: knowledge.add(c, made.id, upload))
    for first in range(0, len(known), WRITTEN_AT_ONCE):
        some = [
            Passage(at, "", at, known[at].answer)
            for at in range(first, min(len(known), first + WRITTEN_AT_ONCE))
        ]
        points = vectors[first : first + len(some)].tolist()
        add = partial(passages.add, passages=some, embeddings=points, of=len(known))
        await database.once(partial(add, document_id=document.id), 60)
    await database.once(lambda c: unfinished.finish(c, document.id, len(known)))
    await database.once(lambda c: c.execute("analyze passages"), 60)  # as autovacuum does
    return made.id


class Exact:
    """The peer: every passage compared with every question, in this process."""

    def __init__(self, library: Library, vectors: Vectors) -> None:
        self._library = library
        self._vectors = vectors

    async def search(self, question: str) -> list[int]:
        meaning = await self._library.meaning(question, Priority.FIRST, 300)
        return self.nearest(np.asarray(meaning, np.float32))

    def nearest(self, meaning: NDArray[np.float32]) -> list[int]:
        likeness = self._vectors @ meaning
        best = np.argpartition(-likeness, TOP)[:TOP]
        return [int(at) for at in best[np.argsort(-likeness[best])]]


async def block(
    search: Callable[[str], Awaitable[list[int]]], questions: Sequence[str], callers: int
) -> tuple[list[float], list[list[int]]]:
    """What it took in ms, and what was found, when so many ask at once, one question on another."""
    left = iter(range(len(questions)))
    took_ms = [0.0] * len(questions)
    found: list[list[int]] = [[]] * len(questions)

    async def caller() -> None:
        for at in left:
            began = time.perf_counter()
            found[at] = await search(questions[at])
            took_ms[at] = (time.perf_counter() - began) * 1000

    await asyncio.gather(*(caller() for _ in range(callers)))
    return took_ms, found


async def recall(
    database: Database, collection: str, exact: Exact, meanings: Sequence[tuple[float, ...]]
) -> list[tuple[float, float]]:
    """Of each question: how many of the nearest five the index finds, and five."""
    counted = []
    for meaning in meanings:
        by_meaning = partial(passages.search, question="", embedding=meaning, most=TOP)
        search = partial(by_meaning, collection_ids=[collection], account_id=None)
        found = {one.number for one in await database.once(search)}
        nearest = exact.nearest(np.asarray(meaning, np.float32))
        counted.append((float(len(found.intersection(nearest))), float(TOP)))
    return counted


@contextmanager
def folder() -> Iterator[Path]:
    """One that the database's user may enter."""
    with tempfile.TemporaryDirectory(prefix="vf-bench-") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "postgres"


async def measure(pairs_of_blocks: int, seed: int, answered: int) -> list[Row]:
    """Both sides in turns, then what was found."""
    known = pairs(PASSAGES)
    command = model_command("embed", MINILM, Store().root, Share(lanes=LANES))
    with folder() as at:
        server = EmbeddedPostgres(at)
        await server.start()
        try:
            connection = await connect(server.url)
            await migrate(connection)
            await connection.close()
            async with (
                Database(server.url) as database,
                local("embed", command, TextToEmbed, Embedding) as model,
            ):
                library = Library(database, model.pool)
                await library.prepare()
                vectors = await embedded(library, known)
                began = time.monotonic()
                collection = await fill(database, known, vectors)
                print(f"{PASSAGES} passages are written in {time.monotonic() - began:.0f} s")
                rows = await compared(
                    library, collection, Exact(library, vectors), known, pairs_of_blocks, seed
                )
            return [*rows, await added_to_answers(server.url, collection, answered)]
        finally:
            await server.stop()


async def added_to_answers(url: str, collection: str, count: int) -> Row:
    """What looking everything up adds to the time that callers wait, as `bench.records` measures
    it: two servers with scripted models at once, one of whose agents knows all these passages.
    """
    connection = await connect(url)
    account = (await knowledge.get(connection, collection)).account_id
    await connection.close()
    known = msgspec.json.encode(Known(url, account, collection)).decode()
    on, off = free_port(), free_port()
    took: dict[Side, list[list[float]]] = {"ours": [], "peer": []}
    with (
        running(serve(on, "--known", known), partial(answers, f"http://127.0.0.1:{on}/healthz")),
        running(serve(off), partial(answers, f"http://127.0.0.1:{off}/healthz")),
    ):
        for number in range(1, count + 1):
            sides = await asyncio.gather(
                answers_of(on, recorded=False), answers_of(off, recorded=False)
            )
            took["ours"].append(sides[0])
            took["peer"].append(sides[1])
            p95 = ", ".join(f"{np.percentile(ms, 95):.1f} ms" for ms in sides)
            print(f"[{number}/{count}] p95 knowing, not: {p95}", file=sys.stderr, flush=True)
    return added("knowledge_added_ms", 95, took["ours"], took["peer"])


async def compared(
    library: Library,
    collection: str,
    exact: Exact,
    known: Sequence[Pair],
    pairs_of_blocks: int,
    seed: int,
) -> list[Row]:
    """The rows."""

    async def ours(question: str) -> list[int]:
        found = await library.search(question, [collection], account_id=None, most=TOP)
        return [one.number for one in found]

    draw = np.random.default_rng(seed)
    asked = draw.permutation(len(known))[: BLOCK * pairs_of_blocks]
    blocks: dict[Side, int] = {"ours": 0, "peer": 0}
    together: dict[Side, list[float]] = {"ours": [], "peer": []}
    alone: dict[Side, list[float]] = {"ours": [], "peer": []}
    right: dict[Side, list[tuple[float, float]]] = {"ours": [], "peer": []}
    for side in interleaved(pairs_of_blocks, seed):
        number, blocks[side] = blocks[side], blocks[side] + 1
        some = asked[number * BLOCK : (number + 1) * BLOCK]
        questions = [known[at].question for at in some]
        search = ours if side == "ours" else exact.search
        took_ms, found = await block(search, questions, 1)
        together[side] += (await block(search, questions, CALLERS))[0]
        alone[side] += took_ms
        right[side] += [(float(int(at) in five), 1.0) for at, five in zip(some, found, strict=True)]
        print(f"{side}: p95 {np.percentile(took_ms, 95):.1f} ms", file=sys.stderr)
    meanings = [
        await library.meaning(known[at].question, Priority.FIRST, 300) for at in asked[:500]
    ]
    index = await recall(library.database, collection, exact, meanings)
    both: dict[Side, list[tuple[float, float]]] = {
        "ours": index,
        "peer": [(float(TOP), float(TOP))] * len(index),
    }
    return [
        compare("search_p50_ms", alone, percentile(50), "ms"),
        compare("search_p95_ms", alone, percentile(95), "ms"),
        compare("search_of_four_p50_ms", together, percentile(50), "ms"),
        compare("search_of_four_p95_ms", together, percentile(95), "ms"),
        compare("recall_at_5", both, rate, ""),
        compare("answered_at_5", right, rate, ""),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=8, help=f"blocks of {BLOCK}, ours and exact")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answered", type=int, default=6, help="blocks of 45 s of conversations")
    args = parser.parse_args()
    rows = uvloop.run(measure(args.pairs, args.seed, args.answered))
    note = f"{PASSAGES} passages"
    finish("bench.knowledge", rows, [note], peer="exact")


if __name__ == "__main__":
    main()
