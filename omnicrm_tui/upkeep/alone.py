"""One at a time: who fills a home or a database, or empties one into another, is alone with it.

The locks end with the process that holds them, however it ends. Programs that only work with the data do not look at
them: those are kept out by the version of the tables, and by what `frozen` does.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import gettext as _
from pathlib import Path

from sqlalchemy import Engine

from omnicrm_tui.errors import Conflict, DatabaseProblem
from omnicrm_tui.home import UPKEEP_LOCK
from omnicrm_tui.upkeep.disk import is_the_file

_POSTGRESQL_LOCK = "4766742"
"""Names our advisory lock among those of other programs; that of an upgrade is another, taken meanwhile."""
_MARIADB_LOCK = "CONCAT('omnicrm_upkeep_', MD5(DATABASE()))"
_TAKEN = {
    "postgresql": f"SELECT pg_try_advisory_lock({_POSTGRESQL_LOCK})",
    "mysql": f"SELECT GET_LOCK({_MARIADB_LOCK}, 0)",
    "mariadb": f"SELECT GET_LOCK({_MARIADB_LOCK}, 0)",
}


class AtWork(Conflict):
    """Another process is at it just now; nothing was changed."""


@contextmanager
def alone_in(home: Path) -> Iterator[None]:
    """Hold a home against others that would fill it or set it up. Raises AtWork."""
    sentence = _("{home} is being set up or restored by another program just now. Nothing was changed.")
    with _alone_with_file(home / UPKEEP_LOCK, sentence.format(home=home)):
        yield


@contextmanager
def alone_with(engine: Engine) -> Iterator[None]:
    """Hold a database against others that would fill it or move its data. Raises AtWork, DatabaseProblem."""
    sentence = _(
        "Another 'omnicrm restore' or 'omnicrm move' is at work on the database just now. Nothing was changed there."
    )
    if engine.dialect.name == "sqlite":
        lock = Path(f"{engine.url.database}.{UPKEEP_LOCK}")
        if not lock.parent.is_dir():
            raise DatabaseProblem(_("The database file cannot be opened. Check its folder and permissions."))
        with _alone_with_file(lock, sentence):
            yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.exec_driver_sql(_TAKEN[engine.dialect.name]).scalar():
            raise AtWork(sentence)
        try:
            yield
        finally:
            # The lock ends with its connection, which must not go back to the pool.
            connection.invalidate()


@contextmanager
def _alone_with_file(path: Path, sentence: str) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AtWork(sentence) from None
        if not is_the_file(handle, path):
            # The one that held it ended between the look at the name and the lock, and took the name away.
            raise AtWork(sentence)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)
