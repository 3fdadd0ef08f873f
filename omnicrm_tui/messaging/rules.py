"""Rules of the outbox."""

from __future__ import annotations

import re
from datetime import timedelta

from omnicrm_tui.languages import N_

STATUSES = (N_("waiting"), N_("sent"), N_("failed"), N_("dropped"))
"""What becomes of a message; a failed one may be sent again, and so may a dropped one."""

OUTBOX, SCHEDULE, JOBS = "outbox", "schedule", "jobs"
DUTIES = (JOBS, OUTBOX, SCHEDULE)
"""What is led under a lease: jobs that nobody started, mail and SMS, and what is done now and then."""

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 4 * 60, 12 * 60))
"""How long after each failed attempt the next one comes; each is longer than an attempt can take."""

MOST_ATTEMPTS = len(BACKOFF) + 1

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")


def wait_after(attempt: int) -> timedelta:
    """Return how long to wait after attempt number `attempt` (from 1)."""
    return BACKOFF[min(attempt, len(BACKOFF)) - 1]


def is_email(text: str) -> bool:
    """Tell whether `text` can be a single mail address."""
    return _EMAIL.fullmatch(text) is not None


def phone_number(text: str) -> str | None:
    """Return a phone number without its blanks, dots, dashes and brackets; None when it is none."""
    number = re.sub(r"[\s().\-/]", "", text)
    return number if _NUMBER.fullmatch(number) else None


def one_line(text: str) -> str:
    """Return `text` as a mail's subject: control characters and line breaks become single spaces."""
    return _UNWANTED.sub(" ", text).strip()
