"""The Contacts tab: who to call, and a dialog for one more (CAT-242)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from omnicrm_tui.identity.permissions import CAN_IMPERSONATE
from screens.desk import sentence
from screens.short_list import ShortList
from screens.tabs.pane import Pane
from widgets.columns import Column
from widgets.entity_table import EntityTable
from widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omnicrm_tui.customers.schemas import ContactChange, ContactInput, ContactView
    from omnicrm_tui.identity.schemas import LoginOfContact
    from omnicrm_tui.work import Work
    from widgets.form import Field


def full_name(row: ContactView) -> str:
    """Return first and last name."""
    return f"{row.contact_firstname} {row.contact_lastname}".strip()


COLUMNS: tuple[Column[ContactView], ...] = (
    Column(_("Name"), full_name, weight=2, min_width=18),
    Column(_("Types"), lambda row: row.contact_types, min_width=12),
    Column(_("Phone"), lambda row: row.contact_phone or "", width=16),
    Column(_("E-mail"), lambda row: row.contact_email or "", weight=2, min_width=18, priority=1),
)


class ContactsPane(Pane):
    """The customer's contacts, oldest first."""

    NEEDS: ClassVar = {
        "new": "create_customer_contact",
        "edit": "update_customer_contact",
        "act_as": CAN_IMPERSONATE,
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", _("New contact"), id="contacts.new", tooltip=_("New contact")),
        Binding("e", "edit", _("Edit"), id="contacts.edit", tooltip=_("Edit the contact")),
        Binding("l", "act_as", _("Log in as"), id="contacts.act-as", tooltip=_("See what the contact sees")),
    ]

    def __init__(self, customer_id: int) -> None:
        super().__init__(customer_id)
        self._logins: dict[int, LoginOfContact] = {}

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ShortList[Any](
                self.desk,
                self._read,
                lambda row: row.contact_id,
                lambda row: f"{full_name(row)} {row.contact_phone} {row.contact_email} {row.contact_types}",
            ),
            COLUMNS if not self.desk.may(CAN_IMPERSONATE) else (*COLUMNS, Column(_("Login"), self._login, width=12)),
            id="contacts",
            empty_text=_("No contacts yet. Press n to add one."),
            describe_error=sentence,
        )

    def _read(self, work: Work) -> Sequence[ContactView]:
        """Read the contacts and, for who may act as them, who logs in for each (SVC-367)."""
        contacts = work.customers.contacts(self.customer_id)
        if work.actor.may(CAN_IMPERSONATE):
            self._logins = work.impersonation.logins_of_contacts([row.contact_id for row in contacts])
        return contacts

    def _login(self, row: ContactView) -> str:
        login = self._logins.get(row.contact_id)
        return login.username if login else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to log in as a contact only where somebody logs in for it."""
        if action == "act_as" and not self.refusal(action):
            row = self.query_one(EntityTable).row if self.is_mounted else None
            return row is not None and row.contact_id in self._logins
        return super().check_action(action, parameters)

    def on_row_table_status_changed(self, _message: RowTable.StatusChanged) -> None:
        """Another row: other keys make sense."""
        self.screen.refresh_bindings()

    def action_act_as(self) -> None:
        """Log in as the contact under the cursor (SVC-367, BIL-501)."""
        row: ContactView | None = self.query_one(EntityTable).row
        login = self._logins.get(row.contact_id) if row else None
        if row is not None and login is not None:
            self.crm_app.acting.ask(login.user_id, full_name(row))

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show the contact whole."""
        message.stop()
        from screens.dialogs import Reading

        row: ContactView = message.row
        formats = self.crm_app.formats
        pairs = (
            (_("Number"), str(row.contact_id)),
            (_("Types"), row.contact_types),
            (_("Phone"), row.contact_phone),
            (_("E-mail"), row.contact_email),
            (_("Added"), formats.moment(row.created)),
            (_("Last changed"), formats.moment(row.last_modified)),
        )
        self.app.push_screen(Reading(full_name(row), [f"{label:<16} {value or '–'}" for label, value in pairs]))

    def action_new(self) -> None:
        """Ask for a contact and add it."""
        from omnicrm_tui.customers.schemas import ContactInput
        from screens.dialogs import FormDialog

        fields = _fields(ContactInput)
        about = f"new contact of {self.customer_id}"
        self.app.push_screen(FormDialog(_("New contact"), ContactInput, fields, self._add, about=about), self._added)

    async def _add(self, data: ContactInput) -> ContactView:
        return await self.desk.change(lambda work: work.customers.add_contact(self.customer_id, data))

    def action_edit(self) -> None:
        """Edit the contact under the cursor; a change that somebody else made meanwhile is not overwritten."""
        row: ContactView | None = self.query_one(EntityTable).row
        if row is None:
            return
        from omnicrm_tui.customers.schemas import ContactChange
        from screens.dialogs import FormDialog
        from screens.views import values_of

        identity, fields = row.contact_id, _fields(ContactChange)

        async def save(change: ContactChange) -> ContactView:
            return await self.desk.change(lambda work: work.customers.update_contact(identity, change))

        values, extra = values_of(row, [field.name for field in fields]), {"version": row.version}
        dialog = FormDialog(
            _("Edit contact"),
            ContactChange,
            fields,
            save,
            values=values,
            only_changed=True,
            extra=extra,
            about=f"edit contact {identity}",
        )
        self.app.push_screen(dialog, self._added)

    def _added(self, made: ContactView | None) -> None:
        if made is not None:
            self.refresh_rows()


def _fields(schema: type[ContactInput | ContactChange]) -> list[Field]:
    from screens.customers import LABELS
    from widgets.form import fields_of

    names = [name for name in schema.model_fields if name != "version"]
    hints = {"contact_types": _("such as Billing,Technical")}
    return fields_of(schema, names, prefix="contact_", labels=LABELS, hints=hints)
