"""The first screen of a home that nobody has set up."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from textual.pilot import Pilot

from omnicrm_tui.app import OmniCrmApp
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.first_start.answers import keep, kept
from omnicrm_tui.settings import Settings
from screens import first_start
from screens.seat import Seat
from tests.fixtures.pictures import Compare
from tests.screens.harness import press, screen_text, settled, type_text, until
from tests.screens.test_snapshots import SIZES, in_each_look

PASSWORD = "Str0ng!Enough"


def _app(home: Path) -> OmniCrmApp:
    settings = load_settings({"OMNICRM_HOME": str(home)})
    return OmniCrmApp(settings, seat=Seat(settings.home, {}))


async def _fill_in(pilot: Pilot[None], ocs: str = "") -> None:
    """From the first field to the last, as a person goes on with enter."""
    await type_text(pilot, "Nord")
    await pilot.press(*["enter"] * 5)
    await type_text(pilot, "a@nord.example")
    await pilot.press("enter")
    await type_text(pilot, PASSWORD)
    await pilot.press("enter", "enter")
    await type_text(pilot, ocs)


@pytest.fixture(autouse=True)
def one_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Oslo")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.req("PLT-579", "PLT-580")
async def test_a_home_is_set_up_by_keyboard_and_leads_to_the_login(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with _app(home).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Nothing is set up here yet." in screen_text(pilot.app))
        assert not (home / "omnicrm.sqlite").exists()
        await _fill_in(pilot)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "Show password" in screen_text(pilot.app))
        assert "Nord" in screen_text(pilot.app)
        await settled(pilot)
        await type_text(pilot, "a@nord.example")
        await pilot.press("tab")
        await type_text(pilot, PASSWORD)
        await press(pilot, "enter")
        await until(pilot, lambda: "No customers yet" in screen_text(pilot.app))
    assert load_settings({"OMNICRM_HOME": str(home)}).crm.timezone == "Europe/Oslo"


async def test_what_is_wrong_is_told_at_its_field(tmp_path: Path) -> None:
    async with _app(tmp_path / "home").run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Company *" in screen_text(pilot.app))
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: screen_text(pilot.app).count("! is required") == 3)
    assert not (tmp_path / "home" / "config.yaml").exists()


async def test_a_connection_is_tested_as_it_is_entered_and_may_be_missing(tmp_path: Path) -> None:
    async with _app(tmp_path / "home").run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Company *" in screen_text(pilot.app))
        await _fill_in(pilot, ocs="127.0.0.1:1")
        await pilot.press("enter")
        await until(pilot, lambda: "cannot be reached" in screen_text(pilot.app))
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "ctrl+s again goes on without it" in " ".join(screen_text(pilot.app).split()))
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "Show password" in screen_text(pilot.app))


async def test_who_was_interrupted_goes_on_where_it_was_left(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with _app(home).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Company *" in screen_text(pilot.app))
        await _fill_in(pilot)
        await pilot.press("tab")
        await until(
            pilot,
            lambda: "a@nord.example" in (home / "init.json").read_text() if (home / "init.json").exists() else False,
        )
        await settled(pilot)
    assert PASSWORD not in json.dumps((home / "init.json").read_text())
    async with _app(home).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "a@nord.example" in screen_text(pilot.app))
        assert "Nord" in screen_text(pilot.app)
        assert "•" not in screen_text(pilot.app)


async def test_fields_that_are_left_faster_than_answers_are_kept_are_all_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once would take the file away from each other, and the earlier could be the last to write."""
    home, begun, go_on = tmp_path / "home", threading.Event(), threading.Event()

    def slowly(home: Path, answers: dict[str, str]) -> None:
        assert not begun.is_set() or go_on.is_set(), "two at once"
        begun.set()
        assert go_on.wait(30)
        keep(home, answers)

    monkeypatch.setattr(first_start, "keep", slowly)
    async with _app(home).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Company *" in screen_text(pilot.app))
        await type_text(pilot, "Nord")
        await pilot.press("enter")
        await until(pilot, begun.is_set)
        await type_text(pilot, "NOK")
        await pilot.press("enter", "enter")
        go_on.set()
        await settled(pilot)
        await until(pilot, lambda: kept(home).get("currency") == "NOK")


async def test_typing_takes_the_place_of_a_suggestion(tmp_path: Path) -> None:
    async with _app(tmp_path / "home").run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "USD" in screen_text(pilot.app))
        await pilot.press("enter")
        await type_text(pilot, "NOK")
        assert "USD" not in screen_text(pilot.app)


@pytest.mark.parametrize("size", SIZES)
async def test_the_first_start_looks_as_it_did(tmp_path: Path, same_picture: Compare, size: str) -> None:
    async with _app(tmp_path / "home").run_test(size=SIZES[size]) as pilot:
        await until(pilot, lambda: "Company *" in screen_text(pilot.app))
        await type_text(pilot, "Nord")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "! is required" in screen_text(pilot.app))
        await in_each_look(pilot, same_picture, f"first-start-{size}")


def test_a_home_with_data_is_not_asked(settings: Settings) -> None:
    (settings.home / "omnicrm.sqlite").touch()
    app = OmniCrmApp(settings, seat=Seat(settings.home, {}))
    assert app.DEFAULT_MODE == "login"
