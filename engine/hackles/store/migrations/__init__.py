"""How the tables came to be, step by step (Alembic). Run by itself when a database is opened."""
