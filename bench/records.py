"""What records and recordings add to the time that callers wait for an answer.

Callers as in `bench.load`, each with a question every 10 s, speak to two servers with scripted
models (`bench.scripted_server`): one writes down and records all that is said, into an embedded
database and files, the other nothing. Both at once, as many callers saying the same at the same
times, so that whatever else the machine does meets both alike. `python -m bench.records`.
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
from bench.report import Row, Side, added, compare, finish, percentile
from bench.scripted_server import Kept
from bench.servers import OURS_PYTHON, answers, free_port, running
from storage import accounts, analytics
from storage.database import Connection, connect
from storage.embedded import EmbeddedPostgres
from storage.migrating import migrate

SESSIONS = 12
"""Of each side."""

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
    if counts.closed or counts.answered < counts.asked:
        print(f"{counts.asked - counts.answered} answers were lost", file=sys.stderr)
    return took_ms


def serve(port: int, *words: str) -> list[str | Path]:
    return [OURS_PYTHON, "-m", "bench.scripted_server", *words, str(port)]


async def blocks(count: int, state: Path) -> dict[Side, list[list[float]]]:
    """Of both servers."""
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
            for number in range(1, count + 1):
                took = await asyncio.gather(block(on, recorded=True), block(off, recorded=False))
                told["ours"].append(took[0])
                told["peer"].append(took[1])
                p95 = ", ".join(f"{np.percentile(ms, 95):.1f} ms of {len(ms)}" for ms in took)
                print(f"[{number}/{count}] p95 kept, not kept: {p95}", file=sys.stderr, flush=True)
            await asyncio.sleep(2)  # the last of it is written
        await check(connection, account, count)
        await connection.close()
    finally:
        await postgres.stop()
    return told


async def check(connection: Connection, account_id: str, count: int) -> None:
    """That everything was kept whose keeping was measured. Raises `RuntimeError`."""
    spell = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    kept = (await analytics.summed(connection, *spell, account_id=account_id))[()]
    print(f"kept: {kept.sessions} sessions, {kept.responses} responses", file=sys.stderr)
    if kept.sessions != count * SESSIONS:
        raise RuntimeError(f"{kept.sessions} sessions were kept of {count * SESSIONS}")


def measure(count: int) -> list[Row]:
    """The rows."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as state:
        Path(state).chmod(0o755)  # root's database runs as another user
        told = uvloop.run(blocks(count, Path(state)))
    times = {side: [ms for one in some for ms in one] for side, some in told.items()}
    return [
        added("records_added_ms", 95, told["ours"], told["peer"]),
        compare("answer_p50_ms", times, percentile(50), "ms"),
        compare("answer_p95_ms", times, percentile(95), "ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=6, help="of 45 s")
    args = parser.parse_args()
    finish("bench.records", measure(args.blocks), peer="not kept")


if __name__ == "__main__":
    main()
