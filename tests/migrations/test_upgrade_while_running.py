"""An upgrade while other programs work with the database: they say so and stop writing, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from omnicrm_tui import opening
from omnicrm_tui.crm import Crm
from omnicrm_tui.database import migrate
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.upgrade_lock import JobsRunning, hold_schema
from omnicrm_tui.errors import DatabaseProblem, ProgramOutdated
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.listing import ListQuery
from omnicrm_tui.messaging.leading import Leader
from omnicrm_tui.settings import DatabaseSection, Settings

NEWER = '''"""give customers a colour"""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0999", {head!r}


def upgrade() -> None:
    with op.batch_alter_table("customer") as customer:
        customer.add_column(sa.Column("colour", sa.String(20), nullable=False, server_default="grey"))
    op.create_index("ix_customer_colour", "customer", ["colour"])


def downgrade() -> None:
    op.drop_index("ix_customer_colour", "customer")
    op.drop_column("customer", "colour")
'''

# A program of the version before: saves customers until it may not, then says how many were saved, and why not more.
WRITER = """
import sys
from pathlib import Path
from pydantic import SecretStr
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.errors import DatabaseProblem, ProgramOutdated
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.listing import ListQuery
from omnicrm_tui.schemas import parse
from omnicrm_tui.settings import DatabaseSection, Settings

crm = Crm.open(Settings(home=Path(sys.argv[1]), database=DatabaseSection(url=SecretStr(sys.argv[2]))))
saved = 0
while True:
    try:
        with crm.as_actor(system_actor("writer")) as work:
            work.customers.create(parse(CustomerInput, {"customer_name": f"Number {saved}"}))
        saved += 1
        if saved == 1:
            print("writing", flush=True)
    except ProgramOutdated as error:
        with crm.reading(system_actor("writer")) as work:
            print("read", work.customers.count(ListQuery()).value, flush=True)
        print(saved, flush=True)
        print(error.message, flush=True)
        break
    except DatabaseProblem:
        pass
"""


@pytest.fixture
def at_any(any_database_url: str, tmp_path: Path) -> Settings:
    """Settings that name a database of this program's version on each engine in turn."""
    settings = Settings(home=tmp_path, database=DatabaseSection(url=SecretStr(any_database_url)))
    opening.upgrade(settings)
    return settings


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Make this process the newer program: it has one more revision, whose number is returned."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate._folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0999_give_customers_a_colour.py").write_text(NEWER.format(head=migrate.HEAD))
    monkeypatch.setattr(migrate, "_folder", lambda: folder)
    monkeypatch.setattr(migrate, "HEAD", "0999")
    return "0999"


def _sql(settings: Settings, statement: str) -> list[tuple[object, ...]]:
    engine = make_engine(settings.database_url)
    try:
        with engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def test_a_program_that_writes_meanwhile_stops_and_loses_nothing(at_any: Settings, newer: str) -> None:
    command = [sys.executable, "-c", WRITER, str(at_any.home), at_any.database_url]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
        assert migrate.upgrade(at_any) == [f"{newer}: give customers a colour"]
        saved = 0
        for writer in writers:
            read, number, sentence = writer.communicate(timeout=120)[0].splitlines()
            saved += int(number)
            assert read.startswith("read ")
            assert sentence.startswith("This program was upgraded meanwhile.")
            assert writer.returncode == 0
    finally:
        for writer in writers:
            writer.kill()
    assert _sql(at_any, "SELECT count(*), min(colour) FROM customer") == [(saved, "grey")]


def test_two_processes_that_upgrade_at_once_do_it_once(any_database_url: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"database:\n  url: {json.dumps(any_database_url)}\n")
    config.chmod(0o600)
    environment = {**os.environ, "OMNICRM_HOME": str(tmp_path / "home"), "OMNICRM_CONFIG": str(config)}
    command = [sys.executable, "-m", "omnicrm_tui.cli", "db", "upgrade"]
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Upgraded to 0001" in out for out, _err in said) == 1
    assert sum("The database is up to date." in out for out, _err in said) == 1


def test_a_writer_under_way_is_waited_for(at_any: Settings, admin: Actor) -> None:
    old = Crm.open(at_any)
    order: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with old.as_actor(admin) as work:
            work.customers.count(ListQuery())
            begun.set()
            go_on.wait(30)
            order.append("written")

    def upgrade() -> None:
        engine = make_engine(at_any.database_url)
        with engine.begin() as connection:
            hold_schema(connection)
            order.append("upgraded")
        engine.dispose()

    writing, upgrading = threading.Thread(target=write), threading.Thread(target=upgrade)
    writing.start()
    assert begun.wait(30)
    upgrading.start()
    upgrading.join(0.2)
    go_on.set()
    writing.join(30)
    upgrading.join(30)
    old.close()
    assert order == ["written", "upgraded"]


def test_reading_goes_on_and_chores_are_left_to_the_newer_program(
    settings: Settings, newer: str, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    old = opening.open_crm(settings)
    assert old.outdated() == ""
    _sql(settings, f"UPDATE alembic_version SET version_num = '{newer}'")
    assert old.outdated().startswith("This program was upgraded meanwhile.")
    with old.reading(admin) as work:
        assert work.customers.count(ListQuery()).value == 0
    with pytest.raises(ProgramOutdated), old.as_actor(admin) as work:
        work.customers.count(ListQuery())
    leader = threading.Thread(target=Leader(old, "outbox", threading.Event(), [], 0.01).run)
    leader.start()
    leader.join(30)
    assert not leader.is_alive()
    old.close()


def test_a_database_taken_back_is_told_apart(settings: Settings, admin: Actor) -> None:
    crm = opening.open_crm(settings)
    _sql(settings, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(ProgramOutdated, match="taken back"), crm.as_actor(admin) as work:
        work.customers.count(ListQuery())
    crm.close()


def _run_job(settings: Settings, number: int, seconds: float) -> None:
    until = int((time.time() + seconds) * 1000)
    stamps = "'2026-11-21 12:00:00', '2026-11-21 12:00:00'"
    _sql(
        settings,
        "INSERT INTO provision (provision_id, provisioning_play, playbook_description, provisioning_json_vars,"
        " inventory_choices, facts, provisioning_status, status_reason, task_count, event_count, cancel_requested,"
        f" created, last_modified, version, lease_until_ms) VALUES ({number}, 'p', 'p', '{{}}', '{{}}', '{{}}', 1,"
        f" 'running', 1, 1, {'false' if settings.database_url.startswith('postgres') else 0}, {stamps}, 1, {until})",
    )


def test_an_upgrade_waits_for_jobs_and_says_for_which(at_any: Settings, newer: str) -> None:
    _run_job(at_any, 88, seconds=3600)
    _run_job(at_any, 91, seconds=-1)
    assert migrate.plan(at_any).running_jobs == (88,)
    with pytest.raises(JobsRunning, match=r"Jobs are running \(88\)"):
        opening.upgrade(at_any)
    assert migrate.current_version(at_any).state is migrate.SchemaState.OLDER

    waited_for: list[list[int]] = []

    def told(waits: JobsRunning) -> None:
        waited_for.append(waits.jobs)
        _sql(at_any, "UPDATE provision SET provisioning_status = 0 WHERE provision_id = 88")

    assert opening.upgrade(at_any, wait_seconds=60, told=told)[-1].startswith(newer)
    assert waited_for == [[88]]


def test_an_upgrade_tells_what_it_will_do_and_about_how_long(at_any: Settings, newer: str) -> None:
    (step,) = migrate.plan(at_any).steps
    assert (step.revision, step.title) == (newer, "give customers a colour")
    assert [(one.table, one.how, one.rows) for one in step.tables] == [("customer", "copied", 0)]
    assert 0 < step.seconds < 1
    assert migrate.current_version(at_any).state is migrate.SchemaState.OLDER


def test_mariadb_tells_writers_of_an_upgrade_under_way(
    every_database_url: dict[str, str], tmp_path: Path, admin: Actor
) -> None:
    settings = Settings(home=tmp_path, database=DatabaseSection(url=SecretStr(every_database_url["mariadb"])))
    opening.upgrade(settings)
    crm = opening.open_crm(settings)
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        hold_schema(connection)
        with pytest.raises(DatabaseProblem, match="is being upgraded"), crm.as_actor(admin) as work:
            work.customers.count(ListQuery())
    engine.dispose()
    crm.close()
