"""The systemd units: what systemd itself says of them, and what must hold whatever it says."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from omnicrm_tui.cli.commands import omnicrm
from tests.packaging.conftest import ROOT

UNITS = sorted((ROOT / "packaging" / "systemd").glob("*.service"))
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "PrivateTmp": "yes",
    "ReadWritePaths": "/var/lib/omnicrm",
    "Restart": "on-failure",
    "UMask": "0077",
    "User": "omnicrm",
}


@pytest.mark.req("PLT-424")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_units_are_hardened_and_start_a_command_that_exists(unit: Path, tmp_path: Path) -> None:
    read = configparser.RawConfigParser(strict=False)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(unit)
    service = dict(read["Service"])
    assert service.items() >= HARDENED.items()
    program, command, *options = service["ExecStart"].split()
    assert program == "/usr/local/bin/omnicrm"
    known = omnicrm.get_command(None, command)  # type: ignore[arg-type]
    assert known is not None
    known.make_context(command, options, resilient_parsing=False)
    if command != "lab":
        assert (service["KillMode"], service["OOMPolicy"]) == ("process", "continue")
        # systemd reads the line twice: either file will do.
        assert unit.read_text().count("\nAssertPathExists=|/var/lib/omnicrm/") == 2
    _systemd_finds_no_fault(unit, tmp_path)


def _systemd_finds_no_fault(unit: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        return
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/usr/local/bin/omnicrm", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
