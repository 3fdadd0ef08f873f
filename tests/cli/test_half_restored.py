"""A home that a restore has begun to fill: every command that opens the database refuses it and leaves it as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

PASSWORD = "Str0ng!Enough"


def _names(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*")}


@pytest.fixture
def half(home: Path) -> Path:
    """What a restore leaves that was killed before it made the database."""
    (home / "keys").mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    (home / "restore.json").write_text('{"backup": "0badcafe"}')
    return home


@pytest.mark.parametrize(
    "command",
    [
        "db upgrade",
        "db downgrade --yes",
        "db current",
        "db check",
        "backup ../b --passphrase-stdin",
        "drill",
        "move sqlite",
        "move postgresql://127.0.0.1:1/crm",
        "move --cancel",
        "demo --customers 1",
        "init --company Nord --email a@nord.example --password-stdin",
        "user create --email a@nord.example --password-stdin",
        "login --email a@nord.example --password-stdin",
        "customer list",
        "activity verify",
        "status",
        "serve --port 0",
        "worker",
    ],
)
def test_a_half_restored_home_is_refused_and_left_as_it_is(omnicrm: Run, half: Path, command: str) -> None:
    before = _names(half)
    refused = omnicrm(*command.split(), stdin=f"{PASSWORD}\n")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert f"{half} is being filled by 'omnicrm restore'" in refused.stderr
    assert "run the same command again" in refused.stderr
    assert "restore into another, empty folder" in refused.stderr
    assert "move --cancel" not in refused.stderr
    assert _names(half) == before
