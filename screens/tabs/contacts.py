"""The Contacts tab: who to call, and a dialog for one more (CAT-242)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from screens.desk import sentence
from screens.short_list import ShortList
from screens.tabs.pane import Pane
from widgets.columns import Column
from widgets.entity_table import EntityTable

if TYPE_CHECKING:
    from omnicrm_tui.customers.schemas import ContactChange, ContactInput, ContactView
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

    NEEDS: ClassVar = {"new": "create_customer_contact", "edit": "update_customer_contact"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", _("New contact"), id="contacts.new", tooltip=_("New contact")),
        Binding("e", "edit", _("Edit"), id="contacts.edit", tooltip=_("Edit the contact")),
    ]

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ShortList[Any](
                self.desk,
                lambda work: work.customers.contacts(self.customer_id),
                lambda row: row.contact_id,
                lambda row: f"{full_name(row)} {row.contact_phone} {row.contact_email} {row.contact_types}",
            ),
            COLUMNS,
            id="contacts",
            empty_text=_("No contacts yet. Press n to add one."),
            describe_error=sentence,
        )

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
