"""Reporting: how the system does."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.pool import Pool, QueuePool

from omnicrm_tui import __version__
from omnicrm_tui.database.migrate import HEAD
from omnicrm_tui.identity.permissions import VIEW_STATUS
from omnicrm_tui.needs import needs
from omnicrm_tui.reporting.schemas import CacheFigures, DiskFigures, Figures, PoolFigures
from omnicrm_tui.work import Service

FRESH_SECONDS = 3.0
"""Figures as old as this will do: however many watch, the database is asked once in that time."""


@dataclass
class _Kept:
    """The latest figures of one database, as this process knows them."""

    figures: Figures | None = None
    until: float = 0.0
    hits: int = 0
    misses: int = 0


_kept: WeakKeyDictionary[Pool, _Kept] = WeakKeyDictionary()
_lock = Lock()


class ReportingService(Service):
    """Figures of the whole system; nothing of any customer."""

    @needs(VIEW_STATUS)
    def figures(self, *, fresh: bool = False) -> Figures:
        """Return how the system does, a few seconds old at most, or as it is now if `fresh` (PLT-069).

        Needs view_status.
        """
        engine = self._engine()
        with _lock:
            kept = _kept.setdefault(engine.pool, _Kept())
            figures = None if fresh or time.monotonic() >= kept.until else kept.figures
            kept.hits += figures is not None
            kept.misses += figures is None
            cache = CacheFigures(kept.hits, kept.misses)
        if figures is None:
            figures = self._read(engine, cache)
            with _lock:
                kept.figures, kept.until = figures, time.monotonic() + FRESH_SECONDS
        return replace(figures, pool=_pool(engine.pool), cache=cache)

    def _read(self, engine: Engine, cache: CacheFigures) -> Figures:
        disk = shutil.disk_usage(self.work.settings.home)
        return Figures(
            at=self.work.clock.now(),
            version=__version__,
            database=engine.dialect.name,
            schema=HEAD,
            jobs=self.work.provisioning.figures(),
            outbox=self.work.messaging.figures(),
            duties=tuple(self.work.messaging.leaders()),
            sessions=self.work.identity.active_sessions(),
            pool=_pool(engine.pool),
            disk=DiskFigures(disk.free, disk.total),
            cache=cache,
        )

    def _engine(self) -> Engine:
        bind = self.session.get_bind()
        return bind if isinstance(bind, Engine) else bind.engine


def _pool(pool: Pool) -> PoolFigures:
    if not isinstance(pool, QueuePool):
        return PoolFigures(0, 0, None)
    most = pool.size() + pool._max_overflow if pool._max_overflow >= 0 else None
    return PoolFigures(pool.checkedout(), pool.checkedin(), most)
