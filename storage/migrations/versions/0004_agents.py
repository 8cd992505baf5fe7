"""Agents, in all their versions."""

from alembic import op

revision = "0004_agents"
down_revision = "0003_usage"


def upgrade() -> None:
    op.execute("""
        create table agents (
            id text primary key,
            account_id text not null references accounts on delete cascade,
            name text not null,
            version integer not null,
            created_at timestamptz not null default now()
        )
    """)
    op.execute("create index agents_of_account on agents (account_id, created_at, id)")
    op.execute("""
        create table agent_versions (
            agent_id text not null references agents on delete cascade,
            version integer not null,
            config jsonb not null,
            created_at timestamptz not null default now(),
            primary key (agent_id, version)
        )
    """)
