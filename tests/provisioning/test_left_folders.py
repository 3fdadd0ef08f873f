"""Folders of jobs hold keys and tokens: those of living processes stay, all others go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omnicrm_tui.provisioning.job_folder import JobFolder
from omnicrm_tui.provisioning.left_folders import remove_left_folders
from tests.fixtures.operator import let_go

pytestmark = pytest.mark.req("SVC-017")


def test_what_a_living_process_holds_stays_and_what_nobody_holds_goes(tmp_path: Path) -> None:
    held, left = JobFolder.make(tmp_path, 1), JobFolder.make(tmp_path, 1)
    let_go(left)
    (tmp_path / "notes").mkdir()
    remove_left_folders(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {held.root.name, "notes"}
    held.remove()
    assert not held.root.exists()


def test_a_folder_that_is_just_being_made_stays_and_an_old_one_without_a_lock_goes(tmp_path: Path) -> None:
    making, old = tmp_path / "job-1-making", tmp_path / "job-2-old"
    for folder in (making, old):
        folder.mkdir()
    os.utime(old, (0, 0))
    remove_left_folders(tmp_path)
    assert (making.exists(), old.exists()) == (True, False)


def test_without_a_folder_for_jobs_there_is_nothing_to_do(tmp_path: Path) -> None:
    remove_left_folders(tmp_path / "jobs")
    assert list(tmp_path.iterdir()) == []
