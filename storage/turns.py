"""What was said in a session, turn by turn."""

from collections.abc import Sequence

import msgspec

from storage.columns import columns, unnested
from storage.database import Connection
from storage.rows import as_structs


class Source(msgspec.Struct, frozen=True):
    """A passage of the agent's knowledge: its document and number there, the document's title, and
    how near it was to the question (cosine).
    """

    document_id: str
    passage_id: str
    title: str
    score: float


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn of the caller, the agent or a tool (`kind`), `at_ms` after its session began. `text`
    is what was heard of it; None is not known yet, or never was. `status`: in_progress, completed,
    incomplete (it was cut, or failed), or deleted (by the client from the conversation, where the
    LLM sees it no more).

    Of an answer, `stages` has when each stage of it was reached and `first_audio_ms` when it began
    to be heard, both in ms after the caller's last voiced sample; `sources` are what the LLM was
    given for it. A tool's turn has its name, its arguments as the LLM wrote them, and what it gave.
    """

    session_id: str
    number: int
    at_ms: int
    kind: str
    status: str
    text: str | None = None
    response_id: str | None = None
    stages: dict[str, float] | None = None
    first_audio_ms: float | None = None
    tool_name: str | None = None
    tool_arguments: str | None = None
    tool_output: str | None = None
    sources: list[Source] | None = None


FIELDS = Turn.__struct_fields__
COLUMNS = ", ".join(FIELDS)
LATER = FIELDS[FIELDS.index("text") :]
"""What may become known later: what is None then leaves what was known."""

WRITE = f"""
    insert into turns ({COLUMNS})
    select {", ".join(f"t.{name}" for name in FIELDS)}
    from {unnested("t", Turn)} join sessions on sessions.id = t.session_id
    on conflict (session_id, number) do update set status = excluded.status,
    {", ".join(f"{name} = coalesce(excluded.{name}, turns.{name})" for name in LATER)}
"""


async def write(connection: Connection, turns: Sequence[Turn]) -> None:
    """Write what is new of these turns, each once; their sessions come first."""
    if turns:
        await connection.execute(WRITE, *columns(turns))


async def of(connection: Connection, session_id: str) -> list[Turn]:
    """A session's, in order."""
    rows = await connection.fetch(
        f"select {COLUMNS} from turns where session_id = $1 order by number", session_id
    )
    return as_structs(rows, Turn)
