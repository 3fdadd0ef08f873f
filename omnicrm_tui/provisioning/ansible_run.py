"""Run one play with Ansible and report its tasks as they happen."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from omnicrm_tui.clock import Clock
from omnicrm_tui.languages import N_
from omnicrm_tui.provisioning import play_failures
from omnicrm_tui.provisioning.ansible_process import MAIL_ACCOUNT, NOT_STARTED, OUTPUT_LIMIT, AnsibleProcess, within
from omnicrm_tui.provisioning.play_failures import Diagnosis
from omnicrm_tui.provisioning.play_file import Play, PlayNotFound, PlayProblem, find_play, read_play
from omnicrm_tui.provisioning.task_events import TaskEvent, TaskEvents
from omnicrm_tui.redaction import Redactor

TOGETHER_SECONDS: Final = 0.005
"""What Ansible says within this time of each other is reported as one: a task's end and the next one's start."""
TOGETHER: Final = 20
"""Changes that are reported however quickly the next one comes."""


@dataclass(frozen=True, slots=True)
class PlayResult:
    """How a run ended.

    `status` is the job's: 0 success, 2 failed. `facts` are those that finished tasks set, redacted. `rescued`
    says that the rescue section ran; `interrupted` that the process was ended and could not run it, so that
    the play has to be run again with action=deprovision. `not_undone` names the rescue tasks that failed.
    `fatal` is the kind of a fatal error (see play_failures), `message` one line for people.
    """

    rc: int
    status: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    cancelled: bool = False
    timed_out: bool = False
    interrupted: bool = False
    rescued: bool = False
    not_undone: tuple[str, ...] = ()
    fatal: str | None = None
    message: str = ""
    event_count: int = 0


class PlayRun:
    """One run of one play. `run` blocks until it has ended; `cancel` may be called from any thread."""

    def __init__(
        self,
        play_name: str,
        ansible: AnsibleProcess,
        report: Callable[[Sequence[TaskEvent]], None],
        *,
        variables: Mapping[str, Any],
        redactor: Redactor,
        clock: Clock,
        started: Callable[[], None] = lambda: None,
        last_event: int = 0,
    ) -> None:
        """`variables` are those written into the folder; `report` is called with the tasks that just changed.

        The first event is numbered after `last_event`.

        `started` is called when Ansible has been told, for what can be done until its first task; it must
        not fail.
        """
        self._play_name = play_name
        self._ansible = ansible
        self._folder = ansible.folder
        self._settings = ansible.settings
        self._changes = _Changes(report)
        self._variables = dict(variables)
        self._redactor = redactor
        self._redactor.secrets.add(*(os.environ.get(name) for name in MAIL_ACCOUNT))
        self._clock = clock
        self._started = started
        self._last_event = last_event
        self._waker, self._woken = socket.socketpair()
        self._cancel_requested = False

    def cancel(self) -> None:
        """Ask the play to stop: its next call fails, and its rescue section cleans up. Thread-safe."""
        self._cancel_requested = True
        with contextlib.suppress(OSError):  # the run has ended meanwhile and its folder is gone, or the disk is full
            self._folder.cancel_flag.touch(mode=0o600)
        with contextlib.suppress(OSError):
            self._waker.send(b"c")

    def run(self) -> PlayResult:
        """Run the play to its end. Never raises for what a play does; a fatal error is an event and a result.

        Call it from a thread that lives as long as the run: Ansible is told to end when that thread does.
        """
        try:
            return self._run()
        finally:
            self._ansible.close()
            self._waker.close()
            self._woken.close()

    def _run(self) -> PlayResult:
        try:
            play = read_play(find_play(self._play_name, (self._folder.plays,)))
        except PlayNotFound as problem:
            missing = play_failures.MISSING_FILE if problem.file else play_failures.MISSING_PLAY
            return self._not_started(missing, problem.message)
        except PlayProblem as problem:
            return self._not_started(play_failures.YAML_ERROR, problem.message)
        if shutil.which(self._settings.program()) is None:
            message = f"{self._settings.program()} is not a program that can be run"
            return self._not_started(play_failures.NO_ANSIBLE, message)
        events = self._events(play)
        try:
            self._ansible.play(play.file.name, self._redactor)
        except OSError as problem:
            message = f"{self._settings.program()}: {problem.strerror}"
            return self._not_started(play_failures.NO_ANSIBLE, message)
        self._started()
        watch = _Watch(self._ansible, events, self._changes, self._woken, self.cancel_pending)
        watch.until_the_end()
        return self._result(events, watch)

    def cancel_pending(self) -> bool:
        """Whether somebody asked the play to stop."""
        return self._cancel_requested

    def _events(self, play: Play | None) -> TaskEvents:
        deprovisioning = str(self._variables.get("action", "")) == "deprovision"
        return TaskEvents(
            self._changes.add,
            redactor=self._redactor,
            clock=self._clock,
            play=play,
            deprovisioning=deprovisioning,
            last_number=self._last_event,
        )

    def _not_started(self, diagnosis: Diagnosis, message: str) -> PlayResult:
        events = self._events(None)
        self._fatal(events, diagnosis, message, NOT_STARTED, "", "")
        return PlayResult(NOT_STARTED, 2, fatal=diagnosis.kind, message=message, event_count=events.last_number)

    def _result(self, events: TaskEvents, watch: _Watch) -> PlayResult:
        process = self._ansible
        rc = process.rc
        if rc != 0:
            events.close(play_failures.CUT_OFF)
            self._changes.tell()
        cancelled = self._cancel_requested and not watch.timed_out and rc != 0
        diagnosis, message = self._why(events, watch)
        if diagnosis:
            self._fatal(events, diagnosis, message, rc, process.stdout.text, process.stderr.text)
        return PlayResult(
            rc=rc,
            status=0 if rc == 0 else 2,
            facts=events.facts,
            cancelled=cancelled,
            timed_out=watch.timed_out and rc != 0,
            interrupted=rc != 0 and (watch.signalled or rc < 0),
            rescued=events.rescue_started,
            not_undone=tuple(task.event_name for task in events.ignored if task.phase == "rescue"),
            fatal=diagnosis.kind if diagnosis else None,
            message=N_("Cancelled by operator") if cancelled else message,
            event_count=events.last_number,
        )

    def _why(self, events: TaskEvents, watch: _Watch) -> tuple[Diagnosis | None, str]:
        """The fatal error of a failed run, if it was one, and the message for people."""
        process = self._ansible
        if process.rc == 0:
            return None, ""
        if watch.timed_out:
            seconds = f"{self._settings.timeout_seconds:g}"
            return play_failures.TIMED_OUT, play_failures.SILENCE.format(what=seconds)
        if self._cancel_requested:
            return None, ""
        first = events.failures[0] if events.failures else None
        if first is None or process.rc < 0:
            output = f"{process.stdout.text}\n{process.stderr.text}"
            diagnosis = play_failures.of_output(process.rc, output)
            return diagnosis, _first_error(output) or diagnosis.headline
        message = f"{first.event_name}: {play_failures.said_by(first.result)}"
        return play_failures.of_task(first.result), message

    def _fatal(self, events: TaskEvents, diagnosis: Diagnosis, message: str, rc: int, stdout: str, stderr: str) -> None:
        events.fatal(
            diagnosis.title,
            {
                **play_failures.fatal_result(diagnosis, message),
                "exit_code": rc,
                "stdout": within(stdout, OUTPUT_LIMIT // 4),
                "stderr": within(stderr, OUTPUT_LIMIT // 4),
                "variables": self._variables,
            },
        )
        self._changes.tell()


class _Changes:
    """Tasks that changed and were not told yet."""

    def __init__(self, report: Callable[[Sequence[TaskEvent]], None]) -> None:
        self._report = report
        self._tasks: list[TaskEvent] = []

    @property
    def waiting(self) -> bool:
        return bool(self._tasks)

    def add(self, task: TaskEvent) -> None:
        self._tasks.append(task)
        if len(self._tasks) >= TOGETHER:
            self.tell()

    def tell(self) -> None:
        tasks, self._tasks = self._tasks, []
        if tasks:
            self._report(tasks)


class _Watch:
    """Reads a process until it ends; sees to time-out and cancel."""

    def __init__(
        self,
        process: AnsibleProcess,
        events: TaskEvents,
        changes: _Changes,
        wake: socket.socket,
        cancel_pending: Callable[[], bool],
    ) -> None:
        self._process = process
        self._events = events
        self._changes = changes
        self._settings = process.settings
        self._wake = wake
        self._cancel_pending = cancel_pending
        self._stopping = False
        self._signals = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
        self._deadline = time.monotonic() + process.settings.timeout_seconds
        self.timed_out = False
        self.signalled = False
        process.handlers.append(self._progress)

    def until_the_end(self) -> None:
        """Return when the process has ended and everything it said has been reported."""
        with selectors.DefaultSelector() as selector:
            stdout, stderr = self._process.streams
            selector.register(stdout, selectors.EVENT_READ, "stdout")
            selector.register(stderr, selectors.EVENT_READ, "stderr")
            selector.register(self._wake, selectors.EVENT_READ, "wake")
            while len(selector.get_map()) > 1:
                pause = max(0.0, self._deadline - time.monotonic())
                ready = selector.select(min(pause, TOGETHER_SECONDS) if self._changes.waiting else pause)
                if not ready:
                    self._changes.tell()
                for key, _mask in ready:
                    data = os.read(key.fd, 1 << 16)
                    if key.data == "wake":
                        self._stop()
                    elif data:
                        self._process.feed(key.data, data)
                    else:
                        selector.unregister(key.fileobj)
                if time.monotonic() >= self._deadline:
                    self._out_of_time()
        self._process.finish()
        self._changes.tell()

    def _progress(self, event: Mapping[str, Any]) -> None:
        kind = str(event.get("event", ""))
        if not kind.startswith(("playbook_on_", "runner_")):
            return
        self._events.handle(event)
        # a play that was asked to stop has to begin its rescue; from then on it may take its usual time
        if not self._stopping or self._events.rescue_started:
            self._deadline = time.monotonic() + self._settings.timeout_seconds

    def _stop(self) -> None:
        """Give the play its grace, once: whoever asks again does not prolong it."""
        if self._stopping:
            return
        self._stopping = True
        if not self._events.rescue_started:
            self._deadline = time.monotonic() + self._settings.grace_seconds

    def _out_of_time(self) -> None:
        if not self._stopping:
            self.timed_out = not self._cancel_pending()
            with contextlib.suppress(OSError):
                self._process.folder.cancel_flag.touch(mode=0o600)  # the play's own way to stop: its rescue runs
            self._stop()
            self._deadline = time.monotonic() + self._settings.grace_seconds
            return
        self.signalled = True
        self._process.signal(self._signals.pop(0) if len(self._signals) > 1 else self._signals[0])
        self._deadline = time.monotonic() + self._settings.grace_seconds / 2


def _first_error(output: str) -> str:
    for line in output.splitlines():
        if line.startswith(("[ERROR]", "ERROR!", "fatal:")):
            return line.strip()
    return ""
