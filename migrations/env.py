"""What Alembic runs for every command: it works on the connection that the caller holds, in its transaction."""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationInfo
from alembic.script import Script

attributes = context.config.attributes


def _note(step: MigrationInfo, **_more: Any) -> None:
    script = step.up_revision
    if isinstance(script, Script):
        attributes["steps"].append(f"{script.revision}: {script.doc}")


context.configure(
    connection=attributes["connection"],
    on_version_apply=_note,  # type: ignore[arg-type]  # Alembic calls it with names only
    **attributes.get("options", {}),
)
with context.begin_transaction():
    context.run_migrations()
