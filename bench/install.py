"""From the archive of `make bundle` to the first login, without a network: two commands, five minutes.

Runs below a folder of its own, in a network namespace without any address, so nothing of the machine is touched and
nothing can be fetched. Making the archive is not part of the figure.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench.homes import ROOT, TAB
from bench.pty_run import ENTER, PtyProgram
from bench.report import Row

OFFLINE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
EMAIL, PASSWORD = "ada@operator.example", "First-Login-2026!"
TARGET_SECONDS = 300.0
_INIT = ("--company", "Nord", "--currency", "NOK", "--timezone", "Europe/Oslo", "--email", EMAIL, "--password-stdin")


def run() -> list[Row]:
    """Make the archive, install it and log in, once."""
    with tempfile.TemporaryDirectory(prefix="omnicrm-install-") as folder:
        place = Path(folder)
        archive = make_archive(place)
        begin = time.perf_counter()
        command = install(archive, place)
        installed = time.perf_counter() - begin
        first_login(command, place)
        return [
            Row("install the bundle, offline", installed, TARGET_SECONDS, "s"),
            Row("bundle to first login, offline", time.perf_counter() - begin, TARGET_SECONDS, "s"),
        ]


def make_archive(folder: Path) -> Path:
    """Make the archive without Debian packages, which this way to install does not look at."""
    environment = {**os.environ, "BUNDLE_PACKAGES": "no"}
    subprocess.run([ROOT / "scripts" / "bundle", folder], env=environment, check=True, capture_output=True, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    return archive


def install(archive: Path, place: Path) -> Path:
    """Unpack and install without a network; return the `omnicrm` command. Raises CalledProcessError."""
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", place], check=True)
    script = place / archive.name.removesuffix(".tar.gz") / "install.sh"
    options = ["--prefix", str(place / "opt"), "--home", str(place / "home")]
    _offline([str(script), *options], place)
    return place / "opt" / "bin" / "omnicrm"


def first_login(command: Path, place: Path) -> None:
    """Set the home up, open the application in a terminal and log in. Raises TimeoutError with the screen."""
    _offline([str(command), "init", *_INIT], place, f"{PASSWORD}\n")
    with PtyProgram([*OFFLINE, str(command)], env=_environment(place), cwd="/") as program:
        program.wait_for("Remember me", timeout=120)
        program.write(EMAIL.encode())
        program.wait_for(EMAIL, timeout=60)
        program.press(TAB)
        program.write(PASSWORD.encode() + ENTER)
        program.wait_for("Search", "Commands", timeout=120)


def _offline(command: list[str], place: Path, stdin: str = "") -> None:
    done = subprocess.run(
        [*OFFLINE, *command], env=_environment(place), input=stdin, capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


def _environment(place: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(place), "LANG": "C.UTF-8", "OMNICRM_HOME": "", "OMNICRM_CONFIG": ""}
