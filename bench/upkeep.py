"""Backup, verify, restore and move of 50,000 customers with history, beside what SQLite itself does with the file.

The move goes to PostgreSQL at OMNICRM_TEST_POSTGRESQL (as the tests'), into a database that is dropped afterwards.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from bench.homes import OMNICRM, demo_home
from bench.report import Row

PASSPHRASE = "correct horse battery staple"
POSTGRESQL = os.environ.get("OMNICRM_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


def run() -> list[Row]:
    """Measure each command once: they take long enough to be told apart from chance."""
    home = demo_home()
    with tempfile.TemporaryDirectory(prefix="omnicrm-bench-") as folder, _new_database() as url:
        place = Path(folder)
        copied = _seconds(lambda: _sqlite_backup(home.path / "omnicrm.sqlite", place / "copy"))
        vacuumed = _seconds(lambda: _vacuum_into(home.path / "omnicrm.sqlite", place / "vacuumed"))
        file, new = str(place / "backup"), place / "new"
        backed_up = _seconds(lambda: _omnicrm(home.path, "backup", file))
        verified = _seconds(lambda: _omnicrm(home.path, "verify", file))
        restored = _seconds(lambda: _omnicrm(new, "restore", file))
        moved = _seconds(lambda: _omnicrm(new, "move", url))
    return [
        Row("backup of 50,000 customers, SQLite", backed_up, 20, "s", copied),
        Row("verify that backup", verified, 20, "s", copied),
        Row("restore it, SQLite, each table compared", restored, 30, "s", vacuumed),
        Row("move to PostgreSQL, each row compared", moved, 180, "s", restored),
    ]


def _omnicrm(home: Path, *arguments: str) -> None:
    env = {**os.environ, "OMNICRM_HOME": str(home), "OMNICRM_CONFIG": ""}
    subprocess.run([OMNICRM, *arguments], env=env, input=PASSPHRASE, text=True, check=True, stdout=subprocess.DEVNULL)


def _seconds(measure: object) -> float:
    assert callable(measure)
    begin = time.perf_counter()
    measure()
    return time.perf_counter() - begin


def _sqlite_backup(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _vacuum_into(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path)) as source:
        source.execute("VACUUM INTO ?", (str(copy),))


@contextmanager
def _new_database() -> Iterator[str]:
    name = f"omnicrm_bench_{uuid.uuid4().hex[:8]}"
    server = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()
