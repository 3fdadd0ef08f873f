"""The process that plays: ansible-playbook, and the decoding of what it writes.

ansible-runner prepares the environment, brings the callback plugin and decodes the events. The process itself is
started here: it has its own process group, dies with the job (setpriv), keeps stderr apart from stdout, and ends
without the tenth of a second that the runner's terminal waits when it closes. A program of the operator's may be a
script with Ansible below it: `ansible_guard` sees to it that all of that gets the signals, and ends.

A job killed in the very moment in which Ansible starts a task may leave that one task to end by itself; no
other follows it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from omnicrm_tui.provisioning.job_folder import JobFolder
from omnicrm_tui.shipped import ACTION_PLUGINS, ANSIBLE_GUARD, WAITING_PLAYBOOK

if TYPE_CHECKING:
    from ansible_runner import RunnerConfig
    from ansible_runner.utils import OutputEventFilter

    from omnicrm_tui.redaction import Redactor

NOT_STARTED: Final = 127
OUTPUT_LIMIT: Final = 64 * 1024
_KEPT_ENVIRONMENT: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}
)
MAIL_ACCOUNT: Final = frozenset({"MAILJET_API_KEY", "MAILJET_SECRET"})
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

    @property
    def is_ours(self) -> bool:
        """Whether it is the ansible-playbook that was installed with us."""
        return self.ansible_playbook is None and _beside_us().exists()

    def program(self) -> str:
        """The path of ansible-playbook, or its bare name when it is nowhere to be found."""
        if self.ansible_playbook:
            return self.ansible_playbook
        return str(_beside_us()) if self.is_ours else shutil.which("ansible-playbook") or "ansible-playbook"


def _beside_us() -> Path:
    return Path(sys.executable).with_name("ansible-playbook")


class AnsibleProcess:
    """ansible-playbook in a job's folder: started early, told later what to play."""

    def __init__(self, folder: JobFolder, api_url: str, settings: RunSettings | None = None) -> None:
        """`api_url` is where the play finds our API."""
        self.folder = folder
        self.settings = settings or RunSettings()
        self.handlers: list[Callable[[Mapping[str, Any]], None]] = []
        self.rc = NOT_STARTED
        self.stdout, self.stderr = _Output(), _Output()
        self._api_url = api_url
        self._process: subprocess.Popen[bytes] | None = None
        self._runner: RunnerConfig
        self._filters: dict[str, OutputEventFilter] = {}

    def start(self) -> None:
        """Start our own Ansible, which is imported and waits to be told what to play; raises OSError.

        A program of the operator's is started with its play.
        """
        if self._process is None and self.settings.is_ours:
            program = [sys.executable, "-P", str(WAITING_PLAYBOOK), str(self.folder.root)]  # the folder is for `ps`
            self._process = self._spawn(program, subprocess.PIPE)

    def play(self, name: str, redactor: Redactor) -> None:
        """Play that file of the folder's plays; raises OSError when there is no program to do it."""
        arguments = ["-i", str(self.folder.inventory), "-e", f"@{self.folder.extra_vars}", name]
        if not self.settings.is_ours:
            guard = [sys.executable, "-I", "-S", str(ANSIBLE_GUARD), str(os.getpid())]
            self._process = self._spawn([*guard, self.settings.program(), *arguments], subprocess.DEVNULL)
            self._decode(redactor)
            return
        self.start()
        self._decode(redactor)
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as order:  # what it died of, it has written
            order.write(json.dumps(arguments).encode() + b"\n")

    def close(self) -> None:
        """End what still runs, so that nothing goes on unseen; may be called again."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self.signal(signal.SIGKILL)
        self.rc = self._process.wait()
        for stream in (self._process.stdin, *self.streams):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    @property
    def streams(self) -> tuple[IO[bytes], IO[bytes]]:
        """What it writes: its standard output and its errors."""
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        return self._process.stdout, self._process.stderr

    def feed(self, name: str, data: bytes) -> None:
        """Decode what a stream said; every event in it goes to the handlers."""
        self._filters[name].write(data.decode(errors="replace"))

    def finish(self) -> None:
        """Decode what is left and wait for the exit code."""
        assert self._process is not None
        for output in self._filters.values():
            output.close()
        self.rc = self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to Ansible and to the script that runs it, and a deadly one to everything they started.

        Ansible passes the others on to its workers, which have sessions of their own.
        """
        assert self._process is not None
        if number != signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            return
        for pid in [*_descendants(self._process.pid), self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _spawn(self, command: list[str], stdin: int) -> subprocess.Popen[bytes]:
        tie = shutil.which("setpriv")
        return subprocess.Popen(  # noqa: S603  a fixed command, no shell, no text from outside
            [tie, "--pdeathsig", "TERM", "--", *command] if tie else command,
            cwd=self.folder.plays,
            env=self._environment(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        """All of the play's environment: nothing of the machine's own Ansible settings reaches a job."""
        own = {name: value for name, value in os.environ.items() if name in _KEPT_ENVIRONMENT | MAIL_ACCOUNT}
        scratch, home = self.folder.scratch, Path(os.environ.get("HOME", "/"))
        empty = scratch / "ansible.cfg"
        empty.touch(mode=0o600)
        ours = {
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
            "OMNICRM_TOKEN_FILE": str(self.folder.tokens),
            "OMNICRM_CANCEL_FILE": str(self.folder.cancel_flag),
            **self.settings.environment,
        }
        self._runner = _runner_config(self.folder, ours)
        return ours | {name: self._runner.env[name] for name in _RUNNER_ENVIRONMENT}

    def _decode(self, redactor: Redactor) -> None:
        from ansible_runner import Runner
        from ansible_runner.utils import OutputEventFilter

        for name, output in (("stdout", self.stdout), ("stderr", self.stderr)):
            runner = Runner(self._runner, event_handler=self._handler(output, redactor))
            self._filters[name] = OutputEventFilter(None, runner.event_callback, suppress_ansible_output=True)

    def _handler(self, output: _Output, redactor: Redactor) -> Callable[[dict[str, Any]], bool]:
        def handle(event: dict[str, Any]) -> bool:
            if event.get("stdout"):
                output.add(redactor.text(str(event["stdout"])))
            for handler in self.handlers:
                handler(event)
            return False  # ansible-runner keeps no copy

        return handle


def _runner_config(folder: JobFolder, environment: dict[str, str]) -> RunnerConfig:
    # imported where it is used: only a job needs it
    from ansible_runner import RunnerConfig

    config = RunnerConfig(
        str(folder.root),
        playbook="named.later",
        project_dir=str(folder.plays),
        artifact_dir=str(folder.scratch),
        fact_cache_type="memory",
        ident="run",
        envvars=environment,
        quiet=True,
    )
    config.prepare()
    (folder.scratch / "run" / "job_events").mkdir(mode=0o700, exist_ok=True)
    return config


class _Output:
    """What a stream said outside of events, redacted, the first and the last of it."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, line: str) -> None:
        self.text = within(f"{self.text}{line}\n", OUTPUT_LIMIT)


def _descendants(pid: int) -> list[int]:
    """The children of a process, their children, and so on."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                found += [int(child), *_descendants(int(child))]
    return found


def within(text: str, limit: int) -> str:
    """The text, or its beginning and its end."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
