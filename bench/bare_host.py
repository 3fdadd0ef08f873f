"""A bare Debian 12 host without a network, made of the machine's own: for the archive of `make bundle`.

It has the machine's /usr, /etc and /var below overlays, without what the archive brings (Python, Pango and theirs) and
without anything that somebody installed by hand; all its other folders are empty. It has its own mounts, processes and
network, and nobody there is reached from outside. All of it is gone with its first process, however the test ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_WHERE = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_NEEDED = {
    "root, for the mounts": os.geteuid() == 0,
    "ip (iproute2)": shutil.which("ip", path=_WHERE),
    "sshd (openssh-server)": shutil.which("sshd", path=_WHERE),
    "systemd-analyze (systemd)": shutil.which("systemd-analyze", path=_WHERE),
}
LACKS = ", ".join(what for what, there in _NEEDED.items() if not there)
"""What the machine lacks for one that people can log in to, "" where nothing."""

_BOOT = r"""
set -euo pipefail
mount -t tmpfs -o mode=755 none "$1"
stick=$2
cd "$1"
mkdir -p dev proc sys tmp root home run/sshd opt srv media/stick
for part in usr etc var; do
    mkdir -p $part .over/$part/{upper,work}
    mount -t overlay overlay -o "lowerdir=/$part,upperdir=$PWD/.over/$part/upper,workdir=$PWD/.over/$part/work" $part
done
ln -s usr/bin usr/sbin usr/lib usr/lib64 .
chmod 1777 tmp
mount --rbind /dev dev
mount -t proc proc proc
mount --bind "$stick" media/stick
rm -rf usr/local etc/ssh/sshd_config.d/* var/lib/omnicrm var/backups/*
mkdir -p usr/local/{bin,sbin}
ip link set lo up
echo up
exec sleep infinity
"""

_FORGET = r"""
cd /var/lib/dpkg/info
for name; do rm -f "$name".prerm "$name".postrm "$name":*.prerm "$name":*.postrm; done
dpkg --purge --force-depends "$@" >/tmp/purged 2>&1 || { cat /tmp/purged >&2; exit 1; }
"""

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
}


class BareHost:
    """The host, as a context manager; `stick` is a folder of the machine that lies there below /media/stick."""

    def __init__(self, folder: Path, stick: Path) -> None:
        self._root, self._stick = folder, stick
        self._parent: subprocess.Popen[str] | None = None
        self._first = 0

    def __enter__(self) -> Self:
        self._root.mkdir()
        boot = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        self._parent = subprocess.Popen(
            [*boot, "bash", "-c", _BOOT, "boot", str(self._root), str(self._stick)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._parent.stdout is not None
        if self._parent.stdout.readline() != "up\n":
            raise RuntimeError(f"the host does not begin: {self._parent.communicate()[1]}")
        (first,) = psutil.Process(self._parent.pid).children()
        self._first = first.pid
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lose()

    def lose(self) -> None:
        """End the host, as fire would: nothing of it is left but the stick. It may be lost already."""
        assert self._parent is not None
        if self._parent.poll() is None:
            # With the first process go all the others of its namespaces, and with the last of them the mounts.
            os.kill(self._first, signal.SIGKILL)
            self._parent.communicate(timeout=60)

    def argv(self, *command: str, folder: str = "/root") -> list[str]:
        """Return what runs a command there, as root, in a folder."""
        namespaces = ["nsenter", "--target", str(self._first), "--mount", "--net", "--pid", "--ipc", "--uts"]
        environment = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
        there = ["chroot", str(self._root), "env", "-i", "-C", folder, *environment]
        return [*namespaces, *there, *command]

    def run(self, *command: str, told: str = "", folder: str = "/root", seconds: float = 300.0) -> str:
        """Run a command and return what it prints. Raises RuntimeError with what it says when it fails."""
        argv = self.argv(*command, folder=folder)
        done = subprocess.run(argv, input=told, capture_output=True, text=True, check=False, timeout=seconds)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def forget(self, packages: Sequence[str]) -> None:
        """Take packages away, whatever else needs them: what is left of the host is what every Debian has."""
        self.run("bash", "-c", _FORGET, "forget", *packages)
