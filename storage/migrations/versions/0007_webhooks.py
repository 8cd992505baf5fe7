"""Where accounts want to be told of what happens."""

from alembic import op

revision = "0007_webhooks"
down_revision = "0006_jobs"


def upgrade() -> None:
    op.execute("""
        create table webhooks (
            id text primary key,
            account_id text not null references accounts on delete cascade,
            url text not null,
            events text[] not null,
            enabled boolean not null,
            trouble text,
            sealed bytea not null,
            old_sealed bytea,
            old_until timestamptz,
            created_at timestamptz not null default now()
        )
    """)
    op.execute("create index webhooks_of_account on webhooks (account_id, created_at, id)")
