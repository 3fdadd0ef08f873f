"""Backup, verify and restore: everything comes back, on any database, or a sentence says why not."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.database import migrate
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.migrate import SchemaState
from omnicrm_tui.database.rows import Row
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.errors import Conflict, CrmError, DatabaseProblem, InvalidInput
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep import backup as backups
from omnicrm_tui.upkeep import disk
from omnicrm_tui.upkeep.backup import Backup, make_backup
from omnicrm_tui.upkeep.filling import Filling
from omnicrm_tui.upkeep.proof import verify
from omnicrm_tui.upkeep.restore import Restored, restore
from omnicrm_tui.upkeep.sealed import DamagedFile, WrongPassphrase
from tests.fixtures.every_table import KEYS
from tests.migrations.test_history import _shape_of
from tests.upkeep.conftest import PASSPHRASE, everything, installation


def _backup(settings: Settings, path: Path) -> Backup:
    return make_backup(settings, path, PASSPHRASE)


def _restore(path: Path, home: Path, **more: Any) -> Restored:
    return restore(path, PASSPHRASE, env={"OMNICRM_HOME": str(home)}, **more)


def test_every_table_is_in_the_backup(settings: Settings, tmp_path: Path) -> None:
    made = _backup(settings, tmp_path / "b")
    assert set(made.contents.tables) == set(metadata.tables)
    assert {number for number, _ in made.contents.tables.values()} == {len(KEYS)}
    assert verify(tmp_path / "b", PASSPHRASE).contents == made.contents


def test_everything_comes_back_as_it_was_at_one_moment_from_database_to_database(
    every_database_url: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes during each of the backups, and neither waits for the other."""
    settings = installation(tmp_path / "home", every_database_url["postgresql"])
    expected = everything(settings.database_url)
    real = backups.told

    def writing(table: str, batches: Iterable[Sequence[Row]], tell: backups.Progress) -> Any:
        if table == "customer":
            _write_something(settings.database_url)
        return real(table, batches, tell)

    monkeypatch.setattr(backups, "told", writing)
    for number, database in enumerate((every_database_url["mariadb"], every_database_url["sqlite"], "sqlite")):
        _backup(settings, tmp_path / f"{number}")
        assert everything(settings.database_url) != expected
        done = _restore(tmp_path / f"{number}", tmp_path / f"home{number}", database=database)
        settings = load_settings({"OMNICRM_HOME": str(tmp_path / f"home{number}")})
        assert settings.database_url == done.settings.database_url
        assert everything(settings.database_url) == expected
        assert migrate.current_version(settings).state is SchemaState.CURRENT
    assert settings.database_url == f"sqlite:///{settings.home / 'omnicrm.sqlite'}"


def _write_something(url: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE customer_site SET city = 'Later'")
        connection.exec_driver_sql("DELETE FROM crm_refresh_token")
    engine.dispose()


def test_files_come_back_without_what_belongs_to_the_machine(settings: Settings, tmp_path: Path) -> None:
    _backup(settings, tmp_path / "b")
    home = tmp_path / "new"
    _restore(tmp_path / "b", home)
    found = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    database = {name for name in found if name.startswith("omnicrm.sqlite")}
    assert found - database == {
        "config.yaml",
        "drafts/7/0f.json",
        "keys/column-1.key",
        "plays/play_ours é.yaml",
        "seats/ab12/terminal.json",
        "templates/invoice.html",
    }
    for name in found - database:
        assert (home / name).read_bytes() == (settings.home / name).read_bytes()
        assert stat.S_IMODE((home / name).stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600


def test_a_form_that_is_finished_meanwhile_does_not_stop_the_backup(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its draft is gone between the look at the home and the copy; a key that is gone is another matter."""
    real = backups.home_files
    gone = settings.home / "drafts" / "7" / "0f.json"

    def vanishing(settings: Settings) -> Iterable[tuple[str, Path]]:
        found = list(real(settings))
        gone.unlink()
        return found

    monkeypatch.setattr(backups, "home_files", vanishing)
    made = _backup(settings, tmp_path / "b")
    assert "drafts/7/0f.json" not in made.contents.files
    assert verify(tmp_path / "b", PASSPHRASE).contents == made.contents
    gone = settings.home / "keys" / "column-1.key"
    with pytest.raises(FileNotFoundError):
        _backup(settings, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_demo_takes_its_lab_with_it(settings: Settings, tmp_path: Path) -> None:
    demo = settings.model_copy(update={"demo": True})
    made = _backup(demo, tmp_path / "b")
    assert "lab/lab.sqlite3" in made.contents.files


def test_a_place_that_is_not_empty_is_refused_and_left_alone(settings: Settings, tmp_path: Path) -> None:
    _backup(settings, tmp_path / "b")
    home = tmp_path / "new"
    home.mkdir(mode=0o700)
    (home / "notes.txt").write_text("mine")
    with pytest.raises(Conflict, match=r"not empty \(notes.txt\)"):
        _restore(tmp_path / "b", home)
    assert [path.name for path in home.iterdir()] == ["notes.txt"]
    before = everything(settings.database_url)
    with pytest.raises(Conflict, match="database is not empty"):
        _restore(tmp_path / "b", tmp_path / "other", database=settings.database_url)
    # Nor does a second attempt take the refusal for an interruption.
    with pytest.raises(Conflict, match="database is not empty"):
        _restore(tmp_path / "b", tmp_path / "other", database=settings.database_url)
    assert everything(settings.database_url) == before


@pytest.mark.parametrize("target", ["sqlite", "postgresql", "mariadb"])
def test_an_interrupted_restore_is_of_no_use_and_goes_on(
    settings: Settings,
    tmp_path: Path,
    every_database_url: dict[str, str],
    target: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _backup(settings, tmp_path / "b")
    _backup(settings, tmp_path / "other")
    home, url = tmp_path / "new", every_database_url[target]
    real, filled, shapes = Filling.fill, list[str](), list[dict[str, Any]]()

    def breaking(self: Filling, name: str, columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> None:
        if not shapes:
            shapes.append(_shape_of(self.engine))
        real(self, name, columns, _cut(batches) if name == "provision" and name not in filled else batches)
        filled.append(name)

    def _cut(batches: Iterable[Sequence[Row]]) -> Iterable[Sequence[Row]]:
        yield next(iter(batches))[:1]
        filled.append("provision")
        raise KeyboardInterrupt

    monkeypatch.setattr(Filling, "fill", breaking)
    with pytest.raises(KeyboardInterrupt):
        _restore(tmp_path / "b", home, database=url)
    monkeypatch.undo()
    half = load_settings({"OMNICRM_HOME": str(home)})
    assert migrate.current_version(half).state is SchemaState.LOADING
    for attempt in (migrate.require_current, migrate.upgrade):
        with pytest.raises(DatabaseProblem, match="run the same command again"):
            attempt(half)
    with pytest.raises(Conflict, match="not empty"):
        _restore(tmp_path / "other", home, database=url)
    with pytest.raises(Conflict, match="half filled"):
        _restore(tmp_path / "other", tmp_path / "elsewhere", database=url)
    _restore(tmp_path / "b", home, database=url)
    assert everything(url) == everything(settings.database_url)
    assert not (home / "restore.json").exists()
    # Indexes and foreign keys are as migrations made them.
    engine = make_engine(url)
    assert _shape_of(engine) == shapes[0]
    engine.dispose()


def test_a_damaged_backup_touches_nothing(settings: Settings, tmp_path: Path) -> None:
    _backup(settings, tmp_path / "b")
    data = bytearray((tmp_path / "b").read_bytes())
    data[-20] ^= 1
    (tmp_path / "b").write_bytes(data)
    home = tmp_path / "new"
    for attempt in (lambda: _restore(tmp_path / "b", home), lambda: verify(tmp_path / "b", PASSPHRASE)):
        with pytest.raises(DamagedFile, match="damaged near byte"):
            attempt()
    assert list(home.iterdir()) == []
    with pytest.raises(WrongPassphrase):
        verify(tmp_path / "b", PASSPHRASE + "!")


def test_a_short_passphrase_and_a_name_in_use_are_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="12 characters"):
        make_backup(settings, tmp_path / "b", "short")
    (tmp_path / "b").write_text("an older backup")
    with pytest.raises(Conflict, match="exists already"):
        _backup(settings, tmp_path / "b")
    assert (tmp_path / "b").read_text() == "an older backup"
    assert not (tmp_path / "b.partial").exists()


def test_an_empty_database_and_one_being_filled_are_not_backed_up(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DatabaseProblem, match="nothing to back up"):
        _backup(Settings(home=tmp_path / "void"), tmp_path / "b")
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        migrate.mark_loading(connection, "abc")
    engine.dispose()
    with pytest.raises(DatabaseProblem, match="being filled"):
        _backup(settings, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_full_disk_is_told_before_and_meanwhile(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _folder: type("Usage", (), {"free": 1000})())
    with pytest.raises(CrmError, match=r"0\.0 MB free, and .* may be needed"):
        _backup(settings, tmp_path / "b")
    monkeypatch.undo()

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(disk.os, "fsync", full)
    with pytest.raises(CrmError, match="no room left"):
        _backup(settings, tmp_path / "b")
    monkeypatch.undo()
    assert not (tmp_path / "b").exists()
    assert not (tmp_path / "b.partial").exists()


def test_a_name_that_breaks_out_of_the_home_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    monkeypatch.setattr(backups, "home_files", lambda _settings: [("../outside", settings.home / "config.yaml")])
    _backup(settings, tmp_path / "b")
    with pytest.raises(DamagedFile, match="outside its home"):
        _restore(tmp_path / "b", tmp_path / "new")
    assert not outside.exists()


def test_two_backups_into_one_file_do_not_mix(settings: Settings, tmp_path: Path) -> None:
    with disk.whole_file(tmp_path / "b") as file:
        file.write(b"the first")
        with pytest.raises(Conflict, match="being written already"):
            _backup(settings, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"the first"
    assert sorted(os.listdir(tmp_path)) == ["b", "home"]
