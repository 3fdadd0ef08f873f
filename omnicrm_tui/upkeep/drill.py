"""The drill: a backup is worth what a restore has proved. Everything is done in a temporary place, and taken away."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path

from omnicrm_tui.activity.rules import ChainReport
from omnicrm_tui.database import migrate, rows
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep.backup import Progress, make_backup, silent
from omnicrm_tui.upkeep.disk import require_room
from omnicrm_tui.upkeep.proof import Proof, prove, verify
from omnicrm_tui.upkeep.restore import restore

_ROOM = 2
"""The restored database and the backup, in proportion to the data."""


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill found."""

    bytes: int
    tables: dict[str, tuple[int, int]]
    """Rows of each table in the backup, and in what was restored from it."""
    totals: dict[str, tuple[int, int]]
    """What customers owe and what they were invoiced, by currency, added up again; in ten-thousandths."""
    reserved: int
    chain: ChainReport
    problems: list[str]


def drill(settings: Settings, folder: Path | None = None, tell: Progress = silent) -> Drill:
    """Back up, verify, restore into a temporary place below `folder`, and compare what came out of it.

    Nothing is changed and nobody waits. Raises CrmError when one of the steps fails.
    """
    with tempfile.TemporaryDirectory(prefix="omnicrm-drill-", dir=folder) as name:
        place = Path(name)
        passphrase = secrets.token_hex(16)
        made = make_backup(settings, place / "backup", passphrase, tell=tell)
        before = verify(place / "backup", passphrase, tell)
        require_room(place, before.about.database_bytes * _ROOM)
        restored = restore(
            place / "backup", passphrase, database="sqlite", env={"OMNICRM_HOME": str(place / "home")}, tell=tell
        )
        after, counted = _look_at(restored.settings, tell)
    tables = {table: (number, counted.get(table, 0)) for table, (number, _sum) in made.contents.tables.items()}
    return Drill(
        made.bytes,
        tables,
        after.books.totals(),
        after.books.reserved,
        after.chain.report(),
        [*_differences(before.proof, after, tables), *after.problems()],
    )


def _look_at(settings: Settings, tell: Progress) -> tuple[Proof, dict[str, int]]:
    """Look at the restored database as `verify` looks at a backup."""
    engine = make_engine(settings.database_url)
    try:
        proof = prove(engine, tell)
        with rows.snapshot(engine) as connection:
            tables = rows.tables_of(connection, migrate.tables_at(migrate.HEAD))
            return proof, {table.name: rows.count(connection, table) for table in tables}
    finally:
        engine.dispose()


def _differences(before: Proof, after: Proof, tables: dict[str, tuple[int, int]]) -> list[str]:
    found = [
        _("{table}: {before} rows were backed up, {after} restored.").format(table=table, before=one, after=other)
        for table, (one, other) in tables.items()
        if one != other
    ]
    for one, other in ((before.books.balances, after.books.balances), (before.books.invoiced, after.books.invoiced)):
        found += [
            _("Customer {customer}: the balance in {currency} is not the same.").format(
                customer=key[0], currency=key[1]
            )
            for key in sorted({*one, *other})
            if one.get(key) != other.get(key)
        ]
    if before.chain.report() != after.chain.report():
        found.append(_("The activity chain is not the same."))
    return found
