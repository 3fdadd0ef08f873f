"""Engines, with what each database needs to behave alike."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import gettext as _
from typing import Any

from sqlalchemy import Dialect, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from omnicrm_tui.errors import DatabaseProblem, DriverProblem, InvalidInput

BUSY_TIMEOUT_SECONDS = 15
_WAL_PAUSE_SECONDS = 0.01
WAL_LIMIT_BYTES = 64 * 1024 * 1024
PAGES_KIB = 512
"""Of an SQLite database that each connection keeps: the system keeps them once for all terminals."""


MOST_CONNECTIONS = 15
"""Of one process to its database: as many as the API has threads."""
CONNECT_PATIENCE_SECONDS = 10.0
"""How long a process waits for a server that has no connection left for it."""


def make_engine(url: str | URL, kept_connections: int = 5, busy_seconds: int = BUSY_TIMEOUT_SECONDS) -> Engine:
    """Return an engine for `url` (SQLite, PostgreSQL or MariaDB) with the house's settings.

    A server's connections are few, and many terminals share them: of those that a process needs for a moment, it
    keeps `kept_connections` afterwards. `busy_seconds` is how long SQLite waits for another writer. Raises
    DatabaseProblem when the URL names no database that the product runs on.
    """
    target = make_url(url)
    backend = target.get_backend_name()
    if backend == "sqlite":
        return _sqlite_engine(target, busy_seconds)
    if backend == "postgresql":
        return _on_server(target, kept_connections, connect_args={"connect_timeout": 5})
    if backend in ("mysql", "mariadb"):
        # READ COMMITTED as on PostgreSQL: REPEATABLE READ would hide a job's progress from its watcher.
        return _on_server(
            target.update_query_dict({"charset": "utf8mb4"}),
            kept_connections,
            pool_recycle=3600,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": 5},
        )
    raise DatabaseProblem(_("{backend} is not supported: choose sqlite, postgresql or mariadb").format(backend=backend))


def _on_server(url: URL, kept: int, **more: Any) -> Engine:
    engine = create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        pool_size=kept,
        max_overflow=MOST_CONNECTIONS - kept,
        pool_use_lifo=True,
        **more,
    )

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Dialect, _record: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        give_up = time.monotonic() + CONNECT_PATIENCE_SECONDS
        while True:
            try:
                return dialect.connect(*arguments, **named)
            except Exception as error:
                if "too many" not in str(error).lower() or time.monotonic() > give_up:
                    raise
            # Others give theirs back in a moment.
            time.sleep(random.uniform(0.05, 0.25))  # noqa: S311 - so that they do not all come again at once

    return engine


def _write_ahead(cursor: sqlite3.Cursor, busy_seconds: int) -> None:
    """Turn the write-ahead log on. SQLite does not wait for others who do so at once in a new file: we do."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= deadline:
                raise
        time.sleep(_WAL_PAUSE_SECONDS)


def _sqlite_engine(url: URL, busy_seconds: int) -> Engine:
    arguments = {"timeout": busy_seconds, "check_same_thread": False}
    engine = create_engine(url, hide_parameters=True, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions of its own: BEGIN and BEGIN IMMEDIATE are sent below.
        connection.isolation_level = None
        cursor = connection.cursor()
        _write_ahead(cursor, busy_seconds)
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={busy_seconds * 1000}")
        cursor.execute(f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}")
        cursor.execute(f"PRAGMA cache_size=-{PAGES_KIB}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A reader that turns writer half-way cannot wait for the lock and fails at once; writers take it first.
        writes = connection.get_execution_options().get("crm_writes", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def speaking_database() -> Iterator[None]:
    """Turn a driver's error about the database itself into DatabaseProblem with a sentence for people."""
    try:
        yield
    except DataError as error:
        raise InvalidInput(_("A value is too long or too large for the database.")) from error
    except DBAPIError as error:
        sentence = _known_trouble(error)
        if sentence is None and error.connection_invalidated:
            sentence = _LOST
        if sentence is None and isinstance(error, OperationalError):
            raise DriverProblem(_("The database could not do this: {orig}").format(orig=error.orig)) from error
        if sentence is None:
            raise
        raise DatabaseProblem(sentence) from error
    except NoConnectionLeft as error:
        raise DatabaseProblem(_("This program has no connection to the database left; try again.")) from error


def _known_trouble(error: DBAPIError) -> str | None:
    text = str(error.orig).lower()
    return next((sentence for needle, sentence in _TROUBLES if needle in text), None)


_LOST = _("The connection to the database was lost; nothing was changed.")
REFUSES_CHANGES = "omnicrm: the data are being moved"
"""What a database answers to every change while its data are moved (`frozen.py`)."""

_TROUBLES = (
    (
        REFUSES_CHANGES,
        _(
            "The data are being moved to another database, or have been. Nothing was changed. "
            "Open the application again when that has ended."
        ),
    ),
    ("locked", _("The database is locked by another program. Nothing was changed; try again.")),
    ("database or disk is full", _("The disk that holds the database is full. Nothing was changed.")),
    ("disk i/o error", _("The disk that holds the database does not take it; it may be full. Nothing was changed.")),
    ("disk full", _("The disk that holds the database is full. Nothing was changed.")),
    ("no space left", _("The disk that holds the database is full. Nothing was changed.")),
    ("readonly", _("The database file cannot be written. Check its owner and permissions.")),
    ("unable to open", _("The database file cannot be opened. Check its folder and permissions.")),
    ("no such table", _("The database is empty or of an older version. Run 'omnicrm db upgrade'.")),
    ("no such column", _("The database is of an older version. Run 'omnicrm db upgrade'.")),
    ('relation "', _("The database is empty or of an older version. Run 'omnicrm db upgrade'.")),
    ("doesn't exist", _("The database is empty or of an older version. Run 'omnicrm db upgrade'.")),
    ("unknown column", _("The database is of an older version. Run 'omnicrm db upgrade'.")),
    ("too many", _("The database server has no connection left. Nothing was changed; try again.")),
    ("connection refused", _("The database server cannot be reached: connection refused.")),
    ("server closed the connection", _LOST),
    ("terminating connection", _LOST),
    ("lost connection", _LOST),
    ("the database system is", _("The database server is starting or stopping. Try again in a moment.")),
    ("connection failed", _("The database server cannot be reached.")),
    ("can't connect", _("The database server cannot be reached.")),
    ("could not translate host", _("The database server's name cannot be resolved.")),
    ("timeout", _("The database did not answer in time. Nothing was changed; try again.")),
    ("deadlock", _("Two changes stood in each other's way. Nothing was changed; try again.")),
    ("access denied", _("The database refused the user name or password.")),
    ("password authentication failed", _("The database refused the user name or password.")),
)
