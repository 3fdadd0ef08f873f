"""A job as one watches it: live, rolled back, ended, found again in the list."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.schemas import ServiceInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.provisioning.schemas import EventView
from screens.job_story import LONGEST_DETAIL, detail, duration, output, remaining
from tests.fixtures.databases import NOON
from tests.screens.harness import LARGE, press, screen_lines, screen_text, settled, signed_in_app, until
from tests.screens.shop import FakeJob, failed_job, open_shop, start_job


def line_with(app: Any, text: str) -> str:
    """Return the line of the screen that holds `text`."""
    return next((line for line in screen_lines(app) if text in line), "")


def event(**result: object) -> EventView:
    """Return an event that ended well with that result."""
    return EventView(1, 1, "Task", "main", 0, json.dumps(result), NOON, NOON)


@pytest.mark.req("SVC-070", "SVC-071", "SVC-074", "SVC-076", "SVC-077", "SVC-175", "PLT-046")
async def test_tasks_appear_as_they_happen(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    number = start_job(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        app = pilot.app
        app.open_place("job", number)  # type: ignore[attr-defined]
        await until(pilot, lambda: "Provisioning Status: Running, waiting to be started" in screen_text(app))
        assert "○ pending" in line_with(app, "Load the configuration")
        job = FakeJob(crm, number)
        task = job.begin("Load the configuration")
        await until(pilot, lambda: "▸ running  12:00:00" in line_with(app, "Load the configuration"))
        assert "(0 of 5 tasks completed)" in screen_text(app)
        job.end(task, "Load the configuration")
        await until(pilot, lambda: "✓ done     12:00:00    0.5 s" in line_with(app, "Load the configuration"))
        assert "(1 of 5 tasks completed)" in screen_text(app)
        assert "20 %" in screen_text(app)
        job.task("Log the key values", msg="ICCID: 8944000000000000001")
        await until(pilot, lambda: "Log the key values (ICCID: 8944000000000000001)" in screen_text(app))
        job.task("An optional look-up", 3, msg="no answer")
        await until(pilot, lambda: "! ignored" in line_with(app, "An optional look-up (no answer)"))
        job.task("Not needed here", skipped=True)
        await until(pilot, lambda: "· skipped" in line_with(app, "Not needed here"))


@pytest.mark.req("SVC-176", "SVC-183", "BIL-146")
async def test_success_names_the_service_and_leads_to_it(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    number = start_job(crm, admin, installation_date="2026-12-01")
    job = FakeJob(crm, number)
    with crm.as_actor(admin) as work:
        made = ServiceInput(customer_id=1, service_name="Mobile new", service_type="mobile", service_uuid="M_9")
        service = work.customer_services.create(made)
        work.provisioning.attach_service(number, service.service_id, "M_9")
    async with signed_in_app(crm, admin) as pilot:
        pilot.app.open_place("job", number)  # type: ignore[attr-defined]
        job.task("Create the service")
        job.finish()
        await until(pilot, lambda: "✓ Service successfully provisioned for Ada Lovelace" in screen_text(pilot.app))
        seen = screen_text(pilot.app)
        assert "Mobile new" in seen
        assert "Installation is agreed for 2026-12-01: make the ticket for it." in seen
        assert str(service.service_id) in line_with(pilot.app, "Service ID")
        assert "[ View Service ]  [ Close ]" in seen
        await pilot.press("enter")
        await until(pilot, lambda: "Mobile new" in screen_lines(pilot.app)[0])


@pytest.mark.req("SVC-177", "SVC-084", "BIL-147")
async def test_failure_tells_what_was_undone_and_what_was_not(crm: Crm, admin: Actor) -> None:
    dispatcher = open_shop(crm, admin)
    number = failed_job(crm, admin)
    async with signed_in_app(crm, admin, LARGE) as pilot:
        app = pilot.app
        app.open_place("job", number)  # type: ignore[attr-defined]
        await settled(pilot)
        seen = screen_text(app)
        assert "✗ Error: Read the product: the CRM does not answer" in seen
        assert "Rolled back as far as possible (1 tasks)" in seen
        assert "Could not be undone, check by hand: Delete the HSS subscriber" in seen
        assert "What to do:" in seen
        assert "Rollback: what had been made was taken back" in seen
        assert line_with(app, "Remove the charging account").startswith(" ↩ ✓ done")
        assert "○ not run" in seen
        await press(pilot, "right", "enter")
        assert "msg: Status code was 503" in screen_text(app)
        await press(pilot, "R")
        await until(pilot, lambda: "Jobs › #2" in screen_text(app) and "retry of #1" in screen_text(app))
    assert dispatcher.dispatched == [1, 2]


@pytest.mark.req("SVC-070")
async def test_the_rollback_stands_apart_while_it_runs(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    number = start_job(crm, admin)
    job = FakeJob(crm, number)
    job.task("Load the configuration", 2, msg="gone")
    job.begin("Remove the charging account", "rescue")
    async with signed_in_app(crm, admin, LARGE) as pilot:
        pilot.app.open_place("job", number)  # type: ignore[attr-defined]
        await until(pilot, lambda: "Rolling back…" in screen_text(pilot.app))
        assert "Running, rolling back" in screen_text(pilot.app)
        assert "▸ running" in line_with(pilot.app, "↩ ")


async def test_a_held_view_goes_on_where_it_was(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    number = start_job(crm, admin)
    job = FakeJob(crm, number)
    async with signed_in_app(crm, admin) as pilot:
        pilot.app.open_place("job", number)  # type: ignore[attr-defined]
        await until(pilot, lambda: "Running (0 of" in screen_text(pilot.app))
        await pilot.press("P")
        await settled(pilot)
        job.task("Load the configuration")
        await settled(pilot)
        assert "HELD" in screen_text(pilot.app)
        assert "(0 of" in screen_text(pilot.app)
        await pilot.press("P")
        await until(pilot, lambda: "(1 of" in screen_text(pilot.app))


async def test_cancelling_asks_and_is_seen(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    number = start_job(crm, admin)
    job = FakeJob(crm, number)
    async with signed_in_app(crm, admin) as pilot:
        pilot.app.open_place("job", number)  # type: ignore[attr-defined]
        await until(pilot, lambda: "Running (0 of" in screen_text(pilot.app))
        await pilot.press("x")
        await until(pilot, lambda: "Cancel job 1?" in screen_text(pilot.app))
        assert not job.progress.cancel_requested()
        await pilot.press("y")
        await until(pilot, lambda: "Running, cancelling" in screen_text(pilot.app))
        assert job.progress.cancel_requested()


async def test_following_ends_with_a_move_and_begins_again(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    number = start_job(crm, admin)
    job = FakeJob(crm, number)
    for at in range(40):
        job.task(f"Task {at}")
    async with signed_in_app(crm, admin) as pilot:
        pilot.app.open_place("job", number)  # type: ignore[attr-defined]
        await until(pilot, lambda: "Task 39" in screen_text(pilot.app) and "following" in screen_text(pilot.app))
        await pilot.press("home")
        await until(pilot, lambda: "Task 0" in screen_text(pilot.app) and "following" not in screen_text(pilot.app))
        job.task("Task 40")
        await until(pilot, lambda: "(41 of" in screen_text(pilot.app))
        assert "Task 40" not in screen_text(pilot.app)
        await pilot.press("F")
        await until(pilot, lambda: "Task 40" in screen_text(pilot.app))


@pytest.mark.req("SVC-043", "SVC-078")
async def test_jobs_are_listed_newest_first_and_filtered(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    failed_job(crm, admin)
    start_job(crm, admin, 3, 4)
    async with signed_in_app(crm, admin, LARGE, room="jobs") as pilot:
        lines = [line for line in screen_lines(pilot.app) if "Ada Lovelace" in line]
        assert "Running, waiting" in lines[0]
        assert "Failed" in lines[1]
        await press(pilot, "f", "down", "down", "space", "escape")
        assert "1 of 1" in screen_text(pilot.app)
        await press(pilot, "enter")
        await until(pilot, lambda: "Provisioning Status: Failed" in screen_text(pilot.app))


@pytest.mark.req("SVC-077")
def test_what_is_planned_follows_the_last_task_that_ran() -> None:
    planned = ["a", "b", "c", "b", "d"]
    assert remaining([], planned) == planned
    assert remaining(["a", "unknown", "b"], planned) == ["c", "b", "d"]
    assert remaining(["a", "b", "c", "b"], planned) == ["d"]
    assert remaining(["a", "b", "c", "b", "d", "more"], planned) == []


@pytest.mark.req("SVC-177")
async def test_a_loop_that_failed_tells_the_cause_of_its_round(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    number = start_job(crm, admin)
    job = FakeJob(crm, number)
    rounds = [{"msg": "fine"}, {"failed": True, "msg": "Status code was 503"}]
    job.task("Look for the subscriber", 2, msg="One or more items failed", results=rounds)
    job.finish(2, "failed", "Look for the subscriber: One or more items failed")
    async with signed_in_app(crm, admin, LARGE) as pilot:
        pilot.app.open_place("job", number)  # type: ignore[attr-defined]
        await settled(pilot)
        assert "Cause: Status code was 503" in screen_text(pilot.app)
        assert "(Status code was 503)" in line_with(pilot.app, "✗ failed")


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (42, "42 s"), (185.4, "3 m 05 s")])
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.req("SVC-076")
def test_a_long_result_is_cut_and_can_be_had_whole() -> None:
    long = event(stdout="\n".join(str(at) for at in range(500)), status=200)
    assert output(long)[:2] == ["stdout:", "  0"]
    assert output(long)[-1] == "status: 200"
    assert len(output(long)) == 502
    assert len(detail(long)) == LONGEST_DETAIL + 1
    assert "302 more lines" in detail(long)[-1]
