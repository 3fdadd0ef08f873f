"""`omnicrm init` and `omnicrm doctor`, as commands."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run

PASSWORD = "Str0ng!Enough"
COMPANY = ("init", "--company", "Nord & Søn", "--email", "a@nord.example", "--password-stdin")


def test_a_home_is_set_up_by_one_command(omnicrm: Run, home: Path) -> None:
    done = omnicrm(*COMPANY, "--currency", "nok", stdin=f"{PASSWORD}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "a@nord.example can log in." in done.stdout
    assert (home / "config.yaml").exists()
    assert not (home / "init.json").exists()
    assert omnicrm("config", "check").returncode == 0
    assert omnicrm("login", "--email", "a@nord.example", "--password-stdin", stdin=f"{PASSWORD}\n").returncode == 0
    again = omnicrm(*COMPANY, stdin=f"{PASSWORD}\n")
    assert again.returncode == 1
    assert "this home is set up" in again.stderr


def test_a_wrong_answer_sets_nothing_up(omnicrm: Run, home: Path) -> None:
    weak = omnicrm(*COMPANY, stdin="weak\n")
    assert weak.returncode == 1
    assert "password needs" in weak.stderr
    nowhere = omnicrm(*COMPANY, "--ocs", "127.0.0.1:1", stdin=f"{PASSWORD}\n")
    assert nowhere.returncode == 1
    assert "charging system at 127.0.0.1:1 cannot be reached" in nowhere.stderr
    assert {path.name for path in home.iterdir()} == {"init.json"}
    assert omnicrm(*COMPANY, "--ocs", "127.0.0.1:1", "--skip-tests", stdin=f"{PASSWORD}\n").returncode == 0


def test_a_databases_password_stands_in_no_command_line(omnicrm: Run, home: Path, tmp_path: Path) -> None:
    url = "postgresql+psycopg://omni:Secret99@127.0.0.1:1/omnicrm?password=Secret99"
    shown = omnicrm(*COMPANY, "--database-url", url, stdin=f"{PASSWORD}\n")
    assert shown.returncode == 1
    assert "--database-url-file" in shown.stderr
    file = tmp_path / "url"
    file.write_text(f"{url}\n")
    file.chmod(0o644)
    assert "chmod 600" in omnicrm(*COMPANY, "--database-url-file", str(file), stdin=f"{PASSWORD}\n").stderr
    file.chmod(0o600)
    read = omnicrm(*COMPANY, "--database-url-file", str(file), stdin=f"{PASSWORD}\n")
    assert "cannot be reached" in read.stderr
    assert not any("Secret99" in path.read_text() for path in home.iterdir() if path.is_file())


def test_a_demo_is_not_set_up_as_something_else(omnicrm: Run) -> None:
    assert omnicrm("demo", "--customers", "1").returncode == 0
    done = omnicrm(*COMPANY, stdin=f"{PASSWORD}\n")
    assert done.returncode == 1
    assert "is a demo" in done.stderr


def test_the_doctor_tells_what_is_broken_and_exits_so(omnicrm: Run, home: Path) -> None:
    omnicrm(*COMPANY, stdin=f"{PASSWORD}\n")
    done = omnicrm("doctor")
    assert done.returncode == 0
    assert "fine    Database" in done.stdout
    assert "LOOK    Mail" in done.stdout
    (home / "keys" / "column-1.key").chmod(0o644)
    ill = omnicrm("doctor", "--json")
    assert ill.returncode == 1
    found = [json.loads(line) for line in ill.stdout.splitlines()]
    assert {tuple(finding) for finding in found} == {("name", "state", "found", "mend")}
    [broken] = [finding for finding in found if finding["state"] == "broken"]
    assert broken["mend"] == f"chmod 600 {home / 'keys' / 'column-1.key'}"
