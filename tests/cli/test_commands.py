"""The `omnicrm` command: what it prints, how it ends, and that it never shows a traceback."""

from __future__ import annotations

import sqlite3
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from omnicrm_tui import __version__
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.database.migrate import HEAD
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.identity.models import User
from omnicrm_tui.settings import Settings
from tests.cli.conftest import Run


def test_version_loads_nothing_but_the_command(omnicrm: Run, home: Path) -> None:
    done = omnicrm("--version")
    assert (done.returncode, done.stdout) == (0, f"omnicrm {__version__}\n")
    assert not home.exists()
    check = (
        "import sys, omnicrm_tui.cli as cli\n"
        "try: cli.main(['--version'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'pydantic', 'yaml', 'sqlalchemy', 'textual'} & set(sys.modules)))"
    )
    assert _python(check) == 0


def test_database_version_is_told_without_orm_and_alembic(omnicrm: Run, environment: dict[str, str]) -> None:
    omnicrm("db", "upgrade")
    check = (
        "import sys, omnicrm_tui.cli as cli\n"
        "try: cli.main(['db', 'current'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'sqlalchemy', 'alembic', 'textual'} & set(sys.modules)))"
    )
    assert _python(check, environment) == 0


def _python(code: str, environment: dict[str, str] | None = None) -> int:
    import subprocess

    return subprocess.run(
        [sys.executable, "-c", code], env=environment, check=False, stdout=subprocess.DEVNULL, timeout=60
    ).returncode


def test_help_lists_the_commands(omnicrm: Run) -> None:
    done = omnicrm("--help")
    assert done.returncode == 0
    for command in ("tui", "serve", "demo", "db", "user", "config", "lab"):
        assert f"\n  {command} " in done.stdout


def test_database_history_by_command(omnicrm: Run) -> None:
    assert omnicrm("db", "current").stdout == "empty\n"
    check = omnicrm("db", "check")
    assert check.returncode == 1
    assert check.stdout.startswith("An upgrade would bring 0001")
    assert omnicrm("db", "upgrade").stdout.startswith("Upgraded to 0001")
    assert omnicrm("db", "upgrade").stdout == "The database is up to date.\n"
    assert omnicrm("db", "current").stdout == f"{HEAD} (current)\n"
    assert omnicrm("db", "check").stdout == "The database is up to date.\n"
    assert omnicrm("db", "downgrade", "-1").stdout.startswith(f"Took back {HEAD}")
    assert omnicrm("db", "downgrade", "base").returncode == 0
    assert omnicrm("db", "current").stdout == "empty\n"


def test_a_newer_database_stops_every_command_with_a_sentence(omnicrm: Run, home: Path) -> None:
    omnicrm("db", "upgrade")
    with sqlite3.connect(home / "omnicrm.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert omnicrm("db", "current").stdout == f"9999 (newer: this program works with {HEAD})\n"
    for command in (("db", "check"), ("db", "upgrade"), ("user", "create", "--email", "a@b.example"), ("serve",)):
        done = omnicrm(*command, stdin="Secret-Passw0rd\n")
        assert done.returncode == 1
        assert done.stderr.startswith("omnicrm: The database")
        assert "9999" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.req("BIL-377", "BIL-422")
def test_first_user_can_log_in_and_be_unlocked(omnicrm: Run, home: Path) -> None:
    done = omnicrm("user", "create", "--email", "Ann@Example.com", "--password-stdin", stdin="Secret-Passw0rd\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Created user 1, ann@example.com, with the role System Admin.\n"
    crm = Crm.open(Settings(home=home))
    with crm.as_actor(system_actor("test")) as work:
        result = work.identity.login("ann@example.com", "Secret-Passw0rd", "127.0.0.1")
        work.session.get_one(User, 1).locked_until = crm.clock.now() + timedelta(minutes=9)
    crm.close()
    assert result.actor is not None
    assert result.actor.may("admin")
    done = omnicrm("user", "unlock", "Ann@Example.com")
    assert (done.stdout, done.stderr) == ("ann@example.com can log in again.\n", "")
    again = omnicrm("user", "unlock", "ann@example.com")
    assert (again.returncode, again.stderr) == (1, "omnicrm: ann@example.com is not locked.\n")


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("--email", "nobody"), "Secret-Passw0rd\n", "email"),
        (("--email", "a@b.example"), "weak\n", "password needs"),
        (("--email", "a@b.example", "--role", "Emperor"), "Secret-Passw0rd\n", "Emperor"),
    ],
)
def test_a_wrong_user_is_refused_in_one_line(omnicrm: Run, arguments: tuple[str, ...], stdin: str, words: str) -> None:
    done = omnicrm("user", "create", *arguments, stdin=stdin)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert "weak" not in done.stderr


def test_no_password_is_wrong_usage(omnicrm: Run) -> None:
    done = omnicrm("user", "create", "--email", "a@b.example")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("srve",), 2, "Did you mean serve?"),
        (("frobnicate",), 2, "Commands: tui, serve"),
        (("serve", "--port", "many"), 2, "'many' is not a valid integer"),
        (("serve", "--port", "70000"), 2, "70000 is not in the range"),
        (("demo", "--customers", "-1"), 2, "-1 is not in the range"),
        (("tui",), 1, "needs a terminal"),
        ((), 1, "needs a terminal"),
        (("db", "upgrade", "0999"), 1, "0999"),
    ],
)
def test_wrong_usage_is_told_in_one_line(omnicrm: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = omnicrm(*arguments)
    assert done.returncode == code
    assert done.stderr.startswith("omnicrm: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.req("PLT-425")
def test_a_wrong_configuration_stops_the_start(omnicrm: Run, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text("crm:\n  curency: EUR\n  timezone: Nowhere\n")
    for command in (("db", "current"), ("serve", "--port", "0"), ("config", "check"), ("demo",)):
        done = omnicrm(*command)
        assert (done.returncode, done.stdout) == (1, "")
        first, second = done.stderr.splitlines()
        assert f"{home}/config.yaml:2: crm.curency is not a setting. Did you mean currency?" in first
        assert "config.yaml:3: crm.timezone is 'Nowhere'" in second


@pytest.mark.req("PLT-424")
def test_configuration_is_shown_with_secrets_hidden(omnicrm: Run, home: Path) -> None:
    home.mkdir(mode=0o700)
    key = "k" * 40
    (home / "config.yaml").write_text(
        f"stripe: {{secret_key: sk_live_1}}\napi_keys:\n  {key}: {{roles: [admin]}}\ndatabase: {{password: hush}}\n"
    )
    done = omnicrm("config", "show")
    assert done.returncode == 0
    assert f"# configuration: {home / 'config.yaml'}" in done.stdout
    assert "secret_key: (hidden)" in done.stdout
    for secret in ("sk_live_1", key, "hush"):
        assert secret not in done.stdout


@pytest.mark.req("CAT-182")
def test_configuration_check_warns_of_public_and_wide_networks(omnicrm: Run, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text(
        "ip_whitelist:\n"
        "  93.184.216.34: {roles: [admin], description: an office}\n"
        "  10.0.0.0/8: {roles: [admin], description: everything}\n"
        "  192.168.1.100: {roles: [admin]}\n"
    )
    (home / "config.yaml").chmod(0o600)
    lines = omnicrm("config", "check").stdout.splitlines()
    assert [line.split(" ")[1] for line in lines[:-1]] == [
        "ip_whitelist.93.184.216.34",
        "ip_whitelist.10.0.0.0/8",
        "ip_whitelist.192.168.1.100",
    ]
    assert lines[-1].endswith("config.yaml: fine.")


def test_an_unexpected_error_is_one_line_and_kept_for_the_administrator(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from omnicrm_tui import cli
    from omnicrm_tui.cli import database

    def burst() -> None:
        raise ZeroDivisionError("a name with \x1b[31m in it")

    monkeypatch.setenv("OMNICRM_HOME", str(home))
    monkeypatch.setattr(database, "settings_of_whole_home", burst)
    with pytest.raises(SystemExit) as caught:
        cli.main(["db", "current"])
    told = capsys.readouterr().err
    assert caught.value.code == 1
    assert told.count("\n") == 1
    assert "\x1b" not in told
    log = home / "logs" / "errors.log"
    assert str(log) in told
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from omnicrm_tui import cli
    from omnicrm_tui.cli import database

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "settings_of_whole_home", interrupted)
    with pytest.raises(SystemExit) as caught:
        cli.main(["db", "current"])
    assert caught.value.code == 130
    assert capsys.readouterr().err.strip() == ""


def test_an_empty_home_becomes_a_demo_once(omnicrm: Run, home: Path, environment: dict[str, str]) -> None:
    done = omnicrm("demo", "--customers", "30")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{home} is a demo with 30 customers" in done.stdout
    assert "Log in as admin@demo.example with the password Demo-Passw0rd!" in done.stdout
    settings = load_settings(environment)
    assert settings.demo
    assert settings.ocs.cgrates.startswith("127.0.0.1:")
    again = omnicrm("demo")
    assert again.returncode == 1
    assert "is a demo already" in again.stderr


def test_a_home_with_data_is_no_demo(omnicrm: Run, home: Path) -> None:
    omnicrm("user", "create", "--email", "a@b.example", stdin="Secret-Passw0rd\n")
    done = omnicrm("demo", "--customers", "3")
    assert done.returncode == 1
    assert "has users already" in done.stderr
    assert not (home / "demo.json").exists()
