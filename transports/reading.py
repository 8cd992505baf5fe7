"""What a socket brings, event by event, at a pace that leaves room for other sessions."""

import asyncio
from collections.abc import Awaitable, Callable

from transports.outbox import Message, Outbox
from transports.realtime.connection import Realtime
from transports.realtime.wire import LARGEST_MESSAGE

Receive = Callable[[], Awaitable[Message]]

SLICE_S = 0.001
"""Work that one connection may do before it must let others on: a fifth of a 5 ms playout slot."""

REST = 2.0  # seconds of rest per second of work: a flooding client gets a third of a core at most
EVENTS_PER_TURN = 32  # and lets others on after so many events, however cheap

NO_CODE, ABNORMAL, TOO_BIG = 1005, 1006, 1009
"""Close codes (RFC 6455, 7.4.1)."""

DISCONNECT_S = 1.0  # for the reading side to take what stood before the disconnect, and that itself


async def converse(
    realtime: Realtime, outbox: Outbox, receive: Receive, *, sideband: bool = False
) -> int:
    """Carry events both ways until one side ends it; the close code.

    What a `sideband` asks is answered at its own socket. Raises what an event of it raised, which
    is a bug of ours.
    """
    reading = asyncio.ensure_future(_read(realtime, outbox, receive, sideband))
    try:
        await asyncio.wait({reading, outbox.task}, return_when=asyncio.FIRST_COMPLETED)
        if outbox.lost and not reading.done():
            await asyncio.wait({reading}, timeout=DISCONNECT_S)
        return reading.result() if reading.done() else ABNORMAL
    finally:
        reading.cancel()


async def _read(realtime: Realtime, outbox: Outbox, receive: Receive, sideband: bool) -> int:
    """Take events until the socket is closed; the close code."""
    clock = asyncio.get_running_loop().time
    asker = outbox if sideband else None
    work_s, events = 0.0, 0
    while True:
        await outbox.room()
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return _close_code(message)
        began = clock()
        data = message.get("text") or message.get("bytes") or ""
        if len(data) > LARGEST_MESSAGE:
            outbox.close(TOO_BIG, f"a message may have {LARGEST_MESSAGE} bytes")
            await asyncio.wait({outbox.task})
            return TOO_BIG
        for _ in realtime.steps(data, asker):
            work_s += clock() - began
            if work_s >= SLICE_S:
                await asyncio.sleep(work_s * REST)
                work_s, events = 0.0, 0
            began = clock()
        events += 1
        if events >= EVENTS_PER_TURN:
            await asyncio.sleep(0)
            events = 0


def _close_code(disconnect: Message) -> int:
    """What the client closed with. uvicorn gives a lost connection NO_CODE too, but no reason."""
    code = int(disconnect.get("code") or ABNORMAL)
    return ABNORMAL if code == NO_CODE and "reason" not in disconnect else code
