"""`/v1/user`: the account of a key, as ElevenLabs' SDKs ask for it."""

import time
from datetime import timedelta
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from server.access.caller import Caller, caller_of
from server.eleven import errors
from server.eleven.account import Subscription, User, limit_of
from server.metering.collector import hour_of
from server.metering.months import month_of
from storage import usage
from storage.database import Database

A_MONTH_AT_MOST = timedelta(days=31)

Asked = Request[Any, Any, Any]


def routes(database: Database, failing: errors.Handlers) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records; `failing` says what goes wrong."""

    @get(
        "/v1/user",
        responses=errors.refusals(),
        exception_handlers=failing,
        summary="The account of the key (ElevenLabs' dialect)",
    )
    async def user(request: Asked) -> User:
        """Who asks, and what may be spoken."""
        caller = caller_of(request.scope)
        name = caller.account_id or "voiceforge"
        return User(name, name, await subscription_of(caller))

    @get(
        "/v1/user/subscription",
        responses=errors.refusals(),
        exception_handlers=failing,
        summary="What may be spoken this month",
    )
    async def subscription(request: Asked) -> Subscription:
        """The characters that were spoken this month, of how many: by the account, if the key may
        see that (`usage`), else by the key. They are a few seconds old.
        """
        return await subscription_of(caller_of(request.scope))

    async def subscription_of(caller: Caller) -> Subscription:
        now = time.time()
        month = month_of(now)
        key_id = None if caller.may("usage") else caller.key_id
        until = hour_of(now) + timedelta(hours=1)
        sums = await database.run(
            lambda c: usage.sums(c, month, until, account_id=caller.account_id, key_id=key_id)
        )
        characters = sum(one.amounts.characters for one in sums if not one.dropped)
        follows = month_of((month + A_MONTH_AT_MOST).timestamp())
        return Subscription(characters, limit_of(caller), int(follows.timestamp()))

    return [user, subscription]
