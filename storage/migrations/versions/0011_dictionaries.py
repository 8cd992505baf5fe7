"""Pronunciation dictionaries, in all their versions."""

from alembic import op

revision = "0011_dictionaries"
down_revision = "0010_digests"


def upgrade() -> None:
    op.execute("""
        create table dictionaries (
            id text primary key,
            account_id text not null references accounts on delete cascade,
            name text not null,
            description text,
            version integer not null,
            created_at timestamptz not null default now(),
            archived_at timestamptz
        )
    """)
    op.execute("create index dictionaries_by_age on dictionaries (account_id, created_at, id)")
    op.execute("create index dictionaries_by_name on dictionaries (account_id, name, id)")
    op.execute("""
        create table dictionary_versions (
            id text primary key,
            dictionary_id text not null references dictionaries on delete cascade,
            version integer not null,
            rules jsonb not null,
            rules_count integer not null,
            created_at timestamptz not null default now(),
            unique (dictionary_id, version)
        )
    """)
