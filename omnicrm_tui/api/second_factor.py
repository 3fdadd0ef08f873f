"""One's own second factor over REST (PLT-234..237, BIL-410..415); `identity` asks for it, `users` resets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from pydantic import Field, SecretStr

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.paging import Id
from omnicrm_tui.api.paths import Router
from omnicrm_tui.api.serialize import Answer
from omnicrm_tui.api.turns import TurnDep
from omnicrm_tui.identity.schemas import Enrolment, Password, SecondFactorState
from omnicrm_tui.schemas import Input

router = Router(tags=["Second factor"])

Code = Annotated[str, Field(max_length=20)]


class OwnPassword(Input):
    """The current password of whoever turns the second factor on."""

    password: Annotated[Password, Field(max_length=1024)]


class PasswordOfOnesOwn(Input):
    """The current password, where it is one's own account."""

    password: Annotated[Password, Field(max_length=1024)] = SecretStr("")


class SetupCode(Input):
    """What the authenticator shows now."""

    code: Code


class BackupCodeInput(Input):
    """One of the unused backup codes."""

    backup_code: Code


@dataclass(frozen=True, slots=True)
class Issued:
    """What an authenticator and its owner need, this once; the URI is what the QR code says."""

    totp_secret: str = field(repr=False)
    provisioning_uri: str = field(repr=False)
    qr_code_url: str = field(repr=False)
    backup_codes: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """That the second factor is on."""

    verified: bool
    message: str


@dataclass(frozen=True, slots=True)
class BackupCodes:
    """New backup codes, this once."""

    backup_codes: Sequence[str] = field(repr=False)


@router.get("/2fa/user/{user_id}")
def state(caller: CallerDep, user_id: Id) -> Answer[SecondFactorState]:
    """Return whether the second factor is on, pending, and how many backup codes are unused. One's own, or admin."""
    with caller.reading() as work:
        return Answer(work.second_factor.state(user_id))


@router.post("/2fa/enable/user/{user_id}")
def enable(
    caller: CallerDep, user_id: Id, given: Annotated[OwnPassword, Depends(JsonBody(OwnPassword))], _turn: TurnDep
) -> Answer[Issued]:
    """Issue secret, URI for the QR code and backup codes, once (PLT-234). One's own; nothing is on before the code."""
    with caller.working() as work:
        enrolment = work.second_factor.enable(user_id, given.password.get_secret_value())
    return _shown(enrolment)


@router.post("/2fa/verify-setup/user/{user_id}")
def verify_setup(
    caller: CallerDep, user_id: Id, given: Annotated[SetupCode, Depends(JsonBody(SetupCode))]
) -> Answer[Verified]:
    """Turn the second factor on with a code of the authenticator (PLT-235). One's own."""
    with caller.working() as work:
        work.second_factor.confirm(user_id, given.code)
    return Answer(Verified(True, "Two-factor authentication is on"))


@router.post("/2fa/backup-codes/regenerate/user/{user_id}")
def regenerate(
    caller: CallerDep,
    user_id: Id,
    given: Annotated[PasswordOfOnesOwn, Depends(JsonBody(PasswordOfOnesOwn))],
    _turn: TurnDep,
) -> Answer[BackupCodes]:
    """Replace the backup codes (PLT-237, BIL-413). One's own, with the current `password`, or admin."""
    with caller.working() as work:
        codes = work.second_factor.regenerate_backup_codes(user_id, given.password.get_secret_value())
    return Answer(BackupCodes(codes))


@router.post("/2fa/reset-for-new-device/user/{user_id}")
def reset_for_new_device(
    caller: CallerDep, user_id: Id, given: Annotated[BackupCodeInput, Depends(JsonBody(BackupCodeInput))]
) -> Answer[Issued]:
    """Exchange a backup code for a new secret and new codes (BIL-415). One's own."""
    with caller.working() as work:
        enrolment = work.second_factor.reset_for_new_device(user_id, given.backup_code)
    return _shown(enrolment)


def _shown(enrolment: Enrolment) -> Answer[Issued]:
    return Answer(Issued(enrolment.secret, enrolment.uri, enrolment.uri, enrolment.backup_codes))
