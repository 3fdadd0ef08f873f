"""A disk that is full for somebody in mid-edit and for a running job: a sentence, nothing lost, and all goes on."""

from __future__ import annotations

import os
import re
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bench.pty_run import PtyProgram
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.rules import FAILED, SUCCESS
from tests.crowd.crowd import Place
from tests.crowd.terminals import ANSWER_SECONDS, OMNICRM, add_person, log_in
from tests.fixtures.house import House, wait_for
from tests.full.slow_job import order

pytestmark = [pytest.mark.full, pytest.mark.terminal, pytest.mark.ansible]

SAVE = b"\x13"


@contextmanager
def full_disk(*processes: int) -> Iterator[None]:
    """Let no file grow that these processes write."""
    _let_files_have(1, processes)
    try:
        yield
    finally:
        _let_files_have(resource.RLIM_INFINITY, [number for number in processes if psutil.pid_exists(number)])


def _let_files_have(most: int, processes: tuple[int, ...] | list[int]) -> None:
    for number in processes:
        resource.prlimit(number, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


@pytest.fixture
def place(house: House) -> Place:
    """A home with somebody who may do everything."""
    house.configure()
    place = Place(house.home)
    add_person(place, "ada")
    return place


def drafts(place: Place) -> list[Path]:
    return sorted((place.home / "drafts").glob("*/*"))


def full(program: PtyProgram) -> bool:
    """Tell whether the screen says that the disk is full, whatever box is around it."""
    text = re.sub(r"[\s│]+", " ", program.text)
    return "disk" in text and "full" in text and "Nothing was changed" in text


def begin(program: PtyProgram, place: Place, name: str) -> None:
    """Begin a new customer, and go on until it is kept as a draft."""
    program.write(b"n")
    program.wait_for("New customer", timeout=ANSWER_SECONDS)
    program.write(name.encode())
    program.wait_for(name, timeout=ANSWER_SECONDS)
    program.wait_until(lambda: any(name in path.read_text() for path in drafts(place)), timeout=ANSWER_SECONDS)


@pytest.mark.req("PLT-066")
def test_somebody_in_mid_edit_loses_nothing(place: Place) -> None:
    with PtyProgram([OMNICRM], columns=100, rows=30, env=place.env) as program:
        log_in(program, "ada", "Customers")
        begin(program, place, "Zoe Zero")
        with full_disk(program.pid):
            program.write(b" Two")
            program.write(SAVE)
            program.wait_until(lambda: full(program), timeout=ANSWER_SECONDS)
            program.write(b" Three")
            program.wait_for("Zoe Zero Two Three", timeout=ANSWER_SECONDS)
            program.write(SAVE)
            program.wait_until(lambda: full(program), timeout=ANSWER_SECONDS)
            (kept,) = drafts(place)
            assert "Zoe Zero" in kept.read_text()
        program.write(SAVE)
        program.wait_for("Zoe Zero Two Three #1", timeout=ANSWER_SECONDS)
        assert drafts(place) == []

        program.write(b"\x1b")
        program.wait_for("1 of 1", timeout=ANSWER_SECONDS)
        begin(program, place, "Ada Draft")
        with full_disk(program.pid):
            program.write(b" lost")
            program.write(SAVE)
            program.wait_until(lambda: full(program), timeout=ANSWER_SECONDS)
            os.kill(program.pid, signal.SIGKILL)
    with PtyProgram([OMNICRM], columns=100, rows=30, env=place.env) as program:
        log_in(program, "ada", "There is an unfinished draft")
        program.write(b"\r")
        program.wait_for("New customer", "Ada Draft", timeout=ANSWER_SECONDS)
        program.write(SAVE)
        program.wait_for("Ada Draft #2", timeout=ANSWER_SECONDS)
    crm = place.crm()
    with crm.reading(system_actor("test")) as work:
        rows = work.customers.window(ListQuery(sort="customer_id"), FIRST, 9).rows
    crm.close()
    assert [row.customer_name for row in rows] == ["Zoe Zero Two Three", "Ada Draft"]


@pytest.mark.req("PLT-066")
def test_a_job_whose_database_finds_no_room_ends_as_it_ended(house: House) -> None:
    """The play has room, as on a file system of its own: its end waits until it can be written."""
    house.configure()
    server, client = house.serve()
    crm = house.crm()
    job = order(house, crm, client)
    (runner,) = psutil.Process(server.pid).children()
    with full_disk(runner.pid):
        job.let_it_go_on()
        wait_for(lambda: job.has_ended_its_play, "the play goes on")
        wait_for(lambda: "waits" in (house.home / "logs" / "job.log").read_text() or not_written(runner), "the end")
        assert job.is_running()
    wait_for(lambda: not job.is_running(), "the job's end")
    seen, events = job.seen()
    assert (seen.provisioning_status, seen.status_reason, seen.error_message) == (SUCCESS, "finished", None)
    assert [event.provisioning_status for event in events] == [SUCCESS] * 3
    crm.close()


def not_written(runner: psutil.Process) -> bool:
    """Tell whether the play's process is gone: what is left to do is to write the end."""
    return not runner.children()


@pytest.mark.req("PLT-066")
def test_a_job_whose_play_finds_no_room_has_failed_and_says_why(house: House) -> None:
    house.configure()
    server, client = house.serve()
    crm = house.crm()
    job = order(house, crm, client)
    running = [process.pid for process in psutil.Process(server.pid).children(recursive=True)]
    with full_disk(*running):
        job.let_it_go_on()
        wait_for(lambda: len(psutil.Process(server.pid).children(recursive=True)) <= 1, "the play ends")
        assert not job.has_ended_its_play
        assert job.is_running()
    wait_for(lambda: not job.is_running(), "the job's end")
    seen, _events = job.seen()
    assert seen.provisioning_status == FAILED
    assert seen.error_message
    assert seen.error_message.startswith(("Wait: ", "End: "))
    assert client.get(f"/crm/provision/{job.number}").json()["error_message"] == seen.error_message
    assert client.post(f"/crm/provision/{job.number}/retry").status_code == 200
    wait_for(lambda: job.has_ended_its_play, "another attempt, with room")
    crm.close()
