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
    from omnicrm_tui.customers.schemas import SiteInput, SiteView


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

    BINDINGS: ClassVar[list[BindingType]] = [Binding("n", "new", _("New site"), id="sites.new", tooltip=_("New site"))]

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer `n` to those who may."""
        return self.desk.may("create_customer_site") if action == "new" else super().check_action(action, parameters)

    def action_new(self) -> None:
        """Ask for a site and add it."""
        from omnicrm_tui.customers.schemas import SiteInput
        from screens.dialogs import FormDialog
        from widgets.form import fields_of

        country = self.crm_app.settings.crm.default_country
        hints = {"country": _("blank: {country}").format(country=country)} if country else {}
        names = [name for name in SiteInput.model_fields if name != "google_maps_place_id"]
        fields = fields_of(SiteInput, names, hints=hints, lines=("address_note",))
        self.app.push_screen(FormDialog(_("New site"), SiteInput, fields, self._add), self._added)

    async def _add(self, data: SiteInput) -> SiteView:
        return await self.desk.change(lambda work: work.customers.add_site(self.customer_id, data))

    def _added(self, made: SiteView | None) -> None:
        if made is not None:
            self.refresh_rows()
