"""`E` in any list: what it shows, or what is marked in it, as a CSV or JSON file in the export folder."""

from __future__ import annotations

import re
from functools import partial
from gettext import gettext as _
from gettext import ngettext
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from omnicrm_tui.errors import CrmError
from screens.base import Dialog
from screens.desk import sentence
from widgets.clipboard import copy
from widgets.entity_table import EntityTable, Selection
from widgets.text import visible

if TYPE_CHECKING:
    from datetime import datetime

    from omnicrm_tui.exports import Export, Format, Wanted

TELL_EVERY_ROWS = 5000


class ExportDialog(Dialog[None]):
    """Asks for the form, writes the file beside the event loop, and says where it is.

    Closing it while it writes stops that, and nothing of the file is left.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "write('csv')", "CSV", id="export.csv", tooltip=_("Write a CSV file")),
        Binding("j", "write('json')", "JSON", id="export.json", tooltip=_("Write a JSON file")),
        Binding("a", "all", _("All or marked rows"), id="export.all", tooltip=_("All that match, or the marked rows")),
        Binding("y", "copy", _("Copy the path"), id="export.copy", tooltip=_("Copy the file's path")),
        Binding("enter", "leave", _("Close"), show=False, id="export.close"),
    ]

    DEFAULT_CSS = """
    ExportDialog #text { height: auto; }
    ExportDialog #text.-problem { color: $text-error; text-style: bold; }
    """

    class Progress(Message):
        """So many rows are written."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ExportDialog.Progress)

    def __init__(self, table: EntityTable[Any], selection: Selection, name: str) -> None:
        super().__init__()
        self._table = table
        self._selection = selection
        self._all = not selection
        self._called = name
        self._writing = False
        self._stopped = False
        self._path: Path | None = None
        self.heading = _("Export {name}").format(name=name)

    def body(self) -> ComposeResult:
        yield Static(id="text", markup=False)

    def on_mount(self) -> None:
        self._say(self._offer(), *self._offered_keys())

    def on_unmount(self) -> None:
        """Whatever closes the dialog, also the end of the application, stops the writing."""
        self._stopped = True

    @property
    def unsaved(self) -> bool:
        """Leaving while it writes loses the file."""
        return self._writing

    def _say(self, lines: list[str], *keys: str, problem: bool = False) -> None:
        text = self.query_one("#text", Static)
        text.update("\n".join(visible(line) for line in lines))
        text.set_class(problem, "-problem")
        self.query_one("#box").border_subtitle = "   ".join(keys)
        self.refresh_bindings()

    # What to write

    def _offer(self) -> list[str]:
        return [
            f"{_('Rows'):<8} {self._rows_text()}",
            f"{_('Folder'):<8} {self.desk.settings.exports_folder}",
        ]

    def _rows_text(self) -> str:
        query = self._selection.query
        if not self._all and not self._selection.everything:
            marked = len(self._selection.ids)
            return ngettext("the {n} marked row", "the {n} marked rows", marked).format(n=f"{marked:,}")
        left_out = 0 if self._all else len(self._selection.ids)
        count = self._table.status.count
        rows = _("all") if count is None else _("all {n}").format(n=f"{count.value:,}{'+' if count.capped else ''}")
        if query.search or query.filters:
            rows = _("{all} that match").format(all=rows)
        return _("{all} but {n}").format(all=rows, n=f"{left_out:,}") if left_out else rows

    def _offered_keys(self) -> list[str]:
        marked = [_("a all rows") if not self._all else _("a marked rows")] if self._selection else []
        return ["c CSV", "j JSON", *marked, _("esc close")]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done at this point."""
        begun = self._writing or self._path is not None
        offered = {"write": not begun, "all": not begun and bool(self._selection), "copy": self._path is not None}
        return offered.get(action, super().check_action(action, parameters))

    def action_all(self) -> None:
        """Change between all that match and the marked rows."""
        self._all = not self._all
        self._say(self._offer(), *self._offered_keys())

    # Writing

    def action_write(self, form: Format) -> None:
        """Write the file, telling how far it is."""
        self._writing = True
        self.post_message(self.Progress(0))
        self.do(partial(self._write, form), on_error=self._failed)

    async def _write(self, form: Format) -> None:
        import asyncio

        from omnicrm_tui import exports

        folder = self.desk.settings.exports_folder
        try:
            name = self._file_name((await self.desk.crm()).clock.now())
            path, rows = await asyncio.to_thread(exports.write, self._export(form), folder, name, self._progress)
        except exports.Stopped:
            return
        finally:
            self._writing = False
        self._done(path, rows)

    def _file_name(self, now: datetime) -> str:
        """Return `customers-2026-11-21-130005`: letters, digits and dashes."""
        formats = self.crm_app.formats
        name = f"{self._called} {formats.day(now)} {formats.time(now).replace(':', '')}"
        return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")

    def _export(self, form: Format) -> Export[Any]:
        from omnicrm_tui.exports import Export

        cells = [(column.title, column.cell) for column in self._table.columns]
        return Export(self._table.source, self._wanted(), cells, form)

    def _wanted(self) -> Wanted:
        from omnicrm_tui.exports import Wanted

        chosen = self._selection
        if self._all:
            return Wanted(chosen.query)
        if chosen.everything:
            return Wanted(chosen.query, without=chosen.ids)
        return Wanted(chosen.query, ids=chosen.ids)

    def _progress(self, rows: int) -> None:
        """Called in the thread that writes."""
        from omnicrm_tui.exports import WINDOW_ROWS, Stopped

        if self._stopped:
            raise Stopped
        if rows % TELL_EVERY_ROWS < WINDOW_ROWS:
            self.post_message(self.Progress(rows))

    def on_export_dialog_progress(self, message: Progress) -> None:
        message.stop()
        if self._writing:
            rows = _("{n} rows written").format(n=f"{message.rows:,}") if message.rows else ""
            self._say([_("Writing…"), rows], _("esc stop and remove the file"))

    def _done(self, path: Path, rows: int) -> None:
        self._path = path
        written = ngettext("{n} row is in", "{n} rows are in", rows).format(n=f"{rows:,}")
        self._say([written, str(path)], _("y copy the path"), _("enter close"))

    def _failed(self, error: CrmError) -> None:
        self._say([sentence(error)], *self._offered_keys(), problem=True)

    def action_copy(self) -> None:
        """Copy the file's path to the clipboard."""
        if self._path is not None:
            copy(self.app, str(self._path))
