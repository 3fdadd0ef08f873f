"""Users: created, changed, deleted and restored by administrators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from gettext import gettext as _
from typing import Any

from pydantic import SecretStr
from sqlalchemy import delete, func, insert, select

from omnicrm_tui.database.views import apply_changes, check_version, view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound
from omnicrm_tui.identity import passwords
from omnicrm_tui.identity.access import UNLINKED
from omnicrm_tui.identity.email_verification import EmailVerifications
from omnicrm_tui.identity.models import Role, TokenFamily, User, user_role
from omnicrm_tui.identity.permissions import ADMIN, CUSTOMER_ROLE
from omnicrm_tui.identity.roles import Roles
from omnicrm_tui.identity.rules import login_name, password_problem
from omnicrm_tui.identity.schemas import CreatedUser, UserChange, UserInput, UserRow, UserView
from omnicrm_tui.identity.user_list import USER_LIST, living
from omnicrm_tui.identity.user_mail import welcome_mail
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import needs

_MOST_DOMAINS = 12
"""A menu is not longer than a screen."""


class Users(EmailVerifications, Roles):
    """Manages users. Everything here needs admin."""

    @needs(ADMIN)
    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[UserRow]:
        """Return a window of the user list (BIL-382). Needs admin."""
        return USER_LIST.window(self.session, query, anchor, limit, *living(query))

    @needs(ADMIN)
    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching users, up to `cap`. Needs admin."""
        return USER_LIST.count(self.session, query, cap, *living(query))

    @needs(ADMIN)
    def page(self, query: ListQuery, page: int, per_page: int) -> Page[UserRow]:
        """Return a numbered page of users (BIL-391, BIL-392). Needs admin."""
        return USER_LIST.page(self.session, query, page, per_page, *living(query))

    @needs(ADMIN)
    def users_of_role(self, role_id: int, query: ListQuery, page: int, per_page: int) -> Page[UserRow]:
        """Return a numbered page of the users who hold a role (BIL-407). Needs admin; raises NotFound."""
        self._role(role_id)
        holders = replace(query, filters={**query.filters, "role_id": [str(role_id)]})
        return self.page(holders, page, per_page)

    @needs(ADMIN)
    def user(self, user_id: int) -> UserView:
        """Return a user with roles and effective permissions (BIL-393). Needs admin; raises NotFound."""
        return self._user_view(self._user(user_id))

    @needs(ADMIN)
    def user_by_login(self, email_or_username: str) -> UserView:
        """Return the user who logs in by this name. Needs admin; raises NotFound."""
        user = self._by_login(email_or_username)
        if user is None:
            raise NotFound(_("There is no user {name}.").format(name=email_or_username))
        return self._user_view(user)

    @needs(ADMIN, in_person=True)
    def create_user(self, data: UserInput) -> CreatedUser:
        """Create a user who can log in at once (BIL-383, BIL-390). Needs admin.

        Without a password the user gets a temporary one, which is told here and nowhere else (PLT-594). A user linked
        to a contact gets the role Customer when no other is named (BIL-376). Raises InvalidInput for a weak password
        or an unknown role, Conflict when the name or the address is taken.
        """
        role_ids = self._role_ids(data.role or ([CUSTOMER_ROLE] if data.contact_id is not None else []))
        self._check_contact(data.contact_id)
        temporary = passwords.temporary_password() if data.password is None else None
        password = temporary or (data.password or SecretStr("")).get_secret_value()
        self._check_new_password(password, "password")
        values = data.model_dump(exclude={"password", "role", "welcome_email"})
        values |= {"username": login_name(data.username), "email": login_name(data.email)}
        values["is_customer"] = data.contact_id is not None
        values["force_password_change"] = data.force_password_change or temporary is not None
        self._check_unique(values["username"], values["email"])
        user = User(**values, password_hash=passwords.hash_password(password))
        self.session.add(user)
        self.session.flush()
        self._assign(user.id, role_ids)
        view = self._user_view(user)
        self.work.activity.record("user", user.id, "User created", new={**values, "role": ", ".join(view.roles)})
        if data.welcome_email:
            self._welcome(user)
        self.session.flush()
        return CreatedUser(
            **{field.name: getattr(view, field.name) for field in fields(view)}, temporary_password=temporary
        )

    @needs(ADMIN, in_person=True)
    def send_welcome(self, user_id: int) -> str:
        """Put the welcome mail into the outbox and return the address (PLT-219). Needs admin.

        Raises NotFound; Conflict for who has logged in before (PLT-209) and for who may not log in.
        """
        user = self._user(user_id)
        if user.login_count:
            raise Conflict(_("A welcome is for who has never logged in."))
        if user.deleted or not user.active:
            raise Conflict(_("This user may not log in: restore or activate the account first."))
        if user.is_unlinked:
            raise Conflict(UNLINKED)
        self._welcome(user)
        return user.email

    @needs(ADMIN, in_person=True)
    def update_user(self, user_id: int, change: UserChange, reason: str = "") -> UserView:
        """Change the given fields, roles and state of a user (BIL-394, PLT-210, BIL-432). Needs admin.

        A new e-mail address waits in `pending_email` until it is verified (BIL-430), for which a code is mailed to it,
        and the one before is told; `reason` goes into the activity
        log. Who is linked to a contact is a customer's user from then on, and staff again only where `is_customer:
        false` says so; either way the sessions end. Raises NotFound, InvalidInput, and Conflict for a stale version
        or when nobody would be left as administrator.
        """
        user = self._user(user_id)
        check_version(user, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version", "role", "email"})
        required = ("first_name", "last_name", "active", "deleted", "is_customer")
        if blank := {name: _("is required") for name in required if name in given and given[name] in (None, "")}:
            raise InvalidInput(_("Some fields are not right."), blank)
        self._check_contact(given.get("contact_id"))
        given |= _side_of(user, given)
        if "deleted" in given:
            given["deleted_at"] = self.work.clock.now() if given["deleted"] else None
        if change.email is not None and login_name(change.email) != user.email:
            self._check_unique(user.username, login_name(change.email), own_id=user_id)
            given["pending_email"] = login_name(change.email)
        before = self._user_view(user)
        with self._keeping_an_admin():
            if change.role is not None:
                self._replace_roles(user_id, self._role_ids(change.role))
            old, new = apply_changes(user, given)
        if {"contact_id", "is_customer"} & new.keys() or not user.may_log_in:
            self.end_sessions(user_id)
        if not user.may_log_in:
            begun = select(TokenFamily.provision_id).where(TokenFamily.real_user_id == user_id)
            as_another = [job for job in self.session.scalars(begun) if job is not None]
            self.work.provisioning.cancel_of_user(user_id, as_another)
        if new.get("pending_email") and user.may_log_in:
            self._begin_email_change(user, given["pending_email"])
        after = self._user_view(user)
        if new or after.roles != before.roles:
            old["role"], new["role"] = ", ".join(before.roles), ", ".join(after.roles)
            self.work.activity.record("user", user_id, "User changed", old=old, new={**new, "reason": reason or None})
        self.session.flush()
        return self._user_view(user)

    @needs(ADMIN, in_person=True)
    def delete_user(self, user_id: int, reason: str = "") -> None:
        """Delete a user softly: no log-in, all sessions over at once, restorable (BIL-395, BIL-431). Needs admin.

        `reason` goes into the activity log (BIL-434).
        """
        self.update_user(user_id, UserChange(deleted=True), reason)

    @needs(ADMIN)
    def domains(self) -> Sequence[str]:
        """Return the domains of the users' addresses, the most usual first, for the filter. Needs admin."""
        addresses = select(User.email).where(User.deleted.is_(False)).limit(COUNT_CAP)
        found = Counter(address.rpartition("@")[2] for address in self.session.scalars(addresses))
        return [domain for domain, _number in found.most_common(_MOST_DOMAINS)]

    def _welcome(self, user: User) -> None:
        mail = welcome_mail(user.first_name, user.username, self.work.settings)
        kind = "api_crmCommunicationUserWelcome"
        self.work.messaging.enqueue_email(user.email, mail.subject, mail.text, kind=kind)
        self.work.activity.record("user", user.id, "Welcome mail sent", new={"email": user.email})

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

    def _check_new_password(self, password: str, field: str) -> None:
        problem = password_problem(password)
        if problem:
            raise InvalidInput(_("The password will not do."), {field: problem})


def _side_of(user: User, given: dict[str, Any]) -> dict[str, bool]:
    """Return whether a change makes a user a customer's, or staff again. Raises InvalidInput for both at once.

    Without its contact alone it stays a customer's user: nobody becomes staff by what is taken away.
    """
    contact_id = given.get("contact_id", user.contact_id)
    is_customer = given.get("is_customer", user.is_customer or contact_id is not None)
    if contact_id is not None and not is_customer:
        problem = _("a user of staff has no contact: take that away first")
        raise InvalidInput(_("Some fields are not right."), {"is_customer": problem})
    return {"is_customer": is_customer}
