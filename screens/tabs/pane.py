"""What the tabs of a page share: a part of a screen that loads when it is first shown."""

from __future__ import annotations

from textual.containers import Vertical

from screens.base import AtDesk
from widgets.entity_table import EntityTable


class Pane(AtDesk, Vertical):
    """One tab. It is mounted when it is first shown, and kept with its place, filters and marks."""

    DEFAULT_CSS = """
    Pane { height: 1fr; width: 1fr; }
    """

    def __init__(self, customer_id: int) -> None:
        super().__init__()
        self.customer_id = customer_id

    def on_mount(self) -> None:
        """Take the keyboard as soon as there is something to give it to."""
        self.take_focus()

    def take_focus(self) -> None:
        """Give the keyboard to what one works with here."""
        for table in self.query(EntityTable).results(EntityTable):
            table.focus()
            return
        self.screen.set_focus(None)

    def refresh_rows(self) -> None:
        """Read what is shown again."""
        for table in self.query(EntityTable).results(EntityTable):
            table.reload()
