"""Secrets that let somebody else's client in for a while, made with a key."""

from alembic import op

revision = "0002_client_secrets"
down_revision = "0001_accounts_and_keys"


def upgrade() -> None:
    op.execute("""
        create table client_secrets (
            hash bytea primary key,
            key_id text not null references keys on delete cascade,
            session jsonb not null,
            expires_at timestamptz not null
        )
    """)
    op.execute("create index client_secrets_by_expiry on client_secrets (expires_at)")
    op.execute("create index client_secrets_of_key on client_secrets (key_id)")
