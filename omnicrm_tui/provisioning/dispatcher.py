"""Who carries a job from its row to a process. The row is the truth; a dispatcher only passes its id on."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Protocol

from omnicrm_tui.log_files import output_file
from omnicrm_tui.settings import Settings


class Dispatcher(Protocol):
    """Takes over a committed job."""

    def dispatch(self, provision_id: int) -> None:
        """Pass the job on; raises OSError when no process could be started."""
        ...


class LocalDispatcher:
    """Starts a detached process per job, which outlives the terminal that asked for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def dispatch(self, provision_id: int) -> None:
        """Start the job's process in a session of its own.

        What it prints, which is nothing unless Python itself fails, goes to the home's log folder.
        """
        limits = self._settings.logs
        with output_file(self._settings.logs_folder / "jobs.log", limits.max_bytes, limits.keep) as log:
            subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
                [sys.executable, "-m", "omnicrm_tui.job", str(provision_id)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                close_fds=True,
                cwd="/",
                env=self._environment(),
            )

    def _environment(self) -> dict[str, str]:
        """The job reads the same home and configuration as the process that starts it."""
        own = {**os.environ, "OMNICRM_HOME": str(self._settings.home)}
        if self._settings.config_path is not None:
            own["OMNICRM_CONFIG"] = str(self._settings.config_path)
        from omnicrm_tui import logs

        if (request := logs.bound("request")) is not None:
            own[logs.REQUEST_VARIABLE] = str(request)
        return own
