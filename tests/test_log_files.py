"""Files of logs: bounded, whatever writes them and however many at once; nobody fails for want of one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omnicrm_tui import lab_process
from omnicrm_tui.cli.output import keep_traceback
from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.log_files import OwnOutput, open_to_append, output_file
from omnicrm_tui.provisioning.dispatcher import LocalDispatcher
from omnicrm_tui.settings import LogsSection, Settings
from tests.fixtures.house import House, wait_for

_OPENER = """
import os, sys
from pathlib import Path
from omnicrm_tui.log_files import open_to_append
for number in range(200):
    file = open_to_append(Path(sys.argv[1]), most=1000, keep=1000)
    os.write(file, f"{sys.argv[2]} {number} {'x' * 80}\\n".encode())
    os.close(file)
"""


@pytest.fixture
def little(settings: Settings) -> Settings:
    """Settings that keep one file of one megabyte beside the current one."""
    return settings.model_copy(update={"logs": LogsSection(max_megabytes=1, keep=1)})


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where the output of each process would go that is started; none is."""
    files: list[str] = []
    monkeypatch.setattr(
        subprocess, "Popen", lambda *_, stdout, **__: files.append(os.readlink(f"/proc/self/fd/{stdout}"))
    )
    return files


def start_job(settings: Settings) -> None:
    LocalDispatcher(settings).dispatch(1)


def start_lab(settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OutsideSystemError):
        patch.setattr(lab_process, "START_SECONDS", 0)
        lab_process.ensure_lab(settings)


def fail(settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMNICRM_HOME", str(settings.home))
        patch.delenv("OMNICRM_CONFIG", raising=False)
        (settings.home / "config.yaml").write_text("logs: {max_megabytes: 1, keep: 1}\n")
        assert str(settings.logs_folder / "errors.log") in keep_traceback(ValueError("new"))


@pytest.mark.req("PLT-070")
@pytest.mark.parametrize(
    ("name", "write"),
    [("jobs.log", start_job), ("lab.log", start_lab), ("errors.log", fail)],
    ids=("jobs", "lab", "errors"),
)
def test_every_file_obeys_the_limits(
    name: str, write: Callable[[Settings], None], little: Settings, started: list[str]
) -> None:
    path = little.logs_folder / name
    path.parent.mkdir(mode=0o700, parents=True)
    path.write_bytes(b"x" * (1 << 20))
    path.with_name(f"{name}.1").write_text("older")
    write(little)
    assert path.with_name(f"{name}.1").stat().st_size == 1 << 20
    assert sorted(file.name for file in path.parent.iterdir()) == [name, f"{name}.1"]
    assert path.stat().st_size < 1000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write(little)
    assert path.with_name(f"{name}.1").read_bytes() == b"x" * (1 << 20)


def test_a_configuration_that_cannot_be_read_hides_no_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.home.mkdir(mode=0o700, exist_ok=True)
    (settings.home / "config.yaml").write_text("logs: [")
    monkeypatch.setenv("OMNICRM_HOME", str(settings.home))
    monkeypatch.delenv("OMNICRM_CONFIG", raising=False)
    keep_traceback(ValueError("the first one"))
    assert "the first one" in (settings.logs_folder / "errors.log").read_text()


def test_who_writes_a_file_that_is_put_aside_writes_on(tmp_path: Path) -> None:
    path = tmp_path / "jobs.log"
    with output_file(path, 10, 1) as running:
        os.write(running, b"0123456789")
        with output_file(path, 10, 1) as later:
            os.write(later, b"later")
            os.write(running, b" and on")
    assert (tmp_path / "jobs.log.1").read_text() == "0123456789 and on"
    assert path.read_text() == "later"


def test_many_that_open_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "jobs.log"
    openers = [subprocess.Popen([sys.executable, "-c", _OPENER, str(path), str(opener)]) for opener in range(3)]
    assert [opener.wait(60) for opener in openers] == [0, 0, 0]
    files = [path, *tmp_path.glob("jobs.log.*")]
    lines = [tuple(line.split()[:2]) for file in files for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted((str(opener), str(number)) for opener in range(3) for number in range(200))
    # A file may get a line from each that had it open when it was full, and no more.
    assert max(file.stat().st_size for file in files) < 1500


_LONG_LIVED = """
import sys
from omnicrm_tui.cli import lab, main
lab._LOOK_EVERY_SECONDS = 0.05
main(["lab", *sys.argv[1:]])
"""


@pytest.mark.req("PLT-070")
@pytest.mark.parametrize("aside_by_another", [False, True], ids=["full", "put aside by another"])
def test_a_lab_that_lives_long_prints_into_a_file_that_begins_anew(house: House, aside_by_another: bool) -> None:
    house.configure(logs={"max_megabytes": 1, "keep": 1})
    path = house.home / "logs" / "lab.log"
    with output_file(path, 1 << 20, 1) as file:
        lab = subprocess.Popen([sys.executable, "-c", _LONG_LIVED], stdout=file, stderr=file, env=house.env)
    try:
        wait_for(lambda: path.stat().st_size > 0, "the lab says where it is")
        output = path.read_text()
        if aside_by_another:
            path.rename(path.with_name("lab.log.1"))
        else:
            with path.open("a") as filling:
                filling.write("x" * (1 << 20))
        outputs, aside = [Path(f"/proc/{lab.pid}/fd/{number}") for number in (1, 2)], path.with_name("lab.log.1")
        wait_for(
            lambda: aside.exists() and {os.readlink(each) for each in outputs} == {str(path)} and path.exists(),
            "a new file",
        )
        assert path.stat().st_size == 0
        assert aside.read_text().startswith(output)
        assert sorted(each.name for each in path.parent.glob("lab.log*")) == ["lab.log", "lab.log.1"]
    finally:
        lab.terminate()
        lab.wait(30)


def test_what_goes_elsewhere_is_left_alone(tmp_path: Path) -> None:
    """A lab that somebody runs by hand prints to a terminal."""
    path = tmp_path / "lab.log"
    path.write_text("0123456789")
    before = [os.fstat(number).st_ino for number in (1, 2)]
    OwnOutput(path, 10, 1).renew()
    assert [os.fstat(number).st_ino for number in (1, 2)] == before
    assert [each.name for each in tmp_path.iterdir()] == ["lab.log"]


def test_none_is_kept_where_none_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "jobs.log"
    path.write_text("0123456789")
    os.close(open_to_append(path, 10, 0))
    assert [file.name for file in tmp_path.iterdir()] == ["jobs.log"]
    assert path.read_text() == ""


def test_a_job_starts_where_its_log_cannot_be_opened(little: Settings, started: list[str]) -> None:
    (little.logs_folder / "jobs.log").mkdir(parents=True)
    start_job(little)
    assert started == [os.devnull]
