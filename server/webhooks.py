"""What is told to accounts' servers: each event is a job for each webhook that wants it
(`server.deliveries` does them).
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import msgspec

from storage import jobs, webhooks
from storage.database import Connection, Database
from storage.errors import StorageError, Unavailable
from storage.ids import new_id
from storage.jobs import Job
from storage.webhooks import Webhook

log = logging.getLogger(__name__)

KIND = "webhook"

Event = Literal["session.started", "session.ended", "session.summary"]
EVENTS: tuple[Event, ...] = get_args(Event)

TEST = "webhook.test"
"""What `POST /v1/webhooks/{id}/test` sends, whatever the webhook wants to be told of."""

MOST_ATTEMPTS = 10
"""Within three days and a little more (`server.deliveries`)."""

WAITING = 10_000
"""Events that wait in memory while the database is away; older ones are lost beyond."""

AGAIN_EVERY_S, LAST_S = 2.0, 2.0


class Delivery(msgspec.Struct, frozen=True):
    """A job's payload. `event` is the event's id, `body` what is sent, letter for letter."""

    webhook: str
    event: str
    type: str
    body: str


async def publish(
    connection: Connection,
    account_id: str,
    event_type: str,
    data: Mapping[str, Any],
    *,
    ident: str | None = None,
    at: datetime | None = None,
) -> list[Job]:
    """Write down what is to be delivered, in the caller's transaction. `ident` is for who may have
    to publish it again; `at` is when it happened, if not now.

    The runner is to be woken when that has ended, or finds it within seconds.
    """
    targets = await webhooks.told(connection, account_id, event_type)
    if not targets:
        return []
    event, body = ident or new_event(), body_of(event_type, data, at)
    return [
        await send(connection, account_id, Delivery(target, event, event_type, body))
        for target in targets
    ]


async def publish_test(connection: Connection, webhook: Webhook) -> Job:
    """Something to be delivered to this one alone."""
    body = body_of(TEST, {"webhook_id": webhook.id})
    delivery = Delivery(webhook.id, new_event(), TEST, body)
    return await send(connection, webhook.account_id, delivery)


async def send(connection: Connection, account_id: str, delivery: Delivery) -> Job:
    """The job that does it."""
    payload = msgspec.structs.asdict(delivery)
    return await jobs.create(connection, account_id, KIND, payload, most_attempts=MOST_ATTEMPTS)


def new_event() -> str:
    """An id for an event: who is sent one twice knows it by that."""
    return new_id("msg")


def body_of(event_type: str, data: Mapping[str, Any], at: datetime | None = None) -> str:
    """As www.standardwebhooks.com proposes it."""
    stamp = at or datetime.now(UTC)
    return msgspec.json.encode({"type": event_type, "timestamp": stamp, "data": data}).decode()


class Happened(msgspec.Struct, frozen=True):
    """An event that is not yet written down."""

    ident: str
    account_id: str
    type: Event
    data: Mapping[str, Any]
    at: datetime

    async def publish(self, connection: Connection) -> list[Job]:
        """Write it down."""
        what = (self.account_id, self.type, self.data)
        return await publish(connection, *what, ident=self.ident, at=self.at)


class Webhooks:
    """Takes what happens in sessions, at no cost for them, and publishes it a moment later.

    What is not yet in the database is lost with the process. What belongs to no account is told to
    nobody. `wake` is called when there is something to deliver.
    """

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake
        self._waiting: deque[Happened] = deque()
        self._come = asyncio.Event()
        self._lost = 0

    def session_started(self, account_id: str | None, session_id: str, **more: Any) -> None:
        """A session has begun."""
        self._take(account_id, "session.started", {"session_id": session_id, **more})

    def session_ended(
        self, account_id: str | None, session_id: str, reason: str, **more: Any
    ) -> None:
        """It has ended, for this reason."""
        told = {"session_id": session_id, "reason": reason, **more}
        self._take(account_id, "session.ended", told)

    def session_summary(self, account_id: str | None, session_id: str, **more: Any) -> None:
        """What was said in it has been summed up."""
        self._take(account_id, "session.summary", {"session_id": session_id, **more})

    async def run(self) -> None:
        """Publish until cancelled, and what is left then."""
        try:
            while True:
                await self._come.wait()
                self._come.clear()
                if not await self._publish():
                    self._come.set()
                    await asyncio.sleep(AGAIN_EVERY_S)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    await self._publish()

    def _take(self, account_id: str | None, event_type: Event, data: Mapping[str, Any]) -> None:
        if account_id is None:
            return
        if len(self._waiting) >= WAITING:
            self._waiting.popleft()
            self._lost += 1
        now = datetime.now(UTC)
        self._waiting.append(Happened(new_event(), account_id, event_type, data, now))
        self._come.set()

    async def _publish(self) -> bool:
        """Write down all that waits; False while the database is away."""
        if self._lost:
            log.error("events are lost: the database is away", extra={"events": self._lost})
            self._lost = 0
        while self._waiting:
            one = self._waiting[0]
            made: list[Job] = []
            try:
                made = await self._database.once(one.publish)
            except Unavailable:
                return False
            except (StorageError, TypeError, UnicodeError) as error:  # the next may be better
                told = {"type": one.type, "error": type(error).__name__}
                log.error("an event cannot be published", extra=told)
            if self._waiting and self._waiting[0] is one:
                self._waiting.popleft()
            if made:
                self._wake()
        return True
