"""The matrix of a role: what it may view, create, update and delete, filled in by keyboard (BIL-386, BIL-435..453)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from gettext import gettext as _
from gettext import ngettext
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from omnicrm_tui.errors import CrmError
from omnicrm_tui.languages import said
from screens.base import Dialog
from screens.desk import sentence
from widgets.check_grid import Cell, CheckGrid
from widgets.text import visible

if TYPE_CHECKING:
    from omnicrm_tui.identity.schemas import PermissionView, RoleView

VERBS = ("view", "create", "update", "delete", "view_own")
TITLES = (_("View"), _("Create"), _("Update"), _("Delete"), _("View own"))


def laid_out(names: Iterable[str]) -> tuple[list[str], dict[Cell, str]]:
    """Return the rows of the matrix, and which permission each cell stands for.

    Permissions that are no verb and an entity (`admin`) have a row of their own, at the top; the operator's own
    entities come at the end.
    """
    whole: list[str] = []
    entities: dict[str, dict[str, str]] = {}
    for name in names:
        verb = next((verb for verb in reversed(VERBS) if name.startswith(f"{verb}_")), "")
        if verb:
            entities.setdefault(name.removeprefix(f"{verb}_"), {})[verb] = name
        else:
            whole.append(name)
    rows = [*sorted(whole), *sorted(entities)]
    cells: dict[Cell, str] = {(row, 0): name for row, name in enumerate(sorted(whole))}
    for row, entity in enumerate(sorted(entities), len(whole)):
        cells |= {(row, VERBS.index(verb)): name for verb, name in entities[entity].items()}
    return rows, cells


class RoleMatrix(Dialog["RoleView"]):
    """Space takes a permission in or out, ctrl+s saves all of it at once."""

    DEFAULT_CSS = """
    RoleMatrix #box { width: 80; height: 100%; max-height: 26; }
    RoleMatrix VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; background: $surface; }
    RoleMatrix #here { height: 1; color: $text-muted; }
    RoleMatrix #told { height: auto; color: $text-warning; text-style: bold; display: none; }
    RoleMatrix #told.-open { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", _("Save"), id="matrix.save", priority=True, tooltip=_("Save the permissions")),
        Binding("p", "design", _("As designed"), id="matrix.design", tooltip=_("Take those of a shipped role")),
    ]

    keys = _("space one   * row   V column   p as designed   ctrl+s save   esc leave")

    def __init__(self, role: RoleView, known: Sequence[PermissionView]) -> None:
        super().__init__()
        self.heading = _("Permissions of {role}").format(role=role.name)
        self._role = role
        self._words = {permission.name: permission.description for permission in known}
        rows, cells = laid_out(self._words)
        self.grid = CheckGrid(rows, TITLES, cells, set(role.permissions))

    def body(self) -> ComposeResult:
        yield VerticalScroll(self.grid, can_focus=False)
        yield Static("", id="here", markup=False)
        yield Static("", id="told", markup=False)

    def on_mount(self) -> None:
        self.grid.focus()
        self._tell()

    @property
    def unsaved(self) -> bool:
        """Whether leaving would lose something."""
        return bool(self.grid.added or self.grid.removed)

    @on(CheckGrid.Moved)
    def _tell(self) -> None:
        """Say what is under the cursor, and what it means to have `admin` beside."""
        name = self.grid.name_here
        here = f"{name}: {said(self._words[name])}" if name else _("there is no such permission")
        self.query_one("#here", Static).update(visible(here))
        admin = "admin" in self.grid.checked
        self._say(_("With admin all else is allowed too, whatever is marked.") if admin else "")

    def _say(self, text: str) -> None:
        told = self.query_one("#told", Static)
        told.update(visible(text))
        told.set_class(bool(text), "-open")

    def action_design(self) -> None:
        """Take the permissions of one of the shipped roles, and no others."""
        from omnicrm_tui.identity.permissions import ROLE_DESIGNS
        from screens.choose import Choose

        def chosen(at: int | None) -> None:
            if at is not None:
                self.grid.check(set(ROLE_DESIGNS[at].permissions))

        lines = [f"{design.name}: {said(design.description)}" for design in ROLE_DESIGNS]
        self.app.push_screen(Choose(_("Which permissions?"), lines), chosen)

    def action_save(self) -> None:
        """Save; ask first when users lose something by it."""
        if not self.unsaved:
            self.finish(None)
        elif self.grid.removed and self._role.users:
            from screens.dialogs import Confirm

            users, number = len(self._role.users), len(self.grid.removed)
            taken = ngettext("{n} permission is taken away.", "{n} permissions are taken away.", number)
            holders = ngettext("{n} user holds this role.", "{n} users hold this role.", users)
            text = taken.format(n=number) + "\n" + holders.format(n=users)
            dialog = Confirm(_("Take permissions away?"), text, yes=_("Save"))
            self.app.push_screen(dialog, lambda sure: self._save() if sure else None)
        else:
            self._save()

    def _save(self) -> None:
        from omnicrm_tui.identity.schemas import RolePermissions

        change = RolePermissions(add=sorted(self.grid.added), remove=sorted(self.grid.removed))

        async def save() -> None:
            number = self._role.id
            self.finish(await self.desk.change(lambda work: work.identity.change_permissions(number, change)))

        self.do(save, group="save", exclusive=True, on_error=self._refused)

    def _refused(self, error: CrmError) -> None:
        self._say(sentence(error))

    def action_leave(self) -> None:
        """Close; ask first when something was changed."""
        if not self.unsaved:
            self.finish(None)
            return
        from screens.dialogs import Confirm

        dialog = Confirm(_("Leave without saving?"), _("What you entered is lost."), yes=_("Leave"))
        self.app.push_screen(dialog, lambda leave: self.finish(None) if leave else None)
