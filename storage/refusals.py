"""Sessions that could not begin: how many, whose, in which hour (of UTC) and why."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from storage.columns import columns, unnested
from storage.database import Connection


class Refusal(msgspec.Struct, frozen=True):
    """So many sessions of one key were refused for a reason, a stable word."""

    account_id: str
    hour: datetime
    key_id: str
    reason: str
    count: int


COLUMNS = ", ".join(Refusal.__struct_fields__)

ADD = f"""
    insert into refusals ({COLUMNS})
    select {", ".join(f"r.{name}" for name in Refusal.__struct_fields__)}
    from {unnested("r", Refusal)} join accounts on accounts.id = r.account_id
    on conflict (account_id, hour, key_id, reason) do update
    set count = refusals.count + excluded.count
"""


async def add(connection: Connection, refused: Sequence[Refusal]) -> None:
    """Count these, each once."""
    if refused:
        await connection.execute(ADD, *columns(refused))
