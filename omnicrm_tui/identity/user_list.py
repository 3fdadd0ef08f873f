"""The list of users: what it shows, what is searched, and the filters that reviews ask for (BIL-382, PLT-220)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from gettext import gettext as _
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from omnicrm_tui.database.lists import ListSpec, contains, numbered
from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.identity.models import Role, User, user_role
from omnicrm_tui.identity.rules import login_name
from omnicrm_tui.identity.schemas import UserRow
from omnicrm_tui.listing import ListQuery

_SEPARATOR = "\n"
_ROLE_NAMES = (
    select(func.aggregate_strings(Role.name, _SEPARATOR))
    .join(user_role, user_role.c.role_id == Role.id)
    .where(user_role.c.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
)
_ENTITIES = (
    User.id,
    User.username,
    User.email,
    User.first_name,
    User.last_name,
    User.phone_number,
    User.contact_id,
    User.is_customer,
    User.active,
    User.deleted,
    User.is_2fa_enabled,
    User.locked_until,
    User.login_count,
    User.last_login,
    _ROLE_NAMES,
)


def _row(row: Any) -> UserRow:
    *fields, names = row[: len(_ENTITIES)]
    roles = tuple(sorted(names.split(_SEPARATOR))) if names else ()
    return UserRow(*(*fields, roles))


def _search(words: str) -> ColumnElement[bool]:
    name = login_name(words)
    columns = (User.username, User.email)
    names = (User.first_name, User.last_name)
    return or_(
        *(contains(column, name) for column in columns), *(contains(func.lower(column), name) for column in names)
    )


def _holders(of: ColumnElement[bool]) -> ColumnElement[bool]:
    return User.id.in_(select(user_role.c.user_id).join(Role, Role.id == user_role.c.role_id).where(of))


def _holds_role(names: Sequence[str]) -> ColumnElement[bool]:
    return _holders(func.lower(Role.name).in_([name.lower() for name in names]))


def _is_true(column: Any) -> Any:
    return lambda values: column.in_([str(value).lower() in ("true", "1", "yes") for value in values])


def _in_domain(domains: Sequence[str]) -> ColumnElement[bool]:
    """The address ends in one of `domains`: "abc.example" is not "x-abc.example"."""
    endings = [f"@{login_name(domain).removeprefix('@')}" for domain in domains]
    return or_(*(User.email.endswith(ending, autoescape=True) for ending in endings))


def _last_login(values: Sequence[str]) -> ColumnElement[bool]:
    """Match "never", "since:2026-10-01" and "before:2026-10-01" (days in UTC); who never logged in is in no other."""
    return or_(*(_last_login_is(value) for value in values))


def _last_login_is(value: str) -> ColumnElement[bool]:
    if value == "never":
        return User.last_login.is_(None)
    when, _colon, day = value.partition(":")
    try:
        start = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
        return {"since": User.last_login >= start, "before": User.last_login < start}[when]
    except (ValueError, KeyError):
        wrong = _("never, since:2026-10-01 or before:2026-10-01")
        raise InvalidInput(_("Some filters are not right."), {"last_login": wrong}) from None


USER_LIST: ListSpec[UserRow] = ListSpec(
    entities=_ENTITIES,
    build=_row,
    primary_key=User.id,
    sorts={"username": User.username, "email": User.email, "id": User.id},
    search=_search,
    filters={
        "role": _holds_role,
        "role_id": lambda values: _holders(numbered(Role.id)(values)),
        "domain": _in_domain,
        "active": _is_true(User.active),
        "deleted": _is_true(User.deleted),
        "is_2fa_enabled": _is_true(User.is_2fa_enabled),
        "is_customer": _is_true(User.is_customer),
        "last_login": _last_login,
    },
)
"""Deleted users appear only where the filter asks for them (BIL-382, BIL-432)."""


def living(query: ListQuery) -> list[ColumnElement[bool]]:
    """Return what leaves deleted users out, unless `query` asks for them."""
    return [] if query.filters.get("deleted") else [User.deleted.is_(False)]
