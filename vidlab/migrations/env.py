"""Alembic's entry point: it runs inside the transaction that `vidlab.store.migrate` opened."""

from alembic import context

from vidlab.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
