"""A document's passages, from the process that reads it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

import msgspec

from engine.child import child_environment, packed_plan
from engine.framing import WireError, read_body
from engine.process import package_root
from server.knowledge.kinds import Unreadable
from server.knowledge.reader import (
    BROKE,
    TOO_LONG,
    Counted,
    Cut,
    ReadPlan,
    Refused,
    told_decoder,
)
from storage.passages import Passage

PATIENCE_S = 300.0
"""For a document to be read: a busy machine gives its process a fifth of a core."""


class Read:
    """A document that is read: `count` passages, which come in `batches`."""

    def __init__(self, count: int, reader: asyncio.StreamReader) -> None:
        self.count = count
        self._reader = reader

    async def batches(self) -> AsyncIterator[list[Passage]]:
        """The passages in order, some at a time. Raises `Unreadable`."""
        left = self.count
        while left:
            try:
                body = await read_body(self._reader)
            except WireError:  # the reader has died
                raise Unreadable(BROKE) from None
            told = None if body is None else told_decoder.decode(body)
            if not isinstance(told, Cut):
                raise Unreadable(BROKE)
            left -= len(told.passages)
            yield [Passage(*one) for one in told.passages]


@asynccontextmanager
async def reading(file: IO[bytes], media_type: str) -> AsyncIterator[Read]:
    """Read the document in `file`. The process ends with the block. Raises `Unreadable`."""
    process = await _started(file, media_type)
    assert process.stdout is not None
    try:
        yield await _counted(process, process.stdout)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _started(file: IO[bytes], media_type: str) -> Process:
    file.seek(0)
    plan = ReadPlan(file.fileno(), media_type)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.knowledge.reader"),
        stdin=PIPE,
        stdout=PIPE,
        env=child_environment() | {"PYTHONPATH": package_path()},
        pass_fds=[plan.fd],
    )
    assert process.stdin is not None
    process.stdin.write(packed_plan(msgspec.msgpack.encode(plan)))
    return process


async def _counted(process: Process, output: asyncio.StreamReader) -> Read:
    try:
        async with asyncio.timeout(PATIENCE_S):
            body = await read_body(output)
    except TimeoutError:
        raise Unreadable(TOO_LONG) from None
    except WireError:
        body = None
    if body is None:
        status = await process.wait()
        raise Unreadable(TOO_LONG if status == -signal.SIGXCPU else BROKE)
    told = told_decoder.decode(body)
    if isinstance(told, Refused):
        raise Unreadable(told.why)
    assert isinstance(told, Counted)
    return Read(told.passages, output)


def package_path() -> str:
    """Where the reader finds our packages."""
    return os.pathsep.join(filter(None, (package_root(), os.environ.get("PYTHONPATH"))))
