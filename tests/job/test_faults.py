"""Whatever goes wrong beside the play, a job ends with a status and says what to do."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from omnicrm_tui.api.server import ApiServer
from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.job import runner
from omnicrm_tui.job.runner import Job
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.play_failures import ADVICE, NO_API, NOT_KEPT, NOT_WRITTEN
from omnicrm_tui.provisioning.progress import EventRecord, JobEnd, JobProgress
from omnicrm_tui.provisioning.rules import FAILED, SUCCESS
from omnicrm_tui.provisioning.schemas import EventView, JobView
from tests.fixtures.operator import Operator

pytestmark = pytest.mark.ansible

PLAY = """
- hosts: localhost
  gather_facts: no
  tasks:
    - block:
        - name: Begin
          command: "true"
        - name: Go on
          uri: {url: "http://localhost:5000/crm/oam/ping"}
          retries: 600
          delay: 0.1
          until: false
      rescue:
        - name: Clean up
          command: touch REMOVED
        - name: End
          fail: {msg: It was undone}
"""


@pytest.fixture
def cleaned(operator: Operator, tmp_path: Path) -> Path:
    """Install the play; return the file that its rescue section makes."""
    removed = tmp_path / "removed"
    (tmp_path / "plays").mkdir(exist_ok=True)
    (tmp_path / "plays" / "play_simple_service.yaml").write_text(PLAY.replace("REMOVED", str(removed)))
    return removed


def seen(operator: Operator, provision_id: int) -> tuple[JobView, list[EventView]]:
    with operator.crm.reading(operator.admin) as work:
        return work.provisioning.get(provision_id), list(work.provisioning.events(provision_id))


@pytest.mark.req("SVC-033", "SVC-126")
@pytest.mark.parametrize("poison", ["result", "all of it"])
def test_an_event_that_cannot_be_written_ends_the_job_with_a_sentence(
    operator: Operator, cleaned: Path, monkeypatch: pytest.MonkeyPatch, poison: str
) -> None:
    record = JobProgress.record

    def particular(self: JobProgress, *events: EventRecord, **more: Any) -> None:
        for event in events:
            if event.event_name == "Begin" and (poison != "result" or event.result not in ({}, {"msg": NOT_KEPT})):
                raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        record(self, *events, **more)

    monkeypatch.setattr(JobProgress, "record", particular)
    provision_id = operator.order("play_simple_service")
    assert Job(operator.crm, provision_id).run() == 0
    job, events = seen(operator, provision_id)
    assert (job.provisioning_status, job.status_reason) == (FAILED, "fatal")
    assert job.error_message == NOT_WRITTEN.headline
    assert events[-1].event_name == NOT_WRITTEN.title
    assert json.loads(events[-1].provisioning_result_json)[ADVICE] == list(NOT_WRITTEN.advice)
    assert cleaned.exists()
    kept = {event.event_name: event for event in events}
    assert ("Begin" in kept) == (poison == "result")
    if poison == "result":
        assert json.loads(kept["Begin"].provisioning_result_json) == {"msg": NOT_KEPT}
    assert "Clean up" in kept


@pytest.mark.req("SVC-033")
def test_an_end_that_cannot_be_written_as_it_is_keeps_its_status(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plays").mkdir()
    play = "- hosts: localhost\n  gather_facts: no\n  tasks:\n    - set_fact: {colour: blue}\n"
    (tmp_path / "plays" / "play_simple_service.yaml").write_text(play)
    finish = JobProgress.finish

    def particular(self: JobProgress, end: JobEnd) -> None:
        if end.facts:
            raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        finish(self, end)

    monkeypatch.setattr(JobProgress, "finish", particular)
    provision_id = operator.order("play_simple_service")
    assert Job(operator.crm, provision_id).run() == 0
    assert seen(operator, provision_id)[0].provisioning_status == SUCCESS


@pytest.mark.req("SVC-033", "SVC-123")
def test_a_job_whose_api_does_not_start_ends_at_once(
    operator: Operator, cleaned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_self: ApiServer) -> None:
        raise OutsideSystemError("The REST API could not start; the log says why.")

    monkeypatch.setattr(ApiServer, "start", start)
    provision_id = operator.order("play_simple_service")
    begin = time.monotonic()
    assert Job(operator.crm, provision_id).run() == 0
    assert time.monotonic() - begin < 30
    job, events = seen(operator, provision_id)
    assert (job.provisioning_status, job.status_reason, job.error_message) == (FAILED, "fatal", NO_API.headline)
    assert events[-1].event_name == NO_API.title
    assert cleaned.exists()


@pytest.mark.req("SVC-066")
@pytest.mark.parametrize("notices", ["by its heartbeat", "by an event"])
def test_a_job_that_was_ended_meanwhile_stops_its_play_and_says_so(
    operator: Operator,
    cleaned: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    notices: str,
) -> None:
    """It is ended as interrupted when its first task has begun, as by another host that took it for dead."""
    record = JobProgress.record
    ended = []

    def ended_by_another(self: JobProgress, *events: EventRecord, **more: Any) -> None:
        record(self, *events, **more)
        if not ended:
            ended.append(True)
            with operator.crm.reading(operator.admin) as work:
                lease_ms = work.session.get_one(Provision, self.provision_id).lease_until_ms
            assert JobProgress(operator.crm, self.provision_id, "recovery").interrupt(lease_ms)

    monkeypatch.setattr(JobProgress, "record", ended_by_another)
    if notices == "by an event":
        monkeypatch.setattr(runner, "CANCEL_POLL_SECONDS", 600.0)
    else:
        provisioning = operator.crm.settings.provisioning.model_copy(update={"heartbeat_seconds": 0.1})
        operator.crm.settings = operator.crm.settings.model_copy(update={"provisioning": provisioning})
    provision_id = operator.order("play_simple_service")
    with caplog.at_level(logging.WARNING, "omnicrm.job"):
        assert Job(operator.crm, provision_id).run() == 3
    assert "lost its lease" in caplog.text
    job, events = seen(operator, provision_id)
    assert job.status_reason == "interrupted"
    assert "Clean up" not in {event.event_name for event in events}
    assert cleaned.exists()
