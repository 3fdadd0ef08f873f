"""`omnicrm keys`: signing keys listed and renewed on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_keys_are_listed_and_renewed(omnicrm: Run, home: Path) -> None:
    first = omnicrm("keys", "list", "--json")
    assert (first.returncode, first.stderr) == (0, "")
    assert [key["signs"] for key in json.loads(first.stdout)] == [True]
    done = omnicrm("keys", "rotate")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Key 2 signs from now on.")
    found = json.loads(omnicrm("keys", "list", "--json").stdout)
    assert [(key["number"], key["signs"], key["needed_until"] is None) for key in found] == [
        (1, False, False),
        (2, True, True),
    ]
    assert sorted(path.name for path in (home / "keys").glob("token-*")) == ["token-1.key", "token-2.key"]
    assert omnicrm("keys", "list").stdout.splitlines()[0].split() == ["number", "made", "signs", "needed_until"]


@pytest.mark.req("PLT-227", "PLT-449")
def test_a_secret_of_the_configuration_is_told(omnicrm: Run, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text(f"jwt_secret: {'0f' * 32}\n")
    refused = omnicrm("keys", "rotate")
    assert refused.returncode == 1
    assert "Replace it there by a new one (openssl rand -hex 32)" in refused.stderr
    assert omnicrm("keys", "list").stdout == "There are none: jwt_secret in the configuration signs.\n"
    assert json.loads(omnicrm("keys", "list", "--json").stdout) == []
