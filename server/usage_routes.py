"""`/v1/usage`: what an account uses."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from server.access.authority import Needs
from server.access.caller import Caller, caller_of
from server.access.denied import Denied
from server.metering.collector import hour_of
from server.metering.months import month_of
from server.metering.records import Usage, usage_of
from server.refusals import refusals
from storage import usage
from storage.database import Database
from storage.usage import MOST_ROWS, Group

EXPECTED = "a day such as 2026-11-01, or an hour such as 2026-11-01T15:00Z"
Since = Annotated[str | None, QueryParameter(name="from", description=EXPECTED)]
Until = Annotated[str | None, QueryParameter(name="to", description=EXPECTED)]


def routes(database: Database) -> list[HTTPRouteHandler]:
    """The handler, bound to the records."""

    @get(
        "/v1/usage",
        guards=[Needs("usage")],
        responses=refusals(404),
        summary="What was used",
    )
    async def used(
        request: Request[Any, Any, Any],
        since: Since = None,
        until: Until = None,
        group_by: FromQuery[list[Group] | None] = None,
        key: FromQuery[str | None] = None,
        session: FromQuery[str | None] = None,
        account: FromQuery[str | None] = None,
    ) -> Usage:
        """By the account of the key, an administrator's: by all, or the `account` that is named.

        From the beginning of this month until now, if nothing else is asked for; in UTC. It is a
        few seconds old. What was prepared and never heard or read has groups of its own.
        """
        now = time.time()
        first = hour_from("from", since) or month_of(now)
        last = hour_from("to", until) or hour_of(now) + timedelta(hours=1)
        by = list(dict.fromkeys(group_by or ()))
        whose = account_of(caller_of(request.scope), account)
        found = await database.run(
            lambda c: usage.sums(
                c,
                first,
                last,
                account_id=whose,
                key_id=key,
                session_id=session,
                by=by,
                most=MOST_ROWS + 1,
            )
        )
        if len(found) > MOST_ROWS:
            text = f"over {MOST_ROWS} groups: ask for a shorter time, or group by less"
            raise Denied(400, "too_many_groups", text)
        return usage_of(first, last, by, found)

    return [used]


def account_of(caller: Caller, asked: str | None) -> str | None:
    """Whose records are asked for; None is everybody's. Raises `Denied`."""
    if caller.may("admin"):
        return asked
    if asked not in (None, caller.account_id):
        raise Denied(404, "not_found", f"there is no account {asked!r}")
    return caller.account_id


def hour_from(name: str, text: str | None) -> datetime | None:
    """The hour in which the moment lies that was asked for. Raises `Denied`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return hour_of(moment.timestamp())
    except (ValueError, OverflowError) as error:
        wrong = f"{name} is {text[:40]!r}: expected {EXPECTED}"
        raise Denied(400, "invalid_value", wrong) from error
