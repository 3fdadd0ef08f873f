"""A job whose process dies, at whatever task: a second process undoes what it did, or its items are held back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.doctor import data, there
from omnicrm_tui.errors import Conflict
from omnicrm_tui.job.runner import Job
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.progress import EventRecord, JobProgress
from omnicrm_tui.provisioning.recovery import Recovery
from omnicrm_tui.provisioning.rules import FAILED, MOST_CLEAN_UPS, RUNNING, SUCCESS
from omnicrm_tui.provisioning.schemas import EventView, JobView
from tests.fixtures.operator import Operator
from tests.provisioning.test_jobs_end_to_end import everything

pytestmark = [pytest.mark.ansible, pytest.mark.req("SVC-097", "CAT-559")]


class Died(BaseException):
    """Stands in for kill -9: nothing of the process runs on."""


def dies_at(monkeypatch: pytest.MonkeyPatch, task: str, status: int) -> None:
    record = JobProgress.record

    def dying(self: JobProgress, *events: EventRecord, **more: Any) -> None:
        record(self, *events, **more)
        if any(event.event_name == task and event.provisioning_status == status for event in events):
            raise Died

    monkeypatch.setattr(JobProgress, "record", dying)


def killed(operator: Operator, monkeypatch: pytest.MonkeyPatch, provision_id: int, task: str, status: int) -> None:
    with monkeypatch.context() as patched, pytest.raises(Died):
        dies_at(patched, task, status)
        Job(operator.crm, provision_id).run()


def found_dead(operator: Operator, clock: FrozenClock) -> list[int]:
    """Return what the recovery takes for dead, once it has looked long enough."""
    recovery = Recovery(operator.crm, monotonic=lambda: clock.now().timestamp())
    found: list[int] = []
    for _look in range(12):
        clock.advance(timedelta(seconds=10))
        found += recovery.look()
    return found


def seen(operator: Operator, provision_id: int) -> tuple[JobView, list[EventView]]:
    with operator.crm.reading(operator.admin) as work:
        return work.provisioning.get(provision_id), list(work.provisioning.events(provision_id))


TASKS = [
    ("Create the charging account", RUNNING),
    ("Create the charging account", SUCCESS),
    ("Create the HSS subscriber", SUCCESS),
    ("Create the service", SUCCESS),
    ("Assign the inventory", SUCCESS),
    ("Record the set-up charge", SUCCESS),
]


@pytest.mark.parametrize(("task", "status"), TASKS, ids=[f"{task} {status}" for task, status in TASKS])
def test_what_a_dead_process_did_is_undone(
    operator: Operator, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, task: str, status: int
) -> None:
    before = everything(operator)
    provision_id = operator.order()
    killed(operator, monkeypatch, provision_id, task, status)
    assert found_dead(operator, clock) == [provision_id]
    assert operator.dispatcher.dispatched == [provision_id, provision_id]
    job, events = seen(operator, provision_id)
    assert (job.provisioning_status, job.status_reason) == (RUNNING, "clean_up")
    assert RUNNING not in {event.provisioning_status for event in events}
    with operator.crm.as_actor(operator.admin) as work, pytest.raises(Conflict):
        work.inventory.reserve({"SIM Card": operator.sim_id}, provision_id + 1)
    assert Job(operator.crm, provision_id).run() == 0
    job, after = seen(operator, provision_id)
    assert (job.provisioning_status, job.status_reason) == (FAILED, "interrupted")
    assert (job.error_message or "").endswith("What it had done was undone.")
    assert [event.event_number for event in after] == list(range(1, len(after) + 1))
    assert after[: len(events)] == events
    assert "Remove the charging account" in {event.event_name for event in after[len(events) :]}
    assert everything(operator) == before


def test_what_had_not_begun_is_not_undone(
    operator: Operator, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(operator)
    provision_id = operator.order()
    killed(operator, monkeypatch, provision_id, "Check the request", SUCCESS)
    assert found_dead(operator, clock) == [provision_id]
    job, _events = seen(operator, provision_id)
    assert (job.provisioning_status, job.status_reason) == (FAILED, "interrupted")
    assert "had not changed anything" in (job.error_message or "")
    assert everything(operator) == before


def test_a_clean_up_that_dies_is_begun_again_and_not_for_ever(
    operator: Operator, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision_id = operator.order()
    killed(operator, monkeypatch, provision_id, "Create the HSS subscriber", SUCCESS)
    for _attempt in range(MOST_CLEAN_UPS):
        assert found_dead(operator, clock) == [provision_id]
        killed(operator, monkeypatch, provision_id, "Find out what this job did", SUCCESS)
    assert found_dead(operator, clock) == [provision_id]
    job, _events = seen(operator, provision_id)
    assert (job.provisioning_status, job.status_reason) == (FAILED, "interrupted")
    assert "removed by hand" in (job.error_message or "")
    held_back(operator)


def test_the_second_attempt_undoes_what_the_first_did_not(
    operator: Operator, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(operator)
    provision_id = operator.order()
    killed(operator, monkeypatch, provision_id, "Create the HSS subscriber", SUCCESS)
    assert found_dead(operator, clock) == [provision_id]
    killed(operator, monkeypatch, provision_id, "Remove the charging account", SUCCESS)
    assert found_dead(operator, clock) == [provision_id]
    assert Job(operator.crm, provision_id).run() == 0
    assert everything(operator) == before


def held_back(operator: Operator) -> None:
    """Nobody picks the items, and the log says why."""
    with operator.crm.reading(operator.admin) as work:
        items = work.inventory.window(ListQuery(), FIRST, 10).rows
        log = work.activity.window(ListQuery(sort="activity_id", descending=True), FIRST, 20).rows
    states = {item.inventory_id: (item.item_state, item.customer_id) for item in items}
    assert states[operator.sim_id] == states[operator.number_id] == ("Out Of Service", None)
    assert "Item held back" in {row.action for row in log}


def test_what_cannot_be_undone_is_told_and_its_items_are_held_back(
    operator: Operator, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision_id = operator.order()
    killed(operator, monkeypatch, provision_id, "Create the HSS subscriber", SUCCESS)
    assert found_dead(operator, clock) == [provision_id]
    operator.lab.switch("hss", "fail")
    assert Job(operator.crm, provision_id).run() == 0
    job, _events = seen(operator, provision_id)
    assert (job.provisioning_status, job.status_reason) == (FAILED, "interrupted")
    assert "Could not be undone: Delete the HSS subscriber" in (job.error_message or "")
    held_back(operator)
    found = {(one.name, one.state): one.found for one in (*there.charging(operator.crm), *data.jobs(operator.crm))}
    assert ("Charging system", "broken") not in found  # its account is gone
    assert f"job {provision_id} died" in found["Jobs", "look"]


def test_an_account_that_is_left_is_told_by_the_doctor(
    operator: Operator, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision_id = operator.order()
    killed(operator, monkeypatch, provision_id, "Create the HSS subscriber", SUCCESS)
    assert found_dead(operator, clock) == [provision_id]
    operator.lab.switch("ocs", "fail")
    assert Job(operator.crm, provision_id).run() == 0
    operator.lab.switch("ocs")
    [problem] = [one for one in there.charging(operator.crm) if one.state == "broken"]
    assert f"Job {provision_id} failed, and its account Mobile_SIM_" in problem.found


OWN = """- hosts: localhost
  gather_facts: no
  tasks:
    - block:
        - name: Say who I am
          set_fact: {{{fact}}}
        - name: Work
          debug: {{msg: "{{{{ action | default('none') }}}}"}}
      rescue:
        - name: Undo
          debug: {{msg: undone}}
"""


@pytest.mark.parametrize(
    ("fact", "ends"), [("service_uuid: Own_1", "clean_up"), ("colour: red", "interrupted")], ids=["named", "unnamed"]
)
def test_an_operators_own_play_is_run_again_only_where_it_named_its_service(
    operator: Operator,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fact: str,
    ends: str,
) -> None:
    plays = tmp_path / "plays"
    plays.mkdir(exist_ok=True)
    (plays / "play_psim_only.yaml").write_text(OWN.format(fact=fact))
    provision_id = operator.order()
    killed(operator, monkeypatch, provision_id, "Work", RUNNING)
    assert found_dead(operator, clock) == [provision_id]
    job, _events = seen(operator, provision_id)
    assert job.status_reason == ends
    if ends == "interrupted":
        held_back(operator)


def test_a_cancelled_jobs_clean_up_is_not_cancelled(
    operator: Operator, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(operator)
    provision_id = operator.order()
    killed(operator, monkeypatch, provision_id, "Create the HSS subscriber", SUCCESS)
    with operator.crm.as_actor(operator.admin) as work:
        work.session.get_one(Provision, provision_id).cancel_requested = True
    assert found_dead(operator, clock) == [provision_id]
    monkeypatch.setattr("omnicrm_tui.job.runner.CANCEL_POLL_SECONDS", 0.01)
    assert Job(operator.crm, provision_id).run() == 0
    assert everything(operator) == before
