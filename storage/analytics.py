"""How sessions went, summed up."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec

from storage.database import Connection

Group = Literal["day", "hour", "agent"]

COLUMNS: Mapping[Group, str] = {
    "day": "date_trunc('day', began_at, 'UTC')",
    "hour": "date_trunc('hour', began_at, 'UTC')",
    "agent": "agent_id",
}

MOST_ROWS = 10_000

Key = tuple[Any, ...]
"""The value of each thing that was grouped by."""


class Latency(msgspec.Struct, frozen=True):
    """Of `answers`, from the caller's last voiced sample to the first of the answer: the median,
    and what 95 and 99 in a hundred stay within."""

    answers: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Summary(msgspec.Struct):
    """A group's sessions, by when they began. Of what could not begin nobody knows which agent it
    was meant for.
    """

    sessions: int = 0
    minutes: float = 0.0
    responses: int = 0
    interruptions: int = 0
    cut_turns: int = 0
    false_pauses: int = 0
    latency: Latency | None = None
    errors: dict[str, int] = {}
    refusals: dict[str, int] = {}


SELECTED = """
    from sessions where began_at >= $1 and began_at < $2
    and ($3::text is null or account_id = $3) and ($4::text is null or agent_id = $4)
"""


async def summed(
    connection: Connection,
    since: datetime,
    until: datetime,
    *,
    account_id: str | None,
    agent_id: str | None = None,
    by: Sequence[Group] = (),
    most: int = MOST_ROWS,
) -> dict[Key, Summary]:
    """The sessions that began from `since` on and before `until`, of an account (None: of all): the
    first `most` groups, in order. Without groups there is one, under `()`.
    """
    groups = "".join(f"{COLUMNS[group]} as g_{group}, " for group in by)
    keys = ", ".join(f"g_{group}" for group in by)
    grouped = f"group by {keys}" if by else ""
    selected = f"with s as (select {groups} * {SELECTED})"
    asked = (since, until, account_id, agent_id)

    async def ask(query: str) -> list[asyncpg.Record]:
        return list(await connection.fetch(query, *asked))

    found: dict[Key, Summary] = {} if by else {(): Summary()}

    def of(row: asyncpg.Record) -> Summary:
        return found.setdefault(tuple(row[f"g_{group}"] for group in by), Summary())

    ordered = f"{grouped} order by {keys}" if by else ""
    listed = f"{keys}, " if by else ""
    for row in await ask(f"{selected} select {listed} {TOTALS} from s {ordered} limit {most}"):
        summary = of(row)
        for name in TOTALLED:
            setattr(summary, name, row[name])
    for row in await ask(f"{selected} select {listed} {LATENCIES} {grouped}"):
        if row["answers"]:
            of(row).latency = Latency(row["answers"], *(round(ms, 1) for ms in row["ms"]))
    by_code = f"group by {listed} code"
    for row in await ask(f"{selected} select {listed} {ERRORS} {by_code}"):
        of(row).errors = {**of(row).errors, row["code"]: row["count"]}
    refused = REFUSED.format(groups=groups.replace("began_at", "hour").replace("agent_id", "''"))
    for row in await ask(
        f"{refused} select {listed} reason, sum(count)::bigint as count from s"
        f" group by {listed} reason"
    ):
        of(row).refusals = {**of(row).refusals, row["reason"]: row["count"]}
    return dict(sorted(found.items())[:most])


TOTALLED = ("sessions", "minutes", "responses", "interruptions", "cut_turns", "false_pauses")

TOTALS = """count(*) as sessions,
    coalesce(sum(extract(epoch from coalesce(ended_at, now()) - began_at)), 0)::float8 / 60
    as minutes,
    coalesce(sum(responses), 0) as responses, coalesce(sum(interruptions), 0) as interruptions,
    coalesce(sum(cut_turns), 0) as cut_turns, coalesce(sum(false_pauses), 0) as false_pauses
"""

LATENCIES = """count(*) as answers,
    percentile_cont(array[0.5, 0.95, 0.99]) within group (order by first_audio_ms) as ms
    from s join turns on turns.session_id = s.id and turns.first_audio_ms is not null
"""

ERRORS = """code, sum(count::bigint)::bigint as count
    from s cross join lateral jsonb_each_text(errors) as e (code, count)
"""

REFUSED = """with s as (
    select {groups} reason, count from refusals where hour >= $1 and hour < $2
    and ($3::text is null or account_id = $3) and ($4::text is null or $4 = ''))
"""
