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
COMPANY, CURRENCY = "Nord", "NOK"
_PATIENCE_SECONDS = 120.0


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


def make_archive(folder: Path, *, packages: bool = False) -> Path:
    """Make the archive, by default without Debian packages, which this way to install does not look at."""
    environment = {**os.environ, "BUNDLE_PACKAGES": "yes" if packages else "no"}
    subprocess.run([ROOT / "scripts" / "bundle", folder], env=environment, check=True, capture_output=True, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    return archive


def install(archive: Path, place: Path) -> Path:
    """Unpack and install without a network; return the `omnicrm` command. Raises RuntimeError with what was said."""
    name = archive.name.removesuffix(".tar.gz")
    first = f"tar xf {archive.name} && ./{name}/install.sh --prefix {place}/opt --home {place}/home"
    done = subprocess.run(
        [*OFFLINE, "sh", "-c", first],
        env=_environment(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=archive.parent,
    )
    if done.returncode:
        raise RuntimeError(f"{first}: {done.stderr}")
    return place / "opt" / "bin" / "omnicrm"


def first_login(command: Path, place: Path) -> None:
    """Open the application in a terminal, answer what it asks, log in. Raises TimeoutError with the screen."""
    with PtyProgram([*OFFLINE, str(command)], columns=80, rows=24, env=_environment(place), cwd="/") as program:
        answer_and_log_in(program)


def answer_and_log_in(program: PtyProgram) -> None:
    """Answer what the application asks where nothing is set up, log in, see the empty list. Raises TimeoutError."""
    _answer(program)
    _type(program, EMAIL, TAB, after="Remember me")
    _type(program, PASSWORD, ENTER)
    program.wait_for("Customers", EMAIL, "No customers yet", timeout=_PATIENCE_SECONDS)


def _answer(program: PtyProgram) -> None:
    """Fill the first screen in by keyboard: enter goes on to the next field, and sets up after the last one."""
    _type(program, COMPANY, ENTER, after="Nothing is set up here yet.")
    _type(program, CURRENCY, ENTER)  # in the place of the suggestion
    for suggestion in ("Time zone", "Language", "Country"):
        program.wait_for(suggestion)
        program.press(ENTER)
    _type(program, EMAIL, ENTER)
    _type(program, PASSWORD, ENTER)
    for default in ("Database", "Charging system", "Tenant there"):
        program.wait_for(default)
        program.press(ENTER)


def _type(program: PtyProgram, text: str, key: bytes, *, after: str = "") -> None:
    """Type a text once the screen shows `after`, see it (a password as dots) and press a key."""
    program.wait_for(after, timeout=_PATIENCE_SECONDS)
    program.write(text.encode())
    program.wait_for("•" * len(text) if text == PASSWORD else text, timeout=_PATIENCE_SECONDS)
    program.press(key)


def _environment(place: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(place), "LANG": "C.UTF-8", "OMNICRM_HOME": "", "OMNICRM_CONFIG": ""}
