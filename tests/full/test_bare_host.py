"""Who has only the archive and its pages: a bare host without a network, three people, and the loss of that host.

Each host is one of its own (`bench/bare_host.py`), and everything done there is done by the installed `omnicrm`, by
commands of the pages, or by Debian's own programs.
"""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import re
import sqlite3
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest

from bench.bare_host import LACKS, BareHost
from bench.homes import ROOT
from bench.install import COMPANY, CURRENCY, TARGET_SECONDS, answer_and_log_in, make_archive
from bench.pty_run import PtyProgram
from tests.crowd.terminals import ANSWER_SECONDS, PASSWORD, log_in
from tests.fixtures.house import wait_for

pytestmark = [
    pytest.mark.full,
    pytest.mark.terminal,
    pytest.mark.skipif(LACKS != "", reason=f"needs {LACKS}"),
]

PEOPLE = ("ann", "ben", "cleo")
PASSPHRASE = "a long passphrase\n" * 2
CTRL_S = b"\x13"
HOME, BACKUPS, FILE = "/var/lib/omnicrm", "/var/backups/omnicrm", "/var/backups/omnicrm/site.backup"
UNITS = ("omnicrm-server", "omnicrm-worker")
OPEN = "grep -ls -e '--con[f]ined' /proc/[0-9]*/cmdline || true"
OF_THE_MACHINE = re.compile(r"omnicrm\.sqlite.*|(jobs|exports|logs|backups|session)(/.*)?|.*\.lock")
"""What a backup leaves out (docs/backup.md), and the database, which is compared by its rows."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The archive with Debian's packages, on a stick."""
    made = make_archive(tmp_path / "stick", packages=True)
    with tarfile.open(made) as packed:
        if not any("/debs/" in name for name in packed.getnames()):
            pytest.skip("needs Debian 12's packages, which apt-get could not fetch for the archive")
    return made


@pytest.fixture
def new_host(archive: Path, tmp_path: Path) -> Iterator[Callable[[str], BareHost]]:
    """Begin a host on which nothing is that the archive brings; it lasts as long as the test, or until it is lost."""
    with ExitStack() as hosts:

        def begin(name: str) -> BareHost:
            host = hosts.enter_context(BareHost(tmp_path / name, archive.parent))
            with tarfile.open(archive) as packed:
                host.forget([Path(at).name.partition("_")[0] for at in packed.getnames() if "/debs/" in at])
            host.run("sh", "-c", "! command -v python3 && ! ldconfig -p | grep libpango-1.0.so")
            host.run("sh", "-c", f"cp /media/stick/{archive.name} .")
            return host

        yield begin


def page(name: str, title: str) -> list[str]:
    """Return the first commands below a title of a page, as root types them: without sudo."""
    section = (ROOT / "docs" / name).read_text().partition(f"## {title}\n")[2].splitlines()
    block = dropwhile(lambda line: not line.startswith("    "), section)
    return [line.strip().replace("sudo ", "") for line in takewhile(lambda line: line.startswith("    "), block)]


@pytest.mark.req("PLT-512", "PLT-518", "PLT-579", "PLT-580", "PLT-585")
def test_from_the_archive_to_a_site_that_outlives_its_host(
    new_host: Callable[[str], BareHost], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    host = new_host("first")
    begin = time.monotonic()
    install, start = page("install.md", "A host without a network: two commands")
    said = host.run("sh", "-c", install)
    assert "Installing system packages: " in said
    with PtyProgram(host.argv(start), columns=80, rows=24) as program:
        answer_and_log_in(program)
    seconds = time.monotonic() - begin
    assert seconds < TARGET_SECONDS
    record_property("count", f"{seconds:.0f} s from the archive on a bare host to the first login")

    _everything_is_in_its_place(host)
    _the_units_start_what_they_should(host)
    _three_people_write_over_ssh(host)
    lost = _backed_up(host, tmp_path / "stick")
    host.lose()

    elsewhere = new_host("elsewhere")
    elsewhere.run("sh", "-c", install)
    _brought_back(elsewhere)
    found = kept(elsewhere, tmp_path / "stick" / "found.tar")
    assert {name for name in lost.keys() | found.keys() if lost.get(name) != found.get(name)} == set()
    assert lost["table customer"].startswith("3 ")
    assert {"config.yaml", "keys/token-1.key", "plays/play_ours.yaml"} <= lost.keys()
    record_property("count", f"{len(found)} tables and files with the rows and bytes that were lost")
    elsewhere.run("omnicrm", "drill")
    with PtyProgram(elsewhere.argv("omnicrm"), columns=80, rows=24) as program:
        log_in(program, "ben", *(f"Made by {name}" for name in PEOPLE))


def _everything_is_in_its_place(host: BareHost) -> None:
    """As the table of docs/install.md says."""
    owned = host.run("stat", "-c", "%U:%G %a %n", HOME, f"{HOME}/config.yaml", f"{HOME}/keys").splitlines()
    assert owned == [
        f"omnicrm:omnicrm 700 {HOME}",
        f"omnicrm:omnicrm 600 {HOME}/config.yaml",
        f"omnicrm:omnicrm 700 {HOME}/keys",
    ]
    assert host.run("find", HOME, "!", "-user", "omnicrm") == ""
    assert host.run("find", HOME, "-perm", "/077", "!", "-type", "l") == ""
    assert host.run("getent", "passwd", "omnicrm").strip().endswith(f":{HOME}:/bin/sh")
    assert host.run("getent", "shadow", "omnicrm").split(":")[1] == "*"
    assert "PDFs need" not in host.run("/opt/omnicrm-current/bin/python", "-c", "import weasyprint; print('fine')")
    shown = host.run("omnicrm", "config", "show")
    assert COMPANY in shown
    assert CURRENCY in shown


def _the_units_start_what_they_should(host: BareHost) -> None:
    """systemd finds no fault in what was installed, and what they start works as their account does."""
    units = host.run("sh", "-c", "ls /etc/systemd/system/omnicrm-*.service").split()
    assert len(units) == 3
    assert host.run("sh", "-c", f"systemd-analyze verify {' '.join(units)} 2>&1") == ""
    with ExitStack() as running:
        for name in UNITS:
            unit = configparser.RawConfigParser(strict=False)
            unit.optionxform = str  # type: ignore[assignment,method-assign]
            unit.read_string(host.run("cat", f"/etc/systemd/system/{name}.service"))
            service = unit["Service"]
            environment = ["env", "-i", "PATH=/usr/bin:/bin", *service["Environment"].split()]
            begun = ["runuser", "-u", service["User"], "--", *environment, *service["ExecStart"].split()]
            program = PtyProgram(host.argv(*begun, folder=service["WorkingDirectory"]), columns=200)
            running.enter_context(program)
            program.wait_for('"', timeout=ANSWER_SECONDS)
        ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:5000/crm/health/ready').status)"
        assert host.run("/opt/omnicrm-current/bin/python", "-c", ask) == "200\n"
        host.run("omnicrm", "doctor")


def _three_people_write_over_ssh(host: BareHost) -> None:
    """By the page's own commands; there is no systemd here that could start sshd."""
    host.run("ssh-keygen", "-A")
    setting_up = "\n".join(page("ssh.md", "Setting it up"))
    assert setting_up.count("systemctl reload ssh") == 1
    host.run("sh", "-ec", setting_up.replace("systemctl reload ssh", "$(command -v sshd)"))
    for name in PEOPLE:
        add = f"omnicrm user create --email {name}@mail.example --first-name {name} --password-stdin"
        assert f"{name}@mail.example" in host.run(*add.split(), told=f"{PASSWORD}\n")
        host.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name)
        host.run("sh", "-c", f"cat {name}.pub >>/etc/omnicrm/authorized_keys")
    connect = ["ssh", "-t", "-o", "SendEnv=COLORTERM", "-o", "StrictHostKeyChecking=accept-new"]
    with ExitStack() as stack:
        seats = {
            name: stack.enter_context(
                PtyProgram(host.argv(*connect, "-i", name, "omnicrm@127.0.0.1"), columns=80, rows=24)
            )
            for name in PEOPLE
        }
        for name, seat in seats.items():
            log_in(seat, name, "Customers", "No customers yet")
        for name, seat in seats.items():
            seat.write(b"n")
            seat.wait_for("New customer", timeout=ANSWER_SECONDS)
            seat.write(f"Made by {name}".encode())
            seat.wait_for(f"Made by {name}", timeout=ANSWER_SECONDS)
            seat.write(CTRL_S)
            seat.wait_for(f"Made by {name} #", timeout=ANSWER_SECONDS)
    wait_for(lambda: not host.run("sh", "-c", OPEN), "all have hung up")


def _backed_up(host: BareHost, stick: Path) -> dict[str, str]:
    """Back up, carry the file away, and return what was on the host."""
    host.run("install", "-d", "-o", "omnicrm", "-m", "700", f"{HOME}/plays")
    host.run("sh", "-c", f"echo '- hosts: localhost' >{HOME}/plays/play_ours.yaml")
    host.run("chown", "omnicrm:", f"{HOME}/plays/play_ours.yaml")
    host.run("install", "-d", "-o", "omnicrm", "-m", "700", BACKUPS)
    host.run("omnicrm", "backup", FILE, "--passphrase-stdin", told=PASSPHRASE)
    host.run("omnicrm", "verify", FILE, "--passphrase-stdin", told=PASSPHRASE)
    host.run("cp", FILE, "/media/stick/")
    return kept(host, stick / "lost.tar")


def _brought_back(host: BareHost) -> None:
    """Restore as docs/backup.md says."""
    host.run("install", "-d", "-o", "omnicrm", "-m", "700", BACKUPS)
    host.run("install", "-o", "omnicrm", "-m", "600", "/media/stick/site.backup", FILE)
    host.run("omnicrm", "restore", FILE, "--passphrase-stdin", told=PASSPHRASE)
    assert host.run("find", HOME, "!", "-user", "omnicrm") == ""


def kept(host: BareHost, copy: Path) -> dict[str, str]:
    """Return number and hash of the rows of each table, and the hash of each file that a backup holds, by name."""
    host.run("sh", "-c", f"tar cf /media/stick/{copy.name} -C {HOME} .")
    found = {}
    place = copy.with_suffix("")
    with tarfile.open(copy) as packed:
        packed.extractall(place, filter="data")
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if path.is_file() and not OF_THE_MACHINE.fullmatch(name):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    with contextlib.closing(sqlite3.connect(place / "omnicrm.sqlite")) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = sorted(map(repr, database.execute(f'SELECT * FROM "{table}"')))
            found[f"table {table}"] = f"{len(rows)} {hashlib.sha256(''.join(rows).encode()).hexdigest()}"
    return found
