"""There is no way out of any dialog: every key of a keyboard is pressed in each, in every kind of control it has."""

from __future__ import annotations

import os
import re
import subprocess
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.listing import ListQuery
from omnicrm_tui.settings import BrandingSection, Link
from screens.base import Dialog
from screens.export import ExportDialog
from tests.fixtures.watch import TEXTUALS_OWN, Watch
from tests.screens.every_dialog import OPENED_BY, by_itself, dialogs
from tests.screens.harness import LARGE, press, screen_text, signed_in_app, until
from tests.screens.people import add_user
from tests.screens.shop import open_shop
from tests.screens.walk import Walk
from widgets.entity_table import EntityTable
from widgets.marks import Selection


@pytest.fixture
def shop(crm: Crm, admin: Actor) -> Crm:
    """A shop whose operator has links, and roles."""
    open_shop(crm, admin)
    add_user(crm, admin)
    link = Link(name="$(id)", url="https://support.example.com/$(id)")
    branding = BrandingSection(support_url="https://support.example.com", web_apps=[link])
    crm.settings = crm.settings.model_copy(update={"branding": branding})
    return crm


@pytest.mark.parametrize("kind", OPENED_BY, ids=lambda kind: kind.__name__)
async def test_no_key_of_any_dialog_leads_out(
    shop: Crm, admin: Actor, watch: Watch, kind: type[ModalScreen[Any]]
) -> None:
    async with signed_in_app(shop, admin, LARGE) as pilot:
        walk = Walk(pilot, OPENED_BY[kind])
        await walk.go()
        assert type(walk.screen) is kind
    watch.confined(shop.settings.home)


def test_every_dialog_takes_part_in_the_walk() -> None:
    assert set(OPENED_BY) == dialogs()


# Files

HOSTILE = [
    "../../loot",
    "/etc/cron.d/loot",
    "~/.ssh/authorized_keys",
    "~root",
    "a\0b",
    "loot\n/etc/x",
    "..",
    ".",
    "",
    "..\\loot",
    "/dev/stdout",
    "CON",
    "|sh",
    "$(id)",
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_an_export_stays_in_its_folder_whatever_the_list_is_called(
    shop: Crm, admin: Actor, watch: Watch, name: str
) -> None:
    async with signed_in_app(shop, admin, LARGE) as pilot:
        table = pilot.app.screen.query_one(EntityTable)
        await pilot.app.push_screen(ExportDialog(table, Selection(ListQuery(), frozenset()), name))
        await press(pilot, "c")
        await until(pilot, lambda: "6 rows are in" in screen_text(pilot.app))
    (written,) = shop.settings.exports_folder.iterdir()
    assert re.fullmatch(r"[a-z0-9-]+\.csv", written.name)
    watch.confined(shop.settings.home)


@pytest.mark.parametrize("link", ["{name}.csv", ".{name}.csv.part"], ids=["file", "part"])
async def test_an_export_follows_no_link_out_of_its_folder(shop: Crm, admin: Actor, tmp_path: Path, link: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    folder = shop.settings.exports_folder
    folder.mkdir()
    (folder / link.format(name="customers-2026-11-21-120000")).symlink_to(victim)
    async with signed_in_app(shop, admin, LARGE) as pilot:
        await press(pilot, "E", "c")
        await until(pilot, lambda: "rows are in" in screen_text(pilot.app))
    assert victim.read_text() == "as it was"
    assert (folder / "customers-2026-11-21-120000-2.csv").is_file()


# The watch


@pytest.mark.parametrize(
    "way",
    [
        lambda: os.system("true"),
        lambda: subprocess.run(["true"], check=True),
        lambda: os.spawnv(os.P_WAIT, "/bin/true", ["true"]),
        lambda: webbrowser.get("true %s").open("x"),
    ],
    ids=["system", "subprocess", "spawn", "browser"],
)
def test_the_watch_hears_a_program(watch: Watch, tmp_path: Path, way: Callable[[], object]) -> None:
    way()
    with pytest.raises(AssertionError):
        watch.confined(tmp_path)


@pytest.mark.parametrize("name", ["loot", "home/loot", "home/../loot", "home/exports/../../loot"])
def test_the_watch_sees_a_file_that_is_no_state(watch: Watch, tmp_path: Path, name: str) -> None:
    (tmp_path / "home" / "exports").mkdir(parents=True)
    watch.written.clear()
    (tmp_path / name).write_text("x")
    with pytest.raises(AssertionError):
        watch.confined(tmp_path / "home")


@pytest.mark.parametrize("name", TEXTUALS_OWN)
def test_the_watch_hears_what_textual_would_lend(watch: Watch, tmp_path: Path, name: str) -> None:
    getattr(App[None](), name)()
    with pytest.raises(AssertionError):
        watch.confined(tmp_path)


class Listening(Dialog[None]):
    """Hears the keys that nothing is bound to; a control could act on any of them."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    def on_key(self, event: events.Key) -> None:
        self.heard.add(event.key)


async def test_the_walk_presses_keys_with_every_modifier(shop: Crm, admin: Actor) -> None:
    opened = list[Listening]()

    def listening(_app: object) -> Listening:
        opened.append(Listening())
        return opened[-1]

    async with signed_in_app(shop, admin, LARGE) as pilot:
        await Walk(pilot, by_itself(listening)).go()
    heard = {key for dialog in opened for key in dialog.heard}
    wanted = {"ctrl+0", "ctrl+9", "ctrl+f1", "ctrl+f12", "alt+5", "alt+z", "ctrl+shift+a", "ctrl+shift+7"}
    assert wanted | {"ctrl+shift+delete", "alt+ctrl+e", "alt+shift+x", "alt+ctrl+shift+q", "alt+left"} <= heard


class Leaky(Dialog[None]):
    """What the walk has to find: a key that runs a program."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "leak", "Leak", id="leaky.leak")]

    def action_leak(self) -> None:
        """Run a program."""
        os.system("true")


async def test_the_walk_finds_a_key_that_leads_out(shop: Crm, admin: Actor, watch: Watch) -> None:
    async with signed_in_app(shop, admin, LARGE) as pilot:
        await Walk(pilot, by_itself(lambda _app: Leaky())).go()
    with pytest.raises(AssertionError):
        watch.confined(shop.settings.home)
