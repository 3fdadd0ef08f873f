"""The administration of users, roles and permissions over REST (BIL-390..409, BIL-414), and one's own sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import Field, SecretStr

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router, creates
from omnicrm_tui.api.serialize import Answer, Data, Listed, Message, page_answer
from omnicrm_tui.api.turns import TurnDep
from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.identity.schemas import (
    CreatedUser,
    PermissionInput,
    PermissionView,
    Right,
    RoleChange,
    RoleInput,
    RolePermissions,
    RoleView,
    SessionView,
    UserChange,
    UserInput,
    UserRow,
    UserView,
)
from omnicrm_tui.schemas import MAX_ID, Input

router = Router(tags=["Users and roles"])

Password = Annotated[SecretStr, Field(max_length=1024)]
IdField = Annotated[int, Field(ge=1, le=MAX_ID)]
Reason = Annotated[str, Field(max_length=300)]
SessionId = Annotated[str, Path(max_length=64)]


class PasswordReset(Input):
    """A password that an administrator sets (BIL-396); without one a temporary one is made (PLT-594)."""

    new_password: Password | None = None
    force_change: bool = True


class Why(Input):
    """Why it is done; goes into the activity log."""

    reason: Reason = ""


class SessionEnd(Input):
    """The own password, and which session; without one all are meant but the one that asks."""

    password: Password
    session_id: Annotated[str, Field(max_length=64)] = ""


class PermissionChoice(Input):
    """One permission or several (BIL-404)."""

    permission_id: IdField | None = None
    permission_ids: Annotated[list[IdField], Field(max_length=1000)] = []


@dataclass(frozen=True, slots=True)
class Temporary:
    """A password that was made, told this once."""

    temporary_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mailed:
    """Where a mail goes."""

    message: str
    email: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How many sessions were ended."""

    ended: int


@router.get("/auth/users")
def list_users(caller: CallerDep, listing: ListingDep) -> Answer[Listed[UserRow]]:
    """List users with their roles (BIL-391). Needs admin."""
    with caller.reading() as work:
        return page_answer(work.identity.page(listing.query, listing.page, listing.per_page))


@router.get("/auth/users/search")
def search_users(caller: CallerDep, listing: ListingDep) -> Answer[Listed[UserRow]]:
    """Search users; filters such as `{"role": ["Support"], "deleted": [true]}` (BIL-392). Needs admin.

    Others are `domain`, `active`, `is_2fa_enabled`, `is_customer`, `role_id` and `last_login` (`never`,
    `since:2026-10-01` or `before:2026-10-01`).
    """
    with caller.reading() as work:
        return page_answer(work.identity.page(listing.query, listing.page, listing.per_page))


@creates(router, "/auth/users")
def create_user(
    caller: CallerDep, data: Annotated[UserInput, Depends(JsonBody(UserInput))], _turn: TurnDep
) -> Answer[CreatedUser] | Answer[UserView]:
    """Create a user; `role` is a name, several with commas, or a list (BIL-390). Needs admin.

    Without `password` the answer tells a `temporary_password`, this once.
    """
    with caller.working() as work:
        created = work.identity.create_user(data)
        if created.temporary_password is None:
            return Answer(work.identity.user(created.id))
    return Answer(created)


@router.get("/auth/users/domains")
def list_domains(caller: CallerDep) -> Answer[Data[str]]:
    """List the domains of the users' addresses, the most usual first: values of the filter `domain`. Needs admin."""
    with caller.reading() as work:
        return Answer(Data(work.identity.domains()))


@router.get("/auth/users/{user_id}")
def get_user(caller: CallerDep, user_id: Id) -> Answer[UserView]:
    """Return a user with roles and effective permissions (BIL-393). Needs admin."""
    with caller.reading() as work:
        return Answer(work.identity.user(user_id))


@router.put("/auth/users/{user_id}")
@router.patch("/auth/users/{user_id}")
def change_user(
    caller: CallerDep, user_id: Id, change: Annotated[UserChange, Depends(JsonBody(UserChange))]
) -> Answer[UserView]:
    """Change the given fields; `deleted: false` restores (BIL-394). Needs admin.

    Without its contact a customer's user may not log in; `is_customer: false` makes it staff.
    """
    with caller.working() as work:
        changed = work.identity.update_user(user_id, change)
    return Answer(changed)


@router.delete("/auth/users/{user_id}")
def delete_user(caller: CallerDep, user_id: Id, reason: Annotated[str, Query(max_length=300)] = "") -> Answer[Message]:
    """Delete a user, so that it can be restored (BIL-395); `reason` goes into the activity log. Needs admin."""
    with caller.working() as work:
        work.identity.delete_user(user_id, reason)
    return Answer(Message("User deleted"))


@router.post("/auth/users/{user_id}/admin_reset_password")
def set_password(
    caller: CallerDep, user_id: Id, given: Annotated[PasswordReset, Depends(JsonBody(PasswordReset))], _turn: TurnDep
) -> Answer[Temporary | Message]:
    """Set a user's password (BIL-396), or have a temporary one made and told this once (PLT-213). Needs admin."""
    with caller.working() as work:
        if given.new_password is None:
            return Answer(Temporary(work.identity.reset_password(user_id)))
        work.identity.set_password(user_id, given.new_password.get_secret_value(), force_change=given.force_change)
    return Answer(Message("Password set"))


@router.post("/auth/users/{user_id}/welcome_email")
def send_welcome(caller: CallerDep, user_id: Id) -> Answer[Mailed]:
    """Write a welcome to a user who has never logged in (PLT-219); 409 for others. Needs admin."""
    with caller.working() as work:
        return Answer(Mailed("Welcome mail on its way", work.identity.send_welcome(user_id)))


@router.post("/auth/users/{user_id}/verify_email/resend")
def resend_verification(caller: CallerDep, user_id: Id) -> Answer[Mailed]:
    """Mail another code to the address that waits to be verified; 409 where none does. One's own, or admin."""
    with caller.working() as work:
        return Answer(Mailed("Verification mail on its way", work.identity.resend_verification(user_id)))


@router.delete("/auth/users/{user_id}/pending_email")
def cancel_email_change(caller: CallerDep, user_id: Id) -> Answer[Message]:
    """Forget the new e-mail address that waits to be verified; 409 where none does. Needs admin."""
    with caller.working() as work:
        work.identity.cancel_email_change(user_id)
    return Answer(Message("Change of e-mail address cancelled"))


@router.get("/auth/users/{user_id}/sessions")
def list_sessions(caller: CallerDep, user_id: Id) -> Answer[Data[SessionView]]:
    """List a user's open sessions, the newest first. One's own, or admin."""
    with caller.reading() as work:
        return Answer(Data(work.identity.sessions_of(user_id)))


@router.delete("/auth/users/{user_id}/sessions")
def end_all_sessions(caller: CallerDep, user_id: Id) -> Answer[Ended]:
    """End all sessions of a user at once; answers how many there were. Needs admin."""
    with caller.working() as work:
        return Answer(Ended(work.identity.end_all_sessions(user_id)))


@router.delete("/auth/users/{user_id}/sessions/{session_id}")
def end_session(caller: CallerDep, user_id: Id, session_id: SessionId) -> Answer[Message]:
    """End one session of a user; 404 when it is over already. Needs admin."""
    with caller.working() as work:
        work.identity.end_session(user_id, session_id)
    return Answer(Message("Session ended"))


@router.post("/auth/users/{user_id}/sessions/end")
def end_own_sessions(
    caller: CallerDep, user_id: Id, given: Annotated[SessionEnd, Depends(JsonBody(SessionEnd))], _turn: TurnDep
) -> Answer[Ended]:
    """End a session with the own password, or all others where none is named; 404 when it is over. One's own."""
    password = given.password.get_secret_value()
    with caller.working() as work:
        return Answer(Ended(work.identity.end_own_sessions(user_id, password, given.session_id)))


@router.get("/auth/users/{user_id}/rights")
def list_rights(caller: CallerDep, user_id: Id) -> Answer[Data[Right]]:
    """List what a user may do, and through which of its roles. Needs admin."""
    with caller.reading() as work:
        return Answer(Data(work.identity.rights(user_id)))


@router.post("/auth/users/{user_id}/unlock")
def unlock_user(caller: CallerDep, user_id: Id) -> Answer[UserView]:
    """Let a user who is locked out log in again at once (BIL-422); 409 for who is not locked. Needs admin."""
    with caller.working() as work:
        return Answer(work.identity.unlock(user_id))


@router.post("/2fa/admin/disable/user/{user_id}")
def reset_second_factor(
    caller: CallerDep, user_id: Id, given: Annotated[Why, Depends(JsonBody(Why))]
) -> Answer[UserView]:
    """Take a user's second factor and backup codes away (BIL-414); 409 where there is none. Needs admin."""
    with caller.working() as work:
        return Answer(work.identity.reset_second_factor(user_id, given.reason))


@router.get("/auth/permissions")
def list_permissions(caller: CallerDep) -> Answer[Data[PermissionView]]:
    """List the permissions (BIL-408). Needs admin."""
    with caller.reading() as work:
        return Answer(Data(work.identity.permissions()))


@creates(router, "/auth/permissions")
def create_permission(
    caller: CallerDep, data: Annotated[PermissionInput, Depends(JsonBody(PermissionInput))]
) -> Answer[PermissionView]:
    """Add a permission that the catalogue lacks (BIL-409). Needs admin; 409 when there is one of that name."""
    with caller.working() as work:
        created = work.identity.create_permission(data)
    return Answer(created)


@router.get("/auth/roles")
def list_roles(caller: CallerDep) -> Answer[Data[RoleView]]:
    """List the roles with their permissions and users (BIL-401). Needs admin."""
    with caller.reading() as work:
        return Answer(Data(work.identity.roles()))


@creates(router, "/auth/roles")
def create_role(caller: CallerDep, data: Annotated[RoleInput, Depends(JsonBody(RoleInput))]) -> Answer[RoleView]:
    """Create a role without permissions (BIL-400), or with those of the shipped role `design`. Needs admin."""
    with caller.working() as work:
        created = work.identity.create_role(data)
    return Answer(created)


@router.get("/auth/roles/{role_id}")
def get_role(caller: CallerDep, role_id: Id) -> Answer[RoleView]:
    """Return a role. Needs admin."""
    with caller.reading() as work:
        return Answer(work.identity.role(role_id))


@router.put("/auth/roles/{role_id}")
@router.patch("/auth/roles/{role_id}")
def change_role(
    caller: CallerDep, role_id: Id, change: Annotated[RoleChange, Depends(JsonBody(RoleChange))]
) -> Answer[RoleView]:
    """Change a role's name or description (BIL-402). Needs admin."""
    with caller.working() as work:
        changed = work.identity.update_role(role_id, change)
    return Answer(changed)


@router.delete("/auth/roles/{role_id}")
def delete_role(caller: CallerDep, role_id: Id) -> Answer[Message]:
    """Delete a role, from its users too (BIL-403). Needs admin."""
    with caller.working() as work:
        work.identity.delete_role(role_id)
    return Answer(Message("Role deleted"))


@router.get("/auth/roles/{role_id}/users")
def list_users_of_role(caller: CallerDep, role_id: Id, listing: ListingDep) -> Answer[Listed[UserRow]]:
    """List the users who hold a role (BIL-407). Needs admin."""
    with caller.reading() as work:
        return page_answer(work.identity.users_of_role(role_id, listing.query, listing.page, listing.per_page))


@router.post("/auth/roles/{role_id}/users/{user_id}")
def give_role(caller: CallerDep, role_id: Id, user_id: Id) -> Answer[RoleView]:
    """Give a user one role more (BIL-406). Needs admin."""
    with caller.working() as work:
        role = work.identity.give_role(role_id, user_id)
    return Answer(role)


@router.post("/auth/roles/{role_id}/permissions")
def add_permissions(
    caller: CallerDep, role_id: Id, given: Annotated[PermissionChoice, Depends(JsonBody(PermissionChoice))]
) -> Answer[RoleView]:
    """Give a role one permission or several (BIL-404). Needs admin."""
    chosen = [*given.permission_ids, *([given.permission_id] if given.permission_id else [])]
    if not chosen:
        raise InvalidInput("Some fields are not right.", {"permission_id": "is required"})
    with caller.working() as work:
        role = work.identity.add_permissions(role_id, chosen)
    return Answer(role)


@router.patch("/auth/roles/{role_id}/permissions")
def change_permissions(
    caller: CallerDep, role_id: Id, given: Annotated[RolePermissions, Depends(JsonBody(RolePermissions))]
) -> Answer[RoleView]:
    """Give a role the permissions in `add` and take those in `remove`, by name, in one step. Needs admin."""
    with caller.working() as work:
        return Answer(work.identity.change_permissions(role_id, given))


@router.delete("/auth/roles/{role_id}/permissions/{permission_id}")
def remove_permission(caller: CallerDep, role_id: Id, permission_id: Id) -> Answer[RoleView]:
    """Take a permission from a role (BIL-405). Needs admin."""
    with caller.working() as work:
        role = work.identity.remove_permission(role_id, permission_id)
    return Answer(role)
