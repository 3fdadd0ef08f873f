"""The users room: who may log in, and the roles that say what they may do (BIL-382..387)."""

from __future__ import annotations

from datetime import timedelta
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from omnicrm_tui.listing import ListQuery
from screens.base import CrmScreen
from screens.desk import ServiceSource, sentence
from screens.formats import Formats
from screens.user_actions import USER_KEYS, UserActions, full_name
from widgets.columns import Column, Tone
from widgets.entity_table import EntityTable, Filter
from widgets.row_table import RowTable
from widgets.tab_line import TabLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omnicrm_tui.identity.schemas import CreatedUser, UserRow, UserView
    from screens.impersonation_log import ImpersonationLogList
    from screens.roles import RoleList

YES_NO = (("true", _("yes")), ("false", _("no")))


def columns(formats: Formats) -> tuple[Column[UserRow], ...]:
    """Return the columns of the list (PLT-206)."""
    return (
        Column(_("Name"), full_name, weight=2, min_width=15, sort="username"),
        Column(_("E-mail"), lambda row: row.email, weight=2, min_width=20, sort="email"),
        Column(_("Roles"), lambda row: ", ".join(row.roles), weight=2, min_width=14),
        Column(_("2FA"), lambda row: _("on") if row.is_2fa_enabled else "–", width=4),
        Column(_("Last login"), lambda row: formats.moment(row.last_login) or _("never"), width=16, priority=1),
        Column(_("Phone"), lambda row: row.phone_number or "", width=15, priority=3),
        Column(_("Kind"), kind, width=8, priority=4),
        Column(_("State"), state, width=8, tone=state_tone, priority=2),
    )


def state(user: UserRow | UserView) -> str:
    """Return whether a user may log in."""
    if user.deleted:
        return _("deleted")
    if not user.active:
        return _("off")
    return _("unlinked") if is_unlinked(user) else _("active")


def state_tone(user: UserRow | UserView) -> Tone:
    """Return the tone of `state`."""
    return "muted" if user.deleted else "" if user.active and not is_unlinked(user) else "warning"


def kind(user: UserRow | UserView) -> str:
    """Return on which side of the desk a user is."""
    return _("customer") if user.is_customer else _("staff")


def is_unlinked(user: UserRow | UserView) -> bool:
    """Tell whether it is a customer's user whose contact is gone: it may not log in."""
    return user.is_customer and user.contact_id is None


class UsersScreen(CrmScreen):
    """Three tabs: users, roles, and the log of who acted as another user."""

    TITLE = _("Users")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "next_tab(1)", _("Next tab"), key_display="]", id="tabs.next"),
        Binding(
            "left_square_bracket", "next_tab(-1)", _("Previous tab"), show=False, key_display="[", id="tabs.previous"
        ),
        Binding("1", "tab(0)", _("Users"), show=False, id="tabs.1", tooltip=_("Show the users")),
        Binding("2", "tab(1)", _("Roles"), show=False, id="tabs.2", tooltip=_("Show the roles")),
        Binding("3", "tab(2)", _("Acted as"), show=False, id="tabs.3", tooltip=_("Show who acted as whom")),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._tabs = TabLine([_("Users"), _("Roles"), _("Acted as")])
        self._users = UserList()
        self._panes: dict[int, UserList | RoleList | ImpersonationLogList] = {0: self._users}

    def body(self) -> ComposeResult:
        yield self._tabs
        yield self._users

    def on_mount(self) -> None:
        self._users.take_focus()

    def on_screen_resume(self) -> None:
        """Coming back from a user's page."""
        super().on_screen_resume()
        self._users.subject_changed()

    def action_new(self) -> None:
        """Ask for a user, from wherever one is (the palette)."""
        self.action_tab(0)
        self._users.action_new()

    def action_tab(self, at: int) -> None:
        """Show a tab; what it shows is made when it is first shown."""
        self._tabs.choose(at)
        if at not in self._panes:
            self._panes[at] = _pane(at)
            self.mount(self._panes[at], after=self._users)
        for number, pane in self._panes.items():
            pane.display = number == at
        if self._panes[at].is_mounted:
            self._panes[at].take_focus()

    def action_next_tab(self, by: int) -> None:
        """Show the tab beside this one, around the ends."""
        self.action_tab((self._tabs.at + by) % len(self._tabs.titles))

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.action_tab(message.at)

    def show_holders(self, role: str) -> None:
        """Show the users who hold a role."""
        self.action_tab(0)
        self._users.show_holders(role)


def _pane(at: int) -> RoleList | ImpersonationLogList:
    from screens.impersonation_log import ImpersonationLogList
    from screens.roles import RoleList

    return RoleList() if at == 1 else ImpersonationLogList()


class UserList(UserActions, Vertical):
    """The table of users, with everything that is done to one."""

    DEFAULT_CSS = "UserList { height: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", _("New"), id="users.new", tooltip=_("New user")),
        *USER_KEYS,
    ]

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.identity),
            columns(self.crm_app.formats),
            id="users",
            empty_text=_("No users yet. Press n to make the first one."),
            sorts=("username", "email", "id"),
            query=ListQuery(sort="username"),
            filters=self._filters([], []),
            copied=lambda row: row.email,
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.do(self._learn_choices, group="choices")

    async def _learn_choices(self) -> None:
        roles, domains = await self.desk.read(lambda work: (work.identity.role_list(), work.identity.domains()))
        self.table.declare_filters(self._filters([role.name for role in roles], domains))

    def _filters(self, roles: Sequence[str], domains: Sequence[str]) -> list[Filter]:
        """The filters that reviews ask for (BIL-382, PLT-220): who came lately, who never did, who left."""
        today = self.desk.now().date()
        days = [(days, today - timedelta(days=days)) for days in (30, 90)]
        logins = [
            ("never", _("never")),
            (f"since:{days[0][1]}", _("in the last {n} days").format(n=30)),
            *((f"before:{day}", _("not for {n} days").format(n=n)) for n, day in days),
        ]
        return [
            Filter("role", _("Role"), [(name, name) for name in roles]),
            Filter("last_login", _("Login"), logins),
            Filter("is_2fa_enabled", _("2FA"), YES_NO),
            Filter("active", _("Active"), YES_NO),
            Filter("deleted", _("Deleted"), YES_NO[:1]),
            Filter("domain", _("Domain"), [(name, name) for name in domains]),
            Filter("is_customer", _("Kind"), [("false", _("staff")), ("true", _("customer"))]),
        ]

    @property
    def table(self) -> EntityTable[UserRow]:
        """The table."""
        return self.query_one(EntityTable)

    @property
    def subject(self) -> UserRow | None:
        """The user under the cursor."""
        return self.table.row if self.is_mounted else None

    def subject_changed(self) -> None:
        self.table.reload()

    def take_focus(self) -> None:
        """Give the keyboard to the table."""
        self.table.focus()

    def show_holders(self, role: str) -> None:
        """Show the users who hold a role, and no others."""
        self.table.show(ListQuery(sort="username", filters={"role": [role]}))

    def on_row_table_status_changed(self, _message: RowTable.StatusChanged) -> None:
        """Another row: other keys make sense."""
        self.screen.refresh_bindings()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the user's page."""
        message.stop()
        self.crm_app.open_place("user", message.row.id)

    def action_new(self) -> None:
        """Ask for a user; show the password that was made, then the user."""
        self.do(self._new, group="new", exclusive=True)

    async def _new(self) -> None:
        from screens.user_forms import TemporaryPassword, new_user

        roles = await self.desk.read(lambda work: work.identity.role_list())
        made: CreatedUser | None = await self.app.push_screen_wait(new_user(self.desk, [role.name for role in roles]))
        if made is None:
            return
        if made.temporary_password:
            await self.app.push_screen_wait(TemporaryPassword(full_name(made), made.temporary_password))
        self.table.reload()
        self.crm_app.open_place("user", made.id)
