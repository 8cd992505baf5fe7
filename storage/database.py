"""Connections to PostgreSQL: few, shared, opened again when they break.

Nothing here outlives its transaction: no session's locks, settings or named statements. So it also
works through a pooler that lends a connection for one transaction (PgBouncer, Neon, Supabase).
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from storage.errors import StorageError, Unavailable, Unfit

T = TypeVar("T")

Connection = PoolConnectionProxy | asyncpg.Connection

ANSWER_S = 30.0
"""For one statement; none of ours is near it."""

CONNECT_S = 10.0

ONCE_S = 5.0
"""For a transaction that somebody waits for: ours take milliseconds."""

PATIENCE_S = 5.0
"""How long a question is asked again before it is given up: a server that is started again is back
by then."""

AGAIN_EVERY_S = 0.2

LIBPQ_ONLY = frozenset(
    [
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "pgbouncer",
        "tcp_user_timeout",
    ]
)
"""Parameters of addresses as hosts give them out that asyncpg would send on to the server, which
refuses them. It binds no channel."""

AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""Whom Debian trusts, where Python does not say."""

BROKEN = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What says that the server is away or going away, and nothing about the question."""

UNFIT = (asyncpg.DataError, asyncpg.exceptions._base.DataError)  # of the server; of the client
"""What says that a value is the matter. The client's own is one of `BROKEN` too."""


def for_asyncpg(url: str) -> str:
    """The address without what only libpq understands. Raises `StorageError`, without the address:
    it may hold a password.
    """
    parts = urlsplit(url)
    try:
        strange = (
            parts.scheme not in ("postgres", "postgresql") or parts.port == 0 or parts.fragment
        )
    except ValueError:  # what should be the port is a part of the password
        strange = True
    if strange:
        raise StorageError(
            "the database's address must look like postgresql://user:password@host:5432/name, with "
            "%2F for / in the password, %23 for #, %3F for ? and %40 for @"
        )
    query = {name: value for name, value in parse_qsl(parts.query) if name not in LIBPQ_ONLY}
    verified = query.get("sslmode") in ("verify-ca", "verify-full")
    if verified and query.get("sslrootcert", "system") == "system":
        query["sslrootcert"] = ssl.get_default_verify_paths().cafile or AUTHORITIES
    if not Path(query.get("sslrootcert", "/")).exists():
        raise StorageError(f"the database's address names {query['sslrootcert']}: no such file")
    return urlunsplit(parts._replace(query=urlencode(query, safe="/:")))


async def connect(url: str) -> asyncpg.Connection:
    """One connection, for who needs no more. Raises `Unavailable` or `StorageError`."""
    address = for_asyncpg(url)
    with translated():
        try:
            return await asyncpg.connect(
                address, timeout=CONNECT_S, command_timeout=ANSWER_S, statement_cache_size=0
            )
        except ssl.SSLError:  # a ValueError too
            raise
        except (asyncpg.ClientConfigurationError, ValueError):  # which may quote the password
            raise StorageError("the database's address cannot be understood") from None


@contextmanager
def translated() -> Iterator[None]:
    """What asyncpg raises inside, as `Unavailable`, `Unfit` or the `StorageError` of a refusal."""
    try:
        yield
    except UNFIT as error:
        raise Unfit(f"the database cannot hold a value: {error}") from error
    except BROKEN as error:
        raise Unavailable(f"the database does not answer: {_why(error)}") from error
    except asyncpg.PostgresError as error:
        raise StorageError(f"the database refuses us: {error}") from error


class Database:
    """A pool of connections to one server.

    `run` asks again when a connection breaks, so what it is given must do the same however often
    it is done: read, or write what is already there.
    """

    def __init__(self, url: str, most_connections: int = 10) -> None:
        self._working: set[asyncio.Task[Any]] = set()
        self._pool = asyncpg.create_pool(
            for_asyncpg(url),
            min_size=0,
            max_size=most_connections,
            timeout=CONNECT_S,
            command_timeout=ANSWER_S,
            statement_cache_size=0,
            reset=_nothing,
        )

    async def __aenter__(self) -> "Database":
        await self._pool
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def once(self, work: Callable[[Connection], Awaitable[T]], within_s: float = ONCE_S) -> T:
        """What `work` returns, done in one transaction and never again.

        Raises `Unavailable`, also after `within_s` where the server neither answers nor breaks the
        connection; `Unfit` for a value; `StorageError` for any other no.
        """
        task = asyncio.ensure_future(self._transact(work))
        self._working.add(task)
        task.add_done_callback(self._worked)
        try:
            await asyncio.wait({task}, timeout=within_s)
        finally:
            task.cancel()  # and not waited for: a server that hangs does not answer that either
        if task.done():
            return task.result()
        raise Unavailable(f"the database does not answer within {within_s:g} s")

    async def run(
        self,
        work: Callable[[Connection], Awaitable[T]],
        patience_s: float = PATIENCE_S,
        within_s: float = ANSWER_S,
    ) -> T:
        """As `once`, but asked again while the database is away, for `patience_s`."""
        give_up = time.monotonic() + patience_s
        while True:
            try:
                return await self.once(work, within_s)
            except Unavailable:
                if time.monotonic() >= give_up:
                    raise
                await asyncio.sleep(AGAIN_EVERY_S)

    async def _transact(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        with translated():
            async with (
                self._pool.acquire(timeout=CONNECT_S) as connection,
                connection.transaction(),
            ):
                return await work(connection)

    def _worked(self, task: "asyncio.Task[Any]") -> None:
        self._working.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it, or waits no more


async def _nothing(_: Any) -> None:
    """A transaction leaves nothing behind that would have to be reset."""


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__
