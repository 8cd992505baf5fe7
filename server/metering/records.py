"""What `/v1/usage` gives."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from storage.usage import NOTHING, Amounts, Group, Sum


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """How much. Characters are those that were spoken; audio is what came from callers and went to
    them; `input_tokens` count the `cached_tokens` too; compute is the time of model workers.
    """

    characters: int
    audio_in_s: float
    audio_out_s: float
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    compute_s: float


class UsedBy(Used, frozen=True, kw_only=True):
    """A group's. There is what it was grouped by; null is nobody's, such as the `model` of a
    session's own audio. `dropped`: it was prepared, and nobody heard or read it. `sessions` had a
    part in it.
    """

    day: datetime | UnsetType = UNSET
    hour: datetime | UnsetType = UNSET
    key: str | UnsetType | None = UNSET
    agent: str | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    session: str | UnsetType | None = UNSET
    dropped: bool
    sessions: int


class Usage(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """What was used in whole hours from `from` on, and before `to`. `used` and `dropped` are the
    sums of all groups.
    """

    since: datetime
    until: datetime
    group_by: list[Group]
    data: list[UsedBy]
    used: Used
    dropped: Used


def usage_of(since: datetime, until: datetime, by: list[Group], sums: list[Sum]) -> Usage:
    """As it is shown."""
    used, dropped = (
        sum((one.amounts for one in sums if one.dropped is was), NOTHING) for was in (False, True)
    )
    return Usage(since, until, by, [group_of(one) for one in sums], shown(used), shown(dropped))


def group_of(one: Sum) -> UsedBy:
    """One group."""
    by = {group: value or None for group, value in one.group.items()}
    amounts = msgspec.structs.asdict(shown(one.amounts))
    counts = {"dropped": one.dropped, "sessions": one.sessions}
    return msgspec.convert(by | amounts | counts, UsedBy)


def shown(amounts: Amounts) -> Used:
    """In seconds, to the millisecond."""
    return Used(
        characters=amounts.characters,
        audio_in_s=round(amounts.audio_in_ms / 1000, 3),
        audio_out_s=round(amounts.audio_out_ms / 1000, 3),
        input_tokens=amounts.input_tokens,
        output_tokens=amounts.output_tokens,
        cached_tokens=amounts.cached_tokens,
        compute_s=round(amounts.compute_ms / 1000, 3),
    )
