"""Models and migrations agree on each database, and the history can be walked up and down."""

from __future__ import annotations

import json
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, insert, inspect, text

from omnicrm_tui.customers.models import Contact, Customer
from omnicrm_tui.database import migrate
from omnicrm_tui.database.base import Base
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.migrate import SchemaState
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.identity.models import Role, User, user_role
from omnicrm_tui.redaction import Redactor
from omnicrm_tui.settings import DatabaseSection, Settings


@pytest.fixture
def at_any(any_database_url: str, tmp_path: Path) -> Settings:
    """Settings that name a new, empty database on each engine in turn."""
    return Settings(home=tmp_path, database=DatabaseSection(url=SecretStr(any_database_url)))


def _shape(connection: Connection) -> dict[str, Any]:
    """Everything that the database says about its tables, in a form that two databases can be compared by."""
    seen = inspect(connection)
    return {
        table: {
            "columns": {
                column["name"]: (
                    column["type"].compile(connection.dialect),
                    column["nullable"],
                    str(column["default"]),
                )
                for column in seen.get_columns(table)
            },
            "key": seen.get_pk_constraint(table),
            "foreign": sorted(map(str, seen.get_foreign_keys(table))),
            "unique": sorted(map(str, seen.get_unique_constraints(table))),
            "checks": sorted(map(str, seen.get_check_constraints(table))),
            "indexes": sorted(map(str, seen.get_indexes(table))),
        }
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


def _shape_of(engine: Engine) -> dict[str, Any]:
    with engine.begin() as connection:
        return _shape(connection)


def test_models_and_migrations_agree(at_any: Settings) -> None:
    migrate.upgrade(at_any)
    engine = make_engine(at_any.database_url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    migrated = _shape_of(engine)
    migrate.downgrade(at_any, "base")
    metadata.create_all(engine)
    # The comparison above is blind to CHECK constraints, collations and ON DELETE; the database is not.
    assert migrated == _shape_of(engine)
    engine.dispose()


def test_up_down_up_leaves_nothing(at_any: Settings) -> None:
    engine = make_engine(at_any.database_url)
    first = migrate.upgrade(at_any)
    shape = _shape_of(engine)
    assert shape
    migrate.downgrade(at_any, "base")
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == []
    assert migrate.upgrade(at_any) == first
    assert _shape_of(engine) == shape
    engine.dispose()


def _interrupted(*_arguments: object, **_named: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.req("SVC-017")
def test_secrets_of_the_jobs_there_are_get_sealed_and_come_back(
    at_any: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = {
        1: (2, {"wifi_password": "correct-horse", "speed": 100}),
        2: (0, {"wifi_password": "battery-staple"}),
        3: (2, {"speed": 50}),
    }
    migrate.upgrade(at_any, "0001")
    engine = make_engine(at_any.database_url)
    stamps = "'2026-01-01 00:00:00', '2026-01-01 00:00:00'"
    columns = (
        "provision_id, provisioning_play, playbook_description, provisioning_json_vars, inventory_choices, facts,"
        " provisioning_status, status_reason, task_count, event_count, cancel_requested, created, last_modified"
    )
    with engine.begin() as connection:
        for number, (status, variables) in jobs.items():
            connection.execute(
                text(
                    f"INSERT INTO provision ({columns})"
                    f" VALUES (:id, 'p', 'p', :vars, '{{}}', '{{}}', :status, 'x', 1, 1, :no, {stamps})"
                ),
                {"id": number, "vars": json.dumps(variables), "status": status, "no": False},
            )

    def stored() -> dict[int, tuple[dict[str, Any], bool]]:
        with engine.begin() as connection:
            rows = connection.exec_driver_sql("SELECT * FROM provision").mappings().all()
            return {
                row["provision_id"]: (json.loads(row["provisioning_json_vars"]), bool(row.get("sealed_vars")))
                for row in rows
            }

    with monkeypatch.context() as patched:
        patched.setattr(Redactor, "result", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            migrate.upgrade(at_any, "0002")
    # MariaDB keeps what was done so far; it is gone on with.
    migrate.upgrade(at_any, "0002")
    assert stored() == {
        1: ({"wifi_password": "********", "speed": 100}, True),
        2: ({"wifi_password": "********"}, False),
        3: ({"speed": 50}, False),
    }
    migrate.downgrade(at_any, "0001")
    assert stored()[1] == (jobs[1][1], False)
    engine.dispose()


@pytest.mark.req("BIL-378", "BIL-379")
def test_no_user_becomes_staff_on_the_way_back_and_those_there_are_told_apart(at_any: Settings) -> None:
    migrate.upgrade(at_any)
    engine = make_engine(at_any.database_url)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with engine.begin() as connection:

        def add(model: type[Base], **values: object) -> int:
            row = connection.execute(insert(model.__table__).values(created=now, last_modified=now, **values))
            return int(row.inserted_primary_key[0])

        roles = {name: add(Role, name=name) for name in ("System Admin", "Customer")}
        customer_id = add(
            Customer, customer_name="Zoë", name_key="zoe", search_text="", customer_account_type="Business"
        )
        contact_id = add(Contact, customer_id=customer_id, contact_firstname="Zoë")
        for name, is_customer, held in (
            ("boss", False, ["System Admin"]),
            ("both", False, ["Customer", "System Admin"]),
            ("linked", True, ["System Admin"]),
            ("lost", True, ["Customer"]),
            ("none", False, []),
        ):
            names = dict.fromkeys(("username", "email", "password_hash", "first_name", "last_name"), name)
            linked = contact_id if name == "linked" else None
            user_id = add(User, **names, contact_id=linked, is_customer=is_customer)
            for role in held:
                connection.execute(insert(user_role).values(user_id=user_id, role_id=roles[role]))

    def told(column: str) -> set[str]:
        with engine.begin() as connection:
            rows = connection.execute(text(f"SELECT username, {column} FROM crm_user"))
            return {name for name, flag in rows if flag}

    migrate.downgrade(at_any, "0006")
    assert told("active") == {"boss", "both", "linked", "none"}
    migrate.upgrade(at_any)
    assert told("is_customer") == {"linked", "lost"}
    engine.dispose()


def test_version_is_told_without_changing_anything(at_any: Settings) -> None:
    assert migrate.current_version(at_any).state is SchemaState.EMPTY
    assert migrate.plan(at_any).steps[-1].revision == migrate.HEAD
    assert migrate.current_version(at_any).state is SchemaState.EMPTY
    migrate.upgrade(at_any)
    assert migrate.current_version(at_any) == migrate.SchemaVersion(SchemaState.CURRENT, migrate.HEAD)
    assert migrate.plan(at_any).steps == ()
    assert migrate.upgrade(at_any) == []


def test_a_newer_database_is_refused(at_any: Settings) -> None:
    migrate.upgrade(at_any)
    engine = make_engine(at_any.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    for ask in (migrate.require_current, migrate.plan, migrate.upgrade):
        with pytest.raises(DatabaseProblem, match="9999"):
            ask(at_any)


def test_an_older_database_names_the_way_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate.upgrade(settings)
    monkeypatch.setattr(migrate, "HEAD", "9999")
    with pytest.raises(DatabaseProblem, match="omnicrm db upgrade"):
        migrate.require_current(settings)


def test_head_is_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(migrate._config()).get_heads() == [migrate.HEAD]


def test_embedded_database_is_made_on_first_use(settings: Settings) -> None:
    migrate.require_current(settings)
    migrate.require_current(settings)
    assert migrate.current_version(settings).state is SchemaState.CURRENT


def test_a_server_database_is_not_made_behind_its_owners_back(at_any: Settings) -> None:
    if at_any.database_url.startswith("sqlite"):
        migrate.require_current(at_any)
        return
    with pytest.raises(DatabaseProblem, match=r"empty.*omnicrm db upgrade"):
        migrate.require_current(at_any)


def test_two_programs_that_start_at_once_make_one_schema(at_any: Settings) -> None:
    troubles: list[BaseException] = []
    line = threading.Barrier(2)

    def start() -> None:
        line.wait()
        try:
            migrate.upgrade(at_any)
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert migrate.current_version(at_any).state is SchemaState.CURRENT


def test_a_file_that_is_no_database_is_named(settings: Settings) -> None:
    path = settings.home / "omnicrm.sqlite"
    path.write_bytes(b"this is a letter, not a database" * 40)
    with pytest.raises(DatabaseProblem, match=r"omnicrm\.sqlite is not an SQLite database"):
        migrate.require_current(settings)


def test_an_unknown_revision_is_refused(settings: Settings) -> None:
    migrate.upgrade(settings)
    with pytest.raises(DatabaseProblem, match="nowhere"):
        migrate.downgrade(settings, "nowhere")
    with sqlite3.connect(settings.home / "omnicrm.sqlite") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (migrate.HEAD,)


def test_a_failing_step_changes_nothing(settings: Settings) -> None:
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE customer (a INTEGER)")
    engine.dispose()
    with pytest.raises(DatabaseProblem):
        migrate.upgrade(settings)
    with sqlite3.connect(settings.home / "omnicrm.sqlite") as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("customer",)]
