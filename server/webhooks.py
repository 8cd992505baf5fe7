"""What is told to accounts' servers: each event is a job for each webhook that wants it
(`server.deliveries` does them).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import msgspec

from storage import jobs, webhooks
from storage.database import Connection
from storage.ids import new_id
from storage.jobs import Job
from storage.webhooks import Webhook

KIND = "webhook"

Event = Literal["session.started", "session.ended", "session.summary"]
EVENTS: tuple[Event, ...] = get_args(Event)

TEST = "webhook.test"
"""What `POST /v1/webhooks/{id}/test` sends, whatever the webhook wants to be told of."""

MOST_ATTEMPTS = 10
"""Within three days and a little more (`server.deliveries`)."""


class Delivery(msgspec.Struct, frozen=True):
    """A job's payload. `event` is the event's id, `body` what is sent, letter for letter; it goes
    when the job ends. With the session that it is about the whole job goes.
    """

    webhook: str
    event: str
    type: str
    body: str
    session_id: str | None = None


async def publish(
    connection: Connection,
    account_id: str,
    event_type: str,
    data: Mapping[str, Any],
    at: datetime | None = None,
) -> list[Job]:
    """Write down what is to be delivered, in the caller's transaction; `at` is when it happened, if
    not now; `data` has the `session_id`, if it is of a session. The runner is to be woken when the
    transaction has ended, or finds it within seconds.
    """
    targets = await webhooks.told(connection, account_id, event_type)
    if not targets:
        return []
    event, body, about = new_event(), body_of(event_type, data, at), data.get("session_id")
    return [
        await send(connection, account_id, Delivery(target, event, event_type, body, about))
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


def shown(job: Job) -> Job:
    """As `/v1/jobs` tells of it: what is sent may say what was said in a session, and whoever may
    see jobs may not see that.
    """
    if job.kind != KIND:
        return job
    payload = {name: value for name, value in job.payload.items() if name != "body"}
    return msgspec.structs.replace(job, payload=payload)


def new_event() -> str:
    """An id for an event: who is sent one twice knows it by that."""
    return new_id("msg")


def body_of(event_type: str, data: Mapping[str, Any], at: datetime | None = None) -> str:
    """As www.standardwebhooks.com proposes it."""
    stamp = at or datetime.now(UTC)
    return msgspec.json.encode({"type": event_type, "timestamp": stamp, "data": data}).decode()
