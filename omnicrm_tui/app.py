"""The Textual application: draws first, opens the service layer in a thread, then signs in."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Mapping
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar, clear_overloads

from textual import events
from textual.binding import Binding, BindingType
from textual.dom import DOMNode

from omnicrm_tui import languages
from omnicrm_tui.errors import CrmError
from omnicrm_tui.first_start import is_due
from omnicrm_tui.settings import Settings
from screens import rooms, themes
from screens.acting import Acting
from screens.base import AtDesk, CrmScreen, Dialog
from screens.clock_notice import ClockNotice
from screens.desk import ASKS_FOR_2FA, Desk, sentence
from screens.early import EarlyList
from screens.formats import Formats
from screens.idle import Idle
from screens.leaving import Leaving
from screens.room_choice import RoomChoice
from screens.seat import Seat
from screens.sign_in import SignIn
from widgets.key_order import KeysInOrder
from widgets.lasting_terminal import end_input, outlive_terminal
from widgets.scroll_region import ScrollRegionApp
from widgets.title_line import TitleLine
from widgets.too_small import too_small
from widgets.window_title import window_title

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm
    from omnicrm_tui.identity.actor import Actor

RENEW_SECONDS = 1.0
"""How long after the start a remembered session's token is exchanged."""

PAINT_SECONDS = 0.05
"""How long the rows that were read early have for their first frame, before imports take their share of the time."""

STEPS_OVER_SSH = 15
"""How often in a second a key that is held down moves on, over SSH: by as many rows as were asked for meanwhile."""

VERSION_SECONDS = 30.0
"""How often a terminal looks whether the database was upgraded under it."""

NOTICE_SECONDS = 30.0
"""How long it then says so; the title line goes on saying it."""

FIRST_STEPS = _(
    "Nobody can log in here yet.\n"
    "Make the first administrator:\n"
    "  omnicrm user create --email you@example.com\n"
    "or try a demo:\n"
    "  omnicrm demo"
)
"""What a new home says."""


def open_crm(settings: Settings) -> Crm:
    """Import and open the service layer; called in a thread, after the first frame."""
    from omnicrm_tui.opening import open_for_terminal

    return open_for_terminal(settings)


def _collect_garbage() -> None:
    """Collect again (the start does without, a sixth of its time), and never look at what the start loaded."""
    clear_overloads()  # libraries' overloads are for type checkers; what they leave free is used again
    gc.freeze()
    gc.enable()


class OmniCrmApp(KeysInOrder[None], ScrollRegionApp[None]):
    """The operator's desk.

    `desk` and `seat` are given by tests; a desk whose actor is set is signed in from the first frame on.
    """

    TITLE = "OmniCRM"
    CSS_PATH = None
    ENABLE_COMMAND_PALETTE = False
    MODES = rooms.MODES
    CSS = themes.CSS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+k",
            "palette",
            _("Commands"),
            id="app.palette-anywhere",
            show=False,
            priority=True,
            tooltip=_("Every action"),
        ),
        Binding("colon", "palette", _("Commands"), id="app.palette", key_display=":", tooltip=_("Every action")),
        Binding(
            "question_mark", "keys", _("All keys"), id="app.keys", key_display="?", tooltip=_("Keys of this place")
        ),
        Binding("g", "go_prefix", _("Go to…"), id="app.go", tooltip=_("g, then the room's letter")),
        Binding("ctrl+l", "lock", _("Lock the screen"), id="app.lock", show=False, priority=True),
        Binding(
            "f8",
            "stop_acting",
            _("Stop acting as another"),
            id="app.stop-acting",
            show=False,
            priority=True,
            tooltip=_("Be yourself again"),
        ),
        Binding("f5", "repaint", _("Paint again"), id="app.repaint", show=False, tooltip=_("Paint the screen again")),
        Binding("ctrl+q", "leave", _("Quit"), id="app.quit", show=False, priority=True, tooltip=_("Leave")),
    ]

    def __init__(
        self,
        settings: Settings,
        desk: Desk | None = None,
        seat: Seat | None = None,
        early: EarlyList | None = None,
    ) -> None:
        self.settings = settings
        self.early = early
        self.desk = desk or Desk(settings, open_crm)
        self.desk.revoked = self._revoked
        self.seat = seat or Seat(settings.home)
        self.formats = Formats(settings.crm)
        self._resuming = self.desk.actor is None and self.seat.has_session
        self._first_start = desk is None and is_due(settings)
        first = rooms.first_room(self.desk.actor) if self.desk.actor else "customers" if self._resuming else rooms.LOGIN
        first = rooms.FIRST_START if self._first_start else first
        self.DEFAULT_MODE = first  # type: ignore[misc]
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.sign_in = SignIn(self.desk, self.seat)
        self.locked = False
        self.taken_draft = ""
        """What a form that opens now is about, where its draft was taken already."""
        self.outdated = False
        self.clock_notice = ClockNotice()
        self._room_choice = RoomChoice(self)
        self.leaving = Leaving(self)
        self.acting = Acting(self)
        self.idle = Idle()
        for theme in themes.of_operator(settings.branding.colours):
            self.register_theme(theme)
        chosen = self.seat.theme or (self.seat.remote and settings.terminal.theme_over_ssh) or settings.crm.theme
        self.theme = themes.ANSI if self.no_color else themes.first(chosen)
        self.animation_level = "none"
        if self.seat.remote:
            self.held_seconds = 1 / STEPS_OVER_SSH
        self.set_keymap(settings.keymap)

    @property
    def home_badge(self) -> str:
        """What every screen shows about the home: a demo says so, a real one names its operator."""
        if self.outdated:
            return _("Upgraded: start again")
        return "DEMO" if self.settings.demo else self.settings.crm.company_name

    @property
    def person(self) -> str:
        """Who is signed in; where somebody acts as another user, who as whom."""
        return self.desk.actor.signature if self.desk.actor else ""

    # Opening and closing

    def on_mount(self) -> None:
        """Open the service layer once the first frame is out."""
        self._watch_signals()
        self._name_window()
        self.set_interval(VERSION_SECONDS, self.look_around)
        if not self._first_start:
            self.call_after_refresh(self.open_desk)

    def begin_with(self, settings: Settings) -> None:
        """Begin anew with the settings that a first start has made: the way in is the login screen."""
        self.settings = settings
        self.desk = Desk(settings, open_crm)
        self.desk.revoked = self._revoked
        self.seat = Seat(settings.home)
        self.formats = Formats(settings.crm)
        self.sign_in = SignIn(self.desk, self.seat)
        self._name_window()
        self._show_login()
        self.open_desk()

    def open_desk(self) -> None:
        """Begin to open the service layer, or try again; go on with the remembered session if there is one."""
        self.desk.resume = self.sign_in.resume if self._resuming else None
        self.run_worker(self._opened(), group="open", exclusive=True)

    async def _opened(self) -> None:
        early = await asyncio.to_thread(self.early.result) if self.early and self._resuming else None
        if early is not None:
            self.delay_update(0.005)  # one frame for the person and the rows, which another thread hands on now
            self.desk.actor = early[0]
            self._show_person()
            await asyncio.sleep(PAINT_SECONDS)
        self.desk.open()
        try:
            await self.desk.crm()
            nobody_yet = self.desk.actor is None and await self.sign_in.nobody_can_log_in()
        except Exception as error:
            self._show_login(problem=sentence(error))
            return
        finally:
            _collect_garbage()
        if self.desk.actor is None:
            self._show_login(FIRST_STEPS if nobody_yet else "")
            self._log_in_by_key()
        elif self._resuming:
            self._resuming = False
            if self.desk.actor.must_enable_2fa:
                self.sign_out(ASKS_FOR_2FA)
                return
            self._show_person()
            self._name_window()
            self._enter(self.desk.actor)
            self.set_timer(RENEW_SECONDS, self._renew_session)
            self.offer_drafts()

    def _show_person(self) -> None:
        if isinstance(self.screen, CrmScreen):
            self.screen.show_person()

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is there."""
        if isinstance(event, (events.InputEvent, events.Paste)):
            self.idle.touched()
        await super().on_event(event)

    def look_around(self) -> None:
        """Lock where nobody is, say when the database was upgraded (saving is over), and when the clock was set."""
        self._lock_the_abandoned()
        if told := self.clock_notice.told():
            self.notify(told, severity="warning", timeout=NOTICE_SECONDS, markup=False)
        if not self.outdated:
            self.run_worker(self._version_looked_at(), group="version", exclusive=True)

    async def _version_looked_at(self) -> None:
        with contextlib.suppress(CrmError):
            if problem := await self.desk.outdated():
                self.outdated = True
                self.notify(problem, severity="warning", timeout=NOTICE_SECONDS, markup=False)
                for line in self.screen.query(TitleLine):
                    line.show_badge(self.home_badge)

    def _lock_the_abandoned(self) -> None:
        """Nobody touches this terminal: end acting as another user, and lock it (BIL-503)."""
        security = self.settings.security
        if self.acting and self.idle.lasts(security.impersonation_idle_minutes):
            told = _("Nobody pressed a key for {n} minutes: you are yourself again.")
            message = told.format(n=security.impersonation_idle_minutes)
            self.run_worker(self.acting.come_back(message), group="acting", exclusive=True)
        elif self.desk.actor is not None and not self.locked and self.idle.lasts(security.lock_minutes):
            self.action_lock()

    def _renew_session(self) -> None:
        """Use up the remembered token, which was only looked at, once the first list is there."""
        self.run_worker(self._renewed(), group="renew")

    async def _renewed(self) -> None:
        actor = self.desk.actor
        with contextlib.suppress(CrmError):
            if not await self.sign_in.renew() and self.desk.seats(actor):
                self.sign_out(_("The session is over. Log in again."))

    def _show_login(self, message: str = "", problem: str = "") -> None:
        from screens.login import LoginScreen

        self.switch_mode(rooms.LOGIN)
        if isinstance(self.screen, LoginScreen):
            self.screen.show(message=message, problem=problem)

    def _log_in_by_key(self) -> None:
        """Let in whom the connection's key stands for: once, when it opens; who logs out has left."""
        from screens.login import LoginScreen

        if self.seat.ssh_key is not None and isinstance(self.screen, LoginScreen):
            self.screen.log_in_by_key()

    def signed_in(self, actor: Actor) -> None:
        """Go to where the actor begins."""
        self.desk.actor = actor
        self._name_window()
        self._enter(actor)
        self.offer_drafts()

    def _enter(self, actor: Actor) -> None:
        """Show the first room that is open to the actor, with its own customer's page on top where it has one."""
        first, own = rooms.first_room(actor), rooms.own_page(actor)
        if first != self.current_mode:
            self.switch_mode(first)
        if own is not None:
            self.open_customer(own)

    def offer_drafts(self) -> None:
        """Offer what the person did not finish when a connection broke."""
        from screens.unfinished import offer_drafts

        self.run_worker(offer_drafts(self), group="drafts", exclusive=True)

    def sign_out(self, message: str = "") -> None:
        """Show the login screen and forget what the rooms showed; open forms are kept as drafts."""
        self.leaving.keep_drafts()
        self.desk.actor = None
        self._resuming = False
        self.locked = False
        self.acting.forget()
        self._show_login(message)
        self._begin_rooms_anew()

    def seat_anew(self, actor: Actor, room: str = "") -> None:
        """Let another actor sit here, in `room` or where it begins; no room shows what it did before."""
        self.desk.actor = actor
        self._name_window()
        with self.batch_update():
            self.switch_mode(rooms.LOGIN)
            self._begin_rooms_anew()
            if room:
                self.switch_mode(room)
            else:
                self._enter(actor)

    def _begin_rooms_anew(self) -> None:
        for name, factory in rooms.MODES.items():
            if name != rooms.LOGIN:
                self.remove_mode(name)
                self.add_mode(name, factory)

    def _revoked(self, actor: Actor, message: str) -> None:
        """Show the login screen to an actor who may not go on; called in any thread, and by each that notices.

        Who acted as another user is back: whether that session is over too, the next step tells.
        """
        self.call_later(self._lose, actor, message)

    def _lose(self, actor: Actor, message: str) -> None:
        if not self.desk.seats(actor):
            return
        if self.acting:
            self.acting.lost(message)
        else:
            self.sign_out(message)

    def _name_window(self) -> None:
        """Call the terminal's window by the portal's name, staff's or self-care's (PLT-477..479)."""
        branding, company = self.settings.branding, self.settings.crm.company_name
        own = self.desk.actor is not None and self.desk.actor.own_customer_id is not None
        name = (branding.self_care_name if own else branding.portal_name) or company
        if not themes.plain_terminal():
            self.write_to_terminal(window_title(name))

    def _watch_signals(self) -> None:
        """Leave the terminal as it was when the connection is lost or somebody ends the process."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_end, number)
        if self.seat.remote:
            # There may be no shell below that could wake it again.
            signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def _told_to_end(self, number: int) -> None:
        self.leaving.keep_drafts()
        self.exit(return_code=128 + number)

    def on_unmount(self) -> None:
        """Give the database connections back."""
        self.desk.close()

    # Where to go

    def push_screen(self, *args: Any, **more: Any) -> Any:
        """Put a screen on top; under the lock, where there is one: work that was begun before may ask on."""
        lock = self._screen_stack.pop() if self.locked else None
        try:
            return super().push_screen(*args, **more)
        finally:
            if lock is not None:
                self._screen_stack.append(lock)

    def go(self, room: str) -> None:
        """Enter a room, where one left it; from within, go back to its first screen."""
        if self.locked:
            return
        if room != self.current_mode:
            self.switch_mode(room)
            return
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def open_place(self, place: str, identity: int, *more: int) -> None:
        """Open what `rooms.PLACES` names, by its id, on top of where one is: `open_place("job", 88)`."""
        if not self.locked:
            screen = rooms.make(rooms.PLACES[place], identity, *more)
            if isinstance(screen, CrmScreen):
                screen.place = (place, identity)
            self.push_screen(screen)

    def open_customer(self, customer_id: int) -> None:
        """Open a customer's page."""
        self.open_place("customer", customer_id)

    def open_catalogue(self, customer_id: int, service_id: int = 0) -> None:
        """Begin to add a service to a customer (CAT-239), or an add-on to the service: the product catalogue."""
        self.open_place("catalogue", customer_id, service_id)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme the variables that ours have beyond Textual's."""
        return themes.DEFAULT_VARIABLES

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer commands only to who is signed in, and not behind a dialog."""
        if action in ("palette", "go_prefix"):
            return self.desk.actor is not None and not self.locked and not isinstance(self.screen, Dialog)
        if action == "lock":
            return self.desk.actor is not None and not self.locked
        if action == "stop_acting":
            return bool(self.acting)
        return super().check_action(action, parameters)

    async def run_action(
        self,
        action: str | tuple[str, str, tuple[object, ...]],
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run what a key or a choice stands for, or say which permission is missing for it."""
        name = action.partition("(")[0] if isinstance(action, str) else action[1]
        here = default_namespace
        if isinstance(here, AtDesk) and here.check_action(name, ()) is None and (why := here.refusal(name)):
            here.tell(why, severity="warning")
            return True
        return await super().run_action(action, default_namespace, namespaces)

    def action_palette(self) -> None:
        """Show every action of this place and every room, and take commands such as `c 4711`."""
        from screens.palette import Palette

        self.push_screen(Palette(self.screen))

    def action_keys(self) -> None:
        """Show the keys that do something here."""
        from screens.keys import KeysScreen

        self.push_screen(KeysScreen(self.screen))

    def action_go_prefix(self) -> None:
        """Show the rooms' letters; the next key chooses."""
        self._room_choice.begin()

    def takes_key(self, event: events.Key) -> bool:
        """Take the key after `g`, and every key but ctrl+q while nothing can be seen."""
        if too_small(self.size) and event.key != "ctrl+q":
            return True
        return self._room_choice.takes(event.key)

    def action_theme(self, name: str) -> None:
        """Change the look, and remember it."""
        self.theme = name
        self.seat.keep(theme=name)

    def action_language(self, code: str) -> None:
        """Remember another language for the person at this seat: texts are bound while the program starts."""
        if self.seat.keep(language=code):
            told = _("{language}: from the next start on.").format(language=languages.NAMES[code])
        else:
            told = _("People cannot be told apart here, so nothing is remembered.")
        self.notify(told, markup=False)

    def action_links(self) -> None:
        """Show the operator's links: web applications, dashboards, support."""
        from screens.links import Links

        self.push_screen(Links(self.settings.branding))

    def end_locked(self) -> None:
        """End the session of who cannot open the lock, and the application with it."""
        self.leaving.end()

    def action_lock(self) -> None:
        """Hide everything until the password is given again: one's own, who acts as another user is back first."""
        if self.acting:
            self.run_worker(self._back_and_locked(), group="acting", exclusive=True)
        else:
            self._lock()

    async def _back_and_locked(self) -> None:
        await self.acting.come_back()
        self._lock()

    def _lock(self) -> None:
        from screens.lock import LockScreen

        self.push_screen(LockScreen())
        self.locked = True

    def action_stop_acting(self) -> None:
        """Be oneself again (SVC-368)."""
        self.acting.stop()

    def action_change_password(self) -> None:
        """Change one's own password; all sessions of the person end."""
        from screens.password import ChangePassword

        if self.acting:
            return
        if self.desk.actor is not None and self.desk.actor.user_id is not None:
            self.push_screen(ChangePassword(self.desk.actor.user_id), self._password_changed)

    def _password_changed(self, new: str | None) -> None:
        if new is not None:
            self.sign_out(_("The password is changed. Log in with the new one."))

    def action_sign_out(self) -> None:
        """End the session and go to the login screen."""
        self.leaving.log_out()

    def action_leave(self) -> None:
        """Leave the application; ask while something unsaved is open."""
        self.leaving.quit()


def run(settings: Settings, early: EarlyList | None = None) -> None:
    """Run the application until the person leaves; exits with 128 and the signal's number when one ended it."""
    outlive_terminal()
    app = OmniCrmApp(settings, early=early)
    try:
        app.run()
    finally:
        end_input(app._driver)
    if app.return_code:
        raise SystemExit(app.return_code)
