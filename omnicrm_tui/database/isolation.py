"""Tenant isolation: what a customer's actor may read is decided in the session, not in each query.

BIL-378: a customer's user sees its own customer and nothing else. A forgotten filter leaks nothing, and a
statement that the session cannot narrow (plain tables, raw SQL) is refused for such an actor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from gettext import gettext as _

from sqlalchemy import event
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, with_loader_criteria

from omnicrm_tui.database.base import Base, CustomerOwned, StaffOnly
from omnicrm_tui.errors import NotPermitted

SCOPE = "own_customer_id"
"""Key in `Session.info`: the customer that the actor is confined to, or absent for staff."""


@event.listens_for(Session, "do_orm_execute")
def confine_to_own_customer(state: ORMExecuteState) -> None:
    """Add `customer_id = own` to every SELECT, UPDATE and DELETE of a customer's actor."""
    own = state.session.info.get(SCOPE)
    if own is None:
        return
    if not state.is_orm_statement:
        raise NotPermitted(_("This query cannot be confined to your own customer."))
    state.statement = state.statement.options(*_criteria(own))


@contextmanager
def lifted(session: Session) -> Iterator[None]:
    """Let a customer's actor reach rows of no customer, for what it does to its own account: the caller names those."""
    own = session.info.pop(SCOPE, None)
    try:
        yield
    finally:
        if own is not None:
            session.info[SCOPE] = own


def _criteria(own: int) -> list[LoaderCriteriaOption]:
    return [
        with_loader_criteria(mapper.class_, mapper.class_.own_rows(own), include_aliases=True)
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, (CustomerOwned, StaffOnly))
    ]
