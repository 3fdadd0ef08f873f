"""The Activity tab: who did what and when, newest first, by kind of object (SVC-147..152)."""

from __future__ import annotations

from collections.abc import Mapping
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from omnicrm_tui.identity.actor import who
from omnicrm_tui.languages import said
from omnicrm_tui.listing import ListQuery
from screens.desk import ServiceSource, sentence
from screens.tabs.pane import Pane
from widgets.columns import Column
from widgets.entity_table import EntityTable
from widgets.tab_line import TabLine
from widgets.text import fit

if TYPE_CHECKING:
    from omnicrm_tui.activity.schemas import ActivityRow
    from screens.formats import Formats

KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (_("All"), ()),
    (_("Customer"), ("customer",)),
    (_("Contacts"), ("contact",)),
    (_("Sites"), ("site",)),
    (_("Services"), ("service",)),
    (_("Transactions"), ("transaction",)),
    (_("Invoices"), ("invoice",)),
    (_("Provisioning"), ("provision", "provisioning")),
    (_("Stock"), ("inventory",)),
)
"""The tabs within the tab (SVC-148), and the object types that each shows."""


class KindLine(TabLine):
    """Tabs without numbers: the numbers belong to the page's own tabs."""

    def _labels(self) -> list[str]:
        return list(self.titles)


class ActivityPane(Pane):
    """The customer's log; nothing here can be changed (SVC-149)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "kind(1)", _("Next kind"), key_display="→", id="activity.next-kind"),
        Binding("left,h", "kind(-1)", _("Previous kind"), show=False, key_display="←", id="activity.previous-kind"),
    ]

    def compose(self) -> ComposeResult:
        formats = self.crm_app.formats
        yield KindLine([title for title, _types in KINDS])
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.activity, customer_id=self.customer_id),
            [
                Column[Any](_("When"), lambda row: formats.moment(row.timestamp), width=16),
                Column[Any](_("Who"), lambda row: who(row.actor_name, row.user_id), min_width=10),
                Column[Any](_("What"), lambda row: said(row.action), weight=2, min_width=20),
                Column[Any](_("Changed"), changed, weight=3, min_width=20, priority=1),
            ],
            id="activity",
            empty_text=_("Nothing has happened yet."),
            sorts=("activity_id",),
            query=ListQuery(sort="activity_id", descending=True),
            describe_error=sentence,
        )

    def action_kind(self, by: int) -> None:
        """Show another kind of object."""
        line, table = self.query_one(KindLine), self.query_one(EntityTable)
        line.choose((line.at + by) % len(KINDS))
        types = KINDS[line.at][1]
        query = table.list_query
        filters = {"object_type": types} if types else {}
        table.show(ListQuery(query.search, filters, query.sort, query.descending))

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        message.stop()
        self.action_kind(message.at - self.query_one(KindLine).at)

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show what was changed, from what to what (SVC-150)."""
        message.stop()
        from screens.dialogs import Reading

        self.app.push_screen(Reading(said(message.row.action), entry_lines(message.row, self.crm_app.formats)))


def changed(row: ActivityRow) -> str:
    """Return the changed fields with their new values, as many as fit."""
    return ", ".join(f"{name} {_value(_new(values))}" for name, values in row.details.items())


def _new(values: object) -> object:
    return values["new"] if isinstance(values, Mapping) and "new" in values else values


def entry_lines(row: ActivityRow, formats: Formats) -> list[str]:
    """Return an entry as lines: who, when, from where, then each field with its old and new value."""
    subject = f"{row.object_type} {row.object_id}" if row.object_id is not None else row.object_type
    pairs = [
        (_("When"), formats.moment(row.timestamp)),
        (_("Who"), who(row.actor_name, row.user_id)),
        (_("From"), row.source_address or "–"),
        (_("About"), subject),
        *([(_("Service"), str(row.service_id))] if row.service_id is not None else []),
    ]
    lines = [f"{label:<10} {value}" for label, value in pairs]
    lines += ["", f"{fit(_('Field'), 26)} {_('from → to')}"] if row.details else []
    for name, values in row.details.items():
        was = _value(values["old"]) if isinstance(values, Mapping) and "old" in values else "–"
        lines.append(f"{fit(name, 26)} {was} → {_value(_new(values))}")
    return lines


def _value(value: object) -> str:
    return "–" if value in (None, "") else str(value)
