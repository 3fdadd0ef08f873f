"""The command palette: every action of the place one came from, every room, and commands with a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from omnicrm_tui.languages import NAMES, iso_code
from screens import rooms, themes
from screens.base import AtDesk, Dialog
from screens.keys import refused
from screens.links import links_of
from widgets.controls import TextLine
from widgets.text import fit, visible

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp

_NUMBERED = re.compile(r"(?P<word>[a-z]+)\s*#?(?P<id>\d{1,18})", re.IGNORECASE)
_PLACES = {
    "c": ("customer", _("Open customer {id}")),
    "customer": ("customer", _("Open customer {id}")),
    "s": ("service", _("Open service {id}")),
    "service": ("service", _("Open service {id}")),
    "job": ("job", _("Open job {id}")),
    "j": ("job", _("Open job {id}")),
    "inv": ("item", _("Open inventory item {id}")),
    "item": ("item", _("Open inventory item {id}")),
    "i": ("item", _("Open inventory item {id}")),
    "p": ("product", _("Open product {id}")),
    "product": ("product", _("Open product {id}")),
    "u": ("user", _("Open user {id}")),
    "user": ("user", _("Open user {id}")),
}

_QUICK_TASKS = (
    (_("Create a customer"), "customers", "new", "create_customer"),
    (_("Manage inventory"), "inventory", "", "view_inventory"),
    (_("Create a product"), "products", "new", "create_product"),
    (_("Create a user"), "users", "new", "admin"),
)
"""Tasks of PLT-007 that exist: a room, the action of its screen, and the permission for that."""


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette."""

    title: str
    keys: str
    run: Callable[[], Any]

    def matches(self, words: Iterable[str]) -> bool:
        """Tell whether the title holds every word."""
        title = self.title.lower()
        return all(word in title for word in words)


class Palette(Dialog[Command]):
    """Type to narrow down, up and down to choose, enter to do it."""

    DEFAULT_CSS = """
    Palette { align: center top; }
    Palette #box { width: 72; margin: 1 0 0 0; height: 20; }
    Palette OptionList { height: 1fr; border: none; padding: 0; background: $surface; }
    Palette OptionList > .option-list--option-highlighted {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", _("Down"), show=False, priority=True, id="palette.down"),
        Binding("up,ctrl+p", "move(-1)", _("Up"), show=False, priority=True, id="palette.up"),
        Binding("pagedown", "move(10)", _("Page down"), show=False, priority=True, id="palette.page-down"),
        Binding("pageup", "move(-10)", _("Page up"), show=False, priority=True, id="palette.page-up"),
    ]

    heading = _("Commands")
    keys = _("enter do it   ↑↓ choose   c 4711, s 12, job 88, inv 1234   esc")

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._below = below
        self._found: list[Command] = []
        self._commands: list[Command] = []

    def body(self) -> ComposeResult:
        yield TextLine(placeholder=_("What do you want to do?"))
        yield OptionList(markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(TextLine).focus()
        self._commands = commands(self.crm_app, self._below)
        self._show("")

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._show(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._found):
            self.finish(self._found[at])

    @on(OptionList.OptionSelected)
    def _clicked(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.finish(self._found[message.option_index])

    def finish(self, result: Command | None) -> None:
        """Close, then do what was chosen in the place one came from."""
        super().finish(result)
        if result is not None:
            self.app.call_after_refresh(result.run)

    def action_move(self, by: int) -> None:
        """Choose another line."""
        lines = self.query_one(OptionList)
        if lines.option_count:
            lines.highlighted = max(0, min(lines.option_count - 1, (lines.highlighted or 0) + by))

    def _show(self, typed: str) -> None:
        words = typed.lower().split()
        self._found = [*numbered(self.crm_app, typed), *(c for c in self._commands if c.matches(words))]
        lines = self.query_one(OptionList)
        lines.clear_options()
        lines.add_options([Option(_line(command)) for command in self._found])
        if self._found:
            lines.highlighted = 0


def _line(command: Command) -> Text:
    shown = f"{fit(command.title, 50)} {fit(command.keys, 14, 'right')}" if command.keys else fit(command.title, 65)
    return Text(f" {shown}", no_wrap=True)


def numbered(app: OmniCrmApp, typed: str) -> list[Command]:
    """Return the command that `typed` spells with a number, such as `c 4711`."""
    found = _NUMBERED.fullmatch(typed.strip())
    if not found or found["word"].lower() not in _PLACES:
        return []
    place, title = _PLACES[found["word"].lower()]
    identity = int(found["id"])
    return [Command(title.format(id=identity), "enter", partial(app.open_place, place, identity))]


def commands(app: OmniCrmApp, below: Screen[Any]) -> list[Command]:
    """Return what can be done: here, then tasks and rooms, then the application; last what a permission is missing for.

    Choosing one of the last says what its key would say.
    """
    return [*_here(app, below), *_tasks(app), *_rooms(app), *_application(app), *_refused(app, below)]


def _here(app: OmniCrmApp, below: Screen[Any]) -> list[Command]:
    found: dict[str, Command] = {}
    for active in below.active_bindings.values():
        binding, node = active.binding, active.node
        if node is app or not active.enabled or not binding.description or not (binding.show or binding.tooltip):
            continue
        title = binding.tooltip or binding.description
        found.setdefault(
            f"{id(node)}.{binding.action}",
            Command(visible(title), app.get_key_display(binding), partial(app.run_action, binding.action, node)),
        )
    return list(found.values())


def _refused(app: OmniCrmApp, below: Screen[Any]) -> list[Command]:
    found = {
        words: Command(visible(words), "", partial(app.run_action, active.binding.action, active.node))
        for active, words in refused(below)
    }
    return list(found.values())


def _tasks(app: OmniCrmApp) -> list[Command]:
    allowed = {room.name for room in rooms.open_to(app.desk.actor)} if app.desk.actor else set()
    return [
        Command(title, "", partial(_start, app, room, action))
        for title, room, action, permission in _QUICK_TASKS
        if room in allowed and app.desk.may(permission)
    ]


async def _start(app: OmniCrmApp, room: str, action: str) -> None:
    while app.current_mode == room and len(app.screen_stack) > 1 and not app.locked:
        await app.pop_screen()
    app.go(room)
    if action:
        screen = app.screen
        app.call_after_refresh(app.run_action, action, screen)


def _rooms(app: OmniCrmApp) -> list[Command]:
    actor = app.desk.actor
    return [
        Command(_("Go to {room}").format(room=room.title), f"g {room.letter}", partial(app.go, room.name))
        for room in (rooms.open_to(actor) if actor else ())
    ]


def _second_factor(app: OmniCrmApp) -> None:
    from screens.enrolment import manage

    if isinstance(app.screen, AtDesk):
        app.screen.do(partial(manage, app))


def _verify_email(app: OmniCrmApp) -> None:
    from screens.verify_email import verify_email

    if isinstance(app.screen, AtDesk):
        app.screen.do(partial(verify_email, app))


def _sessions(app: OmniCrmApp) -> None:
    from screens.own_sessions import OwnSessions

    app.push_screen(OwnSessions())


def _account(app: OmniCrmApp) -> list[Command]:
    """Return what is done about one's own account, and nobody else's."""
    if app.acting:
        return [Command(_("Stop acting as {name}").format(name=app.acting.name), "f8", app.action_stop_acting)]
    return [
        Command(_("Change password"), "", app.action_change_password),
        Command(_("Second factor"), "", partial(_second_factor, app)),
        Command(_("Verify e-mail address"), "", partial(_verify_email, app)),
        Command(_("Your sessions"), "", partial(_sessions, app)),
    ]


def _application(app: OmniCrmApp) -> list[Command]:
    looks = (
        (themes.DARK.name, _("dark")),
        (themes.LIGHT.name, _("light")),
        (themes.CONTRAST.name, _("high contrast")),
        (themes.ANSI, _("terminal's own colours")),
    )
    return [
        *(
            Command(_("Theme: {name}").format(name=label), "", partial(app.action_theme, name))
            for name, label in looks
            if name != app.theme
        ),
        *(
            Command(_("Language: {name}").format(name=name), "", partial(app.action_language, code))
            for code, name in NAMES.items()
            if code != iso_code(app.settings.crm.language)
        ),
        *([Command(_("Links and support"), "", app.action_links)] if links_of(app.settings.branding) else []),
        Command(_("All keys"), "?", app.action_keys),
        *_account(app),
        Command(_("Lock the screen"), "ctrl+l", app.action_lock),
        Command(_("Log out"), "", app.action_sign_out),
        Command(_("Quit"), "ctrl+q", app.action_leave),
    ]
