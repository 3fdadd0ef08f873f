"""One's own open sessions: `x` ends one, `X` all the others, each with the password."""

from __future__ import annotations

from gettext import gettext as _
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from omnicrm_tui.identity.schemas import Password, SessionView
from omnicrm_tui.schemas import Input as Schema
from screens.base import CrmScreen
from screens.desk import sentence
from screens.dialogs import FormDialog
from screens.short_list import ShortList
from screens.user import session_columns
from widgets.entity_table import EntityTable
from widgets.form import Field


class _OwnPassword(Schema):
    password: Password


class OwnSessions(CrmScreen):
    """The sessions of who sits here, the newest first."""

    TITLE = _("Your sessions")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "end", _("End session"), id="own-sessions.end", tooltip=_("End the session under the cursor")),
        Binding("X", "end_others", _("End all others"), id="own-sessions.end-others", tooltip=_("All but this one")),
    ]

    def body(self) -> ComposeResult:
        yield EntityTable(
            ShortList[Any](
                self.desk,
                lambda work: work.identity.sessions_of(self._user_id),
                lambda _row: 0,
                lambda row: row.source_address,
                in_order=True,
            ),
            session_columns(self.crm_app.formats),
            id="own-sessions",
            empty_text=_("No session is open."),
            sorts=(),
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.query_one(EntityTable).focus()

    @property
    def _user_id(self) -> int:
        actor = self.desk.actor
        return (actor.user_id if actor else None) or 0

    def action_end(self) -> None:
        """End the session under the cursor; for the one where one sits there is logging out."""
        row: SessionView | None = self.query_one(EntityTable).row
        if row is not None and row.current:
            self.tell(_("You sit at this one: log out to end it."), severity="warning")
        elif row is not None:
            when = self.crm_app.formats.moment(row.started)
            heading = _("End the session of {when} from {address}?")
            self._ask(heading.format(when=when, address=row.source_address or "–"), row.session_id)

    def action_end_others(self) -> None:
        """End all sessions but this one."""
        self._ask(_("End all other sessions?"), "")

    def _ask(self, heading: str, session_id: str) -> None:
        async def end(data: _OwnPassword) -> int:
            password = data.password.get_secret_value()
            return await self.desk.change(
                lambda work: work.identity.end_own_sessions(self._user_id, password, session_id)
            )

        field = Field("password", _("Current password"), "secret", required=True)
        form: FormDialog[int] = FormDialog(heading, _OwnPassword, [field], end)
        self.app.push_screen(form, self._ended)

    def _ended(self, number: int | None) -> None:
        if number is not None:
            self.tell(_("Sessions ended: {n}").format(n=number))
            self.query_one(EntityTable).reload()
