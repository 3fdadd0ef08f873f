"""The few errors that every door knows how to show.

A service raises one of these; a screen shows `message` (and `fields` beside the inputs they name), the API
answers the status of the contracts page, a command prints the message and exits with 1.
"""

from __future__ import annotations

from collections.abc import Mapping


class CrmError(Exception):
    """Something that a person can be told in one sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(CrmError):
    """The input breaks a rule; `fields` maps a field name to what is wrong with it."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class NotAuthenticated(CrmError):
    """There is no valid identity behind the call."""


class NotPermitted(CrmError):
    """The actor is known and lacks the permission."""


class NotFound(CrmError):
    """It does not exist, or it is not the actor's to see: the two look alike on purpose."""


class Conflict(CrmError):
    """The record changed meanwhile, or somebody else won the race for it."""


class AlreadyActing(Conflict):
    """Somebody acts as another user already, at this terminal or at another."""


class AccountLocked(CrmError):
    """Too many failed attempts; the account opens again by itself or by an administrator."""


class TooManyRequests(CrmError):
    """The caller has to slow down, and may come again in `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutsideSystemError(CrmError):
    """Another system (charging, HSS, mail, SMS) did not answer, or answered with an error."""


class DatabaseProblem(CrmError):
    """The database is locked, full, unreachable or of another version; nothing was changed."""


class DriverProblem(DatabaseProblem):
    """We have no sentence for it: the message has the words of the driver, with hosts and accounts, for the log."""


class ProgramOutdated(DatabaseProblem):
    """The database got another version while this program was running: it may read on, and writes no more."""
