"""Reading for an entity table: the calls that block, made in worker threads, and the answers as messages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual.message import Message

from omnicrm_tui.listing import Anchor, Count, Edge, ListQuery, RowKey, RowSource, Window
from widgets.row_cache import PAGE_ROWS, joined, just_before

R = TypeVar("R")

log = logging.getLogger(__name__)

Post = Callable[[Message], object]
"""Hands a message to the event loop from any thread."""


@dataclass(frozen=True, slots=True)
class Around:
    """A place to read from: the rows on either side of `top`, with the cursor on `cursor` if it is there."""

    top: RowKey
    cursor: RowKey


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to read. Answers of an older `generation` are late and are dropped."""

    generation: int
    query: ListQuery
    place: Anchor | Around

    @property
    def extends(self) -> bool:
        """Whether the rows are added to those that are loaded."""
        return isinstance(self.place, Anchor) and self.place.key is not None


class Arrived(Message, Generic[R]):
    """Rows came: `top` is where the view begins within the window."""

    def __init__(self, job: Job, window: Window[R], top: int = 0) -> None:
        super().__init__()
        self.job = job
        self.window = window
        self.top = top


class Counted(Message):
    """The count of a query came."""

    def __init__(self, query: ListQuery, count: Count) -> None:
        super().__init__()
        self.query = query
        self.count = count


class Failed(Message):
    """The source raised an error."""

    def __init__(self, job: Job, error: Exception) -> None:
        super().__init__()
        self.job = job
        self.error = error


def read_rows(source: RowSource[R], job: Job, post: Post) -> None:
    """Read what `job` asks for and post `Arrived` or `Failed`."""
    try:
        if isinstance(job.place, Around):
            answer = _read_around(source, job, job.place)
        else:
            answer = Arrived(job, source.window(job.query, job.place, PAGE_ROWS))
    except Exception as error:  # whatever a source raises is shown in the table: a list must not end the app
        log.warning("reading a list failed", exc_info=True)
        post(Failed(job, error))
    else:
        post(answer)


def _read_around(source: RowSource[R], job: Job, place: Around) -> Arrived[R]:
    before = source.window(job.query, Anchor(Edge.BEFORE, place.top), PAGE_ROWS)
    here = just_before(place.top, job.query.descending)
    after = source.window(job.query, Anchor(Edge.AFTER, here), PAGE_ROWS)
    return Arrived(job, joined(before, after), top=len(before.rows))


def read_count(source: RowSource[R], job: Job, post: Post) -> None:
    """Count the rows of `job.query` and post `Counted` or `Failed`."""
    try:
        count = source.count(job.query)
    except Exception as error:  # see read_rows
        log.warning("counting a list failed", exc_info=True)
        post(Failed(job, error))
    else:
        post(Counted(job.query, count))
