"""The archive of `make bundle`, whole, on a host without a network: from the archive to the first login."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.install import TARGET_SECONDS, first_login, install, make_archive

pytestmark = pytest.mark.full


@pytest.mark.req("PLT-512", "PLT-585")
def test_from_the_archive_to_the_first_login_without_a_network(tmp_path: Path) -> None:
    archive = make_archive(tmp_path)
    begin = time.monotonic()
    command = install(archive, tmp_path)
    first_login(command, tmp_path)
    assert time.monotonic() - begin < TARGET_SECONDS
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "config.yaml").stat().st_mode & 0o777 == 0o600
