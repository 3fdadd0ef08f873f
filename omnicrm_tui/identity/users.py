"""Users: created, changed, deleted and restored by administrators."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select

from omnicrm_tui.database.lists import ListSpec, contains
from omnicrm_tui.database.views import apply_changes, check_version, view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound
from omnicrm_tui.identity import passwords
from omnicrm_tui.identity.models import Role, User, user_role
from omnicrm_tui.identity.permissions import ADMIN, CUSTOMER_ROLE
from omnicrm_tui.identity.roles import Roles
from omnicrm_tui.identity.rules import login_name, password_problem
from omnicrm_tui.identity.schemas import UserChange, UserInput, UserRow, UserView
from omnicrm_tui.identity.sessions import Sessions
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window

_SEPARATOR = "\n"
_ROLE_NAMES = (
    select(func.aggregate_strings(Role.name, _SEPARATOR))
    .join(user_role, user_role.c.role_id == Role.id)
    .where(user_role.c.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
)
_ENTITIES = (
    User.id,
    User.username,
    User.email,
    User.first_name,
    User.last_name,
    User.phone_number,
    User.active,
    User.deleted,
    User.is_2fa_enabled,
    User.login_count,
    User.last_login,
    _ROLE_NAMES,
)


def _row(row: Any) -> UserRow:
    *fields, names = row[: len(_ENTITIES)]
    roles = tuple(sorted(names.split(_SEPARATOR))) if names else ()
    return UserRow(*(*fields, roles))


def _search(words: str) -> ColumnElement[bool]:
    name = login_name(words)
    columns = (User.username, User.email)
    names = (User.first_name, User.last_name)
    return or_(
        *(contains(column, name) for column in columns), *(contains(func.lower(column), name) for column in names)
    )


def _holds_role(names: Sequence[str]) -> ColumnElement[bool]:
    holders = select(user_role.c.user_id).join(Role, Role.id == user_role.c.role_id)
    return User.id.in_(holders.where(func.lower(Role.name).in_([name.lower() for name in names])))


def _is_true(column: Any) -> Any:
    return lambda values: column.in_([str(value).lower() in ("true", "1", "yes") for value in values])


USER_LIST: ListSpec[UserRow] = ListSpec(
    entities=_ENTITIES,
    build=_row,
    primary_key=User.id,
    sorts={"username": User.username, "email": User.email, "id": User.id},
    search=_search,
    filters={
        "role": _holds_role,
        "active": _is_true(User.active),
        "deleted": _is_true(User.deleted),
        "is_2fa_enabled": _is_true(User.is_2fa_enabled),
    },
)
"""Deleted users appear only where the filter asks for them (BIL-382, BIL-432)."""


class Users(Sessions, Roles):
    """Manages users. Everything here needs admin."""

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[UserRow]:
        """Return a window of the user list (BIL-382). Needs admin."""
        self.actor.require(ADMIN)
        return USER_LIST.window(self.session, query, anchor, limit, *_living(query))

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching users, up to `cap`. Needs admin."""
        self.actor.require(ADMIN)
        return USER_LIST.count(self.session, query, cap, *_living(query))

    def page(self, query: ListQuery, page: int, per_page: int) -> Page[UserRow]:
        """Return a numbered page of users (BIL-391, BIL-392). Needs admin."""
        self.actor.require(ADMIN)
        return USER_LIST.page(self.session, query, page, per_page, *_living(query))

    def user(self, user_id: int) -> UserView:
        """Return a user with roles and effective permissions (BIL-393). Needs admin; raises NotFound."""
        self.actor.require(ADMIN)
        return self._user_view(self._user(user_id))

    def create_user(self, data: UserInput) -> UserView:
        """Create a user who can log in at once (BIL-383, BIL-390). Needs admin.

        A user linked to a contact gets the role Customer when no other is named (BIL-376). Raises InvalidInput
        for a weak password or an unknown role, Conflict when the name or the address is taken.
        """
        self.actor.require(ADMIN)
        role_ids = self._role_ids(data.role or ([CUSTOMER_ROLE] if data.contact_id is not None else []))
        self._check_contact(data.contact_id)
        self._check_new_password(data.password.get_secret_value(), "password")
        values = data.model_dump(exclude={"password", "role"})
        values |= {"username": login_name(data.username), "email": login_name(data.email)}
        self._check_unique(values["username"], values["email"])
        user = User(**values, password_hash=passwords.hash_password(data.password.get_secret_value()))
        self.session.add(user)
        self.session.flush()
        self._assign(user.id, role_ids)
        view = self._user_view(user)
        self.work.activity.record("user", user.id, "User created", new={**values, "role": ", ".join(view.roles)})
        self.session.flush()
        return view

    def update_user(self, user_id: int, change: UserChange) -> UserView:
        """Change the given fields, roles and state of a user (BIL-394, PLT-210, BIL-432). Needs admin.

        A new e-mail address waits in `pending_email` until it is verified (BIL-430). Raises NotFound,
        InvalidInput, and Conflict for a stale version or when nobody would be left as administrator.
        """
        self.actor.require(ADMIN)
        user = self._user(user_id)
        check_version(user, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version", "role", "email"})
        required = ("first_name", "last_name", "active", "deleted")
        if blank := {name: _("is required") for name in required if name in given and given[name] in (None, "")}:
            raise InvalidInput(_("Some fields are not right."), blank)
        self._check_contact(given.get("contact_id"))
        if "deleted" in given:
            given["deleted_at"] = self.work.clock.now() if given["deleted"] else None
        if change.email is not None and login_name(change.email) != user.email:
            self._check_unique(user.username, login_name(change.email), user_id)
            given["pending_email"] = login_name(change.email)
        before = self._user_view(user)
        with self._keeping_an_admin():
            if change.role is not None:
                self._replace_roles(user_id, self._role_ids(change.role))
            old, new = apply_changes(user, given)
        if user.deleted or not user.active:
            self.end_sessions(user_id)
            self.work.provisioning.cancel_of_user(user_id)
        after = self._user_view(user)
        if new or after.roles != before.roles:
            roles = {"role": ", ".join(before.roles)}, {"role": ", ".join(after.roles)}
            self.work.activity.record("user", user_id, "User changed", old={**old, **roles[0]}, new={**new, **roles[1]})
        self.session.flush()
        return self._user_view(user)

    def delete_user(self, user_id: int) -> None:
        """Delete a user softly: no log-in, all sessions over at once, restorable (BIL-395, BIL-431). Needs admin."""
        self.update_user(user_id, UserChange(deleted=True))

    def set_password(self, user_id: int, new_password: str, *, force_change: bool = True) -> None:
        """Set a user's password, by default a temporary one (BIL-396, BIL-420); unlocks, and ends the sessions.

        Needs admin; raises NotFound, and InvalidInput for a weak password.
        """
        self.actor.require(ADMIN)
        user = self._user(user_id)
        self._check_new_password(new_password, "new_password")
        self._store_password(user.id, new_password, force_change=force_change)
        self.work.activity.record("user", user_id, "Password reset by an administrator")

    def reset_password(self, user_id: int) -> str:
        """Give a user a random temporary password and return it, to be shown once (PLT-212..214). Needs admin."""
        password = passwords.temporary_password()
        self.set_password(user_id, password)
        return password

    def _user(self, user_id: int) -> User:
        user = self.session.get(User, user_id, populate_existing=True)
        if user is None:
            raise NotFound(_("There is no user {user_id}.").format(user_id=user_id))
        return user

    def _user_view(self, user: User) -> UserView:
        permissions = tuple(sorted(self._permissions_of(user.id)))
        return view_of(user, UserView, roles=self._roles_of(user.id), permissions=permissions)

    def _role_ids(self, names: Sequence[str]) -> list[int]:
        rows = self.session.execute(select(func.lower(Role.name), Role.id)).all()
        by_name: dict[str, int] = {row[0]: row[1] for row in rows}
        unknown = [name for name in names if name.lower() not in by_name]
        if unknown or not names:
            problem = (
                _("there is no role {unknown}").format(unknown=unknown[0]) if unknown else _("names at least one role")
            )
            raise InvalidInput(_("Some fields are not right."), {"role": problem})
        return sorted({by_name[name.lower()] for name in names})

    def _assign(self, user_id: int, role_ids: Sequence[int]) -> None:
        self.session.execute(insert(user_role), [{"user_id": user_id, "role_id": number} for number in role_ids])

    def _replace_roles(self, user_id: int, role_ids: Sequence[int]) -> None:
        self.session.execute(delete(user_role).where(user_role.c.user_id == user_id))
        self._assign(user_id, role_ids)

    def _check_contact(self, contact_id: int | None) -> None:
        if contact_id is not None and self.work.customers.customer_of_contact(contact_id) is None:
            raise InvalidInput(
                _("Some fields are not right."),
                {"contact_id": _("there is no contact {contact_id}").format(contact_id=contact_id)},
            )

    def _check_unique(self, username: str, email: str, own_id: int = 0) -> None:
        """One person's name is never another's address: both are typed into the same field."""
        texts = (username, email)
        taken = select(User.id).where(or_(User.username.in_(texts), User.email.in_(texts)), User.id != own_id)
        if self.session.scalars(taken).first() is not None:
            raise Conflict(_("Another user already has this user name or e-mail address."))

    def _check_new_password(self, password: str, field: str) -> None:
        problem = password_problem(password)
        if problem:
            raise InvalidInput(_("The password will not do."), {field: problem})


def _living(query: ListQuery) -> list[ColumnElement[bool]]:
    return [] if query.filters.get("deleted") else [User.deleted.is_(False)]
