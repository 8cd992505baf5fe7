"""Accounts, and the keys by which they are known."""

from alembic import op

revision = "0001_accounts_and_keys"
down_revision = None


def upgrade() -> None:
    op.execute("""
        create table accounts (
            id text primary key,
            name text not null,
            created_at timestamptz not null default now(),
            limits jsonb not null default '{}',
            retention_days integer check (retention_days > 0)
        )
    """)
    op.execute("""
        create table keys (
            id text primary key,
            account_id text not null references accounts on delete cascade,
            name text not null,
            prefix text not null,
            hash bytea not null unique,
            scopes text[] not null,
            origins text[] not null default '{}',
            addresses text[] not null default '{}',
            limits jsonb not null default '{}',
            created_at timestamptz not null default now(),
            expires_at timestamptz,
            revoked_at timestamptz,
            last_used_at timestamptz
        )
    """)
    op.execute("create index keys_of_account on keys (account_id)")
