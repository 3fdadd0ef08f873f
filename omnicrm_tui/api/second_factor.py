"""One's own second factor over REST (PLT-234..237, BIL-410..415); `identity` asks for it, `users` resets it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.paging import Id
from omnicrm_tui.api.serialize import Answer
from omnicrm_tui.identity.schemas import Enrolment, Password
from omnicrm_tui.schemas import Input

router = APIRouter(tags=["Second factor"])

Code = Annotated[str, Field(max_length=20)]


class OwnPassword(Input):
    """The current password of whoever turns the second factor on."""

    password: Annotated[Password, Field(max_length=1024)]


class SetupCode(Input):
    """What the authenticator shows now."""

    code: Code


class BackupCodeInput(Input):
    """One of the unused backup codes."""

    backup_code: Code


@router.get("/2fa/user/{user_id}")
def state(caller: CallerDep, user_id: Id) -> Answer:
    """Return whether the second factor is on, pending, and how many backup codes are unused. One's own, or admin."""
    with caller.reading() as work:
        return Answer(work.second_factor.state(user_id))


@router.post("/2fa/enable/user/{user_id}")
def enable(caller: CallerDep, user_id: Id, given: Annotated[OwnPassword, Depends(JsonBody(OwnPassword))]) -> Answer:
    """Issue secret, URI for the QR code and backup codes, once (PLT-234). One's own; nothing is on before the code."""
    with caller.working() as work:
        enrolment = work.second_factor.enable(user_id, given.password.get_secret_value())
    return _shown(enrolment)


@router.post("/2fa/verify-setup/user/{user_id}")
def verify_setup(caller: CallerDep, user_id: Id, given: Annotated[SetupCode, Depends(JsonBody(SetupCode))]) -> Answer:
    """Turn the second factor on with a code of the authenticator (PLT-235). One's own."""
    with caller.working() as work:
        work.second_factor.confirm(user_id, given.code)
    return Answer({"verified": True, "message": "Two-factor authentication is on"})


@router.post("/2fa/backup-codes/regenerate/user/{user_id}")
def regenerate(caller: CallerDep, user_id: Id) -> Answer:
    """Replace the backup codes (PLT-237, BIL-413). One's own, or admin."""
    with caller.working() as work:
        codes = work.second_factor.regenerate_backup_codes(user_id)
    return Answer({"backup_codes": codes})


@router.post("/2fa/reset-for-new-device/user/{user_id}")
def reset_for_new_device(
    caller: CallerDep, user_id: Id, given: Annotated[BackupCodeInput, Depends(JsonBody(BackupCodeInput))]
) -> Answer:
    """Exchange a backup code for a new secret and new codes (BIL-415). One's own."""
    with caller.working() as work:
        enrolment = work.second_factor.reset_for_new_device(user_id, given.backup_code)
    return _shown(enrolment)


def _shown(enrolment: Enrolment) -> Answer:
    return Answer(
        {
            "totp_secret": enrolment.secret,
            "provisioning_uri": enrolment.uri,
            "qr_code_url": enrolment.uri,
            "backup_codes": enrolment.backup_codes,
        }
    )
