"""What accounts use, and how much of that each writer has written down."""

from alembic import op

revision = "0003_usage"
down_revision = "0002_client_secrets"


def upgrade() -> None:
    op.execute("""
        create table usage (
            account_id text not null references accounts on delete cascade,
            hour timestamptz not null,
            session_id text not null,
            key_id text not null,
            agent_id text not null,
            model text not null,
            dropped boolean not null,
            characters bigint not null,
            audio_in_ms double precision not null,
            audio_out_ms double precision not null,
            input_tokens bigint not null,
            output_tokens bigint not null,
            cached_tokens bigint not null,
            compute_ms double precision not null,
            primary key (account_id, hour, session_id, key_id, agent_id, model, dropped)
        )
    """)
    op.execute("create index usage_of_session on usage (session_id)")
    op.execute("""
        create table usage_writers (
            id text primary key,
            batch bigint not null,
            at timestamptz not null default now()
        )
    """)
