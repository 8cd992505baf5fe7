"""Sessions and what was said in them, and who was refused one."""

from alembic import op

revision = "0005_records"
down_revision = "0004_agents"


def upgrade() -> None:
    op.execute("alter table usage_writers rename to writers")  # those of records are among them
    op.execute("""
        create table sessions (
            id text primary key,
            account_id text not null references accounts on delete cascade,
            key_id text not null,
            agent_id text not null,
            agent_version integer,
            transport text not null,
            writer text not null,
            began_at timestamptz not null,
            ended_at timestamptz,
            end_reason text,
            closed_at timestamptz,
            recorded boolean not null,
            responses integer not null,
            interruptions integer not null,
            cut_turns integer not null,
            false_pauses integer not null,
            errors jsonb not null
        )
    """)
    op.execute("create index sessions_of_account on sessions (account_id, began_at, id)")
    op.execute("create index sessions_by_time on sessions (began_at, id)")
    op.execute("create index sessions_closed on sessions (account_id, closed_at)")
    op.execute("create index sessions_open on sessions (writer) where ended_at is null")
    op.execute("""
        create table turns (
            session_id text not null references sessions on delete cascade,
            number integer not null,
            at_ms integer not null,
            kind text not null,
            status text not null,
            text text,
            response_id text,
            stages jsonb,
            first_audio_ms double precision,
            tool_name text,
            tool_arguments text,
            tool_output text,
            sources jsonb,
            primary key (session_id, number)
        )
    """)
    op.execute(
        "create index turns_words on turns using gin (to_tsvector('simple', coalesce(text, '')))"
    )
    op.execute("""
        create table refusals (
            account_id text not null references accounts on delete cascade,
            hour timestamptz not null,
            key_id text not null,
            reason text not null,
            count bigint not null,
            primary key (account_id, hour, key_id, reason)
        )
    """)
