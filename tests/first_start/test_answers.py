"""What a first start asks, and how answers are tested and remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.database import migrate
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.errors import Conflict, DatabaseProblem, InvalidInput, OutsideSystemError
from omnicrm_tui.first_start import KEPT, is_due
from omnicrm_tui.first_start.answers import Answers, check_database, check_ocs, keep, kept
from omnicrm_tui.first_start.finish import finish
from omnicrm_tui.identity.actor import visitor
from omnicrm_tui.lab.network import LabNetwork
from omnicrm_tui.opening import open_crm
from omnicrm_tui.schemas import parse
from omnicrm_tui.settings import Settings

PASSWORD = "Str0ng!Enough"
GIVEN = {"company_name": "Nord & Søn", "currency": "eur", "email": "a@nord.example", "password": PASSWORD}


def _answers(**more: Any) -> Answers:
    answers: Answers = parse(Answers, GIVEN | more)
    return answers


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("company_name", "", "at least 1 character"),
        ("currency", "EURO", "three letters"),
        ("currency", "XYZ", "three letters"),
        ("timezone", "Mars/Phobos", "time zone"),
        ("language", "english", "two letters"),
        ("email", "nobody", "e-mail address"),
        ("password", "weak", "needs"),
        ("ocs", "http://host/path", "host:port"),
    ],
)
def test_each_wrong_answer_is_told_at_its_field(field: str, value: str, wrong: str) -> None:
    with pytest.raises(InvalidInput) as error:
        _answers(**{field: value})
    assert list(error.value.fields) == [field]
    assert wrong in error.value.fields[field]


@pytest.mark.req("PLT-579", "PLT-580")
def test_the_answers_become_a_configuration_that_is_read_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    told: list[str] = []
    answers = _answers(timezone="Europe/Oslo", default_country="Norway", ocs="10.1.2.3:2080", ocs_tenant="nord")
    settings = finish(home, home / "config.yaml", answers, told.append)
    assert settings.crm.company_name == "Nord & Søn"
    assert (settings.crm.currency, settings.crm.timezone) == ("EUR", "Europe/Oslo")
    assert (settings.crm.default_country, settings.ocs.cgrates, settings.ocs.ocsTenant) == (
        "Norway",
        "10.1.2.3:2080",
        "nord",
    )
    assert load_settings({"OMNICRM_HOME": str(home)}) == settings
    for path in (home / "config.yaml", *(home / "keys").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
    assert len(list((home / "keys").iterdir())) == 2
    assert len(told) == 4
    assert PASSWORD not in (home / "config.yaml").read_text()
    crm = open_crm(settings)
    with crm.as_actor(visitor("127.0.0.1")) as work:
        assert work.identity.login("a@nord.example", PASSWORD, "127.0.0.1").actor is not None
    crm.close()


def test_a_home_that_is_set_up_stays_as_it_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    finish(home, home / "config.yaml", _answers(), lambda _step: None)
    before = (home / "config.yaml").read_text()
    with pytest.raises(Conflict, match="set up"):
        finish(home, home / "config.yaml", _answers(company_name="Other"), lambda _step: None)
    assert (home / "config.yaml").read_text() == before


@pytest.mark.parametrize("step", range(1, 5))
def test_who_is_interrupted_at_any_step_begins_again(tmp_path: Path, step: int) -> None:
    """An interruption after each step; the second run finishes, with one administrator."""
    home = tmp_path / "home"
    keep(home, _answers().model_dump())
    steps = 0

    def interrupt(_told: str) -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finish(home, home / "config.yaml", _answers(), interrupt)
    if step < 4:  # the last is told when all is done
        assert is_due(load_settings({"OMNICRM_HOME": str(home)}))
        finish(home, home / "config.yaml", _answers(), lambda _told: None)
    settings = load_settings({"OMNICRM_HOME": str(home)})
    assert not is_due(settings)
    crm = open_crm(settings)
    with crm.as_actor(visitor("127.0.0.1")) as work:
        assert work.identity.login("a@nord.example", PASSWORD, "127.0.0.1").actor is not None
    crm.close()


def test_answers_are_kept_without_any_password(tmp_path: Path) -> None:
    keep(tmp_path, _answers(database_url="postgresql+psycopg://omni:hidden@db/omnicrm?password=hidden").model_dump())
    text = (tmp_path / KEPT).read_text()
    assert PASSWORD not in text
    assert "hidden" not in text
    assert (tmp_path / KEPT).stat().st_mode & 0o077 == 0
    again = kept(tmp_path)
    assert again["company_name"] == "Nord & Søn"
    assert again["database_url"] == "postgresql+psycopg://omni@db/omnicrm"
    assert "password" not in again


@pytest.mark.parametrize("content", ["", "{", "[]", '{"company_name": 5, "unknown": "x"}'])
def test_broken_kept_answers_are_no_answers(tmp_path: Path, content: str) -> None:
    (tmp_path / KEPT).write_text(content)
    assert kept(tmp_path) == {}


def test_a_database_is_asked(tmp_path: Path, any_database_url: str) -> None:
    assert check_database(tmp_path, any_database_url) == "it answers and is empty: the tables will be made"
    finish(
        tmp_path / "home", tmp_path / "home" / "config.yaml", _answers(database_url=any_database_url), lambda _s: None
    )
    assert "holds data of OmniCRM already" in check_database(tmp_path, any_database_url)
    engine = make_engine(any_database_url)
    with engine.begin() as connection:
        migrate.mark_loading(connection, "3d5a34")
    engine.dispose()
    with pytest.raises(DatabaseProblem, match="is being filled"):
        check_database(tmp_path, any_database_url)


@pytest.mark.parametrize("url", ["nonsense", "oracle://host/db", "postgresql+nodriver://host/db"])
def test_what_is_no_database_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises((InvalidInput, DatabaseProblem)):
        check_database(tmp_path, url)


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseProblem, match="connection refused"):
        check_database(tmp_path, "postgresql+psycopg://omni@127.0.0.1:1/omnicrm")


def test_the_charging_system_is_asked(tmp_path: Path) -> None:
    with LabNetwork(tmp_path / "lab") as lab:
        assert check_ocs(lab.addresses.ocs, "cgrates.org") == "it answers"
    with pytest.raises(OutsideSystemError):
        check_ocs("127.0.0.1:1", "cgrates.org")
    assert "none yet" in check_ocs("", "cgrates.org")


def test_a_home_is_due_only_while_nothing_is_in_it(tmp_path: Path) -> None:
    fresh = Settings(home=tmp_path)
    assert is_due(fresh)
    assert not is_due(fresh.model_copy(update={"demo": True}))
    assert not is_due(fresh.model_copy(update={"config_path": tmp_path / "config.yaml"}))
    (tmp_path / "omnicrm.sqlite").touch()
    assert not is_due(fresh)
    (tmp_path / KEPT).write_text("{}")
    assert is_due(fresh)
    assert not is_due(fresh.model_copy(update={"demo": True}))
    assert not is_due(fresh.model_copy(update={"config_path": tmp_path / "config.yaml"}))
