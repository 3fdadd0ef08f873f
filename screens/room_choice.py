"""`g`, and then the letter of a room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from screens import rooms
from screens.desk import permission_missing
from widgets.key_line import KeyLine

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp


class RoomChoice:
    """Offers the rooms' letters, and takes the next key as the choice."""

    def __init__(self, app: OmniCrmApp) -> None:
        self._app = app
        self._begun = False

    def begin(self) -> None:
        """Show the letters of the rooms that are open to who is signed in."""
        if self._app.desk.actor is not None:
            self._begun = True
            self._offer([(room.letter, room.title) for room in rooms.open_to(self._app.desk.actor)])

    def takes(self, key: str) -> bool:
        """Take the key that chooses; False when nothing is being chosen."""
        if not self._begun:
            return False
        self._begun = False
        self._offer(())
        if key == "g":
            self._first_row()
        for room in rooms.ROOMS if self._app.desk.actor else ():
            if room.letter == key and self._app.desk.may(room.permission):
                self._app.go(room.name)
            elif room.letter == key:
                self._app.notify(permission_missing(room.permission), severity="warning", markup=False)
        return True

    def _first_row(self) -> None:
        """`g g` in a list."""
        from widgets.entity_table import EntityTable

        for node in self._app.focused.ancestors_with_self if self._app.focused else ():
            if isinstance(node, EntityTable):
                node.action_first()
                return

    def _offer(self, choices: Iterable[tuple[str, str]]) -> None:
        for line in self._app.screen.query(KeyLine):
            line.offer(choices)
