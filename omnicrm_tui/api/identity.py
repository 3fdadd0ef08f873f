"""Logging in, and the administration of users and roles, over REST (BIL-390..412, CAT-190, CAT-227)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field, SecretStr

from omnicrm_tui.api.auth import CallerDep, CrmDep, SourceDep, identify
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.health import PUBLIC
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import creates
from omnicrm_tui.api.serialize import Answer, page_answer
from omnicrm_tui.errors import InvalidInput, NotAuthenticated
from omnicrm_tui.identity.actor import visitor
from omnicrm_tui.identity.schemas import (
    LoginResult,
    PermissionInput,
    RoleChange,
    RoleInput,
    Tokens,
    UserChange,
    UserInput,
)
from omnicrm_tui.schemas import MAX_ID, Input

router = APIRouter(tags=["Identity"])

Token = Annotated[str, Field(max_length=4096)]
Password = Annotated[SecretStr, Field(max_length=1024)]
IdField = Annotated[int, Field(ge=1, le=MAX_ID)]


class LoginInput(Input):
    """Who logs in: `email` may also hold a user name, or be called `username`."""

    email: Annotated[str, Field(max_length=254)] = ""
    username: Annotated[str, Field(max_length=254)] = ""
    password: Password
    remember: bool = False


class RefreshInput(Input):
    """A refresh token; without one the cookie `refresh_token` is taken."""

    refresh_token: Token = ""


class CodeInput(Input):
    """The second factor: the code, and the challenge that the log-in answered."""

    challenge_token: Token
    code: Annotated[str, Field(max_length=20)]


class PasswordChange(Input):
    """One's own password; `user_id` is only needed by who cannot log in before the change (PLT-178)."""

    user_id: IdField | None = None
    current_password: Password
    new_password: Password


class PasswordReset(Input):
    """A password that an administrator sets (BIL-396)."""

    new_password: Password
    force_change: bool = True


class PermissionChoice(Input):
    """One permission or several (BIL-404)."""

    permission_id: IdField | None = None
    permission_ids: list[IdField] = []


@router.post("/auth/login", openapi_extra=PUBLIC)
def login(crm: CrmDep, source: SourceDep, given: Annotated[LoginInput, Depends(JsonBody(LoginInput))]) -> Answer:
    """Log in (CAT-190): `token`, `refresh_token`, permissions and roles; or `requires_2fa` with a challenge."""
    name = given.email or given.username
    if not name:
        raise InvalidInput("Some fields are not right.", {"email": "is required"})
    with crm.as_actor(visitor(source)) as work:
        result = work.identity.login(name, given.password.get_secret_value(), source, remember=given.remember)
    return _logged_in(result)


@router.post("/2fa/verify/user/{user_id}", openapi_extra=PUBLIC)
def verify_second_factor(
    crm: CrmDep, source: SourceDep, user_id: Id, given: Annotated[CodeInput, Depends(JsonBody(CodeInput))]
) -> Answer:
    """Finish a log-in with the code of the authenticator (BIL-412); answers as the log-in does."""
    with crm.as_actor(visitor(source)) as work:
        result = work.identity.verify_second_factor(given.challenge_token, given.code, source)
        if result.user_id != user_id:
            raise NotAuthenticated("This challenge belongs to another user.")
    return _logged_in(result)


@router.post("/auth/refresh", openapi_extra=PUBLIC)
def refresh(
    request: Request,
    crm: CrmDep,
    source: SourceDep,
    given: Annotated[RefreshInput, Depends(JsonBody(RefreshInput))],
) -> Answer:
    """Exchange a refresh token for new tokens (CAT-227, SVC-087); it is good for one use."""
    with crm.as_actor(visitor(source)) as work:
        tokens = work.identity.refresh(_refresh_token(request, given), source)
    return Answer(_shown(tokens))


@router.post("/auth/logout", openapi_extra=PUBLIC)
def logout(
    request: Request,
    crm: CrmDep,
    source: SourceDep,
    given: Annotated[RefreshInput, Depends(JsonBody(RefreshInput))],
) -> Answer:
    """End the session of a refresh token; its access tokens end with it."""
    with crm.as_actor(visitor(source)) as work:
        work.identity.logout(_refresh_token(request, given))
    return Answer({"message": "Logged out"})


@router.post("/auth/change_password", openapi_extra=PUBLIC)
def change_password(
    request: Request,
    crm: CrmDep,
    source: SourceDep,
    given: Annotated[PasswordChange, Depends(JsonBody(PasswordChange))],
) -> Answer:
    """Change one's own password (BIL-399); all sessions of the user end."""
    user_id = given.user_id or identify(request).actor.user_id
    if user_id is None:
        raise InvalidInput("Some fields are not right.", {"user_id": "is required"})
    old, new = given.current_password.get_secret_value(), given.new_password.get_secret_value()
    with crm.as_actor(visitor(source)) as work:
        work.identity.change_password(user_id, old, new, source)
    return Answer({"message": "Password changed"})


@router.get("/auth/users")
def list_users(caller: CallerDep, listing: ListingDep) -> Answer:
    """List users with their roles (BIL-391). Needs admin."""
    with caller.reading() as work:
        return page_answer(work.identity.page(listing.query, listing.page, listing.per_page))


@router.get("/auth/users/search")
def search_users(caller: CallerDep, listing: ListingDep) -> Answer:
    """Search users; filters such as `{"role": ["Support"], "deleted": [true]}` (BIL-392). Needs admin."""
    with caller.reading() as work:
        return page_answer(work.identity.page(listing.query, listing.page, listing.per_page))


@creates(router, "/auth/users")
def create_user(caller: CallerDep, data: Annotated[UserInput, Depends(JsonBody(UserInput))]) -> Answer:
    """Create a user; `role` is a name, several with commas, or a list (BIL-390). Needs admin."""
    with caller.working() as work:
        created = work.identity.create_user(data)
    return Answer(created)


@router.get("/auth/users/{user_id}")
def get_user(caller: CallerDep, user_id: Id) -> Answer:
    """Return a user with roles and effective permissions (BIL-393). Needs admin."""
    with caller.reading() as work:
        return Answer(work.identity.user(user_id))


@router.put("/auth/users/{user_id}")
@router.patch("/auth/users/{user_id}")
def change_user(caller: CallerDep, user_id: Id, change: Annotated[UserChange, Depends(JsonBody(UserChange))]) -> Answer:
    """Change the given fields; `deleted: false` restores (BIL-394). Needs admin."""
    with caller.working() as work:
        changed = work.identity.update_user(user_id, change)
    return Answer(changed)


@router.delete("/auth/users/{user_id}")
def delete_user(caller: CallerDep, user_id: Id) -> Answer:
    """Delete a user, so that it can be restored (BIL-395). Needs admin."""
    with caller.working() as work:
        work.identity.delete_user(user_id)
    return Answer({"message": "User deleted"})


@router.post("/auth/users/{user_id}/admin_reset_password")
def set_password(
    caller: CallerDep, user_id: Id, given: Annotated[PasswordReset, Depends(JsonBody(PasswordReset))]
) -> Answer:
    """Set a user's password (BIL-396). Needs admin."""
    with caller.working() as work:
        work.identity.set_password(user_id, given.new_password.get_secret_value(), force_change=given.force_change)
    return Answer({"message": "Password set"})


@router.get("/auth/permissions")
def list_permissions(caller: CallerDep) -> Answer:
    """List the permissions (BIL-408). Needs admin."""
    with caller.reading() as work:
        return Answer({"data": work.identity.permissions()})


@creates(router, "/auth/permissions")
def create_permission(
    caller: CallerDep, data: Annotated[PermissionInput, Depends(JsonBody(PermissionInput))]
) -> Answer:
    """Add a permission that the catalogue lacks (BIL-409). Needs admin; 409 when there is one of that name."""
    with caller.working() as work:
        created = work.identity.create_permission(data)
    return Answer(created)


@router.get("/auth/roles")
def list_roles(caller: CallerDep) -> Answer:
    """List the roles with their permissions and users (BIL-401). Needs admin."""
    with caller.reading() as work:
        return Answer({"data": work.identity.roles()})


@creates(router, "/auth/roles")
def create_role(caller: CallerDep, data: Annotated[RoleInput, Depends(JsonBody(RoleInput))]) -> Answer:
    """Create a role without permissions (BIL-400). Needs admin."""
    with caller.working() as work:
        created = work.identity.create_role(data)
    return Answer(created)


@router.get("/auth/roles/{role_id}")
def get_role(caller: CallerDep, role_id: Id) -> Answer:
    """Return a role. Needs admin."""
    with caller.reading() as work:
        return Answer(work.identity.role(role_id))


@router.put("/auth/roles/{role_id}")
@router.patch("/auth/roles/{role_id}")
def change_role(caller: CallerDep, role_id: Id, change: Annotated[RoleChange, Depends(JsonBody(RoleChange))]) -> Answer:
    """Change a role's name or description (BIL-402). Needs admin."""
    with caller.working() as work:
        changed = work.identity.update_role(role_id, change)
    return Answer(changed)


@router.delete("/auth/roles/{role_id}")
def delete_role(caller: CallerDep, role_id: Id) -> Answer:
    """Delete a role, from its users too (BIL-403). Needs admin."""
    with caller.working() as work:
        work.identity.delete_role(role_id)
    return Answer({"message": "Role deleted"})


@router.post("/auth/roles/{role_id}/users/{user_id}")
def give_role(caller: CallerDep, role_id: Id, user_id: Id) -> Answer:
    """Give a user one role more (BIL-406). Needs admin."""
    with caller.working() as work:
        role = work.identity.give_role(role_id, user_id)
    return Answer(role)


@router.post("/auth/roles/{role_id}/permissions")
def add_permissions(
    caller: CallerDep, role_id: Id, given: Annotated[PermissionChoice, Depends(JsonBody(PermissionChoice))]
) -> Answer:
    """Give a role one permission or several (BIL-404). Needs admin."""
    chosen = [*given.permission_ids, *([given.permission_id] if given.permission_id else [])]
    if not chosen:
        raise InvalidInput("Some fields are not right.", {"permission_id": "is required"})
    with caller.working() as work:
        role = work.identity.add_permissions(role_id, chosen)
    return Answer(role)


@router.delete("/auth/roles/{role_id}/permissions/{permission_id}")
def remove_permission(caller: CallerDep, role_id: Id, permission_id: Id) -> Answer:
    """Take a permission from a role (BIL-405). Needs admin."""
    with caller.working() as work:
        role = work.identity.remove_permission(role_id, permission_id)
    return Answer(role)


def _refresh_token(request: Request, given: RefreshInput) -> str:
    token = given.refresh_token or request.cookies.get("refresh_token", "")
    if not token or "\0" in token:
        raise InvalidInput("Some fields are not right.", {"refresh_token": "is required"})
    return token


def _logged_in(result: LoginResult) -> Answer:
    if result.tokens is not None:
        rights = {"user_id": result.user_id, "roles": result.roles, "permissions": result.permissions}
        return Answer({**_shown(result.tokens), **rights})
    if result.requires_2fa:
        return Answer({"requires_2fa": True, "user_id": result.user_id, "challenge_token": result.challenge_token})
    return Answer({"must_change_password": True, "user_id": result.user_id})


def _shown(tokens: Tokens) -> dict[str, Any]:
    """Return the tokens under both names that clients read the access token by."""
    return {
        "token": tokens.access_token,
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires": tokens.expires,
    }
