"""The room of API keys: those of the database, and what the configuration file lets in (PLT-252..258)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from omnicrm_tui.listing import ListQuery
from screens.base import AtDesk, CrmScreen
from screens.desk import ServiceSource, sentence
from screens.key_words import STATES, configured_columns, figures_of, key_columns
from screens.key_work import EDIT_KEYS, KeyWork
from screens.short_list import ShortList
from widgets.entity_table import EntityTable, Filter
from widgets.figures import Figures
from widgets.tab_line import TabLine

if TYPE_CHECKING:
    from omnicrm_tui.identity.key_schemas import ApiKeyRow, ConfiguredAccess


class KeyList(KeyWork, Vertical):
    """The keys of the database under their four figures."""

    DEFAULT_CSS = "KeyList { height: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", _("New API key"), id="keys.new", tooltip=_("New API key")),
        *EDIT_KEYS,
    ]

    def compose(self) -> ComposeResult:
        yield Figures()
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.identity, window="api_key_window", count="api_key_count"),
            key_columns(self.crm_app.formats),
            id="api-keys",
            empty_text=_("No API keys yet. Press n to make the first one."),
            sorts=("name", "created", "expiry_date", "created_by"),
            query=ListQuery(sort="name"),
            filters=(Filter("status", _("Status"), STATES),),
            copied=lambda row: row.api_key,
            describe_error=sentence,
        )

    @property
    def table(self) -> EntityTable[ApiKeyRow]:
        """The table."""
        return self.query_one(EntityTable)

    @property
    def chosen(self) -> ApiKeyRow | None:
        """The key under the cursor."""
        return self.table.row if self.is_mounted else None

    def keys_changed(self) -> None:
        """Read list and figures anew."""
        self.table.reload()
        self.count()

    def count(self) -> None:
        """Read the figures."""
        self.do(self._count, group="figures", exclusive=True)

    async def _count(self) -> None:
        figures = await self.desk.read(lambda work: work.identity.api_key_figures())
        self.query_one(Figures).show(_("API keys"), figures_of(figures, self.crm_app.formats))

    def on_row_table_status_changed(self) -> None:
        """Offer what the key under the cursor allows."""
        self.refresh_bindings()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the key's page."""
        message.stop()
        self.crm_app.open_place("api-key", message.row.api_key_id)


class ConfiguredList(AtDesk, Vertical):
    """Keys and whitelisted addresses of the configuration file: to look at, for they are changed there."""

    DEFAULT_CSS = "ConfiguredList { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ShortList["ConfiguredAccess"](
                self.desk,
                lambda work: work.identity.configured_access(),
                lambda row: row.number,
                lambda row: " ".join((row.name, row.description, *row.roles)),
            ),
            configured_columns(self.crm_app.formats),
            id="configured",
            empty_text=_("The configuration file lets in no keys and no addresses."),
            sorts=(),
            copied=lambda row: row.name,
            describe_error=sentence,
        )

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show the entry whole, and what to look at again."""
        message.stop()
        from screens.dialogs import Reading

        row: ConfiguredAccess = message.row
        formats = self.crm_app.formats
        last = f"{formats.moment(row.last_used)}  {row.last_used_address}" if row.last_used else _("never")
        pairs = [
            (_("For"), row.description),
            (_("Roles"), ", ".join(row.roles)),
            (_("From"), ", ".join(row.ips)),
            (_("Uses"), _("{count} in the last 90 days").format(count=formats.number(row.use_count))),
            (_("Last used"), last),
        ]
        lines = [f"{label:<12} {value}" for label, value in pairs if value]
        self.app.push_screen(Reading(row.name, [*lines, *(["", *row.problems] if row.problems else [])]))


class ApiKeysScreen(CrmScreen):
    """Two tabs: keys of the database, and the configuration file."""

    TITLE = _("API keys")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "next_tab", _("Next tab"), key_display="]", id="tabs.next"),
        Binding("left_square_bracket", "next_tab", _("Previous tab"), show=False, key_display="[", id="tabs.previous"),
        Binding("1", "tab(0)", _("Keys"), show=False, id="tabs.1", tooltip=_("Show the keys of the database")),
        Binding("2", "tab(1)", _("Configuration"), show=False, id="tabs.2", tooltip=_("Show the configuration file's")),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._tabs = TabLine([_("Keys"), _("Configuration")])
        self._keys = KeyList()
        self._configured = ConfiguredList()

    def body(self) -> ComposeResult:
        yield self._tabs
        yield self._keys
        yield self._configured

    def on_mount(self) -> None:
        self.action_tab(0)

    def on_screen_resume(self) -> None:
        """Coming back: a key may have been changed on its page."""
        super().on_screen_resume()
        self._keys.keys_changed()

    def action_tab(self, at: int) -> None:
        """Show a tab."""
        self._tabs.choose(at)
        self._keys.display, self._configured.display = at == 0, at == 1
        shown = self._keys if at == 0 else self._configured
        shown.query_one(EntityTable).focus()

    def action_next_tab(self) -> None:
        """Show the other tab."""
        self.action_tab(1 - self._tabs.at)

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.action_tab(message.at)
