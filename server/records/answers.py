"""What `/v1/sessions` and `/v1/analytics` give."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from storage.analytics import Group, Key, Summary
from storage.digests import Digest
from storage.sessions import Session
from storage.turns import Turn


class SessionPage(msgspec.Struct, frozen=True):
    """Some sessions, newest first. `has_more`: the rest comes `after` the last one's id."""

    data: list[Session]
    has_more: bool


class Record(Session, frozen=True, kw_only=True):
    """A session, what was said in it, and once that is made, its agent's digest."""

    turns: list[Turn]
    digest: Digest | None


class Part(Summary, kw_only=True):
    """A group's. There is what it was grouped by; the `agent` of those without one is null."""

    day: datetime | UnsetType = UNSET
    hour: datetime | UnsetType = UNSET
    agent: str | UnsetType | None = UNSET


class Analytics(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """Of sessions that began in whole hours from `from` on, and before `to`; `total` is of all."""

    since: datetime
    until: datetime
    group_by: list[Group]
    data: list[Part]
    total: Summary


def record_of(session: Session, turns: list[Turn], digest: Digest | None) -> Record:
    """All together."""
    return Record(*msgspec.structs.astuple(session), turns=turns, digest=digest)


def part_of(by: list[Group], key: Key, summary: Summary) -> Part:
    """One group."""
    values: dict[str, Any] = msgspec.structs.asdict(summary)
    values |= {group: value or None for group, value in zip(by, key, strict=True)}
    return Part(**values)
