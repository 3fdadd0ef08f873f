"""The composition root: one `Crm` per process, one unit of work per use case.

    with crm.as_actor(actor) as work:
        work.customers.create(...)

commits once, at the end, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from gettext import gettext as _
from importlib import import_module

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.orm.exc import StaleDataError

from omnicrm_tui.clock import Clock, SystemClock
from omnicrm_tui.database import isolation, migrate
from omnicrm_tui.database.base import Stamped
from omnicrm_tui.database.engine import REFUSES_CHANGES, make_engine, speaking_database
from omnicrm_tui.database.sealed_columns import require_keys
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.database.version_guard import VersionGuard
from omnicrm_tui.errors import Conflict
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.provisioning.dispatcher import Dispatcher, LocalDispatcher
from omnicrm_tui.settings import Settings
from omnicrm_tui.work import Work

_CLOCK = "clock"
_GUARD = "version guard"


class Crm:
    """Holds what outlives a use case: settings, engine, clock, keys, dispatcher. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        clock: Clock,
        vault: Vault,
        dispatcher: Dispatcher | None = None,
        guard: VersionGuard | None = None,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.clock = clock
        self.vault = vault
        self.dispatcher: Dispatcher = LocalDispatcher(settings) if dispatcher is None else dispatcher
        self._guard = guard
        self._readers = engine.execution_options(crm_writes=False)

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None, kept_connections: int = 1) -> Crm:
        """Return the Crm that `settings` describe; raises DatabaseProblem for a bad URL.

        Touches no table, except in a home without keys: raises DatabaseProblem where the data had some.
        `kept_connections` to a database server stay open between use cases.
        """
        engine = make_engine(settings.database_url, kept_connections)
        require_keys(engine, settings.keys_folder)
        vault = Vault.from_folder(settings.keys_folder)
        return cls(settings, engine, clock or SystemClock(), vault, guard=VersionGuard(migrate.HEAD))

    @contextmanager
    def as_actor(self, actor: Actor) -> Iterator[Work]:
        """Run one use case that may write: commit at the end, roll back on any exception.

        Raises Conflict when a record changed meanwhile or a unique value is taken, DatabaseProblem when the
        database itself fails, ProgramOutdated when it was upgraded since this program was started.
        """
        # A flush sorts tables by their foreign keys, so a writer needs every table known; a reader does not.
        import_module("omnicrm_tui.database.schema")
        session = self._session(self.engine, actor)
        session.info[_GUARD] = self._guard
        work = self._work(session, actor)
        with speaking_database(), session:
            try:
                yield work
                session.commit()
            except StaleDataError as error:
                raise Conflict(_("Somebody else changed this meanwhile. Look at it again, then repeat.")) from error
            except IntegrityError as error:
                if REFUSES_CHANGES in str(error.orig):
                    raise
                raise Conflict(_broken_constraint(error)) from error
        work.run_after_commit()

    @contextmanager
    def reading(self, actor: Actor) -> Iterator[Work]:
        """Run one use case that only reads; nothing is committed and no writer is kept waiting."""
        session = self._session(self._readers, actor)
        with speaking_database(), session:
            yield self._work(session, actor)

    def outdated(self) -> str:
        """Return what to tell a person when the database was upgraded since this program was started, else ""."""
        if self._guard is None:
            return ""
        with speaking_database(), self._readers.connect() as connection:
            return self._guard.problem(connection)

    def schema_version(self) -> migrate.SchemaVersion:
        """Return the version of the database, over a connection that is there already; raises DatabaseProblem."""
        with speaking_database(), self._readers.connect() as connection:
            return migrate.version_on(connection)

    def database_clock(self) -> datetime:
        """Return the time by the clock of the database's host, in UTC, to compare with ours; raises DatabaseProblem."""
        words = {"sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')", "postgresql": "SELECT clock_timestamp()"}
        with speaking_database(), self._readers.connect() as connection:
            moment = connection.exec_driver_sql(words.get(self.engine.name, "SELECT UTC_TIMESTAMP(6)")).scalar_one()
        moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def close(self) -> None:
        """Give the database connections back."""
        self.engine.dispose()

    def _session(self, engine: Engine, actor: Actor) -> Session:
        session = Session(engine, expire_on_commit=False, autoflush=True)
        session.info[_CLOCK] = self.clock
        if actor.own_customer_id is not None:
            session.info[isolation.SCOPE] = actor.own_customer_id
        return session

    def _work(self, session: Session, actor: Actor) -> Work:
        return Work(session, actor, self.clock, self.settings, self.vault, self.dispatcher)


@event.listens_for(Session, "after_begin")
def _notice_upgrade(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    guard: VersionGuard | None = session.info.get(_GUARD)
    if guard is not None and not transaction.nested:
        guard.check(connection)


@event.listens_for(Session, "before_flush")
def _stamp(session: Session, _context: object, _instances: object) -> None:
    clock: Clock | None = session.info.get(_CLOCK)
    if clock is None:
        return
    for row in session.new:
        if isinstance(row, Stamped):
            row.created = row.created or clock.now()
            row.last_modified = row.last_modified or clock.now()
    for row in session.dirty:
        if isinstance(row, Stamped) and session.is_modified(row):
            row.last_modified = clock.now()


def _broken_constraint(error: IntegrityError) -> str:
    text = str(error.orig).lower()
    if "unique" in text or "duplicate" in text:
        return _("Another record already has this value.")
    if "foreign key" in text:
        return _("This refers to a record that does not exist, or others still refer to it.")
    return _("The database refused this change: it breaks a rule of the data.")
