"""Noticing, in each transaction that writes, that the database got another version meanwhile.

One statement at the transaction's begin, which also keeps an upgrade from beginning before the transaction ends:

- SQLite: a writer has the file's lock already, and so has an upgrade.
- PostgreSQL: to read the version is to hold a lock on its table, which an upgrade takes for itself first.
- MariaDB, which commits with each change of a table: the version's row is locked by readers, and an upgrade is known
  by its named lock.
"""

from __future__ import annotations

from gettext import gettext as _
from typing import Final

from sqlalchemy import Connection

from omnicrm_tui.errors import DatabaseProblem, ProgramOutdated

VERSION_QUERY: Final = "SELECT version_num FROM alembic_version"
MARIADB_LOCK: Final = "CONCAT('omnicrm_schema_', MD5(DATABASE()))"
"""Names the lock of an upgrade: of this database, not of all that the server has."""

_MARIADB_QUERY: Final = f"SELECT version_num, IS_USED_LOCK({MARIADB_LOCK}) FROM alembic_version LOCK IN SHARE MODE"  # noqa: S608


class VersionGuard:
    """Knows the version that this program was started for. Safe to use from several threads."""

    def __init__(self, head: str) -> None:
        self._head = head

    def check(self, connection: Connection) -> None:
        """Raise ProgramOutdated in a database of another version, DatabaseProblem while it is being upgraded."""
        if connection.dialect.name in ("mysql", "mariadb"):
            version, upgrading = connection.exec_driver_sql(_MARIADB_QUERY).one()
            if upgrading is not None:
                raise DatabaseProblem(_("The database is being upgraded. Nothing was changed; try again in a minute."))
        else:
            version = connection.exec_driver_sql(VERSION_QUERY).scalar()
        if version and not version.isdigit():
            raise DatabaseProblem(_("The database is being filled by a restore or a move. Nothing was changed."))
        if problem := self._problem(version):
            raise ProgramOutdated(problem)

    def problem(self, connection: Connection) -> str:
        """Return what to tell a person when the database has another version for good, "" when all is well."""
        version = connection.exec_driver_sql(VERSION_QUERY).scalar()
        return self._problem(version) if version is None or version.isdigit() else ""

    def _problem(self, version: str | None) -> str:
        if version == self._head:
            return ""
        if version is None or version < self._head:
            return _("The database was taken back to an older version meanwhile. Nothing can be saved from here.")
        return _(
            "This program was upgraded meanwhile. Leave with ctrl+q and start it again; nothing you saved is lost."
        )
