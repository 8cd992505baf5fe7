"""What a gateway has to say of its sessions, written down batch by batch."""

import msgspec

from storage import refusals, sessions, turns
from storage.database import Connection
from storage.refusals import Refusal
from storage.sessions import News, Session
from storage.turns import Turn
from storage.writers import CLOSED, is_new


class Changes(msgspec.Struct, frozen=True, array_like=True):
    """What changed. With a turn there is its session, since what came before may have been lost."""

    sessions: tuple[Session, ...] = ()
    turns: tuple[Turn, ...] = ()
    refusals: tuple[Refusal, ...] = ()


async def write(connection: Connection, writer: str, batch: int, changes: Changes) -> News | None:
    """Write down what `writer` says in its batch of this number; the numbers rise.

    None, and nothing is written, if it was before.
    """
    if not await is_new(connection, writer, batch):
        return None
    news = await sessions.write(connection, changes.sessions)
    await turns.write(connection, changes.turns)
    await refusals.add(connection, changes.refusals)
    return news


async def close(connection: Connection, writer: str) -> News:
    """The writer is dead, and all that it left is written: end the sessions that it kept. Nothing
    of its that is still on the way comes in any more.
    """
    await is_new(connection, writer, CLOSED)
    return News(ended=await sessions.lose(connection, writer))
