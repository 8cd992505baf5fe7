"""What agents need to know and nobody may read: sealed."""

from alembic import op

revision = "0008_secrets"
down_revision = "0007_webhooks"


def upgrade() -> None:
    op.execute("""
        create table secrets (
            account_id text not null references accounts on delete cascade,
            name text not null,
            sealed bytea not null,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            primary key (account_id, name)
        )
    """)
