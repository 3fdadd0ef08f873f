"""Logging in and out over REST (BIL-399, BIL-412, CAT-190, CAT-227)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Request
from pydantic import Field, SecretStr

from omnicrm_tui.api.auth import VisitorDep, identify
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.health import PUBLIC
from omnicrm_tui.api.paging import Id
from omnicrm_tui.api.paths import Router
from omnicrm_tui.api.serialize import Answer, Message
from omnicrm_tui.api.turns import TurnDep
from omnicrm_tui.errors import InvalidInput, NotAuthenticated, NotPermitted
from omnicrm_tui.identity.schemas import LoginResult, Tokens
from omnicrm_tui.schemas import MAX_ID, Input

router = Router(tags=["Identity"])

Token = Annotated[str, Field(max_length=4096)]
Password = Annotated[SecretStr, Field(max_length=1024)]
IdField = Annotated[int, Field(ge=1, le=MAX_ID)]


class LoginInput(Input):
    """Who logs in: `email` may also hold a user name, or be called `username`."""

    email: Annotated[str, Field(max_length=254)] = ""
    username: Annotated[str, Field(max_length=254)] = ""
    password: Password
    remember: bool = False


class ForgottenInput(Input):
    """Who forgot the password."""

    email: Annotated[str, Field(min_length=1, max_length=254)]


class ResetInput(Input):
    """The code of the mail, as it stands in the link too, and the password that is wanted."""

    token: Annotated[str, Field(min_length=1, max_length=100)]
    new_password: Password


class MailedCode(Input):
    """The code of a verification mail, as it stands in the link too."""

    token: Annotated[str, Field(min_length=1, max_length=100)]


class RefreshInput(Input):
    """A refresh token; without one the cookie `refresh_token` is taken."""

    refresh_token: Token = ""


class CodeInput(Input):
    """The second factor: the code, and the challenge that the log-in answered."""

    challenge_token: Token
    code: Annotated[str, Field(max_length=20)]


class PasswordChange(Input):
    """One's own password. Who cannot log in before the change sends the log-in's `challenge_token` (PLT-178)."""

    user_id: IdField | None = None
    challenge_token: Token = ""
    current_password: Password
    new_password: Password


@dataclass(frozen=True, slots=True)
class Renewed:
    """An access token, under both names that clients read it by, its end, and the refresh token for the next."""

    token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class LoggedIn(Renewed):
    """A session, and what its user may do; nothing before the second factor is on, where `must_enable_2fa`."""

    user_id: int
    roles: Sequence[str]
    permissions: Sequence[str]
    must_enable_2fa: bool


@dataclass(frozen=True, slots=True)
class AskedForCode:
    """The log-in goes on at `/2fa/verify/user/{user_id}`."""

    requires_2fa: Literal[True]
    user_id: int
    challenge_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AskedForPassword:
    """The log-in goes on at `/auth/change_password`."""

    must_change_password: Literal[True]
    user_id: int
    challenge_token: str = field(repr=False)


LogIn = LoggedIn | AskedForCode | AskedForPassword


@router.post("/auth/login", openapi_extra=PUBLIC)
def login(
    visitor: VisitorDep, given: Annotated[LoginInput, Depends(JsonBody(LoginInput))], _turn: TurnDep
) -> Answer[LogIn]:
    """Log in (CAT-190): `token`, `refresh_token`, permissions and roles; or `requires_2fa` with a challenge."""
    name = given.email or given.username
    if not name:
        raise InvalidInput("Some fields are not right.", {"email": "is required"})
    with visitor.working() as work:
        result = work.identity.login(name, given.password.get_secret_value(), visitor.source, remember=given.remember)
    return _logged_in(result)


@router.post("/2fa/verify/user/{user_id}", openapi_extra=PUBLIC)
def verify_second_factor(
    visitor: VisitorDep, user_id: Id, given: Annotated[CodeInput, Depends(JsonBody(CodeInput))]
) -> Answer[LogIn]:
    """Finish a log-in with the code of the authenticator or a backup code (BIL-412); answers as the log-in does."""
    with visitor.working() as work:
        result = work.second_factor.verify(given.challenge_token, given.code, visitor.source)
        if result.user_id != user_id:
            raise NotAuthenticated("This challenge belongs to another user.")
    return _logged_in(result)


@router.post("/auth/refresh", openapi_extra=PUBLIC)
def refresh(
    request: Request,
    visitor: VisitorDep,
    given: Annotated[RefreshInput, Depends(JsonBody(RefreshInput))],
) -> Answer[Renewed]:
    """Exchange a refresh token for new tokens (CAT-227, SVC-087); it is good for one use."""
    with visitor.working() as work:
        tokens = work.identity.refresh(_refresh_token(request, given), visitor.source)
    return Answer(Renewed(*_both(tokens)))


@router.post("/auth/logout", openapi_extra=PUBLIC)
def logout(
    request: Request,
    visitor: VisitorDep,
    given: Annotated[RefreshInput, Depends(JsonBody(RefreshInput))],
) -> Answer[Message]:
    """End the session of a refresh token; its access tokens end with it."""
    with visitor.working() as work:
        work.identity.logout(_refresh_token(request, given))
    return Answer(Message("Logged out"))


@router.post("/auth/change_password", openapi_extra=PUBLIC)
def change_password(
    request: Request,
    visitor: VisitorDep,
    given: Annotated[PasswordChange, Depends(JsonBody(PasswordChange))],
    _turn: TurnDep,
) -> Answer[Message]:
    """Change one's own password (BIL-399), logged in or with the challenge of a temporary one; all sessions end."""
    old, new = given.current_password.get_secret_value(), given.new_password.get_secret_value()
    user_id = None if given.challenge_token else _logged_in_user(request, given.user_id)
    with visitor.working() as work:
        if user_id is None:
            work.identity.change_temporary_password(given.challenge_token, old, new, visitor.source)
        else:
            work.identity.change_password(user_id, old, new, visitor.source)
    return Answer(Message("Password changed"))


def _logged_in_user(request: Request, user_id: int | None) -> int:
    """Return who is logged in. Raises NotPermitted for a machine, and where `user_id` is somebody else."""
    actor = identify(request).actor
    if actor.session_id == "" or actor.user_id is None or user_id not in (None, actor.user_id):
        raise NotPermitted("One's own password alone.")
    actor.require_in_person()
    return actor.user_id


@router.post("/auth/forgot_password", openapi_extra=PUBLIC)
def forgot_password(
    visitor: VisitorDep, given: Annotated[ForgottenInput, Depends(JsonBody(ForgottenInput))]
) -> Answer[Message]:
    """Mail a code for a new password (BIL-397); the answer is the same whether anybody has the address."""
    with visitor.working() as work:
        work.password_reset.request(given.email, visitor.source)
    return Answer(Message("Reset instructions have been sent to your email"))


@router.post("/auth/reset_password", openapi_extra=PUBLIC)
def reset_password(
    visitor: VisitorDep, given: Annotated[ResetInput, Depends(JsonBody(ResetInput))], _turn: TurnDep
) -> Answer[Message]:
    """Set a new password with the mailed code (BIL-398); all sessions of the user end."""
    with visitor.working() as work:
        work.password_reset.finish(given.token, given.new_password.get_secret_value(), visitor.source)
    return Answer(Message("Password has been reset successfully"))


@router.post("/auth/verify_email", openapi_extra=PUBLIC)
def verify_email(visitor: VisitorDep, given: Annotated[MailedCode, Depends(JsonBody(MailedCode))]) -> Answer[Message]:
    """Verify an e-mail address with the code that was mailed to it (BIL-430); 409 when another user has it now."""
    with visitor.working() as work:
        work.identity.verify_email(given.token, visitor.source)
    return Answer(Message("Your email address is verified"))


def _refresh_token(request: Request, given: RefreshInput) -> str:
    token = given.refresh_token or request.cookies.get("refresh_token", "")
    if not token or "\0" in token:
        raise InvalidInput("Some fields are not right.", {"refresh_token": "is required"})
    return token


def _logged_in(result: LoginResult) -> Answer[LogIn]:
    if result.tokens is not None:
        must_enable = result.actor is not None and result.actor.must_enable_2fa
        rights = (result.user_id, result.roles, result.permissions, must_enable)
        return Answer(LoggedIn(*_both(result.tokens), *rights))
    if result.requires_2fa:
        return Answer(AskedForCode(True, result.user_id, result.challenge_token))
    return Answer(AskedForPassword(True, result.user_id, result.challenge_token))


def _both(tokens: Tokens) -> tuple[str, str, str, datetime]:
    """Return the tokens under both names that clients read the access token by."""
    return tokens.access_token, tokens.access_token, tokens.refresh_token, tokens.expires
