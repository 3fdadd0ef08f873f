"""The Roles tab: what each role bundles and who holds it (BIL-386, BIL-387)."""

from __future__ import annotations

from gettext import gettext as _
from gettext import ngettext
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from omnicrm_tui.languages import said
from screens.base import AtDesk
from screens.desk import sentence
from screens.short_list import ShortList
from widgets.columns import Column
from widgets.entity_table import EntityTable
from widgets.row_table import RowTable

if TYPE_CHECKING:
    from omnicrm_tui.identity.schemas import RoleLoss, RoleRow, RoleView

COLUMNS: tuple[Column[RoleRow], ...] = (
    Column(_("Role"), lambda row: row.name, weight=2, min_width=18),
    Column(_("Description"), lambda row: said(row.description), weight=4, min_width=24, priority=1),
    Column(_("Permissions"), lambda row: str(row.permissions), width=11, align="right"),
    Column(_("Users"), lambda row: str(row.users), width=max(6, cell_len(_("Users"))), align="right"),
)


class RoleList(AtDesk, Vertical):
    """The table of roles; enter opens the matrix of permissions."""

    DEFAULT_CSS = "RoleList { height: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", _("New"), id="roles.new", tooltip=_("New role")),
        Binding("e", "edit", _("Rename"), id="roles.edit", tooltip=_("Change the role's name or description")),
        Binding("u", "users", _("Its users"), id="roles.users", tooltip=_("Show the users who hold the role")),
        Binding("d", "delete", _("Delete"), id="roles.delete", tooltip=_("Delete the role; its users lose it")),
    ]

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ShortList[Any](
                self.desk,
                lambda work: work.identity.role_list(),
                lambda row: row.id,
                lambda row: f"{row.name} {said(row.description)}",
                in_order=True,
            ),
            COLUMNS,
            id="roles",
            empty_text=_("No roles yet. Press n to make the first one."),
            sorts=(),
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.take_focus()

    @property
    def table(self) -> EntityTable[RoleRow]:
        """The table."""
        return self.query_one(EntityTable)

    def take_focus(self) -> None:
        """Give the keyboard to the table, and read what is new."""
        self.table.focus()
        if not self.table.status.loading:
            self.table.reload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what there is a role for."""
        if action in ("edit", "users", "delete"):
            return self.is_mounted and self.table.row is not None
        return super().check_action(action, parameters)

    def on_row_table_status_changed(self, _message: RowTable.StatusChanged) -> None:
        """There may be a role now."""
        self.screen.refresh_bindings()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the matrix of the role."""
        message.stop()
        row: RoleRow = message.row
        self.do(lambda: self._matrix(row.id), group="matrix", exclusive=True)

    async def _matrix(self, role_id: int) -> None:
        from screens.role_matrix import RoleMatrix

        role, known = await self.desk.read(lambda work: (work.identity.role(role_id), work.identity.permissions()))
        if await self.app.push_screen_wait(RoleMatrix(role, known)) is not None:
            self.table.reload()

    def action_users(self) -> None:
        """Show the users who hold the role."""
        from screens.users import UsersScreen

        row = self.table.row
        if row is not None and isinstance(self.screen, UsersScreen):
            self.screen.show_holders(row.name)

    def action_new(self) -> None:
        """Ask for a role: empty, or as a shipped one is designed; then open its matrix."""
        self.do(self._new, group="new", exclusive=True)

    async def _new(self) -> None:
        from omnicrm_tui.identity.permissions import ROLE_DESIGNS
        from omnicrm_tui.identity.schemas import RoleInput
        from screens.dialogs import FormDialog
        from widgets.form import fields_of

        designs = [("", _("nothing: it starts empty")), *((one.name, one.name) for one in ROLE_DESIGNS)]
        labels = {"name": _("Name"), "description": _("Description"), "design": _("Begins as")}
        fields = fields_of(RoleInput, labels=labels, choices={"design": designs})

        async def create(data: RoleInput) -> RoleView:
            return await self.desk.change(lambda work: work.identity.create_role(data))

        dialog = FormDialog(_("New role"), RoleInput, fields, create, about="new role")
        made: RoleView | None = await self.app.push_screen_wait(dialog)
        if made is not None:
            self.table.reload()
            await self._matrix(made.id)

    def action_edit(self) -> None:
        """Change name or description."""
        row = self.table.row
        if row is not None:
            number = row.id
            self.do(lambda: self._edit(number), group="edit", exclusive=True)

    async def _edit(self, number: int) -> None:
        from omnicrm_tui.identity.schemas import RoleChange
        from screens.dialogs import FormDialog
        from screens.views import values_of
        from widgets.form import fields_of

        role = await self.desk.read(lambda work: work.identity.role(number))
        names = ("name", "description")
        fields = fields_of(RoleChange, names, labels={"name": _("Name"), "description": _("Description")})

        async def save(change: RoleChange) -> RoleView:
            return await self.desk.change(lambda work: work.identity.update_role(number, change))

        dialog = FormDialog(
            _("Edit role"),
            RoleChange,
            fields,
            save,
            values=values_of(role, names),
            only_changed=True,
            extra={"version": role.version},
            about=f"edit role {number}",
        )
        if await self.app.push_screen_wait(dialog) is not None:
            self.table.reload()

    def action_delete(self) -> None:
        """Say whom it costs access, ask, then delete the role."""
        row = self.table.row
        if row is not None:
            number, name = row.id, row.name
            self.do(lambda: self._delete(number, name), group="delete", exclusive=True)

    async def _delete(self, number: int, name: str) -> None:
        from screens.dialogs import Confirm

        loss = await self.desk.read(lambda work: work.identity.role_loss(number))
        question = _("Delete the role {name}?").format(name=name)
        if await self.app.push_screen_wait(Confirm(question, loss_text(loss), yes=_("Delete"))):
            await self.desk.change(lambda work: work.identity.delete_role(number))
            self.tell(_("The role {name} is deleted.").format(name=name))
            self.table.reload()


def loss_text(loss: RoleLoss) -> str:
    """Return what deleting a role costs, in numbers."""
    if not loss.users:
        return _("Nobody holds it.")
    lines = [ngettext("{n} user loses what it gives.", "{n} users lose what it gives.", loss.users)]
    lines[0] = lines[0].format(n=loss.users)
    if loss.left_without:
        left = ngettext(
            "{n} of them holds no other role and can then do nothing.",
            "{n} of them hold no other role and can then do nothing.",
            loss.left_without,
        )
        lines.append(left.format(n=loss.left_without))
    return "\n".join([*lines, _("To keep it out of use, rename it instead.")])
