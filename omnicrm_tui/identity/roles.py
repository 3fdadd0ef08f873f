"""Roles and permissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from gettext import gettext as _

from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.orm import aliased

from omnicrm_tui.database.views import apply_changes, check_version, view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound
from omnicrm_tui.identity.access import HOLDS
from omnicrm_tui.identity.models import Permission, Role, User, role_permission, user_role
from omnicrm_tui.identity.permissions import ADMIN, PERMISSIONS, ROLE_DESIGNS
from omnicrm_tui.identity.schemas import (
    PermissionInput,
    PermissionView,
    Right,
    RoleChange,
    RoleInput,
    RoleLoss,
    RolePermissions,
    RoleRow,
    RoleView,
)
from omnicrm_tui.needs import needs
from omnicrm_tui.work import Service


class Roles(Service):
    """Bundles permissions into roles (BIL-386, BIL-400..409). Everything here needs admin."""

    @needs(ADMIN)
    def ensure_catalogue(self) -> None:
        """Add the permissions and role designs that are missing (BIL-435..459); what is there stays as it is."""
        ids = {name: number for number, name in self.session.execute(select(Permission.id, Permission.name))}
        missing = [Permission(name=name, description=words) for name, words in PERMISSIONS.items() if name not in ids]
        self.session.add_all(missing)
        self.session.flush()
        ids |= {permission.name: permission.id for permission in missing}
        existing = set(self.session.scalars(select(Role.name)))
        for design in ROLE_DESIGNS:
            if design.name not in existing:
                role = Role(name=design.name, description=design.description)
                self.session.add(role)
                self.session.flush()
                self._grant(role.id, [ids[name] for name in design.permissions])

    @needs(ADMIN)
    def permissions(self) -> Sequence[PermissionView]:
        """Return all permissions by name (BIL-408). Needs admin."""
        found = self.session.scalars(select(Permission).order_by(Permission.name))
        return [view_of(permission, PermissionView) for permission in found]

    @needs(ADMIN, in_person=True)
    def create_permission(self, data: PermissionInput) -> PermissionView:
        """Add a permission that the catalogue lacks (BIL-409). Needs admin; raises Conflict when there is one."""
        if self.session.scalar(select(Permission.id).where(Permission.name == data.name)) is not None:
            raise Conflict(_("There is already a permission {name}.").format(name=data.name))
        permission = Permission(**data.model_dump())
        self.session.add(permission)
        self.session.flush()
        self.work.activity.record("permission", permission.id, "Permission created", new=data.model_dump())
        return view_of(permission, PermissionView)

    @needs(ADMIN)
    def roles(self) -> Sequence[RoleView]:
        """Return all roles by name (BIL-401). Needs admin."""
        return [self._role_view(role) for role in self.session.scalars(select(Role).order_by(Role.name)).all()]

    @needs(ADMIN)
    def role(self, role_id: int) -> RoleView:
        """Return a role with its permissions and users (BIL-407). Needs admin; raises NotFound."""
        return self._role_view(self._role(role_id))

    @needs(ADMIN, in_person=True)
    def create_role(self, data: RoleInput) -> RoleView:
        """Create a role without permissions, or as a shipped one is designed (BIL-400, BIL-454..459). Needs admin.

        Raises Conflict when the name is taken, InvalidInput for an unknown design.
        """
        granted = _design(data.design)
        self._check_name(data.name)
        role = Role(name=data.name, description=data.description)
        self.session.add(role)
        self.session.flush()
        self._grant(role.id, self._permission_ids(granted))
        self.work.activity.record("role", role.id, "Role created", new=data.model_dump())
        return self._role_view(role)

    @needs(ADMIN, in_person=True)
    def update_role(self, role_id: int, change: RoleChange) -> RoleView:
        """Change name or description (BIL-402). Needs admin; raises NotFound, Conflict, InvalidInput."""
        role = self._role(role_id)
        check_version(role, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version"})
        if None in given.values():
            raise InvalidInput(_("Some fields are not right."), {"name": _("is required")})
        if given.get("name", role.name).lower() != role.name.lower():
            self._check_name(given["name"])
        old, new = apply_changes(role, given)
        if new:
            self.work.activity.record("role", role_id, "Role changed", old=old, new=new)
            self.session.flush()
        return self._role_view(role)

    @needs(ADMIN, in_person=True)
    def delete_role(self, role_id: int) -> None:
        """Delete a role; its users lose it (BIL-387). Needs admin; Conflict when nobody would be left as admin."""
        role = self._role(role_id)
        view = self._role_view(role)
        with self._keeping_an_admin():
            self.session.execute(delete(user_role).where(user_role.c.role_id == role_id))
            self.session.execute(delete(role_permission).where(role_permission.c.role_id == role_id))
            self.session.delete(role)
        self.work.activity.record("role", role_id, "Role deleted", old={"name": view.name, "users": list(view.users)})

    @needs(ADMIN, in_person=True)
    def add_permissions(self, role_id: int, permission_ids: Sequence[int]) -> RoleView:
        """Give a role permissions, at once effective (BIL-404). Needs admin; raises NotFound."""
        role = self._role(role_id)
        before = self._role_view(role).permissions
        known = set(self.session.scalars(select(Permission.id).where(Permission.id.in_(permission_ids))))
        if unknown := sorted(set(permission_ids) - known):
            raise NotFound(_("There is no permission {unknown}.").format(unknown=unknown[0]))
        held = set(
            self.session.scalars(select(role_permission.c.permission_id).where(role_permission.c.role_id == role_id))
        )
        self._grant(role_id, sorted(known - held))
        return self._permissions_changed(role, before)

    @needs(ADMIN, in_person=True)
    def remove_permission(self, role_id: int, permission_id: int) -> RoleView:
        """Take a permission from a role (BIL-405). Needs admin; Conflict when nobody would be left as admin."""
        role = self._role(role_id)
        before = self._role_view(role).permissions
        one = (role_permission.c.role_id == role_id, role_permission.c.permission_id == permission_id)
        with self._keeping_an_admin():
            self.session.execute(delete(role_permission).where(*one))
        return self._permissions_changed(role, before)

    @needs(ADMIN, in_person=True)
    def change_permissions(self, role_id: int, change: RolePermissions) -> RoleView:
        """Give a role some permissions and take others away, by name, in one step (BIL-404, BIL-405). Needs admin.

        What two people change at once adds up. Raises NotFound for an unknown role or permission, Conflict when
        nobody would be left as admin.
        """
        role = self._role(role_id)
        before = self._role_view(role).permissions
        added = self._permission_ids(set(change.add) - set(before))
        removed = self._permission_ids(change.remove)
        with self._keeping_an_admin():
            gone = (role_permission.c.role_id == role_id, role_permission.c.permission_id.in_(removed))
            self.session.execute(delete(role_permission).where(*gone))
            self._grant(role_id, added)
        return self._permissions_changed(role, before)

    @needs(ADMIN)
    def role_list(self) -> Sequence[RoleRow]:
        """Return all roles by name, with how many permissions and users each has. Needs admin."""
        bundled = select(func.count()).where(role_permission.c.role_id == Role.id).scalar_subquery()
        holders = select(func.count()).select_from(user_role).join(User, User.id == user_role.c.user_id)
        held = holders.where(user_role.c.role_id == Role.id, User.deleted.is_(False)).scalar_subquery()
        found = select(Role.id, Role.name, Role.description, bundled, held).order_by(Role.name)
        return [RoleRow(*row) for row in self.session.execute(found)]

    @needs(ADMIN)
    def role_loss(self, role_id: int) -> RoleLoss:
        """Return how many users deleting a role would cost access (BIL-387). Needs admin; raises NotFound."""
        self._role(role_id)
        living = select(user_role.c.user_id).join(User, User.id == user_role.c.user_id).where(User.deleted.is_(False))
        mine = living.where(user_role.c.role_id == role_id)
        other = aliased(user_role)
        only = mine.where(~exists().where(other.c.user_id == user_role.c.user_id, other.c.role_id != role_id))
        users, left = (self.session.scalar(select(func.count()).select_from(q.subquery())) or 0 for q in (mine, only))
        return RoleLoss(users, left)

    @needs(ADMIN)
    def rights(self, user_id: int) -> Sequence[Right]:
        """Return what a user may do, and through which of its roles (BIL-374, BIL-384). Needs admin; raises NotFound.

        Who holds `admin` may do everything, whatever else is listed; a customer's user without a customer, nothing.
        """
        if self.session.get(User, user_id) is None:
            raise NotFound(_("There is no user {user_id}.").format(user_id=user_id))
        found = (
            select(Permission.name, Permission.description, Role.name)
            .join(role_permission, role_permission.c.permission_id == Permission.id)
            .join(Role, Role.id == role_permission.c.role_id)
            .join(user_role, user_role.c.role_id == Role.id)
            .join(User, User.id == user_role.c.user_id)
            .where(User.id == user_id, HOLDS)
            .order_by(Permission.name, Role.name)
        )
        through: dict[tuple[str, str], list[str]] = {}
        for permission, description, role in self.session.execute(found):
            through.setdefault((permission, description), []).append(role)
        return [Right(permission, words, tuple(roles)) for (permission, words), roles in through.items()]

    @needs(ADMIN, in_person=True)
    def give_role(self, role_id: int, user_id: int) -> RoleView:
        """Give a user one role more, at once effective (BIL-406). Needs admin; raises NotFound."""
        role = self._role(role_id)
        user = self.session.get(User, user_id)
        if user is None:
            raise NotFound(_("There is no user {user_id}.").format(user_id=user_id))
        view = self._role_view(role)
        if user.username in view.users:
            return view
        self.session.execute(insert(user_role), [{"user_id": user_id, "role_id": role_id}])
        self.work.activity.record("user", user_id, "Role given", new={"role": role.name})
        self.session.flush()
        return self._role_view(role)

    def _permissions_changed(self, role: Role, before: tuple[str, ...]) -> RoleView:
        view = self._role_view(role)
        self.work.activity.record(
            "role",
            role.id,
            "Permissions of a role changed",
            old={"permissions": list(before)},
            new={"permissions": list(view.permissions)},
        )
        self.session.flush()
        return view

    def _role(self, role_id: int) -> Role:
        role = self.session.get(Role, role_id)
        if role is None:
            raise NotFound(_("There is no role {role_id}.").format(role_id=role_id))
        return role

    def _role_view(self, role: Role) -> RoleView:
        held = select(Permission.name).join(role_permission, role_permission.c.permission_id == Permission.id)
        holders = select(User.username).join(user_role, user_role.c.user_id == User.id)
        return view_of(
            role,
            RoleView,
            permissions=tuple(
                self.session.scalars(held.where(role_permission.c.role_id == role.id).order_by(Permission.name))
            ),
            users=tuple(self.session.scalars(holders.where(user_role.c.role_id == role.id).order_by(User.username))),
        )

    def _permission_ids(self, names: Iterable[str]) -> list[int]:
        wanted = {name.lower() for name in names}
        rows = self.session.execute(select(Permission.name, Permission.id).where(Permission.name.in_(wanted))).all()
        found: dict[str, int] = {row[0]: row[1] for row in rows}
        if unknown := sorted(wanted - found.keys()):
            raise NotFound(_("There is no permission {unknown}.").format(unknown=unknown[0]))
        return sorted(found.values())

    def _check_name(self, name: str) -> None:
        if self.session.scalar(select(Role.id).where(func.lower(Role.name) == name.lower())) is not None:
            raise Conflict(_("There is already a role {name}.").format(name=name))

    def _grant(self, role_id: int, permission_ids: Sequence[int]) -> None:
        if permission_ids:
            rows = [{"role_id": role_id, "permission_id": number} for number in permission_ids]
            self.session.execute(insert(role_permission), rows)

    @contextmanager
    def _keeping_an_admin(self) -> Iterator[None]:
        """Raise Conflict when the enclosed change leaves no active user with the permission admin."""
        # One such change at a time: two at once could each leave the other's administrator as the last.
        self.session.execute(select(Permission.id).where(Permission.name == ADMIN).with_for_update())
        had_one = self.work.identity.first_admin_id() is not None
        yield
        self.session.flush()
        if had_one and self.work.identity.first_admin_id() is None:
            raise Conflict(_("This would leave nobody who may administer the system."))


def _design(name: str) -> tuple[str, ...]:
    """Return the permissions of a shipped role, by its name in any case of letters; none for ""."""
    if not name:
        return ()
    for design in ROLE_DESIGNS:
        if design.name.lower() == name.lower():
            return design.permissions
    raise InvalidInput(
        _("Some fields are not right."), {"design": _("there is no role {unknown}").format(unknown=name)}
    )
