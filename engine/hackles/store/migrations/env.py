"""What Alembic runs: the steps that are missing, on the connection that it was given."""

from alembic import context

from hackles.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # of SQLite, too, since `database.py` begins its transactions itself
)
with context.begin_transaction():
    context.run_migrations()
