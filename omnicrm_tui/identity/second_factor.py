"""The second factor: an authenticator's codes (TOTP), and ten codes on paper that stand in for it.

    off -> pending (secret and codes issued) -> on -> off (an administrator's reset)

Backup codes are stored as HMACs under the authenticator's secret, which is sealed: without the home's keys nobody can
try all codes against the database, and codes of an earlier secret open nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from gettext import gettext as _
from urllib.parse import quote

from sqlalchemy import delete, func, or_, select, update

from omnicrm_tui.errors import Conflict, InvalidInput
from omnicrm_tui.identity import tokens, totp
from omnicrm_tui.identity.limits import CODE
from omnicrm_tui.identity.models import BackupCode, User
from omnicrm_tui.identity.own_account import OwnAccount, own_account
from omnicrm_tui.identity.permissions import ADMIN
from omnicrm_tui.identity.schemas import Enrolment, LoginResult, SecondFactorState
from omnicrm_tui.identity.user_mail import Told
from omnicrm_tui.needs import Asked, asks_itself, asks_nothing

ISSUER = "OmniCRM"
BACKUP_CODES = 10
CODE_DIGITS = 8
_SECRET_BYTES = 20
_SEALED_IN = "crm_user.totp_secret"
_NOT_RIGHT = _("This code is not right.")


class SecondFactors(OwnAccount):
    """Turns second factors on and over to new devices, and asks for them at log-in; off is `user_care`'s."""

    @asks_nothing(Asked.LOG_IN)
    def verify(self, challenge_token: str, code: str, source_address: str) -> LoginResult:
        """Finish a log-in with the code of the authenticator, or with a backup code (PLT-173, PLT-181, BIL-412).

        Raises NotAuthenticated for a wrong or used code, or an old challenge; AccountLocked after too many;
        RateLimited for the address and the account.
        """
        self.work.limits.count(CODE, source=source_address)
        claims = self._read_challenge(challenge_token, tokens.CHALLENGE)
        self.work.limits.count(CODE, account=f"user {claims['sub']}")
        user = self._existing(self._claim_attempt(int(claims["sub"])).id, lock=True)
        self._read_challenge(challenge_token, tokens.CHALLENGE)  # of several at once, the first has used it up
        if not user.is_2fa_enabled or not self._spend(user, code):
            self._refuse(user, "Login failed: wrong second factor", source_address, _NOT_RIGHT)
        return self._open(user, source_address, bool(claims.get("rem")), str(claims.get("ssh") or ""))

    @asks_itself(ADMIN, unless="it is one's own")
    @own_account
    def state(self, user_id: int) -> SecondFactorState:
        """Return how far a user's second factor is (PLT-229). One's own, or needs admin."""
        if not self._is_own(user_id):
            self.actor.require(ADMIN)
        user = self._existing(user_id)
        issued = user.totp_secret is not None
        return SecondFactorState(user.is_2fa_enabled, issued and not user.is_2fa_enabled, self._unused_codes(user_id))

    @asks_nothing(Asked.OWN)
    @own_account
    def enable(self, user_id: int, password: str) -> Enrolment:
        """Issue a secret and backup codes to a user who gives the own password (PLT-188..190, BIL-410).

        Nothing is asked of the user before `confirm`. Raises InvalidInput for a wrong password,
        AccountLocked, and Conflict where the second factor is on already.
        """
        user = self._own(user_id)
        if user.is_2fa_enabled:
            raise Conflict(_("The second factor is on already. A backup code takes it to a new device."))
        self._check_own_password(user, password)
        enrolment = self._issue(user)
        self._log(user, "Second factor: a secret was issued", self.actor.source_address)
        return enrolment

    @asks_nothing(Asked.OWN)
    @own_account
    def confirm(self, user_id: int, code: str) -> None:
        """Turn the second factor on, once a code shows that the authenticator has the secret (PLT-192, BIL-411).

        Confirming again is no error. Raises InvalidInput for a wrong code, Conflict where no secret was issued.
        """
        user = self._own(user_id)
        secret = self._secret_of(user)
        if secret is None:
            raise Conflict(_("No secret was issued: turn the second factor on first."))
        if not self._spend_totp(user_id, secret, code):
            raise InvalidInput(_NOT_RIGHT, {"code": _("is not what the authenticator shows now")})
        if not user.is_2fa_enabled:
            self._set(user_id, {"is_2fa_enabled": True})
            self._log(user, "Second factor turned on", self.actor.source_address)
            self._tell_second_factor(user, Told.TURNED_ON)

    @asks_itself(ADMIN, unless="they are one's own")
    @own_account
    def regenerate_backup_codes(self, user_id: int, password: str = "") -> tuple[str, ...]:
        """Replace all backup codes by new ones (PLT-237, BIL-413, BIL-425). One's own, or needs admin.

        For one's own the current password is asked for: who finds a terminal open would else have a way in that stays.
        Raises Conflict where the second factor is off, InvalidInput for a wrong password, AccountLocked.
        """
        self.actor.require_in_person()
        if self._is_own(user_id):
            self._check_own_password(self._existing(user_id), password)
        else:
            self.actor.require(ADMIN)
        user = self._existing(user_id, lock=True)
        secret = self._secret_of(user)
        if secret is None or not user.is_2fa_enabled:
            raise Conflict(_("The second factor is off: there are no backup codes."))
        codes = self._new_codes(user_id, secret)
        self.work.activity.record("user", user_id, "Backup codes replaced")
        self._tell_second_factor(user, Told.CODES_REPLACED)
        return codes

    @asks_nothing(Asked.OWN)
    @own_account
    def reset_for_new_device(self, user_id: int, backup_code: str) -> Enrolment:
        """Exchange a backup code for a new secret and new codes (BIL-415, BIL-427): the old device opens nothing more.

        The second factor stays on, with the new secret. Raises NotAuthenticated for a wrong or used code,
        AccountLocked after too many, Conflict where the second factor is off.
        """
        user = self._own(user_id)
        if not user.is_2fa_enabled:
            raise Conflict(_("The second factor is off: turn it on instead."))
        self.work.limits.count(CODE, source=self.actor.source_address, account=f"user {user_id}")
        user = self._existing(self._claim_attempt(user_id).id, lock=True)
        if not self._spend_backup_code(user, backup_code):
            self._refuse(user, "Second factor: wrong backup code", self.actor.source_address, _NOT_RIGHT)
        self._set(user_id, self._attempt_taken_back())
        enrolment = self._issue(user)
        self._log(user, "Second factor moved to a new device", self.actor.source_address)
        self._tell_second_factor(user, Told.MOVED)
        return enrolment

    # --- secrets and codes

    def _secret_of(self, user: User) -> str | None:
        return self.work.vault.open(_SEALED_IN, user.id, user.totp_secret)

    def _issue(self, user: User) -> Enrolment:
        secret = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        sealed = self.work.vault.seal(_SEALED_IN, user.id, secret)
        self._set(user.id, {"totp_secret": sealed, "totp_last_step": None})
        return Enrolment(user.id, secret, provisioning_uri(user.email, secret), self._new_codes(user.id, secret))

    def _new_codes(self, user_id: int, secret: str) -> tuple[str, ...]:
        self.session.execute(delete(BackupCode).where(BackupCode.user_id == user_id))
        codes: set[str] = set()
        while len(codes) < BACKUP_CODES:
            codes.add(f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}")
        self.session.add_all(BackupCode(user_id=user_id, code_hash=_keyed(secret, code)) for code in codes)
        self.session.flush()
        return tuple(codes)

    def _unused_codes(self, user_id: int) -> int:
        unused = select(func.count(BackupCode.id)).where(BackupCode.user_id == user_id, BackupCode.used.is_(None))
        return self.session.scalar(unused) or 0

    def _spend(self, user: User, code: str) -> bool:
        """Use up what was typed: six digits are the authenticator's, anything longer is a backup code."""
        typed = _bare(code)
        if len(typed) == totp.DIGITS:
            secret = self._secret_of(user)
            return secret is not None and self._spend_totp(user.id, secret, typed)
        spent = self._spend_backup_code(user, typed)
        if spent:
            self._tell_second_factor(user, Told.CODE_USED, self._unused_codes(user.id))
        return spent

    def _spend_totp(self, user_id: int, secret: str, code: str) -> bool:
        """Use up the step of a code that is right now: a code that was seen opens nothing twice."""
        step = totp.matching_step(secret, code, self.work.clock.now())
        if step is None:
            return False
        unused = or_(User.totp_last_step.is_(None), User.totp_last_step < step)
        return self._changes_one(update(User).where(User.id == user_id, unused).values(totp_last_step=step))

    def _spend_backup_code(self, user: User, code: str) -> bool:
        secret = self._secret_of(user)
        if secret is None:
            return False
        right = (BackupCode.user_id == user.id, BackupCode.code_hash == _keyed(secret, _bare(code)))
        unused = update(BackupCode).where(*right, BackupCode.used.is_(None))
        spent = self._changes_one(unused.values(used=self.work.clock.now()))
        if spent:
            self._log(user, "Backup code used", self.actor.source_address)
        return spent


def provisioning_uri(email: str, secret: str) -> str:
    """Return what authenticators read from a QR code (BIL-410)."""
    return f"otpauth://totp/{ISSUER}:{quote(email, safe='@')}?secret={secret}&issuer={ISSUER}"


def _bare(code: str) -> str:
    """Return a code as it is compared: people type it with blanks, dashes and capitals."""
    return "".join(letter for letter in code.lower() if letter.isalnum())


def _keyed(secret: str, code: str) -> str:
    return hmac.new(secret.encode(), code.encode(), hashlib.sha256).hexdigest()
