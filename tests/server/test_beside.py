"""Work that is done together."""

import asyncio

import pytest

from server.beside import together


async def test_all_of_it_is_done() -> None:
    done = []

    async def part(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    await together(part(1), part(2))
    assert sorted(done) == [1, 2]


async def test_when_one_part_fails_the_others_end_before_its_error_is_told() -> None:
    ended = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.set()

    async def failing() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await together(endless(), failing())
    assert ended.is_set()


async def test_a_cancelled_whole_cancels_its_parts() -> None:
    ended = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    whole = asyncio.create_task(together(endless(), endless()))
    await asyncio.sleep(0.01)
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    assert ended.is_set()
