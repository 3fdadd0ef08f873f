"""What in the figures somebody should look at; packaging/monitoring has the same as alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from gettext import gettext as _
from gettext import ngettext

from omnicrm_tui.messaging.rules import DUTIES
from omnicrm_tui.reporting.schemas import Figures

OVERDUE = timedelta(minutes=5)
OLD = timedelta(hours=1)
QUEUED = timedelta(minutes=2)
LEAST_SUCCESS = 0.8
FEW_JOBS = 5
LEAST_DISK = 0.1


def problems(figures: Figures) -> Iterator[str]:
    """Yield a sentence for each thing that is not as it should be, the worst first."""
    led = {duty.name for duty in figures.duties if duty.led}
    for name in DUTIES:
        if name not in led:
            yield _("Nobody leads {duty}: start omnicrm worker.").format(duty=name)
    yield from _outbox(figures)
    yield from _jobs(figures)
    if figures.disk.free < LEAST_DISK * figures.disk.size:
        yield _("The disk is nearly full.")
    if figures.pool.most is not None and figures.pool.in_use >= figures.pool.most:
        yield _("Every database connection is in use.")


def _outbox(figures: Figures) -> Iterator[str]:
    outbox, now = figures.outbox, figures.at
    if outbox.overdue_since is not None and now - outbox.overdue_since > OVERDUE:
        yield _("Messages are due, and nobody picks them up.")
    elif outbox.oldest is not None and now - outbox.oldest > OLD:
        yield _("Messages have waited for more than an hour: see why in the outbox.")
    if outbox.failed:
        text = ngettext("{n} message was given up.", "{n} messages were given up.", outbox.failed)
        yield text.format(n=f"{outbox.failed:,}")


def _jobs(figures: Figures) -> Iterator[str]:
    jobs, now = figures.jobs, figures.at
    if jobs.oldest_waiting is not None and now - jobs.oldest_waiting > QUEUED:
        yield _("Jobs wait for a process.")
    rate = jobs.success_rate
    if rate is not None and jobs.recent >= FEW_JOBS and rate < LEAST_SUCCESS:
        yield _("Many jobs fail.")
