"""Runs the operator's own ansible-playbook, which may be a script that runs Ansible below it; started by its path.

    python ansible_guard.py PID_OF_THE_JOB PROGRAM ARGUMENT...

Whoever signals the process group reaches the script and Ansible. When the job is killed we are told (setpriv), and
tell the group. We end when the last of the group has, as the program did: with its exit code, or by the signal that
ended it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_CHILD_SUBREAPER: Final = 36
_GRACE_SECONDS: Final = 10
"""How long the play may take to end once the job was killed."""


def main() -> None:
    """Run the program and end as it does."""
    job, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what the script leaves behind becomes our child
    signal.signal(signal.SIGINT, lambda _number, _frame: None)  # the group has it too: it is not for us
    signal.signal(signal.SIGTERM, lambda _number, _frame: _told_to_end(int(job)))
    signal.signal(signal.SIGALRM, lambda _number, _frame: os.killpg(0, signal.SIGKILL))
    if os.getppid() != int(job):
        sys.exit(1)
    status = _wait(os.posix_spawnp(command[0], command, os.environ))
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError):  # SIGKILL, which nobody handles
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    sys.exit(os.waitstatus_to_exitcode(status))


def _told_to_end(job: int) -> None:
    """The job's signal for the group has reached all of it; that of the system, for a killed job, only us."""
    if os.getppid() != job:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.alarm(_GRACE_SECONDS)
        os.killpg(0, signal.SIGTERM)


def _wait(program: int) -> int:
    """Return how the program ended, once all of the group has."""
    status = os.waitpid(program, 0)[1]
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-os.getpgrp(), 0)
    return status


if __name__ == "__main__":
    main()
