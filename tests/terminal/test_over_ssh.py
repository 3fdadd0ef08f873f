"""The application over SSH: a real sshd on loopback with keys of its own, a terminal by `ssh -tt`."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.pty_run import PtyProgram
from tests.terminal.conftest import OMNICRM, Demo, log_in_here
from tests.terminal.tmux import TIMEOUT, wait_until

pytestmark = pytest.mark.terminal

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
_SEPARATION_FOLDER = Path("/run/sshd")


@dataclass(frozen=True)
class SshServer:
    """A running sshd, and the key that opens it."""

    port: int
    key: Path

    def command(self, remote: str) -> list[str]:
        """Return the command that runs `remote` there in a terminal of its own."""
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "IdentitiesOnly=yes"]
        asked = [word for option in options for word in ("-o", option)]
        whom = f"{getpass.getuser()}@127.0.0.1"
        return ["ssh", "-tt", "-F", "none", *asked, "-i", str(self.key), "-p", str(self.port), whom, remote]


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[SshServer]:
    """An sshd for the one who runs the tests."""
    assert SSHD, "the SSH tests need sshd: .ci/run installs it (openssh-server)"
    for name in ("host", "person"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(make, check=True, timeout=30)
    (tmp_path / "authorized").write_text((tmp_path / "person.pub").read_text())
    if os.getuid() == 0:
        _SEPARATION_FOLDER.mkdir(exist_ok=True)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = int(listener.getsockname()[1])
    (tmp_path / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\n"
        f"HostKey {tmp_path / 'host'}\n"
        f"AuthorizedKeysFile {tmp_path / 'authorized'}\n"
        f"PidFile {tmp_path / 'pid'}\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    log = (tmp_path / "sshd.log").open("wb")
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(tmp_path / "sshd_config")], stdout=log, stderr=log)
    try:
        wait_until(lambda: _listens(port), (tmp_path / "sshd.log").read_text)
        yield SshServer(port, tmp_path / "person")
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _remote(demo: Demo) -> str:
    words = [f"{name}={shlex.quote(value)}" for name, value in {**demo.env, "LC_ALL": "C.UTF-8"}.items()]
    return f"{' '.join(words)} {shlex.quote(OMNICRM)}; echo left with $?"


@pytest.mark.req("PLT-168")
def test_one_works_over_ssh_and_leaves(demo: Demo, sshd: SshServer) -> None:
    with PtyProgram(sshd.command(_remote(demo)), columns=100, rows=30) as program:
        log_in_here(program)
        program.write(b"\x1b[B")
        program.wait_for("2 of 60", timeout=TIMEOUT)
        program.resize(120, 40)
        program.wait_until(lambda: "E-mail" in program.lines[1] and "n New" in program.lines[39], timeout=TIMEOUT)
        program.write(b"\x11")
        program.wait_for("left with 0", timeout=TIMEOUT)
        assert program.wait_for_exit(TIMEOUT) == 0


def test_a_connection_that_breaks_ends_the_application(demo: Demo, sshd: SshServer) -> None:
    with PtyProgram(sshd.command(_remote(demo)), columns=80, rows=24) as program:
        log_in_here(program)
        assert demo.applications()
    wait_until(lambda: not demo.applications(), lambda: f"still there: {demo.applications()}")
