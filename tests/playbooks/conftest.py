"""A play, run for real against systems in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from omnicrm_tui.clock import SystemClock
from omnicrm_tui.provisioning.ansible_process import AnsibleProcess, RunSettings
from omnicrm_tui.provisioning.ansible_run import PlayResult, PlayRun
from omnicrm_tui.provisioning.job_folder import JobFolder
from omnicrm_tui.provisioning.task_events import TaskEvent
from omnicrm_tui.redaction import Redactor, SecretValues
from omnicrm_tui.shipped import PLAYS
from tests.playbooks.fake_backend import TOKEN, Backend, running_backend

MOBILE = {"product_id": 1, "customer_id": 456, "SIM Card": 789, "Mobile Number": 101, "iccid": "", "msisdn": ""}


@dataclass
class Job:
    """What came of one run."""

    result: PlayResult | None = None
    events: list[TaskEvent] = field(default_factory=list)
    folder: JobFolder | None = None

    def last(self) -> dict[str, TaskEvent]:
        """Each task as it ended."""
        return {event.event_name: event for event in self.events}

    @property
    def fatal(self) -> TaskEvent:
        return next(event for event in self.events if event.fatal)


@pytest.fixture
def backend() -> Iterator[Backend]:
    with running_backend() as running:
        yield running


@pytest.fixture
def run_play(backend: Backend, tmp_path: Path) -> Callable[..., Job]:
    """Run a play to its end; `during` gets the run, in a thread of its own."""

    def run(
        name: str,
        variables: Mapping[str, Any] | None = None,
        *,
        home: Path | None = None,
        settings: RunSettings | None = None,
        during: Callable[[PlayRun, Job], None] | None = None,
        tokens: tuple[str, str | None] = (TOKEN, None),
        config: dict[str, Any] | None = None,
    ) -> Job:
        given = {**MOBILE, **(variables or {}), "access_token": TOKEN, "initiating_user": 1}
        given = {name: value for name, value in given.items() if value is not None}
        plays = [home, PLAYS] if home else [PLAYS]
        job = Job()
        with JobFolder.make(tmp_path / "jobs") as folder:
            folder.fill(play_folders=plays, config=config or backend.config, variables=given, api_url=backend.api_url)
            folder.write_tokens(*tokens)
            job.folder = folder
            play = PlayRun(
                name,
                AnsibleProcess(folder, backend.api_url, settings),
                job.events.extend,
                variables=given,
                redactor=Redactor(SecretValues([*tokens])),
                clock=SystemClock(),
            )
            helper = threading.Thread(target=during, args=(play, job), daemon=True) if during else None
            if helper:
                helper.start()
            job.result = play.run()
            if helper:
                helper.join(30)
        return job

    return run
