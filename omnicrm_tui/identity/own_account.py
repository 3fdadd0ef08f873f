"""One's own account: who may reach it, and the password that is asked for once more before it is changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from gettext import gettext as _
from typing import Concatenate, ParamSpec, TypeVar

from omnicrm_tui.database.isolation import lifted
from omnicrm_tui.errors import InvalidInput, NotAuthenticated, NotFound, NotPermitted
from omnicrm_tui.identity.actor import ActorKind
from omnicrm_tui.identity.limits import LOG_IN
from omnicrm_tui.identity.models import User
from omnicrm_tui.identity.permissions import ADMIN
from omnicrm_tui.identity.sessions import Sessions
from omnicrm_tui.identity.user_mail import Told

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")
_Account = TypeVar("_Account", bound="OwnAccount")


def own_account(
    method: Callable[Concatenate[_Account, int, _Params], _Result],
) -> Callable[Concatenate[_Account, int, _Params], _Result]:
    """Let a customer's user reach its own account, which belongs to no customer, and nobody else's."""

    @wraps(method)
    def reached(self: _Account, user_id: int, /, *args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
        with lifted(self.session) if self._is_own(user_id) else nullcontext():
            return method(self, user_id, *args, **kwargs)

    return reached


class OwnAccount(Sessions):
    """Base of what people do about their own way in."""

    def _is_own(self, user_id: int) -> bool:
        """A key or a job acts for a user and still is nobody who holds a telephone."""
        return self.actor.user_id == user_id and self.actor.kind in (ActorKind.STAFF, ActorKind.CUSTOMER)

    def _own(self, user_id: int) -> User:
        self.actor.require_in_person()
        if self._is_own(user_id):
            return self._existing(user_id)
        if self.actor.may(ADMIN):
            self._existing(user_id)
        raise NotPermitted(_("Only the person can do this, logged in with a password."))

    def _existing(self, user_id: int, *, lock: bool = False) -> User:
        """Load a user; with `lock` before anything that points at the row, or two at once stand in each other's way."""
        user = self.session.get(User, user_id, populate_existing=True, with_for_update=lock or None)
        if user is None:
            raise NotFound(_("There is no user {user_id}.").format(user_id=user_id))
        return user

    def _tell_second_factor(self, user: User, what: Told, left: int = 0) -> None:
        """Write to the user what was done to the second factor (ASVS 6.3.7), and how many backup codes are `left`."""
        from omnicrm_tui.identity import notices

        now, source = self.work.clock.now(), self.actor.source_address
        mail = notices.second_factor_mail(what, user.first_name, source, now, self.work.settings, left)
        self._tell(user, notices.SECOND_FACTOR, mail)

    def _check_own_password(self, user: User, password: str) -> None:
        self.work.limits.count(LOG_IN, source=self.actor.source_address, account=f"user {user.id}")
        try:
            self._check_password(user, password, self.actor.source_address)
        except NotAuthenticated:
            raise InvalidInput(_("The password is not right."), {"password": _("is not right")}) from None
