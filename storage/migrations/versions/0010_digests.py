"""What is made of a session after its end."""

from alembic import op

revision = "0010_digests"
down_revision = "0009_knowledge"


def upgrade() -> None:
    op.execute("""
        create table digests (
            session_id text primary key references sessions on delete cascade,
            summary text not null,
            extracted jsonb,
            made_at timestamptz not null default now()
        )
    """)
