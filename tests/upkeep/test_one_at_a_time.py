"""Two at once: the second restore, move or first start says so and changes nothing; the first ends as if alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import Conflict
from omnicrm_tui.first_start.answers import Answers
from omnicrm_tui.first_start.finish import finish
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep.alone import AtWork
from omnicrm_tui.upkeep.backup import make_backup
from omnicrm_tui.upkeep.move import cancel, is_held, move
from omnicrm_tui.upkeep.restore import Restored, restore
from tests.upkeep.conftest import PASSPHRASE, everything, installation

ANSWERS = Answers(company_name="Nord", email="a@nord.example", password=SecretStr("Str0ng!Enough"))


@pytest.fixture
def backup(settings: Settings, tmp_path: Path) -> Path:
    """A backup of the filled installation."""
    return make_backup(settings, tmp_path / "b", PASSPHRASE).path


def _restore(path: Path, home: Path, database: str | None = None, tell: Callable[..., None] | None = None) -> Restored:
    env = {"OMNICRM_HOME": str(home)}
    return restore(path, PASSPHRASE, database=database, env=env, tell=tell or (lambda _name, _rows: None))


def _contents(home: Path) -> dict[str, bytes]:
    found = {path.name: path for path in home.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith("omnicrm.sqlite")}


class Meanwhile:
    """Does something once, while something else tells how far it has come."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self.done = False

    def __call__(self, *_told: object) -> None:
        """Hear of progress."""
        if not self.done:
            self.done = True
            self._act()


def test_a_second_restore_into_one_home_changes_nothing(settings: Settings, backup: Path, tmp_path: Path) -> None:
    home = tmp_path / "new"
    other = make_backup(settings, tmp_path / "another", PASSPHRASE).path

    def second() -> None:
        before = _contents(home)
        for attempt in (
            lambda: _restore(backup, home),
            lambda: _restore(other, home, f"sqlite:///{tmp_path / 'other.sqlite'}"),
            lambda: finish(home, home / "config.yaml", ANSWERS, lambda _step: None),
        ):
            with pytest.raises(AtWork, match=r"new is being set up or restored .* Nothing was changed"):
                attempt()
        assert _contents(home) == before
        assert not (tmp_path / "other.sqlite").exists()

    meanwhile = Meanwhile(second)
    _restore(backup, home, tell=meanwhile)
    assert meanwhile.done
    assert everything(load_settings({"OMNICRM_HOME": str(home)}).database_url) == everything(settings.database_url)
    assert not list(home.glob("*upkeep.lock"))


def test_a_second_restore_into_one_database_changes_nothing(
    settings: Settings, backup: Path, tmp_path: Path, any_database_url: str
) -> None:
    def second() -> None:
        with pytest.raises(AtWork, match=r"'omnicrm restore' or 'omnicrm move' .* Nothing was changed"):
            _restore(backup, tmp_path / "second", any_database_url)

    meanwhile = Meanwhile(second)
    _restore(backup, tmp_path / "first", any_database_url, meanwhile)
    assert meanwhile.done
    assert everything(any_database_url) == everything(settings.database_url)
    with pytest.raises(Conflict, match="not empty"):
        _restore(backup, tmp_path / "second", any_database_url)


def test_a_second_move_changes_nothing_and_none_is_given_up_under_way(
    settings: Settings, tmp_path: Path, any_database_url: str
) -> None:
    other = installation(tmp_path / "other")

    def second() -> None:
        for attempt in (
            lambda: move(settings, any_database_url),
            lambda: move(settings, f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"),
            lambda: move(other, any_database_url),
            lambda: cancel(settings),
        ):
            with pytest.raises(AtWork, match=r"'omnicrm restore' or 'omnicrm move' .* Nothing was changed"):
                attempt()
        assert is_held(settings)
        assert not is_held(other)
        assert not (tmp_path / "elsewhere.sqlite").exists()

    meanwhile = Meanwhile(second)
    move(settings, any_database_url, tell=meanwhile)
    assert meanwhile.done
    assert everything(any_database_url) == everything(settings.database_url)
    cancel(settings)
    assert not is_held(settings)
    assert not list(tmp_path.rglob("*upkeep.lock"))


def test_a_second_first_start_in_one_home_changes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    others = ANSWERS.model_copy(update={"email": "b@nord.example"})

    def second() -> None:
        with pytest.raises(AtWork, match="home is being set up or restored"):
            finish(home, home / "config.yaml", others, lambda _step: None)

    meanwhile = Meanwhile(second)
    crm = Crm.open(finish(home, home / "config.yaml", ANSWERS, meanwhile))
    with crm.reading(system_actor("test")) as work:
        found = work.identity.window(ListQuery(sort="email"), FIRST, 9).rows
    crm.close()
    assert meanwhile.done
    assert [user.email for user in found] == ["a@nord.example"]
    with pytest.raises(Conflict, match="is set up"):
        finish(home, home / "config.yaml", others, lambda _step: None)
