"""What agents may look up: collections of documents, cut into passages.

Nothing here needs pgvector, so that a server without it holds all other records, and a backup can
be read anywhere. `storage.passages.prepare` makes the index that does, when it is first needed.
"""

from alembic import op

revision = "0009_knowledge"
down_revision = "0008_secrets"


def upgrade() -> None:
    op.execute("""
        create table collections (
            id text primary key,
            account_id text not null references accounts on delete cascade,
            name text not null,
            language text not null,
            dictionary text not null,
            created_at timestamptz not null default now()
        )
    """)
    op.execute("create index collections_of_account on collections (account_id)")
    op.execute("""
        create table documents (
            id text primary key,
            collection_id text not null references collections on delete cascade,
            name text not null,
            media_type text not null,
            size_bytes integer not null,
            hash bytea not null,
            state text not null default 'waiting',
            error text,
            passages integer not null default 0,
            embedded integer not null default 0,
            created_at timestamptz not null default now(),
            free_at timestamptz not null default now(),
            unique (collection_id, hash, media_type)
        )
    """)
    op.execute("create index documents_by_hash on documents (hash)")
    op.execute("""
        create index documents_unfinished on documents (created_at)
        where state in ('waiting', 'reading')
    """)
    op.execute("""
        create table document_pieces (
            document_id text not null references documents on delete cascade,
            number integer not null,
            content bytea not null,
            primary key (document_id, number)
        )
    """)
    op.execute("alter table document_pieces alter content set storage external")
    op.execute("""
        create table passages (
            document_id text not null references documents on delete cascade,
            number integer not null,
            collection_id text not null references collections on delete cascade,
            heading text not null,
            position integer not null,
            text text not null,
            words tsvector not null,
            embedding real[] not null check (cardinality(embedding) = 384),
            primary key (document_id, number)
        )
    """)
    op.execute("alter table passages alter embedding set storage external")
    op.execute("create index passages_of_collection on passages (collection_id)")
    op.execute("create index passages_by_word on passages using gin (words)")
