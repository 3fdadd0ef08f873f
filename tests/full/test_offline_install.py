"""The archive of `make bundle`, whole: two commands to the first login without a network, and what follows.

Three people come in over SSH and write, it is backed up, the host is lost, and elsewhere nothing is missing.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.install import COMPANY, CURRENCY, TARGET_SECONDS, first_login, install, make_archive
from bench.pty_run import PtyProgram
from bench.sshd import SSHD, Sshd
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.listing import FIRST, ListQuery
from tests.crowd.crowd import Place
from tests.crowd.terminals import ANSWER_SECONDS, add_person, log_in

pytestmark = pytest.mark.full

PEOPLE = ("ann", "ben", "cleo")
CTRL_S = b"\x13"


@pytest.mark.req("PLT-512", "PLT-579", "PLT-580", "PLT-585")
def test_from_the_archive_to_a_site_that_outlives_its_host(tmp_path: Path) -> None:
    archive = make_archive(tmp_path)
    begin = time.monotonic()
    command = install(archive, tmp_path)
    first_login(command, tmp_path)
    assert time.monotonic() - begin < TARGET_SECONDS
    made = load_settings({"OMNICRM_HOME": str(tmp_path / "home")}).crm
    assert (made.company_name, made.currency) == (COMPANY, CURRENCY)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "config.yaml").stat().st_mode & 0o777 == 0o600
    _three_people_write(command, tmp_path)
    _lost_and_brought_back(command, tmp_path)


def _three_people_write(command: Path, folder: Path) -> None:
    if SSHD is None:
        pytest.skip("needs sshd, which is not installed (openssh-server)")
    place = Place(folder / "home")
    for name in PEOPLE:
        add_person(place, name)
    (folder / "sshd").mkdir()
    with Sshd(folder / "sshd", place.home, program=str(command)) as sshd, ExitStack() as stack:
        seats = {}
        for name in PEOPLE:
            argv = sshd.argv(sshd.admit(sshd.make_key(name)))
            seats[name] = stack.enter_context(PtyProgram(argv, columns=80, rows=24))
        for name, seat in seats.items():
            log_in(seat, name, "Customers", "No customers yet")
        for name, seat in seats.items():
            seat.write(b"n")
            seat.wait_for("New customer", timeout=ANSWER_SECONDS)
            seat.write(f"Made by {name}".encode())
            seat.wait_for(f"Made by {name}", timeout=ANSWER_SECONDS)
            seat.write(CTRL_S)
            seat.wait_for(f"Made by {name} #", timeout=ANSWER_SECONDS)


def _lost_and_brought_back(command: Path, folder: Path) -> None:
    file, elsewhere = folder / "site.backup", Place(folder / "elsewhere")
    _run(Place(folder / "home"), command, "backup", str(file), "--passphrase-stdin")
    shutil.rmtree(folder / "home")
    _run(elsewhere, command, "restore", str(file), "--passphrase-stdin")
    _run(elsewhere, command, "drill")
    crm = elsewhere.crm()
    with crm.reading(system_actor("test")) as work:
        rows = work.customers.window(ListQuery(sort="customer_name"), FIRST, 10).rows
        assert [row.customer_name for row in rows] == [f"Made by {name}" for name in PEOPLE]
    crm.close()


def _run(place: Place, command: Path, *arguments: str) -> None:
    environment = {name: value for name, value in place.env.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [command, *arguments],
        check=False,
        env=environment,
        input="a long passphrase\n" * 2,
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
