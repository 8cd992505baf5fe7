"""How soon a long text begins to be heard: `python -m bench.speech`.

`POST /v1/audio/speech` as PCM, by one client and by sixteen at once who listen to the end, until
the first byte of audio, against a plain Litestar handler with the same Piper voice in its own
process (`bench.plain_speech`). The two servers take turns; both are there all the time.
"""

import argparse
import asyncio
import sys
import time
from functools import partial
from pathlib import Path

import aiohttp
import uvloop

from bench.report import Row, Side, compare, finish, interleaved, median, percentile
from bench.servers import OURS_PYTHON, Server, answers, free_port, ours, running

SENTENCES = (
    "The old harbour lies at the end of a narrow street, behind the market.",
    "Fishermen mend their nets there in the morning, and children look for crabs by the stones.",
    "In the evening the lamps are lit one after the other, until the water is full of light.",
    "Nobody remembers who built the first house, though many claim that it was their family.",
)
TEXT = " ".join(SENTENCES * 3)
MANY = 16
ALONE = 5
"""Requests of one client a block."""


async def first_byte_ms(http: aiohttp.ClientSession, server: Server) -> float:
    """From the request to the first byte of audio; it is heard to its end."""
    wanted = {"input": TEXT, "model": "tts-1", "voice": "alloy", "response_format": "pcm"}
    url = f"http://127.0.0.1:{server.port}/v1/audio/speech"
    began = time.perf_counter()
    async with http.post(url, json=wanted, headers=server.headers) as answer:
        if answer.status != 200:
            raise RuntimeError(f"the server said {answer.status}: {await answer.text()}")
        await answer.content.readexactly(1)
        took = time.perf_counter() - began
        async for _ in answer.content.iter_any():
            pass
    return took * 1000


async def measured(servers: dict[Side, Server], repeats: int) -> list[Row]:
    """Both rows."""
    alone: dict[Side, list[float]] = {"ours": [], "peer": []}
    many: dict[Side, list[float]] = {"ours": [], "peer": []}
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        for server in servers.values():
            await first_byte_ms(http, server)
        for side in interleaved(repeats, seed=1):
            for _ in range(ALONE):
                alone[side].append(await first_byte_ms(http, servers[side]))
            asked = (first_byte_ms(http, servers[side]) for _ in range(MANY))
            took = await asyncio.gather(*asked)
            many[side] += took
            told = f"{median_of(alone[side]):.0f} ms alone, of {MANY} the last {max(took):.0f} ms"
            print(f"{side}: {told}", file=sys.stderr)
    return [
        compare("ttfb_1_p50_ms", alone, median, "ms"),
        compare("ttfb_16_p95_ms", many, percentile(95), "ms"),
    ]


def median_of(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=4, help="blocks of each side, a minute each")
    given = parser.parse_args()
    port = free_port()
    command: list[str | Path] = [OURS_PYTHON, "-m", "bench.plain_speech", str(port)]
    ready = partial(answers, f"http://127.0.0.1:{port}/readyz")
    with ours() as server, running(command, ready) as pid:
        servers: dict[Side, Server] = {"ours": server, "peer": Server(port, (pid,))}
        rows = uvloop.run(measured(servers, given.repeats))
    finish("bench.speech", rows, [f"{len(TEXT)} characters"], peer="plain handler")


if __name__ == "__main__":
    main()
