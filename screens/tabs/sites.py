"""The Sites tab: where services are delivered, and a dialog for one more (CAT-246)."""

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
    from omnicrm_tui.customers.schemas import SiteChange, SiteInput, SiteView
    from widgets.form import Field


def address(row: SiteView) -> str:
    """Return the address on one line."""
    street = ", ".join(part for part in (row.address_line_1, row.address_line_2) if part)
    place = " ".join(part for part in (row.zip_code, row.city) if part)
    return ", ".join(part for part in (street, place, row.state) if part)


COLUMNS: tuple[Column[SiteView], ...] = (
    Column(_("Site"), lambda row: row.site_name, min_width=16),
    Column(_("Address"), address, weight=2, min_width=24),
    Column(_("Country"), lambda row: row.country, min_width=10, weight=0),
    Column(_("Plus Code"), lambda row: row.plus_code or "", width=12, priority=1),
    Column(_("Note"), lambda row: row.address_note or "", min_width=14, priority=2),
)


class SitesPane(Pane):
    """The customer's sites, oldest first."""

    NEEDS: ClassVar = {"new": "create_customer_site", "edit": "update_customer_site"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", _("New site"), id="sites.new", tooltip=_("New site")),
        Binding("e", "edit", _("Edit"), id="sites.edit", tooltip=_("Edit the site")),
    ]

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ShortList[Any](
                self.desk,
                lambda work: work.customers.sites(self.customer_id),
                lambda row: row.site_id,
                lambda row: f"{row.site_name} {address(row)} {row.country} {row.plus_code}",
            ),
            COLUMNS,
            id="sites",
            empty_text=_("No sites yet. Press n to add one."),
            copied=lambda row: row.plus_code or address(row),
            describe_error=sentence,
        )

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show the site whole."""
        message.stop()
        from screens.dialogs import Reading

        row: SiteView = message.row
        where = f"{row.latitude}, {row.longitude}" if row.latitude is not None else ""
        pairs = (
            (_("Address"), address(row)),
            (_("Country"), row.country),
            (_("Coordinates"), where),
            (_("Plus Code"), row.plus_code),
            (_("Note"), row.address_note),
            (_("Added"), self.crm_app.formats.moment(row.created)),
        )
        self.app.push_screen(Reading(row.site_name, [f"{label:<16} {value or '–'}" for label, value in pairs]))

    def action_new(self) -> None:
        """Ask for a site and add it."""
        from omnicrm_tui.customers.schemas import SiteInput
        from screens.dialogs import FormDialog

        country = self.crm_app.settings.crm.default_country
        fields = _fields(SiteInput, _("blank: {country}").format(country=country) if country else "")
        about = f"new site of {self.customer_id}"
        self.app.push_screen(FormDialog(_("New site"), SiteInput, fields, self._add, about=about), self._added)

    async def _add(self, data: SiteInput) -> SiteView:
        return await self.desk.change(lambda work: work.customers.add_site(self.customer_id, data))

    def action_edit(self) -> None:
        """Edit the site under the cursor; a change that somebody else made meanwhile is not overwritten."""
        row: SiteView | None = self.query_one(EntityTable).row
        if row is None:
            return
        from omnicrm_tui.customers.schemas import SiteChange
        from screens.dialogs import FormDialog
        from screens.views import values_of

        identity, fields = row.site_id, _fields(SiteChange)

        async def save(change: SiteChange) -> SiteView:
            return await self.desk.change(lambda work: work.customers.update_site(identity, change))

        values, extra = values_of(row, [field.name for field in fields]), {"version": row.version}
        dialog = FormDialog(
            _("Edit site"),
            SiteChange,
            fields,
            save,
            values=values,
            only_changed=True,
            extra=extra,
            about=f"edit site {identity}",
        )
        self.app.push_screen(dialog, self._added)

    def _added(self, made: SiteView | None) -> None:
        if made is not None:
            self.refresh_rows()


def _fields(schema: type[SiteInput | SiteChange], country: str = "") -> list[Field]:
    """Return the fields that people fill in; `country` is the hint there."""
    from widgets.form import fields_of

    names = [name for name in schema.model_fields if name not in ("version", "google_maps_place_id")]
    return fields_of(schema, names, hints={"country": country}, lines=("address_note",))
