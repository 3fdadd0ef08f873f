"""Everything that happened to one record, from the activity log, as a table and as a text to read."""

from __future__ import annotations

from dataclasses import replace
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from omnicrm_tui.identity.actor import who
from omnicrm_tui.languages import said
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Window
from screens.desk import Desk, sentence
from screens.dialogs import Reading
from screens.formats import Formats
from widgets.columns import Column
from widgets.entity_table import EntityTable

if TYPE_CHECKING:
    from omnicrm_tui.activity.schemas import ActivityRow


class History:
    """The entries about one record, as the source of a table: no filter of the table leads out of it."""

    def __init__(self, desk: Desk, object_type: str, object_id: int) -> None:
        self._desk = desk
        self._only = {"object_type": (object_type,), "object_id": (str(object_id),)}

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[ActivityRow]:
        """Return up to `limit` entries next to `anchor`."""
        mine = replace(query, filters=self._only)
        return self._desk.read_here(lambda work: work.activity.window(mine, anchor, limit))

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the entries, up to `cap`."""
        mine = replace(query, filters=self._only)
        return self._desk.read_here(lambda work: work.activity.count(mine, cap))


def history_table(history: History, formats: Formats, empty_text: str, *, id: str | None = None) -> EntityTable[Any]:
    """Return a record's history as a table, newest first."""
    return EntityTable(
        history,
        _columns(formats),
        id=id,
        empty_text=empty_text,
        query=ListQuery(sort="activity_id", descending=True),
        sorts=(),
        describe_error=sentence,
    )


def entry(row: ActivityRow, formats: Formats) -> Reading:
    """Return a dialog that shows an entry whole."""
    lines = [
        "  ".join((formats.moment(row.timestamp), who(row.actor_name, row.user_id), row.source_address)).rstrip(),
        "",
        *(f"{name}: {_shown(change.get('old'))} → {_shown(change.get('new'))}" for name, change in row.details.items()),
    ]
    return Reading(said(row.action), lines)


def _columns(formats: Formats) -> tuple[Column[ActivityRow], ...]:
    return (
        Column(_("When"), lambda row: formats.moment(row.timestamp), width=16),
        Column(_("Who"), lambda row: who(row.actor_name, row.user_id), width=12, priority=1),
        Column(_("What"), lambda row: said(row.action), width=24),
        Column(_("Change"), _changes, min_width=20),
    )


def _changes(row: ActivityRow) -> str:
    """Return what an entry changed: `item_state: New → Assigned; customer_id: – → 12`."""
    return "; ".join(
        f"{name}: {_shown(change.get('old'))} → {_shown(change.get('new'))}" for name, change in row.details.items()
    )


def _shown(value: Any) -> str:
    return "–" if value in (None, "") else str(value)
