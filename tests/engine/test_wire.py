import asyncio
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine import wire
from engine.inference import Priority
from engine.load import Load, Served

_ids = st.integers(0, 2**60)
_numbers = st.floats(-1e6, 1e6)
_priorities = st.sampled_from(Priority)
_counts = st.integers(0, 2**40)
_loads = st.builds(
    Load,
    queued=_counts,
    oldest_ms=_numbers,
    served=st.dictionaries(st.integers(1, 5), st.builds(Served, _counts, _numbers, _counts)),
    batches=st.dictionaries(_counts, _counts, max_size=4),
)
_to_worker = st.one_of(
    st.builds(wire.Ask, _ids, _priorities, _numbers, st.binary(max_size=300)),
    st.builds(wire.Promote, _ids, _priorities, _numbers),
    st.builds(wire.Cancel, _ids),
    st.builds(wire.Ping),
)
_from_worker = st.one_of(
    st.builds(wire.Ready),
    st.builds(wire.Broken, st.text(), st.text()),
    st.builds(wire.Hello, st.text(), _ids),
    st.builds(wire.Result, _ids, st.binary(max_size=300)),
    st.builds(wire.Done, _ids, _numbers),
    st.builds(wire.Failed, _ids, st.text(), st.text(), _numbers),
    st.builds(wire.Pong, _loads),
)


def _reader(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@given(st.lists(_to_worker, max_size=5))
def test_the_worker_reads_what_the_gateway_wrote(messages: list[wire.ToWorker]) -> None:
    async def read() -> None:
        reader = _reader(b"".join(map(wire.encode, messages)))
        for message in messages:
            assert await wire.read_to_worker(reader) == message
        assert await wire.read_to_worker(reader) is None

    asyncio.run(read())


@given(st.lists(_from_worker, max_size=5))
def test_the_gateway_reads_what_the_worker_wrote(messages: list[wire.FromWorker]) -> None:
    async def read() -> None:
        reader = _reader(b"".join(map(wire.encode, messages)))
        for message in messages:
            assert await wire.read_from_worker(reader) == message
        assert await wire.read_from_worker(reader) is None

    asyncio.run(read())


async def test_a_stream_that_ends_inside_a_message_is_an_error_wherever_it_is_torn() -> None:
    whole = wire.encode(wire.Ask(1, Priority.FIRST, 10.0, b"speech"))
    for size in range(1, len(whole)):
        with pytest.raises(wire.WireError, match="ended after"):
            await wire.read_to_worker(_reader(whole[:size]))


async def test_an_oversized_message_is_refused_before_it_is_read() -> None:
    head = struct.pack(">I", wire.MAX_MESSAGE_BYTES + 1)
    with pytest.raises(wire.WireError, match="16777217 bytes is over the limit of 16777216"):
        await wire.read_to_worker(_reader(head))


def test_an_oversized_message_is_not_written() -> None:
    with pytest.raises(wire.WireError, match="smaller pieces"):
        wire.encode(wire.Result(1, bytes(wire.MAX_MESSAGE_BYTES)))


@given(st.binary(max_size=200))
@example(b"\x91\xa3\x00\x00\x80")  # text that is no UTF-8
def test_garbage_is_an_error_and_nothing_else(body: bytes) -> None:
    async def read() -> None:
        try:
            message = await wire.read_to_worker(_reader(struct.pack(">I", len(body)) + body))
        except wire.WireError:
            return
        assert isinstance(message, wire.ToWorker)

    asyncio.run(read())
