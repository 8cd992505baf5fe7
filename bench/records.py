"""What records and recordings add to the time that callers wait for an answer.

Callers as in `bench.load`, each with a question every 10 s, speak to two servers with scripted
models (`bench.scripted_server`), in blocks that take turns: one writes down and records all that is
said, into an embedded database and files, the other nothing. `python -m bench.records`.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import uvloop

from bench.line import connected
from bench.load import Caller, Counts, cycles, talk
from bench.report import Row, Side, added, compare, finish, interleaved, percentile
from bench.scripted_server import Kept
from bench.servers import OURS_PYTHON, answers, free_port, running
from storage import accounts, analytics
from storage.database import Connection, connect
from storage.embedded import EmbeddedPostgres
from storage.migrating import migrate

SESSIONS = 20
BLOCK_S = 40.0


class Timed(Caller):
    """Notes how long it waits for each answer, and may ask to be recorded."""

    def __init__(
        self, messages: Sequence[bytes], ends_s: float, counts: Counts, took_ms: list[float]
    ) -> None:
        super().__init__("ours", messages, ends_s, counts)
        self._took_ms = took_ms
        self.recorded = False

    def opened(self) -> None:
        super().opened()
        if self.recorded:
            session = {"type": "realtime", "voiceforge": {"record": True}}
            self.tell({"type": "session.update", "session": session})

    def _audio(self, now: float) -> None:
        if self.expects and self.asked_at is not None:
            self._took_ms.append((now - self.asked_at) * 1000)
        super()._audio(now)


async def block(port: int, *, recorded: bool) -> list[float]:
    """How long callers waited, in ms."""
    counts, took_ms = Counts(), list[float]()
    made = cycles("ours")
    callers = []
    for number in range(SESSIONS):
        caller = Timed(*made[number % len(made)], counts, took_ms)
        caller.recorded = recorded
        callers.append(await connected(caller, port))
    await talk(callers, counts, BLOCK_S)
    for caller in callers:
        caller.goodbye()
    await asyncio.sleep(1)
    if counts.closed or counts.answered < counts.asked:
        print(f"{counts.asked - counts.answered} answers were lost", file=sys.stderr)
    return took_ms


def serve(port: int, *words: str) -> list[str | Path]:
    return [OURS_PYTHON, "-m", "bench.scripted_server", *words, str(port)]


async def blocks(pairs: int, seed: int, state: Path) -> dict[Side, list[list[float]]]:
    """Both servers' blocks."""
    told: dict[Side, list[list[float]]] = {"ours": [], "peer": []}
    postgres = EmbeddedPostgres(state / "postgres")
    await postgres.start()
    try:
        connection = await connect(postgres.url)
        await migrate(connection)
        account = (await accounts.first(connection)).id
        kept = msgspec.json.encode(Kept(postgres.url, str(state), account)).decode()
        on, off = free_port(), free_port()
        with (
            running(serve(on, "--kept", kept), partial(answers, f"http://127.0.0.1:{on}/healthz")),
            running(serve(off), partial(answers, f"http://127.0.0.1:{off}/healthz")),
        ):
            for number, side in enumerate(interleaved(pairs, seed), 1):
                port = on if side == "ours" else off
                took_ms = await block(port, recorded=side == "ours")
                told[side].append(took_ms)
                name = "kept" if side == "ours" else "not kept"
                p95 = np.percentile(took_ms, 95)
                progress = f"[{number}/{2 * pairs}] {name}: {len(took_ms)} answers, p95"
                print(f"{progress} {p95:.1f} ms", file=sys.stderr, flush=True)
        await check(connection, account, pairs)
        await connection.close()
    finally:
        await postgres.stop()
    return told


async def check(connection: Connection, account_id: str, pairs: int) -> None:
    """That everything was kept whose keeping was measured. Raises `RuntimeError`."""
    spell = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    kept = (await analytics.summed(connection, *spell, account_id=account_id))[()]
    print(f"kept: {kept.sessions} sessions, {kept.responses} responses", file=sys.stderr)
    if kept.sessions != pairs * SESSIONS:
        raise RuntimeError(f"{kept.sessions} sessions were kept of {pairs * SESSIONS}")


def measure(pairs: int, seed: int) -> list[Row]:
    """The rows."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as state:
        Path(state).chmod(0o755)  # root's database runs as another user
        told = uvloop.run(blocks(pairs, seed, Path(state)))
    times = {side: [ms for one in some for ms in one] for side, some in told.items()}
    return [
        added("records_added_ms", 95, told["ours"], told["peer"]),
        compare("answer_p50_ms", times, percentile(50), "ms"),
        compare("answer_p95_ms", times, percentile(95), "ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=4, help="blocks of 45 s, kept and not")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    finish("bench.records", measure(args.pairs, args.seed), peer="not kept")


if __name__ == "__main__":
    main()
