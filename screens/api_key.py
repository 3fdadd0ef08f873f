"""One API key: what it is for and may do, when it ends, and what it was used for (PLT-262)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from omnicrm_tui.errors import CrmError
from screens.base import CrmScreen
from screens.desk import sentence
from screens.key_words import facts_of, use_columns
from screens.key_work import EDIT_KEYS, KeyWork
from screens.short_list import ShortList
from widgets.entity_table import EntityTable
from widgets.facts import Fact, Facts

if TYPE_CHECKING:
    from omnicrm_tui.identity.key_schemas import ApiKeyView, NewApiKey


class ApiKeyScreen(KeyWork, CrmScreen):
    """One key, by number."""

    DEFAULT_CSS = """
    ApiKeyScreen #about { height: auto; max-height: 70%; background: $surface; scrollbar-size-vertical: 1; }
    ApiKeyScreen EntityTable { height: 1fr; min-height: 6; }
    """

    BINDINGS: ClassVar[list[BindingType]] = EDIT_KEYS

    def __init__(self, api_key_id: int) -> None:
        super().__init__()
        self.api_key_id = api_key_id
        self.key: ApiKeyView | None = None

    @property
    def chosen(self) -> ApiKeyView | None:
        """The key that is shown."""
        return self.key

    def path(self) -> tuple[str, ...]:
        """API keys, then its name."""
        return (_("API keys"), self.key.name if self.key else f"#{self.api_key_id}")

    def body(self) -> ComposeResult:
        with VerticalScroll(id="about", can_focus=True):
            yield Facts([Fact(_("Reading…"))])
        yield EntityTable(
            ShortList[Any](
                self.desk,
                lambda work: work.identity.api_key(self.api_key_id).uses,
                lambda row: row.day.toordinal(),
                lambda row: row.address,
                in_order=True,
            ),
            use_columns(self.crm_app.formats),
            id="uses",
            empty_text=_("It was never used."),
            sorts=(),
            copied=lambda row: row.address,
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.query_one(EntityTable).focus()
        self.keys_changed()

    def keys_changed(self) -> None:
        """Read the key (again)."""
        self.do(self._load, group="key", exclusive=True, on_error=self._not_found)

    async def _load(self) -> None:
        self.key = await self.desk.read(lambda work: work.identity.api_key(self.api_key_id))
        self.show_path()
        self.refresh_bindings()
        self.query_one(Facts).show(facts_of(self.key, self.crm_app.formats))
        self.query_one(EntityTable).reload()

    def _not_found(self, error: CrmError) -> None:
        self.tell(sentence(error), severity="error")
        if self.is_active:
            self.action_back()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show a day's uses whole."""
        message.stop()
        from screens.dialogs import Reading

        row, formats = message.row, self.crm_app.formats
        pairs = [
            (_("Uses"), formats.number(row.uses)),
            (_("Refused"), formats.number(row.refused)),
            (_("First"), formats.moment(row.first_use)),
            (_("Last"), formats.moment(row.last_use)),
        ]
        self.app.push_screen(Reading(row.address, [f"{label:<12} {value}" for label, value in pairs]))

    def _made(self, made: NewApiKey | None) -> None:
        """Go on with the key that took this one's place."""
        if made is not None:
            self.api_key_id = made.api_key_id
        super()._made(made)
