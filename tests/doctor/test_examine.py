"""The doctor: what it finds, and that it says how to mend it."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from omnicrm_tui.billing.schemas import InvoiceInput
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.database import migrate
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.doctor import data, here, there
from omnicrm_tui.doctor.examine import examine
from omnicrm_tui.doctor.findings import Finding
from omnicrm_tui.identity.actor import Actor, system_actor
from omnicrm_tui.identity.models import User
from omnicrm_tui.inventory.schemas import ItemChange
from omnicrm_tui.lab.network import LabNetwork
from omnicrm_tui.messaging.leases import Lease
from omnicrm_tui.messaging.rules import JOBS, SCHEDULE
from omnicrm_tui.opening import open_crm
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.progress import EventRecord, JobEnd, JobProgress
from omnicrm_tui.settings import Settings
from tests.fixtures.operator import Stock
from tests.screens.people import add_people, add_user

GOOD_TERMINAL = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLUMNS": "120", "LINES": "40"}


def _only(findings: Iterable[Finding]) -> Finding:
    [found] = findings
    assert (found.state == "fine") != bool(found.mend), "what is not fine says how to mend it, and nothing else does"
    return found


def _with(settings: Settings, **sections: dict[str, Any]) -> Settings:
    return Settings.model_validate({"home": settings.home, **sections})


@pytest.mark.req("PLT-518")
def test_a_sound_home_is_fine_but_for_what_is_not_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LINES", "40")
    settings = load_settings({"OMNICRM_HOME": str(tmp_path / "home")})
    open_crm(settings).close()
    found = list(examine(settings, GOOD_TERMINAL))
    assert [finding for finding in found if finding.state == "broken"] == []
    looks = {finding.name for finding in found if finding.state == "look"}
    assert looks == {"HSS", "SMS centre", "Charging system", "Mail"}
    fine = {finding.name for finding in found if finding.state == "fine"}
    assert fine == {"Configuration", "State folder", "Disk", "Terminal", "Ansible", "Plays", "Database", "Clock"} | {
        "Outbox",
        "Jobs",
        "Signing key",
        "Data",
    }


def test_every_outside_system_is_asked(settings: Settings, empty_sqlite: Path) -> None:
    with LabNetwork(settings.home / "lab") as lab:
        at = lab.addresses
        host, _, port = at.mail.rpartition(":")
        live = _with(
            settings,
            ocs={"cgrates": at.ocs},
            hss={"hss_peers": [at.hss]},
            smsc={"smsc_url": at.smsc},
            smtp={"host": host, "port": int(port)},
        )
        crm = open_crm(live)
        for found in (there.charging(crm), there.subscribers(live), there.short_messages(live), there.mail(crm)):
            assert _only(found).state == "fine"
    for found in (there.charging(crm), there.subscribers(live), there.short_messages(live), there.mail(crm)):
        assert _only(found).state == "broken"
    crm.close()


def test_keys_that_others_can_read_are_told_with_the_command_that_closes_them(settings: Settings) -> None:
    settings.home.chmod(0o700)
    settings.keys_folder.mkdir(mode=0o700)
    key = settings.keys_folder / "column-1.key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    found = _only(here.home(settings))
    assert (found.state, found.mend) == ("broken", f"chmod 600 {key}")
    key.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert _only(here.home(settings)).state == "fine"


@pytest.mark.parametrize(
    ("free", "state"), [(10**6, "broken"), (10**9, "look"), (10**11, "fine")], ids=["full", "little", "enough"]
)
def test_the_disk_is_looked_at(settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free = free

    monkeypatch.setattr(here.shutil, "disk_usage", lambda _path: Usage())
    assert _only(here.disk(settings)).state == state


@pytest.mark.parametrize(
    ("program", "content", "words"),
    [
        ("absent", None, "does not run"),
        ("failing", "#!/bin/sh\necho no python >&2\nexit 3\n", "no python"),
    ],
)
def test_an_ansible_that_does_not_run_is_told(
    settings: Settings, tmp_path: Path, program: str, content: str | None, words: str
) -> None:
    path = tmp_path / program
    if content:
        path.write_text(content)
        path.chmod(0o700)
    found = _only(here.ansible(_with(settings, provisioning={"ansible_playbook": str(path)})))
    assert found.state == "broken"
    assert words in found.found
    assert "provisioning.ansible_playbook" in found.mend


def test_a_play_that_cannot_be_read_is_told_by_name(settings: Settings) -> None:
    settings.plays_folder.mkdir()
    (settings.plays_folder / "play_broken.yaml").write_text("- hosts: [")
    found = _only(here.plays(settings))
    assert found.state == "broken"
    assert "play_broken.yaml" in found.found


@pytest.mark.parametrize(
    ("environ", "words"),
    [({}, "TERM"), ({"TERM": "dumb"}, "dumb"), ({"TERM": "xterm", "LANG": "C"}, "UTF-8")],
)
def test_a_poor_terminal_is_told(environ: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LINES", "40")
    found = _only(here.terminal(environ))
    assert found.state == "look"
    assert words in found.found + found.mend


def test_a_small_terminal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    assert "60 columns and 20 lines" in _only(here.terminal(GOOD_TERMINAL)).found


def test_a_database_that_is_not_there_ends_the_examination_with_its_reason(settings: Settings) -> None:
    gone = _with(settings, database={"url": "postgresql+psycopg://omni@127.0.0.1:1/omnicrm"})
    found = list(examine(gone, GOOD_TERMINAL))
    assert found[-1].name == "Database"
    assert found[-1].state == "broken"
    assert "refused" in found[-1].found or "reached" in found[-1].found


def test_an_empty_server_asks_for_its_tables(settings: Settings, any_database_url: str) -> None:
    found = _only(data.version(_with(settings, database={"url": any_database_url})))
    assert found.state == "broken"
    assert (found.found, found.mend) == ("It is empty.", "Run 'omnicrm db upgrade' to make its tables.")


def test_a_database_that_is_being_filled_is_not_called_an_older_one(settings: Settings) -> None:
    open_crm(settings).close()
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        migrate.mark_loading(connection, "3d5a34")
    engine.dispose()
    found = _only(data.version(settings))
    assert found.state == "broken"
    assert found.found.startswith("It is being filled by a restore or a move")
    assert "run the same command again" in found.mend


def test_the_clocks_of_both_hosts_are_compared(any_crm: Crm, clock: FrozenClock) -> None:
    clock.advance(any_crm.database_clock() - clock.now())
    assert _only(data.clock(any_crm)).state == "fine"
    clock.advance(timedelta(hours=1))
    found = _only(data.clock(any_crm))
    assert found.state == "broken"
    assert "-3600 s" in found.found


def test_mail_that_nobody_delivers_is_told(crm: Crm, clock: FrozenClock) -> None:
    assert _only(data.leases(crm)).state == "fine"
    with crm.as_actor(system_actor("test")) as work:
        work.messaging.enqueue_sms("+441234567", "hello")
    found = _only(data.leases(crm))
    assert found.state == "broken"
    assert "1 message is due, and no process delivers them." in found.found


def test_a_job_without_a_process_is_told_by_number(crm: Crm, clock: FrozenClock) -> None:
    with crm.as_actor(system_actor("test")) as work:
        now = clock.now()
        job = Provision(
            provisioning_play="play_simple_service",
            playbook_description="A service",
            task_count=1,
            provisioning_json_vars={},
            inventory_choices={},
            facts={},
            provisioning_status=1,
            status_reason="running",
            lease_owner="gone",
            lease_until_ms=int(now.timestamp() * 1000) + 1000,
            cancel_requested=False,
            event_count=0,
        )
        work.session.add(job)
    assert _only(data.jobs(crm)).state == "fine"
    clock.advance(timedelta(seconds=2))
    found = _only(data.jobs(crm))
    assert (found.state, found.found) == ("broken", "1 job has no process: 1, and nobody sees to them.")
    for duty in (JOBS, SCHEDULE):
        Lease(crm, duty, "host:1:x").hold()
    found = _only(data.jobs(crm))
    assert (found.state, found.found) == ("look", "1 job has no process: 1")


def test_a_job_that_nobody_starts_is_told(stock: Stock, clock: FrozenClock) -> None:
    number = stock.order()
    assert _only(data.jobs(stock.crm)).state == "fine"
    clock.advance(timedelta(minutes=3))
    assert f"1 job has no process: {number}" in _only(data.jobs(stock.crm)).found


def test_what_a_dead_process_left_is_told_until_somebody_has_mended_it(stock: Stock, clock: FrozenClock) -> None:
    number = stock.order()
    progress = JobProgress(stock.crm, number, "one")
    assert progress.claim(11) is not None
    event = EventRecord(1, "Name the service", "main", 0, {}, clock.now(), clock.now())
    progress.record(event, facts={"provisioned_by_this_job": True, "service_uuid": "Mobile_SIM_1"})
    progress.interrupt(_lease_of(stock, number))
    assert JobProgress(stock.crm, number, "two").claim(12) is not None
    JobProgress(stock.crm, number, "two").finish(
        JobEnd(2, "interrupted", "died", {"service_uuid": "Mobile_SIM_1"}, held_back=True)
    )
    found = _only(data.jobs(stock.crm))
    assert (found.state, f"items {stock.sim_id}, {stock.number_id}" in found.found) == ("look", True)
    with stock.crm.as_actor(stock.admin) as work:
        assert [job.account for job in work.provisioning.left_over()] == ["Mobile_SIM_1"]
        for item in (stock.sim_id, stock.number_id):
            work.inventory.update(item, ItemChange(item_state="In Stock"))
    assert _only(data.jobs(stock.crm)).state == "fine"


def _lease_of(stock: Stock, number: int) -> int | None:
    with stock.crm.reading(stock.admin) as work:
        return work.session.get_one(Provision, number).lease_until_ms


def test_a_signing_key_that_is_too_old_is_told_unless_it_may_be(settings: Settings, clock: FrozenClock) -> None:
    def found(days: int) -> Finding:
        crm = open_crm(_with(settings, security={"signing_key_days": days}))
        crm.clock = clock
        with crm.as_actor(system_actor("test")) as work:
            work.identity.rotate_signing_key()
        clock.advance(timedelta(days=31))
        finding = _only(data.signing_key(crm))
        crm.close()
        return finding

    assert (found(30).state, found(31).state, found(0).state) == ("look", "fine", "fine")
    configured = open_crm(settings.model_copy(update={"jwt_secret": SecretStr("s" * 64)}))
    assert _only(data.signing_key(configured)).found == "jwt_secret of the configuration"
    configured.close()


def test_a_key_that_stands_for_nobody_is_told(crm: Crm, admin: Actor) -> None:
    add_user(crm, admin)
    assert list(data.ssh_identities(crm)) == []

    def found(*users: str) -> list[Finding]:
        lines = [{"principal": str(number), "user": user} for number, user in enumerate(users)]
        crm.settings = _with(crm.settings, security={"ssh_identities": lines})
        return list(data.ssh_identities(crm))

    assert [(finding.state, finding.found) for finding in found("ada", "Ada@mail.example")] == [
        ("fine", "2 stand for users")
    ]
    assert [(finding.state, finding.found) for finding in found("ada", "bob")] == [
        ("look", "entry 2 (1): There is no user bob.")
    ]
    with crm.as_actor(admin) as work:
        work.session.get_one(User, 1).active = False
    assert _only(found("ada")).found == "entry 1 (0): ada may not log in."


def test_data_that_do_not_agree_are_told(any_crm: Crm, admin: Actor) -> None:
    assert _only(data.agreement(any_crm)).state == "fine"
    add_people(any_crm, admin)
    today = any_crm.clock.now().date()
    with any_crm.as_actor(admin) as work:
        work.billing.add_invoice(InvoiceInput(customer_id=1, start_date=today, end_date=today))
    assert _only(data.agreement(any_crm)).state == "fine"
    with any_crm.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE customer_invoice SET subtotal = subtotal + 1")
    found = [finding.found for finding in data.agreement(any_crm)]
    assert found
    assert all("Invoice 1" in sentence for sentence in found)
