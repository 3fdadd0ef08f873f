"""The lab network: what its parts received, newest first, and switches that make them fail, slow or talk nonsense."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from gettext import gettext as _
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field as SchemaField
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from omnicrm_tui.errors import NotFound
from omnicrm_tui.lab.store import (
    MAX_SLOW_SECONDS,
    PARTS,
    Mode,
    Received,
    Switch,
    count_received,
    make_switch,
    read_newest,
    read_received,
    read_switches,
    write_switch,
)
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, Edge, ListQuery, RowKey, Window
from omnicrm_tui.schemas import Input
from screens.base import CrmScreen
from screens.formats import Formats
from widgets.columns import Column, Tone
from widgets.entity_table import EntityTable
from widgets.tab_line import TabLine
from widgets.text import visible

TITLES = {"ocs": _("OCS"), "hss": _("HSS"), "smsc": _("SMSC"), "mail": _("Mail")}
NEWEST_FIRST = ListQuery(descending=True)
SWITCH_WORDS = {
    Mode.OK: _("answers normally"),
    Mode.FAIL: _("FAILS"),
    Mode.SLOW: _("is SLOW"),
    Mode.NONSENSE: _("answers NONSENSE"),
}


class SwitchInput(Input):
    """How a part of the lab is to behave."""

    mode: Literal["ok", "fail", "slow", "nonsense"] = "ok"
    seconds: Annotated[float, SchemaField(ge=0, le=MAX_SLOW_SECONDS)] = 2.0
    only_for: Annotated[str, SchemaField(max_length=200)] = ""


class ReceivedMessages:
    """What a part received, newest first, as the source of a table."""

    def __init__(self, folder: Path, part: str) -> None:
        self._folder = folder
        self._part = part

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[Received]:
        """Return up to `limit` messages next to `anchor`."""
        key = anchor.key.id if anchor.key is not None else None
        if anchor.edge in (Edge.FIRST, Edge.AFTER):
            found = read_newest(self._folder, self._part, key, limit + 1)
            rows, more_before, more_after = found[:limit], key is not None, len(found) > limit
        else:
            found = read_received(self._folder, self._part, key or 0, limit + 1)
            rows, more_before, more_after = found[:limit][::-1], len(found) > limit, key is not None
        return Window(rows, [RowKey(row.id, row.id) for row in rows], more_before, more_after)

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the messages."""
        return Count(count_received(self._folder, self._part))


def _outcome_tone(row: Received) -> Tone:
    return "" if row.outcome.startswith(("ok", "2")) else "warning"


def columns(formats: Formats) -> tuple[Column[Received], ...]:
    """Return the columns of a part's messages."""
    return (
        Column(_("At"), lambda row: formats.time(row.at), width=8),
        Column(_("Kind"), lambda row: row.kind, width=22),
        Column(_("What"), lambda row: row.summary, weight=3, min_width=20),
        Column(_("Answer"), lambda row: row.outcome, weight=1, min_width=14, tone=_outcome_tone),
    )


class LabScreen(CrmScreen):
    """The lab's parts, a tab each."""

    TITLE = _("Lab network")

    DEFAULT_CSS = """
    LabScreen #switch { height: 1; padding: 0 1; background: $surface; color: $foreground; }
    LabScreen #switch.-broken { color: $text-warning; text-style: bold; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "switch", _("Switch"), id="lab.switch", tooltip=_("Make this part fail, slow or talk nonsense")),
        Binding("right_square_bracket", "next_tab(1)", _("Next part"), key_display="]", id="tabs.next"),
        Binding(
            "left_square_bracket", "next_tab(-1)", _("Previous part"), show=False, key_display="[", id="tabs.previous"
        ),
        *(
            Binding(str(at + 1), f"tab({at})", TITLES[part], show=False, id=f"tabs.{at + 1}")
            for at, part in enumerate(PARTS)
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._tabs = TabLine([TITLES[part] for part in PARTS])
        self._switches: dict[str, Switch] = {}

    @property
    def part(self) -> str:
        """The part that is shown."""
        return PARTS[self._tabs.at]

    @property
    def folder(self) -> Path:
        """Where the lab keeps its memory."""
        return self.desk.settings.lab_folder

    def body(self) -> ComposeResult:
        yield self._tabs
        yield Static("", id="switch", markup=False)
        for part in PARTS:
            yield EntityTable(
                ReceivedMessages(self.folder, part),
                columns(self.crm_app.formats),
                id=part,
                sorts=(),
                query=NEWEST_FIRST,
                empty_text=_(
                    "Nothing received yet. The lab runs with `omnicrm lab`, and while jobs of a demo need it."
                ),
                copied=lambda row: row.summary,
            )

    def on_mount(self) -> None:
        self.action_tab(0)

    def on_screen_resume(self) -> None:
        """Coming back: more may have been received."""
        super().on_screen_resume()
        self.do(self._read_switches, group="switches", exclusive=True)
        self._table().reload()

    def _table(self) -> EntityTable[Any]:
        return self.query_one(f"#{self.part}", EntityTable)

    def action_tab(self, at: int) -> None:
        """Show a part."""
        self._tabs.choose(at)
        for part in PARTS:
            self.query_one(f"#{part}").display = part == self.part
        self._table().focus()
        self._show_switch()

    def action_next_tab(self, by: int) -> None:
        """Show the part beside this one, around the ends."""
        self.action_tab((self._tabs.at + by) % len(PARTS))

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.action_tab(message.at)

    # Switches

    async def _read_switches(self) -> None:
        self._switches = await asyncio.to_thread(read_switches, self.folder)
        self._show_switch()

    def _show_switch(self) -> None:
        switch = self._switches.get(self.part, Switch())
        line = self.query_one("#switch", Static)
        line.update(visible(_("{part} {does}   w changes that").format(part=TITLES[self.part], does=described(switch))))
        line.set_class(switch.mode is not Mode.OK, "-broken")

    def action_switch(self) -> None:
        """Change how the part behaves from its next call on."""
        from screens.dialogs import FormDialog
        from widgets.form import fields_of

        part, switch = self.part, self._switches.get(self.part, Switch())
        hints = {
            "seconds": _("how long a slow part takes"),
            "only_for": _("blank: every call; else those whose name contains this, such as ApierV2.SetAccount"),
        }
        labels = {"mode": _("Behaviour"), "only_for": _("Only for")}
        fields = fields_of(SwitchInput, hints=hints, labels=labels)
        values = {"mode": switch.mode.value, "seconds": switch.seconds, "only_for": switch.only_for}
        dialog = FormDialog(
            _("How {part} behaves").format(part=TITLES[part]),
            SwitchInput,
            fields,
            partial(self._set, part),
            values=values,
        )
        self.app.push_screen(dialog, self._changed)

    async def _set(self, part: str, data: SwitchInput) -> Switch:
        switch = make_switch(data.mode, data.seconds, data.only_for)
        if not await asyncio.to_thread(write_switch, self.folder, part, switch):
            raise NotFound(_("No lab ever ran in this home. Start it with `omnicrm lab`."))
        return switch

    def _changed(self, switch: Switch | None) -> None:
        if switch is not None:
            self.do(self._read_switches, group="switches", exclusive=True)

    # Messages

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show a message whole."""
        message.stop()
        from screens.dialogs import Reading

        self.app.push_screen(Reading(message.row.summary, message_lines(message.row, self.crm_app.formats)))


def described(switch: Switch) -> str:
    """Return what a switch does, in words."""
    words = SWITCH_WORDS[switch.mode]
    if switch.mode is Mode.SLOW:
        words += _(", {seconds:g} seconds").format(seconds=switch.seconds)
    if switch.mode is not Mode.OK and switch.only_for:
        words += _(", for calls with {text!r}").format(text=switch.only_for)
    return words


def message_lines(row: Received, formats: Formats) -> Sequence[str]:
    """Return a message as lines: when, what was answered, and its content, line breaks kept."""
    lines = [f"{formats.moment(row.at)}  {row.kind}", _("Answer: {outcome}").format(outcome=row.outcome), ""]
    for name, value in row.detail.items():
        if isinstance(value, str) and "\n" in value:
            lines += [f"{name}:", *(f"  {line}" for line in value.splitlines())]
        elif isinstance(value, (dict, list)):
            first, *rest = json.dumps(value, ensure_ascii=False, indent=2).splitlines()
            lines += [f"{name}: {first}", *rest]
        else:
            lines.append(f"{name}: {value}")
    return lines
