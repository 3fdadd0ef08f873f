"""A real sshd on loopback that serves the application by packaging/ssh/omnicrm.conf, with keys of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

ROOT = Path(__file__).parent.parent
SNIPPET = ROOT / "packaging" / "ssh" / "omnicrm.conf"
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
_SEPARATION_FOLDER = Path("/run/sshd")
_START_SECONDS = 20.0


class Sshd:
    """The server, as a context manager: the snippet is the shipped file, with a site's own names filled in.

    Around it the configuration is as careless as a site's may be: any variable is accepted, all is forwarded.
    """

    def __init__(self, folder: Path, home: Path, command: str = "", program: str = "") -> None:
        """Serve in `folder`; with `command` something else than the application, in its place.

        `program` is the `omnicrm` that people get, by default this checkout's.
        """
        self.folder = folder
        self._program = program or f"{sys.executable} -I -m omnicrm_tui.cli"
        self._command = command
        self.port = 0
        self._home = home
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        assert SSHD, "what is measured and tested over SSH needs sshd (openssh-server)"
        self.make_key("host")
        self._authorized.touch()
        if os.getuid() == 0:
            _SEPARATION_FOLDER.mkdir(exist_ok=True)
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            self.port = int(listener.getsockname()[1])
        config = self.folder / "sshd_config"
        config.write_text(self._config())
        with self.log.open("wb") as log:
            self._server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._listens():
            ended = self._server.poll() is not None
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"sshd does not start:\n{self.log.read_text()}")
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(20)

    def _listens(self) -> bool:
        with closing(socket.socket()) as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _config(self) -> str:
        snippet = SNIPPET.read_text()
        own = {
            "Match User omnicrm\n": f"Match User {getpass.getuser()}\n",
            "/usr/local/bin/omnicrm": self._program,
            "OMNICRM_HOME=/var/lib/omnicrm ": f"OMNICRM_HOME={self._home} ",
            "/var/lib/omnicrm/config.yaml": str(self._home / "config.yaml"),
            "/etc/omnicrm/authorized_keys": str(self._authorized),
        }
        for theirs, ours in own.items():
            assert snippet.count(theirs) == 1, f"{SNIPPET} should say {theirs!r} once"
            snippet = snippet.replace(theirs, ours)
        if self._command:
            snippet = snippet.replace("-m omnicrm_tui.cli tui --confined", self._command)
        return (
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.folder / 'host'}\nPidFile {self.folder / 'pid'}\n"
            "UsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\nMaxStartups 100\nLogLevel VERBOSE\n"
            "Subsystem sftp internal-sftp\nAcceptEnv *\nAllowTcpForwarding yes\nAllowAgentForwarding yes\n"
            f"X11Forwarding yes\nPermitTunnel yes\nPermitUserRC yes\n\n{snippet}"
        )

    @property
    def log(self) -> Path:
        """What sshd says."""
        return self.folder / "sshd.log"

    @property
    def _authorized(self) -> Path:
        return self.folder / "authorized_keys"

    # Keys

    def make_key(self, name: str) -> Path:
        """Make a key pair and return the path of its private half."""
        key = self.folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
        return key

    def admit(self, key: Path, options: str = "") -> Path:
        """Let the owner of a key in, as an administrator does; return the key."""
        with self._authorized.open("a") as file:
            file.write(f"{options} {key.with_suffix('.pub').read_text()}".lstrip())
        return key

    def certify(self, key: Path, authority: Path, name: str) -> None:
        """Give the key a certificate, beside it, as ssh looks for it."""
        argv = ["ssh-keygen", "-q", "-s", str(authority), "-I", name, "-n", getpass.getuser(), str(key)]
        subprocess.run(argv, check=True, timeout=30)

    # Connecting

    def argv(
        self, key: Path, *command: str, options: Sequence[str] = (), program: Sequence[str] = ("ssh",)
    ) -> list[str]:
        """Return what a person types; `options` are those of ssh_config."""
        settings = [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            *options,
        ]
        asked = [word for setting in settings for word in ("-o", setting)]
        whom = f"{getpass.getuser()}@127.0.0.1"
        return [*program, "-tt", "-F", "none", *asked, "-i", str(key), "-p", str(self.port), whom, *command]

    def applications(self) -> list[psutil.Process]:
        """Return the applications that run in sessions of this server, longest-lived first."""
        assert self._server is not None
        found = []
        for process in psutil.Process(self._server.pid).children(recursive=True):
            try:
                if process.name() != "sshd" and process.parent().name() == "sshd":  # type: ignore[union-attr]
                    found.append(process)
            except psutil.Error:
                continue
        return sorted(found, key=lambda process: process.create_time())
