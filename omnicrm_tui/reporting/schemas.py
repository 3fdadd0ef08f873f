"""The figures that a status screen, a health check and monitoring show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from omnicrm_tui.messaging.schemas import Leadership, OutboxFigures
from omnicrm_tui.provisioning.schemas import JobFigures


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """This process's database connections: how many are in use, open and idle, and the most there can be."""

    in_use: int
    idle: int
    most: int | None


@dataclass(frozen=True, slots=True)
class DiskFigures:
    """The disk that holds the home, in bytes."""

    free: int
    size: int


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """How often these figures were asked for, and how often they were still fresh."""

    hits: int
    misses: int

    @property
    def hit_rate(self) -> float:
        """The part of all questions that cost nothing, 0 to 1."""
        return self.hits / max(1, self.hits + self.misses)


@dataclass(frozen=True, slots=True)
class Figures:
    """How the system does, at one moment (PLT-069)."""

    at: datetime
    version: str
    database: str
    schema: str
    jobs: JobFigures
    outbox: OutboxFigures
    duties: tuple[Leadership, ...]
    sessions: int
    pool: PoolFigures
    disk: DiskFigures
    cache: CacheFigures
