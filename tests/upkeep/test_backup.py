"""Backup, verify and restore: everything comes back, on any database, or a sentence says why not."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import stat
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.database import migrate
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.migrate import SchemaState
from omnicrm_tui.database.rows import Row
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.doctor import data
from omnicrm_tui.errors import Conflict, CrmError, DatabaseProblem, InvalidInput
from omnicrm_tui.first_start.answers import Answers
from omnicrm_tui.first_start.finish import finish
from omnicrm_tui.identity import signing_keys
from omnicrm_tui.identity.tokens import Keyring
from omnicrm_tui.opening import open_crm
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep import backup as backups
from omnicrm_tui.upkeep import disk
from omnicrm_tui.upkeep.backup import Backup, make_backup
from omnicrm_tui.upkeep.filling import Filling
from omnicrm_tui.upkeep.proof import verify
from omnicrm_tui.upkeep.restore import Restored, restore
from omnicrm_tui.upkeep.sealed import DamagedFile, WrongPassphrase
from tests.fixtures.databases import NOON
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


def test_a_restored_home_has_the_signing_keys_former_ones_too(settings: Settings, tmp_path: Path) -> None:
    before = Keyring.of(settings, "here").sign({"sub": "1", "use": "access"}, issued=NOON, expires=NOON)
    signing_keys.add(settings.keys_folder, NOON)
    _backup(settings, tmp_path / "b")
    restored = _restore(tmp_path / "b", tmp_path / "new").settings
    assert signing_keys.read_all(restored.keys_folder) == signing_keys.read_all(settings.keys_folder)
    assert {path.stat().st_mode & 0o777 for path in restored.keys_folder.glob("token-*")} == {0o600}
    assert Keyring.of(restored, "here").read(before, "access", NOON - timedelta(minutes=1))["sub"] == "1"


def test_a_signing_key_that_is_removed_meanwhile_does_not_stop_the_backup(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing_keys.add(settings.keys_folder, NOON)
    real = backups.home_files

    def vanishing(settings: Settings) -> Iterable[tuple[str, Path]]:
        found = list(real(settings))
        signing_keys.remove(settings.keys_folder, 1)
        return found

    monkeypatch.setattr(backups, "home_files", vanishing)
    assert [name for name in _backup(settings, tmp_path / "b").contents.files if "token" in name] == [
        "keys/token-2.key"
    ]


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


def test_a_full_disk_is_told_also_by_what_is_left_in_the_buffer(tmp_path: Path) -> None:
    most, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(CrmError, match="no room left"), disk.whole_file(tmp_path / "b") as file:
        file.write(b"a few bytes")
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    assert os.listdir(tmp_path) == []


def test_two_backups_into_one_file_do_not_mix(settings: Settings, tmp_path: Path) -> None:
    with disk.whole_file(tmp_path / "b") as file:
        file.write(b"the first")
        with pytest.raises(Conflict, match="being written already"):
            _backup(settings, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"the first"
    assert sorted(os.listdir(tmp_path)) == ["b", "home"]


def test_a_backup_that_was_finished_meanwhile_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has opened the scratch file when the first gives it its name."""
    partial, path = tmp_path / "b.partial", tmp_path / "b"
    partial.write_bytes(b"the first")
    real = disk.fcntl.flock

    def late(file: Any, how: int) -> None:
        partial.rename(path)
        real(file, how)

    monkeypatch.setattr(disk.fcntl, "flock", late)
    with pytest.raises(Conflict, match="exists already"), disk.whole_file(path):
        pytest.fail("nothing is to be written")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["b"]
    path.unlink()
    with pytest.raises(Conflict, match="exists already"), disk.whole_file(path) as file:
        file.write(b"the second")
        path.write_bytes(b"the first")
    assert path.read_bytes() == b"the first"
    assert os.listdir(tmp_path) == ["b"]


def _interrupted(path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """Restore up to the moment at which the database is full and every program may work with it."""
    real = Filling.finish

    def finishing(self: Filling) -> None:
        real(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(Filling, "finish", finishing)
    with pytest.raises(KeyboardInterrupt):
        _restore(path, home, **more)
    monkeypatch.undo()


def test_going_on_fills_a_database_that_was_made_anew_meanwhile(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = settings.home / "plays" / "play_ours é.yaml"
    play.chmod(0o400)
    _backup(settings, tmp_path / "b")
    home, database = tmp_path / "new", tmp_path / "db.sqlite"
    url = f"sqlite:///{database}"
    _interrupted(tmp_path / "b", home, monkeypatch, database=url)
    for left in tmp_path.glob("db.sqlite*"):
        left.unlink()
    before = (home / "plays" / play.name).stat().st_ino
    with (home / "plays" / play.name).open("rb"):
        assert _restore(tmp_path / "b", home, database=url).contents.tables
        # Nobody but root could write into the one that is there.
        assert (home / "plays" / play.name).stat().st_ino != before
    assert stat.S_IMODE((home / "plays" / play.name).stat().st_mode) == 0o400
    assert everything(url) == everything(settings.database_url)
    assert not (home / "restore.json").exists()


def test_a_home_that_is_being_restored_is_not_taken_for_a_new_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its keys are there already, its database is not: the first program to come would make one, and a user in it."""
    assert settings.config_path
    settings.config_path.unlink()
    _backup(settings.model_copy(update={"config_path": None}), tmp_path / "b")
    home = tmp_path / "new"

    def interrupted(*_arguments: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("omnicrm_tui.upkeep.restore.filling", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _restore(tmp_path / "b", home)
    monkeypatch.undo()
    half = load_settings({"OMNICRM_HOME": str(home)})
    for attempt in (
        lambda: open_crm(half),
        lambda: migrate.require_known(half),
        lambda: finish(home, home / "config.yaml", Answers.model_construct(), print),
    ):
        with pytest.raises(DatabaseProblem, match=r"filled by 'omnicrm restore'.*run the same command again"):
            attempt()
    [found] = data.version(half)
    assert (found.state, found.mend) == ("broken", "Let it finish, or run the same command again.")
    assert not list(home.glob("omnicrm.sqlite*"))
    assert not (home / "config.yaml").exists()
    _restore(tmp_path / "b", home)
    migrate.require_known(half)
    assert everything(half.database_url) == everything(settings.database_url)


def test_what_was_being_written_when_a_kill_came_is_in_nobodys_way(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _backup(settings, tmp_path / "b")
    home = tmp_path / "new"
    home.mkdir(mode=0o700)
    (home / "restore.json.4711.tmp").write_text("{")
    _interrupted(tmp_path / "b", home, monkeypatch)
    for name in ("keys/column-1.key.4711.tmp", "config.yaml.partial.4711.tmp", "restore.json.4712.tmp"):
        (home / name).write_text("half a secret")
    _restore(tmp_path / "b", home)
    assert not list(home.rglob("*.tmp"))


def test_going_on_compares_what_an_earlier_attempt_has_filled(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _backup(settings, tmp_path / "b")
    home, url = tmp_path / "new", f"sqlite:///{tmp_path / 'db.sqlite'}"
    _interrupted(tmp_path / "b", home, monkeypatch, database=url)
    _write_something(url)
    with pytest.raises(DatabaseProblem, match="not as it is in the backup"):
        _restore(tmp_path / "b", home, database=url)


def test_going_on_into_another_database_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration in the backup names the database that everybody works with."""
    assert settings.config_path
    settings.config_path.write_text(f"database:\n  url: {settings.database_url}\n")
    _backup(settings, tmp_path / "b")
    home, url = tmp_path / "new", f"sqlite:///{tmp_path / 'db.sqlite'}"
    _interrupted(tmp_path / "b", home, monkeypatch, database=url)
    before = (home / "config.yaml").read_text()
    with pytest.raises(Conflict, match="into another database"):
        _restore(tmp_path / "b", home)
    assert (home / "config.yaml").read_text() == before
    assert not (home / "config.yaml.partial").exists()
    assert _restore(tmp_path / "b", home, database=url).settings.database_url == url


def test_the_configuration_comes_back_where_the_environment_names_it(settings: Settings, tmp_path: Path) -> None:
    _backup(settings, tmp_path / "b")
    named, home = tmp_path / "etc" / "omnicrm.yaml", tmp_path / "new"
    env = {"OMNICRM_HOME": str(home), "OMNICRM_CONFIG": str(named)}
    named.parent.mkdir()
    named.write_text("crm:\n  company_name: Somebody else\n")
    with pytest.raises(Conflict, match=r"omnicrm\.yaml, which OMNICRM_CONFIG names, is there already"):
        restore(tmp_path / "b", PASSPHRASE, env=env)
    assert "Somebody else" in named.read_text()
    named.unlink()
    done = restore(tmp_path / "b", PASSPHRASE, env=env)
    assert done.settings.crm.company_name == "Zoë's Telecom"
    assert load_settings(env) == done.settings
    assert not (home / "config.yaml").exists()
    assert [path.name for path in named.parent.iterdir()] == ["omnicrm.yaml"]


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE lease (plate TEXT)", "INSERT INTO lease VALUES ('B-OK 1')"],
        ["CREATE TABLE lease (plate TEXT)", "CREATE TABLE alembic_version AS SELECT '3d5a34c1' AS version_num"],
        ["CREATE TABLE cars (plate TEXT)"],
        ["CREATE TABLE outbox (letter TEXT)", "INSERT INTO outbox VALUES ('Dear')"],
    ],
)
def test_the_tables_of_another_program_are_left_alone(
    settings: Settings, tmp_path: Path, statements: list[str]
) -> None:
    _backup(settings, tmp_path / "b")
    with sqlite3.connect(tmp_path / "theirs.sqlite") as theirs:
        for statement in statements:
            theirs.execute(statement)
        theirs.commit()
        before = list(theirs.iterdump())
        with pytest.raises(Conflict, match=r"another program or version|not empty"):
            _restore(tmp_path / "b", tmp_path / "new", database=f"sqlite:///{tmp_path / 'theirs.sqlite'}")
        assert list(theirs.iterdump()) == before


def test_tables_that_were_just_made_are_no_reason_to_refuse(settings: Settings, tmp_path: Path) -> None:
    _backup(settings, tmp_path / "b")
    fresh = Settings(home=tmp_path / "fresh")
    fresh.home.mkdir(mode=0o700)
    open_crm(fresh).close()
    _restore(tmp_path / "b", tmp_path / "new", database=fresh.database_url)
    assert everything(fresh.database_url) == everything(settings.database_url)


def test_a_table_that_this_program_does_not_know_is_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _backup(settings, tmp_path / "b")
    real = migrate.tables_at
    monkeypatch.setattr(migrate, "tables_at", lambda revision: [name for name in real(revision) if name != "lease"])
    with pytest.raises(DatabaseProblem, match="The table lease is not as this program knows it"):
        _restore(tmp_path / "b", tmp_path / "new")
