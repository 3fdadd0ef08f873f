"""The history of the database's shape (Alembic). `omnicrm db` runs it; `python -m migrations.new` adds to it."""
