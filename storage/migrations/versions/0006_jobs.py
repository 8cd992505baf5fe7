"""Work that is done later, or again."""

from alembic import op

revision = "0006_jobs"
down_revision = "0005_records"


def upgrade() -> None:
    op.execute("""
        create table jobs (
            id text primary key,
            account_id text not null references accounts on delete cascade,
            kind text not null,
            payload jsonb not null,
            state text not null default 'queued'
                check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
            attempts integer not null default 0,
            most_attempts integer not null check (most_attempts > 0),
            run_at timestamptz not null default now(),
            lease_until timestamptz,
            worker text,
            progress real check (progress between 0 and 1),
            result jsonb,
            error text,
            created_at timestamptz not null default now(),
            ended_at timestamptz
        )
    """)
    op.execute("create index jobs_due on jobs (run_at) where state = 'queued'")
    op.execute("create index jobs_leased on jobs (lease_until) where state = 'running'")
    op.execute("create index jobs_ended on jobs (ended_at) where ended_at is not null")
    op.execute("create index jobs_of_account on jobs (account_id, created_at, id)")
