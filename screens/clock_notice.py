"""What a terminal says when somebody set the clock of its machine."""

from __future__ import annotations

from datetime import timedelta
from gettext import gettext as _

from omnicrm_tui.clock import ClockWatch, SystemClock


class ClockNotice:
    """Finds words for what a watch notices: ages and due times that people see follow the clock."""

    def __init__(self) -> None:
        self.watch = ClockWatch(SystemClock())

    def told(self) -> str:
        """Return what to tell people of a clock that was set since the last call, or nothing."""
        put = self.watch.look()
        minutes = round(abs(put) / timedelta(minutes=1))
        if not put:
            return ""
        if put > timedelta(0):
            words = _("This machine's clock was put forward by {n} min. Work goes on; check that the time is right.")
        else:
            words = _("This machine's clock was put back by {n} min. Work goes on; check that the time is right.")
        return words.format(n=minutes)
