"""What checking a key and counting a request adds to it: `python -m bench.api`.

500 requests a second to one route of our server, in blocks that take turns: over its port with a
key that has a limit, and over the gateway's private socket, where nothing is checked. What TCP
costs more than that counts as ours. Everything is ours: the column "unchecked" is the same gateway.

Then a key that may make fewer requests than are made: those served must be as many as it may.

And what records and recordings add to the time that callers wait for an answer (`bench.records`).
"""

import argparse
import asyncio
import re
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import uvloop

from bench import records, servers
from bench.crowd import OFF
from bench.processes import worker_socket
from bench.report import Row, Side, added, compare, finish, interleaved, percentile
from bench.servers import Server

PER_S = 500
BLOCK_S = 5.0
LIMIT = 1_000_000
"""Requests a minute of the key that is measured: as many as will ever be made, but counted."""

FEW = 6_000
"""Of the key that may make fewer than are made: a hundred a second, after those of a minute."""

FLOOD_S, FLOOD_PER_S = 20.0, 500
LINES = 32
LATE_S = 30.0
SIDES: tuple[Side, ...] = ("ours", "peer")
ROUTE = "/v1/realtime"
"""Answers 426 to what is no WebSocket: nothing costs less once a request is let in."""


class Connection(asyncio.Protocol):
    """One kept-alive HTTP connection with at most one request on it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.answered: asyncio.Future[int] | None = None
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._came += data
        if whole(self._came):
            status, self._came = int(self._came.split(b" ", 2)[1]), b""
            self._answer(status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._answer(0)

    def _answer(self, status: int) -> None:
        if self.answered is not None and not self.answered.done():
            self.answered.set_result(status)


def whole(answer: bytes) -> bool:
    """Whether an HTTP answer is there to its end."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")


class Told(msgspec.Struct):
    """Of one block: each answer's time in ms, how many had each status, how many never came."""

    took_ms: list[float] = []
    statuses: Counter[int] = Counter()
    lost: int = 0


async def lines(where: int | str) -> list[Connection]:
    """Connections to a port of 127.0.0.1, or to a Unix socket."""
    loop = asyncio.get_running_loop()
    made = []
    for _ in range(LINES):
        if isinstance(where, int):
            _, line = await loop.create_connection(Connection, "127.0.0.1", where)
        else:
            _, line = await loop.create_unix_connection(Connection, where)
        made.append(line)
    return made


async def block(where: int | str, key: str, seconds: float, per_s: int) -> Told:
    """Ask at an even pace, whether answers come or not."""
    loop = asyncio.get_running_loop()
    free = await lines(where)
    told = Told([], Counter())
    request = f"GET {ROUTE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()

    async def ask(line: Connection) -> None:
        line.answered = loop.create_future()
        began = time.perf_counter()
        line.transport.write(request)
        try:
            async with asyncio.timeout(LATE_S):
                status = await line.answered
        except TimeoutError:
            status = 0
        told.took_ms.append((time.perf_counter() - began) * 1000)
        told.statuses[status] += 1
        told.lost += status == 0
        free.append(line)

    asking = set()
    began = loop.time()
    for number in range(int(seconds * per_s)):
        await asyncio.sleep(began + number / per_s - loop.time())
        free = [line for line in free if not line.transport.is_closing()] or await lines(where)
        task = asyncio.create_task(ask(free.pop(0)))  # none idle for long
        asking.add(task)
        task.add_done_callback(asking.discard)
    await asyncio.gather(*asking)
    for line in free:
        line.transport.close()
    return told


def new_key(server: Server, per_minute: int) -> str:
    """A key with a limit."""
    body = {"name": "bench", "limits": {"requests_per_minute": per_minute}}
    url = f"http://127.0.0.1:{server.port}/v1/admin/keys"
    headers = {**server.headers, "content-type": "application/json"}
    request = urllib.request.Request(url, msgspec.json.encode(body), headers)
    with urllib.request.urlopen(request) as answer:
        made: str = msgspec.json.decode(answer.read())["secret"]
    return made


def measure(server: Server, pairs: int, seed: int) -> list[Row]:
    """Both sides in turns, then the flood."""
    beside = worker_socket(server.roots[0], "stt")
    if beside is None:
        raise RuntimeError("the server has no workers")
    private = str(Path(beside).with_name("gateway-0-0"))
    key = new_key(server, LIMIT)
    told: dict[Side, list[Told]] = {"ours": [], "peer": []}
    for number, side in enumerate(interleaved(pairs, seed), 1):
        where = server.port if side == "ours" else private
        done = uvloop.run(block(where, key, BLOCK_S, PER_S))
        told[side].append(done)
        p99 = np.percentile(done.took_ms, 99)
        name = "checked" if side == "ours" else "unchecked"
        print(
            f"[{number}/{2 * pairs}] {name}: p99 {p99:.2f} ms, {dict(done.statuses)}",
            file=sys.stderr,
        )
    times = {side: [ms for one in some for ms in one.took_ms] for side, some in told.items()}
    lost = sum(one.lost for some in told.values() for one in some)
    return [
        added("access_overhead_p99_ms", 99, *([t.took_ms for t in told[s]] for s in SIDES)),
        compare("request_p50_ms", times, percentile(50), "ms"),
        compare("request_p99_ms", times, percentile(99), "ms"),
        *flood(server, lost),
    ]


def flood(server: Server, lost: int) -> list[Row]:
    """More requests than a key may make: how many were served beyond that, or were not answered."""
    key = new_key(server, FEW)
    began = time.monotonic()
    told = uvloop.run(block(server.port, key, FLOOD_S, FLOOD_PER_S))
    took_s = time.monotonic() - began
    served, refused = told.statuses[426], told.statuses[429]
    allowed = FEW + took_s * FEW / 60
    print(f"a key for {FEW} a minute: {served} of {served + refused} in {took_s:.1f} s were served")
    return [
        Row("requests_uncounted", max(0.0, served - allowed), None, None, None, None, "requests"),
        Row("requests_lost", float(lost + told.lost), None, None, None, None, "requests"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=12, help="blocks of 5 s, checked and not")
    parser.add_argument("--record-blocks", type=int, default=6, help="of 45 s, with records")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with servers.ours(None, {**OFF, "VOICEFORGE_GATEWAYS": "1"}) as server:
        rows = measure(server, args.pairs, args.seed)
    rows += records.measure(args.record_blocks)
    finish("bench.api", rows, peer="unchecked")


if __name__ == "__main__":
    main()
