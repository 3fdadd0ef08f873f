"""`omnicrm backup`, `restore` and `verify` as a person or a timer runs them."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from omnicrm_tui.demo.build import make_demo
from omnicrm_tui.settings import Settings
from tests.cli.conftest import Run
from tests.upkeep.conftest import PASSPHRASE, everything


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small demo, to be copied."""
    home = tmp_path_factory.mktemp("demo")
    make_demo(Settings(home=home), 20)
    return home


@pytest.fixture
def filled(demo: Path, home: Path) -> Path:
    """A home with a small demo."""
    shutil.copytree(demo, home)
    home.chmod(0o700)
    return home


def test_back_up_prove_lose_and_restore(omnicrm: Run, filled: Path, tmp_path: Path) -> None:
    file, secret = tmp_path / "of the night.backup", tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    secret.chmod(0o644)
    refused = omnicrm("backup", str(file), "--passphrase-file", str(secret))
    assert (refused.returncode, file.exists()) == (2, False)
    assert "chmod 600" in refused.stderr
    secret.chmod(0o600)
    done = omnicrm("backup", str(file), "--passphrase-file", str(secret))
    assert (done.returncode, done.stderr) == (0, "")
    assert "of the night.backup: " in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    proved = omnicrm("verify", str(file), "--passphrase-stdin", stdin=PASSPHRASE)
    assert proved.returncode == 0
    assert proved.stdout.endswith("Everything is there, and everything adds up.\n")
    before = everything(f"sqlite:///{filled / 'omnicrm.sqlite'}")
    new = tmp_path / "new"
    back = omnicrm("restore", str(file), "--passphrase-stdin", stdin=PASSPHRASE, OMNICRM_HOME=str(new))
    assert (back.returncode, back.stderr) == (0, "")
    assert "each compared" in back.stdout
    assert everything(f"sqlite:///{new / 'omnicrm.sqlite'}") == before
    assert (new / "demo.json").exists()
    assert omnicrm("db", "check", OMNICRM_HOME=str(new)).returncode == 0
    again = omnicrm("restore", str(file), "--passphrase-stdin", stdin=PASSPHRASE, OMNICRM_HOME=str(new))
    assert (again.returncode, again.stdout) == (1, "")
    assert "is not empty" in again.stderr


def test_a_wrong_passphrase_and_none_at_all(omnicrm: Run, filled: Path, tmp_path: Path) -> None:
    file = tmp_path / "b"
    assert omnicrm("backup", str(file), stdin="").returncode == 2
    short = omnicrm("backup", str(file), stdin="short\n")
    assert (short.returncode, short.stderr) == (1, "omnicrm: A passphrase has at least 12 characters.\n")
    assert omnicrm("backup", str(file), stdin=PASSPHRASE).returncode == 0
    wrong = omnicrm("verify", str(file), stdin=PASSPHRASE.upper())
    assert wrong.returncode == 1
    assert "does not open this backup" in wrong.stderr
    gone = omnicrm("verify", str(tmp_path / "gone"), stdin=PASSPHRASE)
    assert gone.stderr == f"omnicrm: {tmp_path / 'gone'}: No such file or directory.\n"


def test_a_database_with_a_password_is_read_from_a_private_file(omnicrm: Run, filled: Path, tmp_path: Path) -> None:
    file, new, secret = tmp_path / "b", str(tmp_path / "new"), tmp_path / "url"
    assert omnicrm("backup", str(file), stdin=PASSPHRASE).returncode == 0
    url = "postgresql://omni:hunter2@127.0.0.1:1/omnicrm"
    shown = omnicrm("restore", str(file), "--database", url, stdin=PASSPHRASE, OMNICRM_HOME=new)
    assert shown.returncode == 1
    assert "use --database-url-file" in shown.stderr
    assert "hunter2" not in shown.stderr
    secret.touch(0o600)
    asked = ("restore", str(file), "--database-url-file", str(secret))
    assert "holds no URL" in omnicrm(*asked, stdin=PASSPHRASE, OMNICRM_HOME=new).stderr
    secret.write_text(f"sqlite:///{tmp_path / 'db.sqlite'}\n")
    done = omnicrm(*asked, stdin=PASSPHRASE, OMNICRM_HOME=new)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "db.sqlite").exists()
    assert not (tmp_path / "new" / "omnicrm.sqlite").exists()


def test_a_disk_that_fills_up_leaves_no_half_backup(filled: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    (filled / "plays").mkdir()
    (filled / "plays" / "firmware.bin").write_bytes(os.urandom(1_000_000))

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    done = subprocess.run(
        [sys.executable, "-m", "omnicrm_tui.cli", "backup", str(tmp_path / "b")],
        input=PASSPHRASE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
        preexec_fn=little,
    )
    assert (done.returncode, done.stderr) == (
        1,
        f"omnicrm: There is no room left for {tmp_path / 'b'}. Nothing was kept of it.\n",
    )
    assert not list(tmp_path.glob("b*"))


_KILLED = """
import os, signal, sys
from omnicrm_tui.{module} import {name} as victim
real, left = victim.{method}, [{times}]
def dying(*arguments, **more):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **more)
victim.{method} = dying
from omnicrm_tui.cli import main
main(sys.argv[1:])
"""


def killed(environment: dict[str, str], *arguments: str, at: tuple[str, str, str, int], **more: str) -> None:
    """Run a command that is killed (SIGKILL) when it calls a method for the n-th time."""
    module, name, method, times = at
    code = _KILLED.format(module=module, name=name, method=method, times=times)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=PASSPHRASE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**environment, **more},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_while_backing_up_and_while_restoring(
    omnicrm: Run, environment: dict[str, str], filled: Path, tmp_path: Path
) -> None:
    file, new = tmp_path / "b", tmp_path / "new"
    killed(environment, "backup", str(file), at=("upkeep.archive", "ArchiveWriter", "table", 9))
    assert not file.exists()
    assert omnicrm("backup", str(file), stdin=PASSPHRASE).returncode == 0
    assert [path.name for path in tmp_path.glob("b*")] == ["b"]
    for at in (
        ("upkeep.filling", "Filling", "__init__", 1),
        ("upkeep.filling", "Filling", "fill", 9),
        ("upkeep.filling", "Filling", "finish", 1),
    ):
        killed(environment, "restore", str(file), at=at, OMNICRM_HOME=str(new))
        refused = omnicrm("user", "create", "--email", "a@b.example", stdin=PASSPHRASE, OMNICRM_HOME=str(new))
        assert refused.returncode == 1
        assert "run the same command again" in refused.stderr
    done = omnicrm("restore", str(file), stdin=PASSPHRASE, OMNICRM_HOME=str(new))
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(f"sqlite:///{new / 'omnicrm.sqlite'}") == everything(f"sqlite:///{filled / 'omnicrm.sqlite'}")
    assert not os.path.exists(new / "restore.json")


def test_data_that_do_not_add_up_are_told_though_the_file_is_whole(omnicrm: Run, filled: Path, tmp_path: Path) -> None:
    with sqlite3.connect(filled / "omnicrm.sqlite") as connection:
        connection.execute("UPDATE customer_invoice SET subtotal = subtotal + 1 WHERE void = 0 AND invoice_id < 3")
        connection.execute(
            "UPDATE customer_invoice SET tax_amount = tax_amount + 7, retail_cost = retail_cost + 7"
            " WHERE void = 0 AND invoice_id = 3"
        )
        connection.execute("UPDATE inventory SET reserved_until = '2026-01-01 00:00:00.000000' WHERE inventory_id = 5")
        connection.execute("UPDATE customer_site SET customer_id = 4711 WHERE site_id = 1")
        connection.execute("UPDATE activity_log SET actor_name = 'nobody' WHERE activity_id = 4")
    assert omnicrm("backup", str(tmp_path / "b"), stdin=PASSPHRASE).returncode == 0
    found = omnicrm("verify", str(tmp_path / "b"), stdin=PASSPHRASE)
    assert found.returncode == 1
    for words in (
        "whole, but not the data",
        "Invoice 1: subtotal",
        "Invoice 3: its lines",
        "Item 5 is held",
        "points at 4711 in customer",
        "Entry 4 of the activity log was changed",
    ):
        assert words in found.stderr
    alone = omnicrm("activity", "verify")
    assert (alone.returncode, alone.stdout) == (1, "")
    assert "Entry 4 of the activity log was changed" in alone.stderr


def test_a_backup_of_an_older_version_is_restored_and_upgraded(omnicrm: Run, filled: Path, tmp_path: Path) -> None:
    assert omnicrm("db", "downgrade", "0001", "--yes").returncode == 0
    before = everything(f"sqlite:///{filled / 'omnicrm.sqlite'}", "customer_transaction")
    assert omnicrm("backup", str(tmp_path / "b"), stdin=PASSPHRASE).returncode == 0
    assert "tables of version 0001" in omnicrm("verify", str(tmp_path / "b"), stdin=PASSPHRASE).stdout
    new = tmp_path / "new"
    done = omnicrm("restore", str(tmp_path / "b"), stdin=PASSPHRASE, OMNICRM_HOME=str(new))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Upgraded to 0002" in done.stdout
    assert everything(f"sqlite:///{new / 'omnicrm.sqlite'}", "customer_transaction") == before
    proved = omnicrm("activity", "verify", OMNICRM_HOME=str(new))
    assert (proved.returncode, proved.stderr) == (0, "")
    assert "none changed, removed or slipped in" in proved.stdout


def test_a_drill_proves_everything_and_leaves_nothing(omnicrm: Run, filled: Path, tmp_path: Path) -> None:
    place = tmp_path / "drill"
    place.mkdir()
    before = everything(f"sqlite:///{filled / 'omnicrm.sqlite'}")
    done = omnicrm("drill", "--in", str(place))
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "customer                             20             20",
        "Books in ",
        "Activity chain: ",
        "came back",
    ):
        assert words in done.stdout
    assert list(place.iterdir()) == []
    assert everything(f"sqlite:///{filled / 'omnicrm.sqlite'}") == before


def test_move_killed_and_run_again(
    omnicrm: Run, environment: dict[str, str], filled: Path, every_database_url: dict[str, str]
) -> None:
    url = every_database_url["postgresql"]
    before = everything(f"sqlite:///{filled / 'omnicrm.sqlite'}")
    for at in (("upkeep.filling", "Filling", "fill", 9), ("upkeep.filling", "Filling", "finish", 1)):
        killed(environment, "move", url, at=at)
        refused = omnicrm("user", "create", "--email", "a@b.example", stdin="Secret-Passw0rd!")
        assert (refused.returncode, "being moved" in refused.stderr) == (1, True)
    done = omnicrm("move", url, "--switch")
    assert (done.returncode, done.stderr) == (0, "")
    assert "names it now" in done.stdout
    assert everything(url) == before
    assert omnicrm("db", "check").returncode == 0
    assert omnicrm("user", "create", "--email", "a@b.example", stdin="Secret-Passw0rd!").returncode == 0
    assert everything(f"sqlite:///{filled / 'omnicrm.sqlite'}") == before


@pytest.mark.parametrize(
    "url", ["postgresql://omni:hunter2@127.0.0.1:1/crm", "mysql://omni@127.0.0.1/crm?passwd=hunter2"]
)
def test_a_move_takes_no_password_from_the_command_line(omnicrm: Run, filled: Path, url: str) -> None:
    shown = omnicrm("move", url)
    assert shown.returncode == 1
    assert "use --database-url-file" in shown.stderr
    assert "hunter2" not in shown.stderr
    # Nothing was begun: everybody can still write.
    assert omnicrm("user", "create", "--email", "a@b.example", stdin="Secret-Passw0rd!").returncode == 0


def test_a_move_reads_the_url_from_a_private_file(omnicrm: Run, filled: Path, tmp_path: Path) -> None:
    secret, target = tmp_path / "url", tmp_path / "moved.sqlite"
    before = everything(f"sqlite:///{filled / 'omnicrm.sqlite'}")
    secret.touch(0o600)
    asked = ("move", "--database-url-file", str(secret))
    assert "holds no URL" in omnicrm(*asked).stderr
    secret.write_text(f"sqlite:///{target}\n")
    assert "in one way" in omnicrm(*asked, "sqlite").stderr
    secret.chmod(0o644)
    assert "chmod 600" in omnicrm(*asked).stderr
    secret.chmod(0o600)
    done = omnicrm(*asked)
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(f"sqlite:///{target}") == before
