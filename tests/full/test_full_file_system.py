"""A file system that has not a byte left, for all that lives on it: a sentence, nothing lost, all goes on with room.

What can be told of one process at a time is in test_full_disk.py, on any machine.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bench.pty_run import PtyProgram
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.home import RESTORE_NOTE
from omnicrm_tui.provisioning.rules import FAILED
from tests.crowd.crowd import Place
from tests.crowd.terminals import ANSWER_SECONDS, OMNICRM, add_person, log_in
from tests.fixtures.house import House, wait_for
from tests.full.slow_job import order
from tests.full.test_full_disk import SAVE, begin, full
from tests.upkeep.conftest import everything

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, which alone mounts a file system"),
]

MEGABYTES = 12
PASSPHRASE = "a long passphrase\n" * 2
_MOUNTED = 'mount -t tmpfs -o size="$1"m full "$0" && echo mounted && read -r; umount --lazy "$0"'
"""Until its standard input ends, as it does with the test, however that ends."""


@dataclass(frozen=True)
class Disk:
    """A small file system of its own."""

    folder: Path

    def fill(self, spare: int = 0) -> None:
        """Take every byte that is left, but so many."""
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"x" * size):
                        pass
        assert os.statvfs(self.folder).f_bavail == 0
        if spare:
            os.truncate(self._ballast, self._ballast.stat().st_size - spare)

    def make_room(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    with subprocess.Popen(
        ["bash", "-c", _MOUNTED, str(folder), str(MEGABYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "mounted\n"
        yield Disk(folder)
        assert holder.stdin is not None
        holder.stdin.close()


@pytest.fixture
def house(disk: Disk) -> Iterator[House]:
    """A house on the small disk; what was started in it is killed."""
    made = House(disk.folder / "home")
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


@pytest.mark.terminal
@pytest.mark.req("PLT-066")
def test_server_and_terminal_say_so_lose_nothing_and_go_on(house: House, disk: Disk) -> None:
    house.configure()
    place = Place(house.home)
    add_person(place, "ada")
    server, client = house.serve()
    acknowledged: list[str] = []

    def create() -> int:
        body = {"customer_name": f"Customer {len(acknowledged):04d}", "customer_notes": "x" * 4000}
        answer = client.post("/crm/customer", json=body)
        if answer.status_code == 200:
            acknowledged.append(body["customer_name"])
        else:
            told.append(answer.json()["message"])
        return answer.status_code

    told: list[str] = []
    assert create() == 200
    with PtyProgram([OMNICRM], columns=100, rows=30, env=place.env) as program:
        log_in(program, "ada")
        begin(program, place, "Zoe Zero")
        disk.fill()
        while create() == 200:
            pass
        assert [create() for _ in range(3)] == [503, 503, 503]
        assert all("disk" in sentence and "Nothing was changed" in sentence for sentence in told)
        assert client.get("/crm/customer").json()["pagination"]["total_items"] == len(acknowledged)
        assert client.get("/crm/health/live").status_code == 200
        program.write(b" Two" + SAVE)
        program.wait_until(lambda: full(program), timeout=ANSWER_SECONDS)
        program.write(b" Three")
        program.wait_for("Zoe Zero Two Three", timeout=ANSWER_SECONDS)

        disk.make_room()
        assert create() == 200
        program.write(SAVE)
        program.wait_for("Zoe Zero Two Three #", timeout=ANSWER_SECONDS)
    assert server.poll() is None
    rows = client.get("/crm/customer?per_page=100").json()
    assert rows["pagination"]["total_items"] == len(acknowledged) + 1
    assert {row["customer_name"] for row in rows["data"]} == {*acknowledged, "Zoe Zero Two Three"}


@pytest.mark.ansible
@pytest.mark.req("PLT-066")
def test_a_job_ends_with_a_reason_once_there_is_room_and_can_be_tried_again(house: House, disk: Disk) -> None:
    house.configure()
    server, client = house.serve()
    crm = house.crm()
    job = order(house, crm, client)
    (runner,) = psutil.Process(server.pid).children()
    disk.fill()
    while client.post("/crm/customer", json={"customer_name": "x" * 200}).status_code == 200:
        pass
    job.let_it_go_on()
    wait_for(lambda: not runner.is_running() or not runner.children(), "the play meets the full disk")
    assert not job.has_ended_its_play
    disk.make_room()
    wait_for(lambda: not job.is_running(), "the job's end")
    seen, _events = job.seen()
    assert (seen.provisioning_status, bool(seen.error_message)) == (FAILED, True)
    assert client.post(f"/crm/provision/{job.number}/retry").status_code == 200
    wait_for(lambda: job.has_ended_its_play, "another attempt, with room")
    crm.close()


@pytest.mark.req("PLT-066")
def test_a_backup_is_whole_or_not_there_and_a_restore_goes_on(tmp_path: Path, disk: Disk) -> None:
    whole = House(tmp_path / "home")
    whole.configure()
    add_person(Place(whole.home), "ada")
    file = disk.folder / "site.backup"
    disk.fill()
    refused = run(whole.home, "backup", str(file))
    assert refused.returncode == 1
    assert "0.0 MB free" in refused.stderr
    assert sorted(path.name for path in disk.folder.iterdir()) == ["ballast"]
    disk.make_room()
    assert run(whole.home, "backup", str(file)).returncode == 0
    assert run(whole.home, "verify", str(file)).returncode == 0

    home = disk.folder / "home"
    for spare, said in ((0, "no room left"), (60_000, "MB free"), (800_000, "full")):
        disk.fill(spare)
        refused = run(home, "restore", str(file))
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
        if spare:
            assert (home / RESTORE_NOTE).exists()
            assert "restore" in run(home, "customer", "list").stderr
        disk.make_room()
    again = run(home, "restore", str(file))
    assert again.returncode == 0, again.stderr
    assert kept(home) == kept(whole.home)


def kept(home: Path) -> dict[str, list[tuple[object, ...]]]:
    return everything(load_settings({"OMNICRM_HOME": str(home)}).database_url)


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    secret = ["--passphrase-stdin"] if arguments[0] in ("backup", "verify", "restore") else []
    return subprocess.run(
        [OMNICRM, *arguments, *secret],
        input=PASSPHRASE,
        env=Place(home).env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
