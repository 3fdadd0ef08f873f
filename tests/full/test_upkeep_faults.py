"""kill -9 of a restore and of a move at random moments, and disks that fill up: the same command brings all of it."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData, make_url, text

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.database import migrate
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.migrate import SchemaState
from omnicrm_tui.database.rows import Row
from omnicrm_tui.demo.build import make_demo
from omnicrm_tui.doctor.examine import examine
from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.opening import open_crm
from omnicrm_tui.settings import DatabaseSection, Settings
from omnicrm_tui.upkeep.backup import make_backup
from omnicrm_tui.upkeep.move import cancel
from omnicrm_tui.upkeep.proof import verify
from tests.fixtures.house import wait_for
from tests.full.test_kill import OWN
from tests.upkeep.conftest import PASSPHRASE, everything

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]

CUSTOMERS = 200
LARGE_FILE = 200_000
KILLED_RESTORES = {"sqlite": 6, "postgresql": 3, "mysql": 3}
"""Into each kind of database: a migration is one transaction on the first two, and many on the third."""
KILLED_MOVES = 6

_never = threading.Event()


@dataclass(frozen=True)
class Made:
    """A home, its backup, and what has to be the same wherever that arrives."""

    home: Path
    backup: Path
    rows: dict[str, list[Row]]
    files: dict[str, bytes]
    digest: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A demo without its lab, whose file would fill a disk before the data do."""
    folder = tmp_path_factory.mktemp("made")
    home = folder / "home"
    make_demo(load_settings({"OMNICRM_HOME": str(home)}), CUSTOMERS)
    shutil.rmtree(home / "lab")
    (home / "demo.json").unlink()
    (home / "plays").mkdir()
    (home / "plays" / "firmware.bin").write_bytes(random.Random("firmware").randbytes(LARGE_FILE))
    backup = folder / "b"
    settings = load_settings({"OMNICRM_HOME": str(home)})
    make_backup(settings, backup, PASSPHRASE)
    return Made(home, backup, everything(settings.database_url), _files(home), _digest(backup))


def _files(home: Path) -> dict[str, bytes]:
    """Return what lies in a home, without its database and the configuration that may name another."""
    found = {path.relative_to(home).as_posix(): path for path in home.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes()
        for name, path in found.items()
        if not name.startswith(("omnicrm.sqlite", "config.yaml", "logs/"))
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- commands


def _start(home: Path, *arguments: str, largest: int = resource.RLIM_INFINITY) -> subprocess.Popen[str]:
    """Start a command in `home`, none of whose files can grow beyond `largest` bytes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNICRM")}
    process = subprocess.Popen(
        [sys.executable, "-m", "omnicrm_tui.cli", *arguments],
        env={**kept, "OMNICRM_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    # Only now does it go on.
    assert process.stdin is not None
    process.stdin.write(PASSPHRASE + "\n")
    process.stdin.flush()
    return process


def _run(home: Path, *arguments: str, largest: int = resource.RLIM_INFINITY) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it said on both ways."""
    process = _start(home, *arguments, largest=largest)
    said, complained = process.communicate(timeout=120)
    return process.returncode, said, complained


def _seconds_of(process: subprocess.Popen[str], begun: Callable[[], bool]) -> float:
    """Let a command end, and return how long it had been at work."""
    wait_for(begun, "the command begins")
    since = time.monotonic()
    _said, complained = process.communicate(timeout=120)
    assert process.returncode == 0, complained
    return time.monotonic() - since


def _kill(process: subprocess.Popen[str], begun: Callable[[], bool], after_seconds: float) -> None:
    """Kill a command without a warning some time after it has begun; it may just have ended."""
    wait_for(begun, "the command begins")
    _never.wait(after_seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


def _moments(seed: str, number: int, span: float) -> Iterator[float]:
    """Yield moments all over a span, each at random in its part of it."""
    chance = random.Random(seed)
    for part in range(number):
        yield span * (part + chance.random()) / number


# --- what has to be true


def _at(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"database": DatabaseSection(url=SecretStr(url))})


def _assert_nothing_differs(settings: Settings, made: Made) -> None:
    assert everything(settings.database_url) == made.rows
    broken = [finding for finding in examine(settings, {}) if finding.name in OWN and finding.state == "broken"]
    assert broken == []
    open_crm(settings).close()


def _assert_refused(settings: Settings) -> None:
    """No program begins to work with what is half there, nor puts anything of its own beside it."""
    before = _names(settings.home)
    for attempt in (lambda: open_crm(settings), lambda: migrate.require_known(settings)):
        with pytest.raises(DatabaseProblem, match="run the same command again"):
            attempt()
    assert _names(settings.home) == before


def _names(home: Path) -> set[str]:
    return {str(path) for path in home.rglob("*") if not path.name.endswith(("-wal", "-shm"))}


def _assert_restored(home: Path, made: Made, url: str) -> None:
    settings = load_settings({"OMNICRM_HOME": str(home)})
    assert settings.database_url == url
    assert _files(home) == made.files
    _assert_nothing_differs(settings, made)
    assert _digest(made.backup) == made.digest


def _emptied(url: str) -> None:
    engine = make_engine(url)
    there = MetaData()
    there.reflect(engine)
    there.drop_all(engine)
    engine.dispose()


# --- kill -9


def test_a_restore_that_is_killed_goes_on(made: Made, any_database_url: str, tmp_path: Path) -> None:
    arguments = ("restore", str(made.backup), "--database", any_database_url, "--passphrase-stdin")

    def started(home: Path) -> tuple[subprocess.Popen[str], Callable[[], bool]]:
        return _start(home, *arguments), (home / "restore.json").exists

    span = _seconds_of(*started(tmp_path / "whole"))
    halves = 0
    kills = KILLED_RESTORES[make_url(any_database_url).get_backend_name()]
    for number, moment in enumerate(_moments("restore", kills, span)):
        _emptied(any_database_url)
        home = tmp_path / f"{number}"
        _kill(*started(home), moment)
        if half := (home / "restore.json").exists():
            _assert_refused(load_settings({"OMNICRM_HOME": str(home)}))
        if half and not halves:
            code, said, complained = _run(home, "serve", "--port", "0")
            assert (code, said) == (1, "")
            assert "run the same command again" in complained
        halves += half
        code, said, complained = _run(home, *arguments)
        assert code == (0 if half else 1), complained
        assert "each compared" in said if half else "is not empty" in complained
        _assert_restored(home, made, any_database_url)
    assert halves, "the first of the kills comes before the end"
    assert verify(made.backup, PASSPHRASE).problems == []


@contextmanager
def _watched(url: str) -> Iterator[Callable[[], bool]]:
    """Give what tells whether another process is connected to a database of PostgreSQL."""
    engine = make_engine(url)
    others = text(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield lambda: bool(connection.scalar(others))
    engine.dispose()


def test_a_move_that_is_killed_goes_on(made: Made, every_database_url: dict[str, str], tmp_path: Path) -> None:
    home, url = tmp_path / "home", every_database_url["postgresql"]
    shutil.copytree(made.home, home)
    source, private = load_settings({"OMNICRM_HOME": str(home)}), tmp_path / "url"
    private.touch(0o600)
    private.write_text(url)
    arguments = ("move", "--database-url-file", str(private), "--switch")

    def begin_anew() -> None:
        cancel(source)
        _emptied(url)
        (home / "config.yaml").unlink(missing_ok=True)

    with _watched(url) as begun:
        span = _seconds_of(_start(home, *arguments), begun)
    for moment in _moments("move", KILLED_MOVES, span):
        begin_anew()
        with _watched(url) as begun:
            _kill(_start(home, *arguments), begun, moment)
            wait_for(lambda: not begun(), "the server misses the one that was killed")
        assert everything(source.database_url) == made.rows
        _assert_whole_or_refused(_at(source, url), made)
        switched = load_settings({"OMNICRM_HOME": str(home)}).database_url == url
        code, said, complained = _run(home, *arguments)
        assert code == (1 if switched else 0), complained
        assert "in this database already" in complained if switched else "each compared" in said
        assert everything(source.database_url) == made.rows
        assert _files(home) == made.files
        target = load_settings({"OMNICRM_HOME": str(home)})
        assert target.database_url == url
        _assert_nothing_differs(target, made)


def _assert_whole_or_refused(target: Settings, made: Made) -> None:
    if migrate.current_version(target).state is not SchemaState.CURRENT:
        with pytest.raises(DatabaseProblem, match=r"run the same command again|is empty"):
            open_crm(target)
    elif everything(target.database_url, "customer")["customer"]:
        assert everything(target.database_url) == made.rows


# --- full disks


@pytest.mark.parametrize("part", [0.3, 0.7, 0.995])
def test_a_disk_that_is_full_while_a_backup_is_written(made: Made, tmp_path: Path, part: float) -> None:
    file, home = tmp_path / "b", tmp_path / "home"
    shutil.copytree(made.home, home)
    arguments = ("backup", str(file), "--passphrase-stdin")
    said = _run(home, *arguments, largest=int(made.backup.stat().st_size * part))
    assert said == (1, "", f"omnicrm: There is no room left for {file}. Nothing was kept of it.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert everything(load_settings({"OMNICRM_HOME": str(home)}).database_url) == made.rows
    assert _run(home, *arguments)[0] == 0
    proved = verify(file, PASSPHRASE)
    assert proved.problems == []
    assert proved.contents.tables == verify(made.backup, PASSPHRASE).contents.tables


@pytest.mark.parametrize(
    ("part", "sentence"), [(0.05, "no room left"), (0.5, "may be full"), (0.9, "may be full")], ids=str
)
def test_a_disk_that_is_full_while_a_backup_is_restored(made: Made, tmp_path: Path, part: float, sentence: str) -> None:
    home = tmp_path / "home"
    arguments = ("restore", str(made.backup), "--passphrase-stdin")
    largest = int((made.home / "omnicrm.sqlite").stat().st_size * part)
    code, said, complained = _run(home, *arguments, largest=largest)
    assert (code, said) == (1, "")
    assert complained.startswith("omnicrm: ")
    assert sentence in complained
    assert len(complained.splitlines()) == 1
    assert "should not have happened" not in complained
    half = load_settings({"OMNICRM_HOME": str(home)})
    _assert_refused(half)
    code, said, complained = _run(home, *arguments)
    assert (code, complained) == (0, "")
    _assert_restored(home, made, half.database_url)
