"""One process at a time changes the database's shape, nobody writes meanwhile, and no job is cut off by it."""

from __future__ import annotations

import time
from gettext import gettext as _

from sqlalchemy import Connection, inspect

from omnicrm_tui.database.version_guard import MARIADB_LOCK
from omnicrm_tui.errors import DatabaseProblem

PATIENCE_SECONDS = 600
"""How long an upgrade waits for another one."""

_LOCK_NUMBER = 4_766_741
"""Names our advisory lock on PostgreSQL among those of other programs."""


class JobsRunning(DatabaseProblem):
    """Jobs are running. An upgrade would keep their processes, which are of the older version, from writing on."""

    def __init__(self, jobs: list[int]) -> None:
        super().__init__(
            _("Jobs are running ({jobs}). An upgrade waits until they have ended; nothing was changed.").format(
                jobs=", ".join(map(str, jobs))
            )
        )
        self.jobs = jobs


def hold_schema(connection: Connection) -> None:
    """Wait for other upgrades and for the writers under way, and let none begin before the transaction ends.

    How writers look is told in `version_guard`. SQLite's BEGIN IMMEDIATE has done all of it already. MariaDB, which
    commits with each change of a table, keeps its lock until the connection is closed.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})")
        if inspect(connection).has_table("alembic_version"):
            connection.exec_driver_sql("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
    elif connection.dialect.name in ("mysql", "mariadb"):
        locked = connection.exec_driver_sql(f"SELECT GET_LOCK({MARIADB_LOCK}, {PATIENCE_SECONDS})").scalar()
        if locked != 1:
            raise DatabaseProblem(_("Another program is upgrading the database. Nothing was changed; try again."))
        if inspect(connection).has_table("alembic_version"):
            connection.exec_driver_sql("SELECT version_num FROM alembic_version FOR UPDATE")
            connection.exec_driver_sql("COMMIT")


def running_jobs(connection: Connection, now_ms: int | None = None) -> list[int]:
    """Return the numbers of the jobs that a living process runs: those whose lease holds, at any version."""
    if not inspect(connection).has_table("provision"):
        return []
    now = int(time.time() * 1000) if now_ms is None else now_ms
    found = connection.exec_driver_sql(
        f"SELECT provision_id FROM provision WHERE provisioning_status = 1 AND lease_until_ms > {now:d}"  # noqa: S608
    )
    return sorted(found.scalars())
