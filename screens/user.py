"""One user: details, open sessions, what the user may do and through which role, and what happened (BIL-384)."""

from __future__ import annotations

from gettext import gettext as _
from gettext import ngettext
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget

from omnicrm_tui.errors import CrmError
from omnicrm_tui.languages import said
from screens.base import AtDesk, CrmScreen
from screens.desk import sentence
from screens.formats import Formats
from screens.history import History, entry, history_table
from screens.short_list import ShortList
from screens.user_actions import USER_KEYS, UserActions, full_name
from screens.users import is_unlinked, kind, state, state_tone
from widgets.columns import Column
from widgets.entity_table import EntityTable
from widgets.facts import Fact, Facts
from widgets.tab_line import TabLine

if TYPE_CHECKING:
    from omnicrm_tui.identity.schemas import Right, SessionView, UserView

TABS = (_("Details"), _("Sessions"), _("Rights"), _("Activity"))


class UserScreen(UserActions, CrmScreen):
    """One user, by number."""

    DEFAULT_CSS = """
    UserScreen #panes { height: 1fr; }
    UserScreen #panes > * { height: 1fr; }
    UserScreen #about { padding: 1 0 0 0; background: $surface; scrollbar-size-vertical: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *USER_KEYS,
        Binding(
            "m",
            "verify_email",
            _("E-mail"),
            id="user.email",
            tooltip=_("Verify the e-mail address, or cancel its change"),
        ),
        Binding("right_square_bracket", "next_tab(1)", _("Next tab"), key_display="]", id="tabs.next"),
        Binding(
            "left_square_bracket", "next_tab(-1)", _("Previous tab"), show=False, key_display="[", id="tabs.previous"
        ),
        *(Binding(str(at + 1), f"tab({at})", _("This tab"), show=False, id=f"tabs.{at + 1}") for at in range(4)),
    ]

    def __init__(self, user_id: int) -> None:
        super().__init__()
        self.user_id = user_id
        self.user: UserView | None = None
        self._tabs = TabLine(TABS)
        self._body = Vertical(id="panes")
        self._panes: dict[int, Widget] = {}

    def path(self) -> tuple[str, ...]:
        """Users, then the name."""
        name = full_name(self.user) if self.user else ""
        return (_("Users"), f"{name} #{self.user_id}".strip())

    def body(self) -> ComposeResult:
        yield self._tabs
        yield self._body

    def on_mount(self) -> None:
        self.load()
        self.action_tab(0)

    def load(self) -> None:
        """Read the user (again)."""
        self.do(self._load, group="user", exclusive=True, on_error=self._not_found)

    async def _load(self) -> None:
        self.user = await self.desk.read(lambda work: work.identity.user(self.user_id))
        self.show_path()
        self.query_one(Facts).show(user_facts(self.user, self.crm_app.formats))
        self.refresh_bindings()

    def _not_found(self, error: CrmError) -> None:
        self.tell(sentence(error), severity="error")
        if self.is_active:
            self.action_back()

    # What the keys are about

    @property
    def subject(self) -> UserView | None:
        """The user."""
        return self.user

    def subject_changed(self) -> None:
        self.load()
        for table in self.query(EntityTable).results(EntityTable):
            table.reload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to verify an address where one waits for it."""
        if action == "verify_email":
            user = self.user
            return user is not None and not user.deleted and bool(user.pending_email or not user.email_verified)
        return super().check_action(action, parameters)

    def action_verify_email(self) -> None:
        """Mail another code to the address that waits, or cancel its change (BIL-430)."""
        if self.user is not None:
            user = self.user
            self.do(lambda: self._verify_email(user), group="email", exclusive=True)

    async def _verify_email(self, user: UserView) -> None:
        from screens.choose import Choose

        answers = [_("Send another code to {address}").format(address=user.pending_email or user.email)]
        if user.pending_email:
            answers.append(_("Cancel the change: {address} stays").format(address=user.email))
        chosen = await self.app.push_screen_wait(Choose(_("E-mail address to verify"), answers))
        if chosen == 0:
            address = await self.desk.change(lambda work: work.identity.resend_verification(user.id))
            self._done(_("A code to {address} is on its way.").format(address=address))
        elif chosen == 1:
            await self.desk.change(lambda work: work.identity.cancel_email_change(user.id))
            self._done(_("{address} stays the e-mail address.").format(address=user.email))

    # Tabs

    def action_tab(self, at: int) -> None:
        """Show a tab; it is made when it is first shown."""
        self._tabs.choose(at)
        for number, pane in self._panes.items():
            pane.display = number == at
        if at not in self._panes:
            self._panes[at] = self._make(at)
            self._body.mount(self._panes[at])
        self.call_after_refresh(self._panes[at].focus)

    def _make(self, at: int) -> Widget:
        formats, number = self.crm_app.formats, self.user_id
        if at == 0:
            return VerticalScroll(Facts([Fact(_("Reading…"))]), id="about", can_focus=True)
        if at == 1:
            return Sessions(self.user_id)
        if at == 2:
            return EntityTable[Any](
                ShortList[Any](
                    self.desk,
                    lambda work: work.identity.rights(number),
                    lambda _row: 0,
                    lambda row: f"{row.permission} {said(row.description)} {' '.join(row.roles)}",
                    in_order=True,
                ),
                RIGHTS,
                id="rights",
                empty_text=_("This user may do nothing: no role gives a permission."),
                sorts=(),
                describe_error=sentence,
            )
        history = History(self.desk, "user", self.user_id)
        return history_table(history, formats, _("Nothing has happened yet."), id="activity")

    def action_next_tab(self, by: int) -> None:
        """Show the tab beside this one, around the ends."""
        self.action_tab((self._tabs.at + by) % len(TABS))

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.action_tab(message.at)

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show an entry of the history whole; sessions and rights are whole as they stand."""
        message.stop()
        if message.table.id == "activity":
            self.app.push_screen(entry(message.row, self.crm_app.formats))


RIGHTS: tuple[Column[Right], ...] = (
    Column(_("May"), lambda row: said(row.description), weight=3, min_width=28),
    Column(_("Permission"), lambda row: row.permission, weight=2, min_width=22),
    Column(_("Through"), lambda row: ", ".join(row.roles), weight=2, min_width=16),
)


def session_columns(formats: Formats) -> tuple[Column[SessionView], ...]:
    """Return the columns of the open sessions."""
    return (
        Column(_("Began"), lambda row: formats.moment(row.started), width=16),
        Column(_("From"), lambda row: row.source_address or "–", min_width=15),
        Column(_("By"), lambda row: row.real_name or "–", min_width=8, priority=1),
        Column(_("Last renewed"), lambda row: formats.moment(row.last_used), width=16),
        Column(_("Remembered"), lambda row: _("yes") if row.remembered else _("no"), width=10, priority=2),
        Column(_("Ends by"), lambda row: formats.moment(row.ends), width=16, priority=1),
        Column("", lambda row: _("this one") if row.current else "", width=9, tone=lambda _row: "accent"),
    )


class Sessions(AtDesk, Vertical):
    """A user's open sessions, with `x` to end one and `X` to end all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "end", _("End session"), id="sessions.end", tooltip=_("End the session under the cursor")),
        Binding("X", "end_all", _("End all"), id="sessions.end-all", tooltip=_("End all sessions of the user")),
    ]

    def __init__(self, user_id: int) -> None:
        super().__init__()
        self.user_id = user_id

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ShortList[Any](
                self.desk,
                lambda work: work.identity.sessions_of(self.user_id),
                lambda _row: 0,
                lambda row: row.source_address,
                in_order=True,
            ),
            session_columns(self.crm_app.formats),
            id="sessions",
            empty_text=_("No session is open."),
            sorts=(),
            describe_error=sentence,
        )

    def focus(self, scroll_visible: bool = True) -> Sessions:
        """Give the keyboard to the table."""
        self.query_one(EntityTable).focus(scroll_visible)
        return self

    def action_end(self) -> None:
        """Ask, then end the session under the cursor."""
        row: SessionView | None = self.query_one(EntityTable).row
        if row is None:
            return
        when, session_id = self.crm_app.formats.moment(row.started), row.session_id

        async def end() -> None:
            await self.desk.change(lambda work: work.identity.end_session(self.user_id, session_id))
            self.query_one(EntityTable).reload()

        text = _("It began {when}, from {address}. Whoever sits there is signed out within half a minute.")
        if row.current:
            text += "\n" + _("It is your own.")
        text = text.format(when=when, address=row.source_address or "–")
        self.ask_first(_("End this session?"), text, end, yes=_("End"))

    def action_end_all(self) -> None:
        """Ask, then end all sessions of the user."""

        async def end() -> None:
            number = await self.desk.change(lambda work: work.identity.end_all_sessions(self.user_id))
            self.tell(_("Sessions ended: {n}").format(n=number))
            self.query_one(EntityTable).reload()

        text = _("The user is signed out everywhere within half a minute, and can log in again.")
        self.ask_first(_("End all sessions of this user?"), text, end, yes=_("End"))


def _state(user: UserView) -> str:
    if user.active and not user.deleted and is_unlinked(user):
        return _("may not log in: the contact is gone, link another one")
    return state(user)


def user_facts(user: UserView, formats: Formats) -> list[Fact]:
    """Return a user's facts; blank ones are left out."""
    locked = _("until {when}").format(when=formats.moment(user.locked_until)) if user.locked_until else ""
    words = ngettext("{when}, {n} log-in in all", "{when}, {n} log-ins in all", user.login_count)
    logins = words.format(when=formats.moment(user.last_login), n=user.login_count)
    everything = _("everything") if "admin" in user.permissions else str(len(user.permissions))
    pairs = [
        (_("Login name"), user.username),
        (_("E-mail"), user.email + ("" if user.email_verified else " " + _("(not verified)"))),
        (_("New e-mail"), _("{address} waits to be verified").format(address=user.pending_email or "")),
        (_("Phone"), user.phone_number or ""),
        (_("Kind"), kind(user)),
        (_("Contact"), f"#{user.contact_id}" if user.contact_id is not None else ""),
        (_("Roles"), ", ".join(user.roles) or _("none")),
        (_("Permissions"), everything),
        (_("Added"), formats.moment(user.created)),
        (_("Last changed"), formats.moment(user.last_modified)),
        (_("Deleted"), formats.moment(user.deleted_at)),
    ]
    security = [
        Fact(
            _("Second factor"), _("on") if user.is_2fa_enabled else _("off"), "" if user.is_2fa_enabled else "warning"
        ),
        Fact(_("Last login"), logins if user.last_login else _("never")),
        *([Fact(_("Locked"), locked, "error")] if locked else []),
        *([Fact(_("Password"), _("to be changed at the next login"), "warning")] if user.force_password_change else []),
    ]
    middle = f" {user.middle_name} " if user.middle_name else " "
    if user.pending_email is None:
        pairs = [(label, value) for label, value in pairs if label != _("New e-mail")]
    return [
        Fact(f"{user.first_name}{middle}{user.last_name}"),
        Fact(_("State"), _state(user), state_tone(user)),
        *(Fact(label, value) for label, value in pairs if value),
        Fact(_("Security")),
        *security,
    ]
