"""Moving: every row arrives, nobody can write to what is left, and a kill costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.database import migrate
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.migrate import SchemaState
from omnicrm_tui.database.rows import Row
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.errors import Conflict, DatabaseProblem, InvalidInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.settings import DatabaseSection, Settings
from omnicrm_tui.upkeep.address import database_url
from omnicrm_tui.upkeep.config_switch import lines_for, point_at
from omnicrm_tui.upkeep.filling import Filling
from omnicrm_tui.upkeep.move import cancel, move
from tests.upkeep.conftest import everything, installation


def _at(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"database": DatabaseSection(url=SecretStr(url))})


def _write(settings: Settings, actor: Actor) -> None:
    crm = Crm.open(settings)
    try:
        with crm.as_actor(actor) as work:
            work.customers.create(CustomerInput(customer_name="Late"))
    finally:
        crm.close()


def test_from_database_to_database_and_back(every_database_url: dict[str, str], tmp_path: Path, admin: Actor) -> None:
    urls = every_database_url
    settings = installation(tmp_path / "home", urls["sqlite"])
    expected = everything(urls["sqlite"])
    for name in ("postgresql", "mariadb", "back"):
        url = urls.get(name, f"sqlite:///{tmp_path / 'back.sqlite'}")
        moved = move(settings, url)
        assert (moved.tables, moved.rows) == (len(metadata.tables), sum(map(len, expected.values())))
        assert everything(url) == expected
        with pytest.raises(DatabaseProblem, match="being moved"):
            _write(settings, admin)
        for statement in (
            "DELETE FROM lease",
            "UPDATE customer SET customer_name = 'x'",
            "INSERT INTO lease (name, owner, until_ms) VALUES ('x', 'y', 1)",
        ):
            _refused(settings.database_url, statement)
        assert everything(settings.database_url) == expected
        settings = _at(settings, url)
        assert migrate.current_version(settings).state is SchemaState.CURRENT
    _write(settings, admin)


def _refused(url: str, statement: str) -> None:
    engine = make_engine(url)
    try:
        with pytest.raises(Exception, match="being moved"), engine.begin() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


@pytest.mark.parametrize("target", ["postgresql", "mariadb"])
def test_an_interrupted_move_goes_on_where_it_was(
    settings: Settings,
    every_database_url: dict[str, str],
    target: str,
    monkeypatch: pytest.MonkeyPatch,
    admin: Actor,
) -> None:
    url = every_database_url[target]
    real, filled = Filling.fill, list[str]()

    def counting(self: Filling, name: str, columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> None:
        if len(filled) == 9:
            filled.append("interrupted")
            raise KeyboardInterrupt
        real(self, name, columns, batches)
        filled.append(name)

    monkeypatch.setattr(Filling, "fill", counting)
    with pytest.raises(KeyboardInterrupt):
        move(settings, url)
    with pytest.raises(DatabaseProblem, match="being moved"):
        _write(settings, admin)
    with pytest.raises(DatabaseProblem, match="run the same command again"):
        migrate.require_current(_at(settings, url))
    move(settings, url)
    assert sorted({*filled} - {"interrupted"}) == sorted(metadata.tables)
    assert len(filled) == len(metadata.tables) + 1
    assert everything(url) == everything(settings.database_url)
    # Once more, as after a kill that came between the last row and the last word.
    assert move(settings, url).tables == len(metadata.tables)


def test_a_move_that_is_given_up_lets_everybody_write_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, admin: Actor
) -> None:
    def broken(*_arguments: Any) -> None:
        raise DatabaseProblem("The disk that holds the database is full. Nothing was changed.")

    monkeypatch.setattr(Filling, "fill", broken)
    with pytest.raises(DatabaseProblem, match="full"):
        move(settings, f"sqlite:///{tmp_path / 'other.sqlite'}")
    with pytest.raises(DatabaseProblem, match="being moved"):
        _write(settings, admin)
    cancel(settings)
    _write(settings, admin)


def test_a_row_that_did_not_arrive_is_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Filling.fill

    def changing(self: Filling, name: str, columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> None:
        if name == "customer_invoice":
            batches = [list(batch)[:-1] for batch in batches]
        real(self, name, columns, batches)

    monkeypatch.setattr(Filling, "fill", changing)
    with pytest.raises(DatabaseProblem, match=r"customer_invoice is not the same .* invoice_id 2000000000"):
        move(settings, f"sqlite:///{tmp_path / 'other.sqlite'}")


def test_what_is_refused(settings: Settings, tmp_path: Path, admin: Actor) -> None:
    with pytest.raises(Conflict, match="already"):
        move(settings, settings.database_url)
    other = installation(tmp_path / "other")
    with pytest.raises(Conflict, match="not empty"):
        move(settings, other.database_url)
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE provision SET provisioning_status = 1 WHERE provision_id = 40")
    engine.dispose()
    with pytest.raises(Conflict, match="Jobs are running: 1"):
        move(settings, f"sqlite:///{tmp_path / 'new.sqlite'}")
    _write(settings, admin)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'database:\n  url: "postgresql+psycopg://u:p@h/d"\n'),
        ("crm:\n  company_name: Z\n", 'crm:\n  company_name: Z\ndatabase:\n  url: "postgresql+psycopg://u:p@h/d"\n'),
        (
            "# top\ndatabase:\n  server: db  # old\n\n  name: x\n# about crm\ncrm:\n  company_name: Z\n",
            '# top\ndatabase:\n  url: "postgresql+psycopg://u:p@h/d"\n# database:\n#   server: db  # old\n\n'
            "#   name: x\n# about crm\ncrm:\n  company_name: Z\n",
        ),
        (
            "database: {server: db}\ncrm: {company_name: Z}\n",
            'database:\n  url: "postgresql+psycopg://u:p@h/d"\n# database: {server: db}\ncrm: {company_name: Z}\n',
        ),
    ],
)
def test_the_configuration_is_changed_in_one_place_only(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "config.yaml"
    if before:
        path.write_text(before)
    point_at(path, "postgresql+psycopg://u:p@h/d")
    assert path.read_text() == after
    assert path.stat().st_mode & 0o077 == 0
    point_at(path, "sqlite")
    assert "\ndatabase" not in "\n" + path.read_text()
    assert lines_for("sqlite") == ""


def test_how_a_database_is_named(tmp_path: Path) -> None:
    assert database_url("sqlite", tmp_path) == f"sqlite:///{tmp_path}/omnicrm.sqlite"
    assert database_url("postgresql://ada@db/crm", tmp_path, "p@ss w/") == "postgresql+psycopg://ada:p%40ss w%2F@db/crm"
    assert database_url("mariadb://ada@db/crm", tmp_path).startswith("mariadb+pymysql://")
    with pytest.raises(InvalidInput, match="postgresql://user@host/database"):
        database_url("my database", tmp_path)
