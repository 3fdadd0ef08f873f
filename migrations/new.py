"""Write the next revision from what the models have and the newest revision has not.

    python -m migrations.new "add tags to customers"

Read what it wrote: Alembic does not see renames, nor changed CHECK constraints.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.operations.ops import DropTableOp
from alembic.script import Script
from sqlalchemy import LargeBinary, String

from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.database.types import Id, JsonText, LongBinary, LongText, Money, UtcDateTime

_FOLDER = Path(__file__).parent


def main(message: str) -> None:
    """Write `versions/<number>_<message>.py`."""
    number = len(list((_FOLDER / "versions").glob("[0-9]*.py"))) + 1
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/empty.sqlite")
        with engine.begin() as connection:
            config.attributes.update(connection=connection, steps=[], options=_OPTIONS)
            command.upgrade(config, "head")
            script = command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")
        engine.dispose()
    assert isinstance(script, Script)
    path = Path(script.path)
    path.write_text("".join(line for line in path.open(encoding="utf-8") if "    # ###" not in line), "utf-8")


def render_type(kind: str, item: Any, _context: AutogenContext) -> str | bool:
    """Write our own column types by their names; False leaves the item to Alembic."""
    if kind != "type":
        return False
    if isinstance(item, (Money, UtcDateTime, JsonText, LongText, LongBinary)):
        return f"{type(item).__name__}()"
    if item is Id:
        return "Id"
    variants = getattr(item, "_variant_mapping", {})
    if isinstance(item, String) and "postgresql" in variants:
        return f"sort_key({item.length})"
    if isinstance(item, LargeBinary):
        return f"sa.LargeBinary({item.length})"
    return False


def _spare_indexes_of_dropped_tables(_context: object, _revision: object, directives: list[Any]) -> None:
    # They fall with their table, and MariaDB refuses to drop one that a foreign key leans on.
    operations = directives[0].downgrade_ops.ops
    dropped = {operation.table_name for operation in operations if isinstance(operation, DropTableOp)}
    directives[0].downgrade_ops.ops = [
        operation
        for operation in operations
        if getattr(operation, "table_name", None) not in dropped or isinstance(operation, DropTableOp)
    ]


_OPTIONS = {
    "target_metadata": metadata,
    "render_item": render_type,
    "process_revision_directives": _spare_indexes_of_dropped_tables,
}

if __name__ == "__main__":
    main(sys.argv[1])
