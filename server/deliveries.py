"""Delivers to webhooks what `server.webhooks` has written down.

What is sent is signed as https://www.standardwebhooks.com has it, and sent again until somebody
takes it, with the same id and the same bytes.
"""

import logging
from collections.abc import Callable

import msgspec

from server.jobs.kinds import GiveUp, Kind, Report, Result, TryAgain
from server.outbound.client import Outbound
from server.outbound.errors import OutboundError, TooLarge
from server.outbound.sealing import Sealing
from server.outbound.signing import signed
from server.webhooks import MOST_ATTEMPTS, TEST, Delivery
from storage import webhooks
from storage.database import Connection, Database
from storage.errors import Missing, StorageError
from storage.jobs import Job
from storage.webhooks import Webhook

log = logging.getLogger(__name__)

MINUTE_S, HOUR_S = 60.0, 3600.0
DELAYS_S = (
    *(5.0, 5 * MINUTE_S, 30 * MINUTE_S, 2 * HOUR_S, 5 * HOUR_S),
    *(10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S),
)
"""Before each further attempt, as the standard proposes: the last is made after three days."""

assert len(DELAYS_S) == MOST_ATTEMPTS - 1

ANSWER_S = 15.0
"""The standard proposes 15 to 30: who has more to do answers first."""

MOST_BYTES = 64 * 1024
"""Of the answer, which nobody reads."""

GONE = 410
"""By which a server says that it wants to be told nothing more."""


def delay_s(attempts: int) -> float:
    """Seconds until the next one, after so many attempts."""
    return DELAYS_S[attempts - 1]


class Deliveries:
    """Delivers. `kind` is for the runner."""

    def __init__(self, database: Database, outbound: Outbound, sealing: Sealing) -> None:
        self._database = database
        self._outbound = outbound
        self._sealing = sealing

    def kind(self, delay_s: Callable[[int], float] = delay_s) -> Kind:
        """How such jobs are done."""
        return Kind(self.deliver, delay_s)

    async def deliver(self, job: Job, _: Report) -> Result:
        """Send one event to one webhook. 2xx is success; 410 disables the webhook."""
        delivery = msgspec.convert(job.payload, Delivery)
        webhook, secrets = await self._read(delivery.webhook, job.account_id)
        if not webhook.enabled and delivery.type != TEST:
            raise GiveUp("the webhook is disabled")
        body = delivery.body.encode()
        headers = {"content-type": "application/json", **signed(delivery.event, body, secrets)}
        status = await self._post(webhook.url, headers, body)
        if status == GONE:
            text = f"its server answered {GONE}: it wants to be told nothing more"
            await self._database.run(lambda c: webhooks.disable(c, webhook.id, text))
            log.info("webhook disabled", extra={"webhook": webhook.id})
            raise GiveUp(text)
        if not 200 <= status < 300:
            raise TryAgain(f"its server answered {status}, where 2xx is expected")
        return {"status": status}

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        try:
            answer = await self._outbound.ask(
                "POST", url, headers=headers, body=body, timeout_s=ANSWER_S, most_bytes=MOST_BYTES
            )
        except TooLarge as large:
            return large.status
        except OutboundError as error:
            raise TryAgain(str(error)) from error
        return answer.status

    async def _read(self, webhook_id: str, account_id: str) -> tuple[Webhook, list[str]]:
        """The webhook, and what signs for it."""

        async def read(connection: Connection) -> tuple[Webhook, list[bytes]]:
            webhook = await webhooks.get(connection, webhook_id, account_id)
            return webhook, await webhooks.secrets(connection, webhook)

        try:
            webhook, sealed = await self._database.run(read)
        except Missing as error:
            raise GiveUp("the webhook was deleted") from error
        try:
            return webhook, [self._sealing.open(one, account_id, webhook_id) for one in sealed]
        except StorageError as error:
            log.error("a webhook's secret cannot be opened", extra={"error": str(error)})
            text = "what signs it cannot be opened: whoever runs this server reads why in its log"
            raise TryAgain(text) from error
