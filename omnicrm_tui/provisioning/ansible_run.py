"""Run one play with Ansible and report its tasks as they happen.

ansible-runner prepares the command and its environment, brings the callback plugin and decodes the events.
The process itself is started here: it has its own process group, dies with the job (setpriv), keeps stderr
apart from stdout, and ends without the tenth of a second that the runner's terminal waits when it closes.

A job killed in the very moment in which Ansible starts a task may leave that one task to end by itself; no
other follows it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from omnicrm_tui.clock import Clock
from omnicrm_tui.provisioning import play_failures
from omnicrm_tui.provisioning.job_folder import JobFolder
from omnicrm_tui.provisioning.play_failures import Diagnosis
from omnicrm_tui.provisioning.play_file import Play, PlayNotFound, PlayProblem, find_play, read_play
from omnicrm_tui.provisioning.task_events import TaskEvent, TaskEvents
from omnicrm_tui.redaction import Redactor
from omnicrm_tui.shipped import ACTION_PLUGINS

NOT_STARTED: Final = 127
OUTPUT_LIMIT: Final = 64 * 1024
_KEPT_ENVIRONMENT: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}
)
_MAIL_ACCOUNT: Final = frozenset({"MAILJET_API_KEY", "MAILJET_SECRET"})
"""What plays may take their mail account from (CAT-508, CAT-527); nobody else gets to see it."""


_RUNNER_ENVIRONMENT: Final = (
    *("ANSIBLE_CALLBACK_PLUGINS", "ANSIBLE_STDOUT_CALLBACK", "AWX_ISOLATED_DATA_DIR"),
    *("ANSIBLE_HOST_KEY_CHECKING", "RUNNER_OMIT_EVENTS", "RUNNER_ONLY_FAILED_EVENTS"),
)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How plays are run; `provisioning.*` of the configuration.

    `ansible_playbook` is the program; None takes the one beside our interpreter, then the one on PATH.
    `timeout_seconds` is how long nothing may happen (SVC-130); `grace_seconds` how long a play that was asked
    to stop may take to begin its rescue, before its process is ended. `environment` is added to the play's.
    """

    ansible_playbook: str | None = None
    timeout_seconds: float = 300
    grace_seconds: float = 10
    environment: Mapping[str, str] = field(default_factory=dict)

    def program(self) -> str:
        """The path of ansible-playbook, or its bare name when it is nowhere to be found."""
        if self.ansible_playbook:
            return self.ansible_playbook
        beside = Path(sys.executable).with_name("ansible-playbook")
        return str(beside) if beside.exists() else shutil.which("ansible-playbook") or "ansible-playbook"


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
        folder: JobFolder,
        report: Callable[[TaskEvent], None],
        *,
        variables: Mapping[str, Any],
        redactor: Redactor,
        clock: Clock,
        api_url: str,
        settings: RunSettings | None = None,
    ) -> None:
        """`variables` are those written into the folder; `report` is called for every change of a task."""
        self._play_name = play_name
        self._folder = folder
        self._report = report
        self._variables = dict(variables)
        self._redactor = redactor
        self._redactor.secrets.add(*(os.environ.get(name) for name in _MAIL_ACCOUNT))
        self._clock = clock
        self._api_url = api_url
        self._settings = settings or RunSettings()
        self._waker, self._woken = socket.socketpair()
        self._cancel_requested = False

    def cancel(self) -> None:
        """Ask the play to stop: its next call fails, and its rescue section cleans up. Thread-safe."""
        self._cancel_requested = True
        with contextlib.suppress(OSError):  # the run has ended meanwhile, and its folder is gone
            self._folder.cancel_flag.touch(mode=0o600)
            self._waker.send(b"c")

    def run(self) -> PlayResult:
        """Run the play to its end. Never raises for what a play does; a fatal error is an event and a result.

        Call it from a thread that lives as long as the run: Ansible is told to end when that thread does.
        """
        try:
            return self._run()
        finally:
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
            process = _Process(self._command(play), self._environment(), self._folder, self._redactor)
        except OSError as problem:
            message = f"{self._settings.program()}: {problem.strerror}"
            return self._not_started(play_failures.NO_ANSIBLE, message)
        with process:
            watch = _Watch(process, events, self._settings, self._woken, self.cancel_pending)
            watch.until_the_end(self._folder)
        return self._result(process, events, watch)

    def cancel_pending(self) -> bool:
        """Whether somebody asked the play to stop."""
        return self._cancel_requested

    def _events(self, play: Play | None) -> TaskEvents:
        deprovisioning = str(self._variables.get("action", "")) == "deprovision"
        return TaskEvents(
            self._report,
            redactor=self._redactor,
            clock=self._clock,
            play=play,
            deprovisioning=deprovisioning,
        )

    def _command(self, play: Play) -> list[str]:
        command = [
            self._settings.program(),
            *("-i", str(self._folder.inventory)),
            *("-e", f"@{self._folder.extra_vars}"),
            play.file.name,
        ]
        tie = shutil.which("setpriv")
        return [tie, "--pdeathsig", "TERM", "--", *command] if tie else command

    def _environment(self) -> dict[str, str]:
        """All of the play's environment: nothing of the machine's own Ansible settings reaches a job."""
        own = {name: value for name, value in os.environ.items() if name in _KEPT_ENVIRONMENT | _MAIL_ACCOUNT}
        scratch, home = self._folder.scratch, Path(os.environ.get("HOME", "/"))
        empty = scratch / "ansible.cfg"
        empty.touch(mode=0o600)
        return {
            "LANG": "C.UTF-8",
            **own,
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(scratch),
            "ANSIBLE_CONFIG": str(empty),
            "ANSIBLE_HOME": str(scratch / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(scratch / "local"),
            "ANSIBLE_REMOTE_TEMP": str(scratch / "remote"),
            "ANSIBLE_COLLECTIONS_PATH": f"{home}/.ansible/collections:/usr/share/ansible/collections",
            "ANSIBLE_ACTION_PLUGINS": str(ACTION_PLUGINS),
            "ANSIBLE_CALLBACK_PLUGINS": "",  # ansible-runner puts its own here
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_CACHE_PLUGIN": "memory",
            "ANSIBLE_INVENTORY_ENABLED": "yaml",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_DEPRECATION_WARNINGS": "False",
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_GATHERING": "explicit",
            "OMNICRM_API_URL": self._api_url,
            "OMNICRM_TOKEN_FILE": str(self._folder.tokens),
            "OMNICRM_CANCEL_FILE": str(self._folder.cancel_flag),
            **self._settings.environment,
        }

    def _not_started(self, diagnosis: Diagnosis, message: str) -> PlayResult:
        events = self._events(None)
        self._fatal(events, diagnosis, message, NOT_STARTED, "", "")
        return PlayResult(NOT_STARTED, 2, fatal=diagnosis.kind, message=message, event_count=events.last_number)

    def _result(self, process: _Process, events: TaskEvents, watch: _Watch) -> PlayResult:
        rc = process.rc
        if rc != 0:
            events.close("The play ended before this task did")
        cancelled = self._cancel_requested and not watch.timed_out and rc != 0
        diagnosis, message = self._why(process, events, watch)
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
            message="Cancelled by operator" if cancelled else message,
            event_count=events.last_number,
        )

    def _why(self, process: _Process, events: TaskEvents, watch: _Watch) -> tuple[Diagnosis | None, str]:
        """The fatal error of a failed run, if it was one, and the message for people."""
        if process.rc == 0:
            return None, ""
        if watch.timed_out:
            seconds = f"{self._settings.timeout_seconds:g}"
            return play_failures.TIMED_OUT, f"Nothing happened for {seconds} seconds"
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
            f"Fatal error: {diagnosis.headline}",
            {
                "msg": message,
                "kind": diagnosis.kind,
                "exit_code": rc,
                "common_causes": list(diagnosis.causes),
                "what_to_do": list(diagnosis.advice),
                "stdout": _within(stdout, OUTPUT_LIMIT // 4),
                "stderr": _within(stderr, OUTPUT_LIMIT // 4),
                "variables": self._variables,
            },
        )


class _Output:
    """What a stream said outside of events, redacted, the first and the last of it."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, line: str) -> None:
        self.text = _within(f"{self.text}{line}\n", OUTPUT_LIMIT)


class _Process:
    """ansible-playbook and the decoding of what it writes."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: JobFolder, redactor: Redactor) -> None:
        # imported where it is used: a tenth of a second that only a job pays
        from ansible_runner import Runner, RunnerConfig
        from ansible_runner.utils import OutputEventFilter

        self.handlers: list[Callable[[Mapping[str, Any]], None]] = []
        self.rc = NOT_STARTED
        self.stdout, self.stderr = _Output(), _Output()
        config = RunnerConfig(
            str(folder.root),
            playbook=command[-1],
            project_dir=str(folder.plays),
            artifact_dir=str(folder.scratch),
            fact_cache_type="memory",
            ident="run",
            envvars=environment,
            quiet=True,
        )
        config.prepare()
        (folder.scratch / "run" / "job_events").mkdir(mode=0o700, exist_ok=True)
        self._filters = {}
        for name, output in (("stdout", self.stdout), ("stderr", self.stderr)):
            runner = Runner(config, event_handler=self._handler(output, redactor))
            self._filters[name] = OutputEventFilter(None, runner.event_callback, suppress_ansible_output=True)
        self._process = subprocess.Popen(  # noqa: S603  a fixed command, no shell, no text from outside
            command,
            cwd=folder.plays,
            env=environment | {name: config.env[name] for name in _RUNNER_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process.poll() is None:  # an error on our side: nothing may go on unseen
            self.signal(signal.SIGKILL)
        self.rc = self._process.wait()
        for stream in self.streams:
            stream.close()

    @property
    def streams(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        return self._process.stdout, self._process.stderr

    def feed(self, name: str, data: bytes) -> None:
        """Decode what a stream said; every event in it goes to the handlers."""
        self._filters[name].write(data.decode(errors="replace"))

    def finish(self) -> None:
        """Decode what is left and wait for the exit code."""
        for output in self._filters.values():
            output.close()
        self.rc = self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to Ansible, and a deadly one to everything it started.

        Ansible passes the others on to its workers, which have sessions of their own.
        """
        deadly = number == signal.SIGKILL
        for pid in [*(_descendants(self._process.pid) if deadly else ()), self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _handler(self, output: _Output, redactor: Redactor) -> Callable[[dict[str, Any]], bool]:
        def handle(event: dict[str, Any]) -> bool:
            if event.get("stdout"):
                output.add(redactor.text(str(event["stdout"])))
            for handler in self.handlers:
                handler(event)
            return False  # ansible-runner keeps no copy

        return handle


class _Watch:
    """Reads a process until it ends; sees to time-out and cancel."""

    def __init__(
        self,
        process: _Process,
        events: TaskEvents,
        settings: RunSettings,
        wake: socket.socket,
        cancel_pending: Callable[[], bool],
    ) -> None:
        self._process = process
        self._events = events
        self._settings = settings
        self._wake = wake
        self._cancel_pending = cancel_pending
        self._stopping = False
        self._signals = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
        self._deadline = time.monotonic() + settings.timeout_seconds
        self.timed_out = False
        self.signalled = False
        process.handlers.append(self._progress)

    def until_the_end(self, folder: JobFolder) -> None:
        """Return when the process has ended and everything it said has been reported."""
        with selectors.DefaultSelector() as selector:
            stdout, stderr = self._process.streams
            selector.register(stdout, selectors.EVENT_READ, "stdout")
            selector.register(stderr, selectors.EVENT_READ, "stderr")
            selector.register(self._wake, selectors.EVENT_READ, "wake")
            while len(selector.get_map()) > 1:
                ready = selector.select(max(0.0, self._deadline - time.monotonic()))
                for key, _mask in ready:
                    data = os.read(key.fd, 1 << 16)
                    if key.data == "wake":
                        self._stop()
                    elif data:
                        self._process.feed(key.data, data)
                    else:
                        selector.unregister(key.fileobj)
                if time.monotonic() >= self._deadline:
                    self._out_of_time(folder)
        self._process.finish()

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

    def _out_of_time(self, folder: JobFolder) -> None:
        if not self._stopping:
            self.timed_out = not self._cancel_pending()
            folder.cancel_flag.touch(mode=0o600)  # the play's own way to stop: its rescue runs
            self._stop()
            self._deadline = time.monotonic() + self._settings.grace_seconds
            return
        self.signalled = True
        self._process.signal(self._signals.pop(0) if len(self._signals) > 1 else self._signals[0])
        self._deadline = time.monotonic() + self._settings.grace_seconds / 2


def _descendants(pid: int) -> list[int]:
    """The children of a process, their children, and so on."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                found += [int(child), *_descendants(int(child))]
    return found


def _within(text: str, limit: int) -> str:
    """The text, or its beginning and its end."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"


def _first_error(output: str) -> str:
    for line in output.splitlines():
        if line.startswith(("[ERROR]", "ERROR!", "fatal:")):
            return line.strip()
    return ""
