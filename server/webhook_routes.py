"""`/v1/webhooks`: where an account wants to be told of what happens."""

import logging
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from server.access.authority import Needs, owner_of
from server.access.denied import Denied
from server.jobs.runner import Runner
from server.outbound.client import Outbound
from server.outbound.errors import OutboundError
from server.outbound.sealing import Sealing
from server.outbound.signing import new_secret
from server.refusals import refusals
from server.webhooks import EVENTS, Event, publish_test, shown
from storage import webhooks
from storage.database import Connection, Database
from storage.jobs import Job
from storage.webhooks import Webhook

log = logging.getLogger(__name__)

AGENTS = [Needs("agents")]
PLAIN, NAMED = refusals(), refusals(404)

Url = Annotated[str, Meta(min_length=1, max_length=2000)]
Events = Annotated[tuple[Event, ...], Meta(min_length=1)]
Grace = Annotated[int, QueryParameter(ge=0, le=30 * 86_400)]
DAY_S = 86_400

Asked = Request[Any, Any, Any]


class NewWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A webhook to be made, told of all events unless some are named."""

    url: Url
    events: Events = EVENTS
    enabled: bool = True


class WebhookChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is not named stays."""

    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class MadeWebhook(msgspec.Struct, frozen=True):
    """A webhook, and the secret that signs what is sent to it: it is never shown again."""

    secret: str
    webhook: Webhook


class AllWebhooks(msgspec.Struct, frozen=True):
    """All of them, oldest first."""

    data: list[Webhook]


def routes(
    database: Database, sealing: Sealing, outbound: Outbound, runner: Runner
) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records."""

    def check(url: str) -> None:
        try:
            outbound.check(url)
        except OutboundError as error:
            raise Denied(400, error.code, str(error)) from error

    @post("/v1/webhooks", guards=AGENTS, responses=NAMED, summary="Make a webhook")
    async def make_webhook(request: Asked, data: JSONBody[NewWebhook]) -> MadeWebhook:
        """Its server is sent every event by POST, signed as www.standardwebhooks.com has it, until
        it answers 2xx: ten times within three days or a little more. The secret is in this answer
        and nowhere else.
        """
        check(data.url)
        owner, ident, secret = owner_of(request.scope), webhooks.new(), new_secret()
        sealed = sealing.seal(secret, owner, ident)
        made = await database.once(
            lambda c: webhooks.create(c, ident, owner, data.url, data.events, data.enabled, sealed)
        )
        log.info("webhook made", extra={"account": owner, "webhook": ident})
        return MadeWebhook(secret, made)

    @get("/v1/webhooks", guards=AGENTS, responses=PLAIN, summary="All webhooks")
    async def list_webhooks(request: Asked) -> AllWebhooks:
        """What was sent to them, or could not be, is in `/v1/jobs?kind=webhook`."""
        owner = owner_of(request.scope)
        return AllWebhooks(await database.run(lambda c: webhooks.listed(c, owner)))

    @get("/v1/webhooks/{webhook_id:str}", guards=AGENTS, responses=NAMED, summary="A webhook")
    async def get_webhook(webhook_id: FromPath[str], request: Asked) -> Webhook:
        """404 if there is none."""
        owner = owner_of(request.scope)
        return await database.run(lambda c: webhooks.get(c, webhook_id, owner))

    @patch(
        "/v1/webhooks/{webhook_id:str}",
        guards=AGENTS,
        responses=NAMED,
        summary="Change a webhook",
    )
    async def change_webhook(
        webhook_id: FromPath[str], request: Asked, data: JSONBody[WebhookChange]
    ) -> Webhook:
        """What waits to be sent goes to the new address. While it is disabled nothing is kept."""
        owner = owner_of(request.scope)
        if data.url is not UNSET:
            check(data.url)
        given = {
            name: value
            for name in data.__struct_fields__
            if (value := getattr(data, name)) is not UNSET
        }
        if data.enabled is True:
            given["trouble"] = None

        async def change(connection: Connection) -> Webhook:
            webhook = await webhooks.get(connection, webhook_id, owner, lock=True)
            changed: Webhook = msgspec.structs.replace(webhook, **given)
            await webhooks.update(connection, changed)
            return changed

        return await database.once(change)

    @delete(
        "/v1/webhooks/{webhook_id:str}",
        guards=AGENTS,
        responses=NAMED,
        summary="Delete a webhook",
    )
    async def delete_webhook(webhook_id: FromPath[str], request: Asked) -> None:
        """Nothing is sent there any more."""
        owner = owner_of(request.scope)
        await database.once(lambda c: webhooks.delete(c, webhook_id, owner))
        log.info("webhook deleted", extra={"account": owner, "webhook": webhook_id})

    @post(
        "/v1/webhooks/{webhook_id:str}/rotate",
        guards=AGENTS,
        responses=NAMED,
        summary="Replace a webhook's secret",
    )
    async def rotate_webhook(
        webhook_id: FromPath[str], request: Asked, grace_s: Grace = DAY_S
    ) -> MadeWebhook:
        """Another signs from now on; the old one signs too, for `grace_s` seconds more."""
        owner, secret = owner_of(request.scope), new_secret()
        sealed, grace = sealing.seal(secret, owner, webhook_id), timedelta(seconds=grace_s)
        webhook = await database.once(
            lambda c: webhooks.rotate(c, webhook_id, owner, sealed, grace)
        )
        log.info("webhook's secret rotated", extra={"webhook": webhook_id, "grace_s": grace_s})
        return MadeWebhook(secret, webhook)

    @post(
        "/v1/webhooks/{webhook_id:str}/test",
        guards=AGENTS,
        responses=NAMED,
        summary="Try a webhook",
    )
    async def try_webhook(webhook_id: FromPath[str], request: Asked) -> Job:
        """Sends it an event of the type `webhook.test`; how that ends is in `/v1/jobs/{id}`."""
        owner = owner_of(request.scope)

        async def make(connection: Connection) -> Job:
            webhook = await webhooks.get(connection, webhook_id, owner)
            return await publish_test(connection, webhook)

        job = await database.once(make)
        runner.wake()
        return shown(job)

    return [
        make_webhook,
        list_webhooks,
        get_webhook,
        change_webhook,
        delete_webhook,
        rotate_webhook,
        try_webhook,
    ]
