"""The activity log: written in the transaction of the change it tells of, never changed afterwards.

Its entries hang together in a chain (`chain.py`), which grows as the last thing of each transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import gettext as _
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from omnicrm_tui.activity import chain
from omnicrm_tui.activity.models import ActivityEntry
from omnicrm_tui.activity.rules import ChainReport, ChainWalk
from omnicrm_tui.activity.schemas import ActivityRow
from omnicrm_tui.database import rows
from omnicrm_tui.database.lists import ListSpec, contains, numbered
from omnicrm_tui.errors import NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, asks_nothing, needs
from omnicrm_tui.redaction import Redactor, is_secret_name
from omnicrm_tui.work import Service

_UNCHAINED = "unchained activity"
"""Key in `Session.info`: the entries that the running transaction has recorded."""

REDACTED = "(hidden)"

_ENTITIES = (
    ActivityEntry.activity_id,
    ActivityEntry.timestamp,
    ActivityEntry.customer_id,
    ActivityEntry.service_id,
    ActivityEntry.user_id,
    ActivityEntry.impersonating_user_id,
    ActivityEntry.actor_name,
    ActivityEntry.source_address,
    ActivityEntry.object_type,
    ActivityEntry.object_id,
    ActivityEntry.action,
    ActivityEntry.details,
)

ACTIVITY_LIST: ListSpec[ActivityRow] = ListSpec(
    entities=_ENTITIES,
    build=lambda row: ActivityRow(*row[: len(_ENTITIES)]),
    primary_key=ActivityEntry.activity_id,
    sorts={"activity_id": ActivityEntry.activity_id},
    search=lambda words: contains(ActivityEntry.action, words),
    filters={
        "object_type": ActivityEntry.object_type.in_,
        "object_id": numbered(ActivityEntry.object_id),
    },
)
"""Newest first is `descending=True` (SVC-148); the filter by object type makes the tabs, with the object's number
it is the history of one record (PLT-391)."""


class ActivityService(Service):
    """Records changes and shows them."""

    @asks_nothing(Asked.ROOMS)
    def record(
        self,
        object_type: str,
        object_id: int | None,
        action: str,
        *,
        customer_id: int | None = None,
        service_id: int | None = None,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> None:
        """Add an entry to the running transaction (SVC-147): who, what, old and new values, from where.

        `old` and `new` map field names to values; equal values are left out, secrets are hidden, those within a
        text or JSON too. `actor` is who did it, where that became known only in the course of the use case (a log-in).
        """
        actor = actor or self.actor
        entry = ActivityEntry(
            timestamp=self.work.clock.now(),
            customer_id=customer_id,
            service_id=service_id,
            user_id=actor.user_id,
            impersonating_user_id=actor.real_user_id,
            actor_name=actor.signature,
            source_address=actor.source_address,
            object_type=object_type,
            object_id=object_id,
            action=action,
            details=_differences(old or {}, new or {}),
        )
        self.session.add(entry)
        self.session.info.setdefault(_UNCHAINED, []).append(entry)

    @asks_nothing(Asked.ROOMS)
    def chain_bulk(self) -> None:
        """Chain entries that were inserted without `record`; the last thing that a transaction does."""
        self.session.flush()
        self.session.info.pop(_UNCHAINED, None)
        chain.link_all(self.session.connection())

    @needs("view_customer_activity")
    def verify_chain(self) -> ChainReport:
        """Walk along all entries; tell the first that was changed, removed or slipped in. Needs view_customer_activity.

        Sees the log as it is at one moment. A customer's user may not look: it would see its own entries alone.
        """
        if self.actor.own_customer_id is not None:
            raise NotPermitted(_("The whole activity log is for staff."))
        walk = ChainWalk()
        bind = self.session.get_bind()
        with rows.snapshot(bind.engine) as connection:
            for table in rows.tables_of(connection, ("activity_chain", "activity_log")):
                for batch in rows.read(connection, table):
                    walk.see(table.name, table.columns.keys(), batch)
        return walk.report()

    @needs("view_customer_activity")
    def window(
        self, query: ListQuery, anchor: Anchor, limit: int, customer_id: int | None = None
    ) -> Window[ActivityRow]:
        """Return a window of the log, of one customer or of all. Needs view_customer_activity."""
        return ACTIVITY_LIST.window(self.session, query, anchor, limit, *_of(customer_id))

    @needs("view_customer_activity")
    def count(self, query: ListQuery, cap: int = COUNT_CAP, customer_id: int | None = None) -> Count:
        """Count the entries, up to `cap`. Needs view_customer_activity."""
        return ACTIVITY_LIST.count(self.session, query, cap, *_of(customer_id))

    @needs("view_customer_activity")
    def page(self, query: ListQuery, page: int, per_page: int, customer_id: int | None = None) -> Page[ActivityRow]:
        """Return a numbered page of the log. Needs view_customer_activity."""
        return ACTIVITY_LIST.page(self.session, query, page, per_page, *_of(customer_id))

    @needs("view_customer_activity")
    def get(self, activity_id: int) -> ActivityRow:
        """Return one entry (SVC-150). Needs view_customer_activity; raises NotFound."""
        row = self.session.execute(select(*_ENTITIES).where(ActivityEntry.activity_id == activity_id)).one_or_none()
        if row is None:
            raise NotFound(_("There is no activity entry {activity_id}.").format(activity_id=activity_id))
        return ActivityRow(*row)


@event.listens_for(Session, "before_commit")
def _chain_entries(session: Session) -> None:
    """Chain what the transaction recorded: as its last thing, because others who commit wait meanwhile."""
    if session.in_nested_transaction():
        return
    recorded = session.info.pop(_UNCHAINED, ())
    session.flush()
    # What was taken back with a savepoint is in the session no more.
    if kept := [entry.activity_id for entry in recorded if entry in session]:
        chain.link(session.connection(), kept)


def _of(customer_id: int | None) -> list[Any]:
    return [] if customer_id is None else [ActivityEntry.customer_id == customer_id]


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    redactor = Redactor()
    redactor.learn([old, new])

    def plain(name: str, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if is_secret_name(name):
            return REDACTED
        return value if isinstance(value, int) else str(redactor.result(value))

    return {name: {"old": plain(name, old.get(name)), "new": plain(name, new.get(name))} for name in changed}
