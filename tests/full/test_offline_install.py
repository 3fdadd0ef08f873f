"""The archive of `make bundle` below a folder of one's own, without root and without a network: to the first login.

What root installs, and what follows until the host is lost, is in test_bare_host.py.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.install import COMPANY, CURRENCY, TARGET_SECONDS, first_login, install, make_archive
from omnicrm_tui.config_file import load_settings

pytestmark = pytest.mark.full


@pytest.mark.req("PLT-512", "PLT-579", "PLT-580")
def test_from_the_archive_to_the_first_login(tmp_path: Path) -> None:
    archive = make_archive(tmp_path)
    begin = time.monotonic()
    command = install(archive, tmp_path)
    first_login(command, tmp_path)
    assert time.monotonic() - begin < TARGET_SECONDS
    made = load_settings({"OMNICRM_HOME": str(tmp_path / "home")}).crm
    assert (made.company_name, made.currency) == (COMPANY, CURRENCY)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "config.yaml").stat().st_mode & 0o777 == 0o600
