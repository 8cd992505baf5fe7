"""Run by Alembic: writes out the statements of the migrations. It never connects to anything."""

from alembic import context

context.configure(dialect_name="postgresql", literal_binds=True)
context.run_migrations()
