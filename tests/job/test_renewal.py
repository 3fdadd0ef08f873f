"""A job's tokens are renewed while its play runs, whatever happens to the database and the disk meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.identity.schemas import Tokens
from omnicrm_tui.job import runner
from omnicrm_tui.job.runner import Job
from omnicrm_tui.provisioning.ansible_run import PlayRun
from omnicrm_tui.provisioning.job_folder import JobFolder
from tests.fixtures.operator import Operator


class Folder:
    """A job's folder on a disk that is full once."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.full = True

    def write_tokens(self, access_token: str) -> None:
        if self.full:
            self.full = False
            raise OSError(28, "No space left on device")
        self.written.append(access_token)


class Run:
    """A play that nobody stops."""

    def cancel(self) -> None:
        raise AssertionError("the play was stopped")


def test_what_could_not_be_renewed_or_written_is_tried_again(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A used refresh token must not be used again: that ends all tokens of the job."""
    monkeypatch.setattr(runner, "CANCEL_POLL_SECONDS", 0.0)
    monkeypatch.setattr(runner, "RENEW_AGAIN_SECONDS", 0.0)
    security = operator.crm.settings.security.model_copy(update={"access_token_minutes": 0})
    operator.crm.settings = operator.crm.settings.model_copy(update={"security": security})
    job, folder = Job(operator.crm, operator.order("play_simple_service")), Folder()
    assert job._progress.claim(1)
    used: list[str] = []

    def renewed(refresh_token: str) -> Tokens:
        used.append(refresh_token)
        if len(used) == 1:
            raise DatabaseProblem("The database is locked.")
        if len(used) == 4:
            job._stopped.set()
        return Tokens(f"access {len(used)}", f"refresh {len(used)}", datetime(2026, 1, 1, tzinfo=UTC))

    monkeypatch.setattr(job, "_renewed_tokens", renewed)
    job._keep(cast("PlayRun", Run()), cast("JobFolder", folder), "refresh 0")
    assert used == ["refresh 0", "refresh 0", "refresh 2", "refresh 3"]
    assert folder.written == ["access 3", "access 4"]
