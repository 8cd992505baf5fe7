"""What happens is told to whoever wants to know, once it can be, and signed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate
from typing import Any

import pytest

from server.beside import beside
from server.deliveries import DELAYS_S, Deliveries, delay_s
from server.jobs.runner import Runner
from server.outbound.addresses import Rules
from server.outbound.client import Outbound
from server.outbound.networks import networks
from server.outbound.sealing import Sealing
from server.outbound.signing import new_secret
from server.webhooks import EVENTS, KIND, MOST_ATTEMPTS, publish
from storage import accounts, jobs, sessions, webhooks
from storage.database import Database
from storage.jobs import Job
from storage.sessions import Session
from storage.webhooks import Webhook
from tests.server.receiver import Receiver
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]

HERE = Rules(networks("127.0.0.1"))


class Shop:
    """An account with webhooks, and the gateway that tells them."""

    def __init__(self, database: Database, account: str) -> None:
        self.database = database
        self.account = account
        self.sealing = Sealing(bytes(32))
        self.runner: Runner

    async def tell(self, url: str, secret: str, *events: str) -> Webhook:
        ident = webhooks.new()
        sealed = self.sealing.seal(secret, self.account, ident)
        given = (ident, self.account, url, events or EVENTS, True, sealed)
        return await self.database.once(lambda c: webhooks.create(c, *given))

    async def publish(self, event: str = "session.ended", **data: Any) -> list[Job]:
        made = await self.database.once(lambda c: publish(c, self.account, event, data))
        self.runner.wake()
        return made

    async def ended(self, job: Job, within_s: float = 10) -> Job:
        async with asyncio.timeout(within_s):
            while (now := await self.job(job)).ended_at is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return now

    async def job(self, job: Job) -> Job:
        return await self.database.run(lambda c: jobs.get(c, job.id, self.account))

    async def jobs(self) -> list[Job]:
        return await self.database.run(lambda c: jobs.listed(c, self.account))

    @contextlib.asynccontextmanager
    async def open(
        self, rules: Rules = HERE, delay_s: Callable[[int], float] = lambda _: 0.0
    ) -> AsyncIterator["Shop"]:
        async with Outbound(rules) as outbound:
            deliveries = Deliveries(self.database, outbound, self.sealing)
            self.runner = Runner(self.database, {KIND: deliveries.kind(delay_s)})
            async with beside(self.runner.run()):
                yield self


@pytest.fixture
async def shop(database: Database) -> Shop:
    account = await database.once(lambda c: accounts.create(c, "Shop"))
    return Shop(database, account.id)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(new_secret()) as receiver:
        yield receiver


async def test_an_event_arrives_signed_at_whoever_wants_it(shop: Shop, receiver: Receiver) -> None:
    await shop.tell(receiver.url, receiver.known[0], "session.ended")
    async with shop.open():
        assert await shop.publish("session.started") == []
        (job,) = await shop.publish("session.ended", said="Grüße 🥐\0")
        done = await shop.ended(job)
    assert (done.state, done.result) == ("done", {"status": 204})
    (event,) = receiver.events
    assert (event["type"], event["data"]) == ("session.ended", {"said": "Grüße 🥐\0"})
    assert event["timestamp"].endswith("Z")


async def test_a_server_that_is_down_and_comes_back_is_told_everything(
    shop: Shop, receiver: Receiver
) -> None:
    await shop.tell(receiver.url, receiver.known[0])
    receiver.statuses = [500] * 12 + [200]
    async with shop.open():
        made = [(await shop.publish(number=number))[0] for number in range(4)]
        for job in made:
            assert (await shop.ended(job)).state == "done"
    assert sorted(event["data"]["number"] for event in receiver.events) == [0, 1, 2, 3]
    tried = dict.fromkeys(receiver.tries)
    assert len(receiver.tries) == 16
    assert len(tried) == len({ident for ident, _ in tried}) == 4  # the same id, the same bytes


async def test_a_server_that_does_not_listen_is_told_when_it_does(
    shop: Shop, receiver: Receiver
) -> None:
    async with Receiver(receiver.known[0]) as gone:
        nobody = gone.url
    webhook = await shop.tell(nobody, receiver.known[0])
    async with shop.open(delay_s=lambda _: 1.0):
        (job,) = await shop.publish()
        async with asyncio.timeout(5):
            while (waiting := await shop.job(job)).error is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert waiting.state == "queued"
        assert "127.0.0.1 cannot be reached" in (waiting.error or "")
        await shop.database.once(
            lambda c: c.execute(
                "update webhooks set url = $2 where id = $1", webhook.id, receiver.url
            )
        )
        assert (await shop.ended(job)).attempts == 2
    assert len(receiver.events) == 1


def test_it_is_tried_for_three_days_and_after_the_first_of_them() -> None:
    at_s = list(accumulate(delay_s(attempts) for attempts in range(1, MOST_ATTEMPTS)))
    day_s = 86_400
    assert at_s[-1] >= 3 * day_s
    assert any(day_s < at <= 2 * day_s for at in at_s)
    assert list(DELAYS_S) == sorted(DELAYS_S)


async def test_who_never_takes_it_is_left_after_the_last_attempt(
    shop: Shop, receiver: Receiver
) -> None:
    await shop.tell(receiver.url, receiver.known[0])
    receiver.statuses = [302]
    async with shop.open():
        failed = await shop.ended((await shop.publish())[0])
    assert (failed.state, failed.attempts) == ("failed", MOST_ATTEMPTS)
    assert failed.error == "its server answered 302, where 2xx is expected"


async def test_who_is_gone_is_told_nothing_more(shop: Shop, receiver: Receiver) -> None:
    webhook = await shop.tell(receiver.url, receiver.known[0])
    receiver.statuses = [410]
    async with shop.open():
        failed = await shop.ended((await shop.publish())[0])
        assert (failed.state, failed.attempts) == ("failed", 1)
        assert await shop.publish() == []
    now = await shop.database.run(lambda c: webhooks.get(c, webhook.id, shop.account))
    assert (now.enabled, "410" in (now.trouble or "")) == (False, True)


async def test_a_private_server_is_not_told(shop: Shop, receiver: Receiver) -> None:
    await shop.tell(receiver.url, receiver.known[0])
    async with shop.open(Rules()):
        failed = await shop.ended((await shop.publish())[0])
    assert failed.state == "failed"
    assert "not a public address" in (failed.error or "")
    assert receiver.tries == []


async def test_a_long_answer_is_as_good_as_a_short_one(shop: Shop, receiver: Receiver) -> None:
    await shop.tell(receiver.url, receiver.known[0])
    receiver.statuses, receiver.text = [200], "x" * 200_000
    async with shop.open():
        assert (await shop.ended((await shop.publish())[0])).result == {"status": 200}


async def test_while_a_secret_is_changed_both_sign(shop: Shop, receiver: Receiver) -> None:
    webhook = await shop.tell(receiver.url, receiver.known[0])
    receiver.known.append(new_secret())
    sealed = shop.sealing.seal(receiver.known[1], shop.account, webhook.id)
    await shop.database.once(
        lambda c: c.execute(
            "update webhooks set old_sealed = sealed, old_until = now() + interval '1 hour',"
            " sealed = $1",
            sealed,
        )
    )
    async with shop.open():
        assert (await shop.ended((await shop.publish())[0])).state == "done"


async def test_who_was_deleted_or_has_another_key_is_named(shop: Shop, receiver: Receiver) -> None:
    one = await shop.tell(receiver.url, receiver.known[0])
    two = await shop.tell(receiver.url, receiver.known[0])
    async with shop.open():
        shop.sealing._id = b"other!"
        deleted, strange = await shop.database.once(
            lambda c: publish(c, shop.account, EVENTS[0], {})
        )
        await shop.database.once(lambda c: webhooks.delete(c, one.id, shop.account))
        shop.runner.wake()
        assert deleted.payload["webhook"] == one.id != two.id
        assert (await shop.ended(deleted)).error == "the webhook was deleted"
        assert "cannot be opened" in ((await shop.ended(strange)).error or "")
    assert receiver.tries == []


async def test_what_is_not_told_yet_of_a_session_goes_with_it(
    shop: Shop, receiver: Receiver
) -> None:
    await shop.tell(receiver.url, receiver.known[0])
    for ident in ("s1", "s2"):
        at = datetime(2026, 11, 28, tzinfo=UTC)
        session = Session(ident, shop.account, "k", "websocket", "w", at, ended_at=at)
        await shop.database.once(partial(sessions.write, sessions=[session]))
        told = partial(publish, event_type="session.summary", data={"session_id": ident})
        await shop.database.once(partial(told, account_id=shop.account))
    await shop.database.once(lambda c: sessions.delete(c, "s1", shop.account))
    [left] = await shop.jobs()
    assert left.payload["session_id"] == "s2"


async def test_what_is_published_goes_with_its_transaction(shop: Shop, receiver: Receiver) -> None:
    await shop.tell(receiver.url, receiver.known[0])

    async def fail(connection: Any) -> None:
        await publish(connection, shop.account, "session.ended", {})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await shop.database.once(fail)
    assert await shop.jobs() == []
