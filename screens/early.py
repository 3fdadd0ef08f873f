"""The first list, read by a second process while this one imports what draws it.

Where a session is remembered, the ORM and the drawing are needed at once, and one interpreter imports only one
thing at a time. So the `tui` command forks before it imports Textual: the child opens the service layer, looks
at the remembered session, reads the first page of the customer list through the service as that person, sends it
through a pipe and ends. The parent opens its own service layer afterwards; without the child it does so at once.
"""

from __future__ import annotations

import os
from importlib import import_module
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from omnicrm_tui.lazily import import_lazily
from omnicrm_tui.listing import COUNT_CAP, FIRST, Anchor, Count, ListQuery, RowSource, Window
from screens.seat import Seat

if TYPE_CHECKING:
    from omnicrm_tui.identity.actor import Actor
    from omnicrm_tui.settings import Settings

FIRST_QUERY = ListQuery(sort="customer_name")
"""What the customer list shows first."""

ROWS = 200
"""More than the tallest terminal asks for at first."""


class EarlyList:
    """What the child sends. Calls block until it is there, and may come from any thread."""

    def __init__(self, pid: int, pipe: int) -> None:
        self._pid = pid
        self._pipe: int | None = pipe
        self._lock = Lock()
        self._found: tuple[Actor, Window[Any], Count] | None = None

    def result(self) -> tuple[Actor, Window[Any], Count] | None:
        """Return who is signed in, the first rows and their count; None where the child could not tell."""
        import pickle

        # What the rows are made of: imported while the child reads them.
        import_module("omnicrm_tui.customers.schemas")
        with self._lock:
            if self._pipe is not None:
                with os.fdopen(self._pipe, "rb") as sent:
                    data = sent.read()
                self._pipe = None
                # The kernel takes its time to end a process; nobody waits for that.
                Thread(target=os.waitpid, args=(self._pid, 0), name="early-ends", daemon=True).start()
                # Nobody else can write to this pipe: it came with the fork and has no name.
                self._found = pickle.loads(data) if data else None  # noqa: S301
            return self._found


def begin(settings: Settings) -> EarlyList | None:
    """Fork the child; None where no session is remembered. Call it while this process has one thread."""
    seat = Seat(settings.home)
    if not seat.has_session:
        return None
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return EarlyList(pid, reader)
    try:
        import pickle

        os.close(reader)
        found = _read(settings, seat)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(pickle.dumps(found) if found else b"")
    finally:
        # Nothing of the parent is cleaned up here; what went wrong, the parent meets and tells by itself.
        os._exit(0)


def _read(settings: Settings, seat: Seat) -> tuple[Actor, Window[Any], Count] | None:
    # SQLAlchemy imports it for asynchronous engines, which nobody makes here.
    import_lazily("asyncio", ["iscoroutine"])
    from omnicrm_tui.crm import Crm
    from screens.sign_in import resume

    crm = Crm.open(settings)
    actor = resume(crm, seat)
    if actor is None:
        return None
    with crm.reading(actor) as work:
        rows = work.customers.window(FIRST_QUERY, FIRST, ROWS)
        return actor, rows, work.customers.count(FIRST_QUERY)


class EarlySource:
    """A source that answers its first question with what was read early."""

    def __init__(self, source: RowSource[Any], early: EarlyList | None) -> None:
        self._source = source
        self._early = early
        self._count: Count | None = None

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[Any]:
        """Return up to `limit` rows next to `anchor`."""
        early, self._early = self._early, None
        found = early.result() if early and query == FIRST_QUERY and anchor == FIRST and limit <= ROWS else None
        if found is None:
            return self._source.window(query, anchor, limit)
        rows, self._count = found[1], found[2]
        return Window(rows.rows[:limit], rows.keys[:limit], False, rows.more_after or len(rows.rows) > limit)

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching rows."""
        counted, self._count = self._count, None
        return counted if counted and query == FIRST_QUERY and cap == COUNT_CAP else self._source.count(query, cap)
