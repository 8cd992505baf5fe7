"""`/v1/sessions`: what was said, and `/v1/analytics`: how it went."""

import asyncio
import time
from datetime import timedelta
from typing import Annotated, Any

from litestar import Request, delete, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied
from server.admin_routes import PAGE, Most
from server.metering.collector import hour_of
from server.metering.months import month_of
from server.recording.store import Recordings
from server.records.answers import Analytics, Record, SessionPage, part_of, record_of
from server.refusals import refusals
from server.usage_routes import Since, Until, account_of, hour_from, moment_from
from storage import analytics, sessions, turns
from storage.analytics import MOST_ROWS, Group, Key, Summary
from storage.database import Connection, Database
from storage.sessions import Session, Sought

RECORDS = [Needs("records")]

Words = Annotated[
    str | None,
    QueryParameter(description='words of any turn, as in a search: two rolls -please, "two rolls"'),
]

Asked = Request[Any, Any, Any]


def routes(database: Database, recordings: Recordings) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records."""

    @get("/v1/sessions", guards=RECORDS, responses=refusals(404), summary="Sessions")
    async def list_sessions(
        request: Asked,
        agent: FromQuery[str | None] = None,
        key: FromQuery[str | None] = None,
        since: Since = None,
        until: Until = None,
        q: Words = None,
        end_reason: FromQuery[str | None] = None,
        account: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: Most = PAGE,
    ) -> SessionPage:
        """Those of the key's account, open and ended, an administrator's of all or of the `account`
        that is named; newest first, so many of them; with `after`, a session's id, those that
        follow it. An open one has no `end_reason`; `lost`: its gateway died.
        """
        sought = Sought(
            account_of(caller_of(request.scope), account),
            agent,
            key,
            moment_from("from", since),
            moment_from("to", until),
            q,
            end_reason,
        )
        found = await database.run(lambda c: sessions.listed(c, sought, after, limit + 1))
        return SessionPage(found[:limit], len(found) > limit)

    @get(
        "/v1/sessions/{session_id:str}",
        guards=RECORDS,
        responses=refusals(404),
        summary="What was said in a session",
    )
    async def get_session(session_id: FromPath[str], request: Asked) -> Record:
        """Turn by turn, as it was heard; of one that is open, until a second ago."""
        whose = account_of(caller_of(request.scope), None)

        async def read(connection: Connection) -> Record:
            session = await sessions.get(connection, session_id, whose)
            return record_of(session, await turns.of(connection, session_id))

        return await database.run(read)

    @delete(
        "/v1/sessions/{session_id:str}",
        guards=RECORDS,
        responses=refusals(404, 409),
        summary="Delete what is kept of a session",
    )
    async def delete_session(session_id: FromPath[str], request: Asked) -> None:
        """Its turns and its recording too. What it used stays counted."""
        whose = account_of(caller_of(request.scope), None)
        session = await database.once(lambda c: sessions.delete(c, session_id, whose))
        check_ended(session)
        await asyncio.to_thread(recordings.delete, session.account_id, session.id)

    @get("/v1/analytics", guards=RECORDS, responses=refusals(404), summary="How sessions went")
    async def analyse(
        request: Asked,
        since: Since = None,
        until: Until = None,
        agent: FromQuery[str | None] = None,
        group_by: FromQuery[list[Group] | None] = None,
        account: FromQuery[str | None] = None,
    ) -> Analytics:
        """By when they began: from the beginning of this month until now, if nothing else is asked
        for; in UTC. `latency` is what callers waited for an answer, from the end of their speech;
        `cut_turns` are answers that came before the caller had finished; `refusals` sessions that
        could not begin.
        """
        now = time.time()
        first = hour_from("from", since) or month_of(now)
        last = hour_from("to", until) or hour_of(now) + timedelta(hours=1)
        by = list(dict.fromkeys(group_by or ()))
        whose = account_of(caller_of(request.scope), account)

        async def sums(connection: Connection, by: list[Group]) -> dict[Key, Summary]:
            return await analytics.summed(
                connection,
                first,
                last,
                account_id=whose,
                agent_id=agent,
                by=by,
                most=MOST_ROWS + 1,
            )

        found = await database.run(lambda c: sums(c, by)) if by else {}
        if len(found) > MOST_ROWS:
            text = f"over {MOST_ROWS} groups: ask for a shorter time, or group by less"
            raise Denied(400, "too_many_groups", text)
        total = await database.run(lambda c: sums(c, []))
        parts = [part_of(by, key, summary) for key, summary in found.items()]
        return Analytics(first, last, by, parts, total[()])

    return [list_sessions, get_session, delete_session, analyse]


def check_ended(session: Session) -> None:
    """Raises `Denied` if it is open."""
    if session.ended_at is None:
        text = f"session {session.id!r} is open: it can be deleted when it has ended"
        raise Denied(409, "session_open", text)
