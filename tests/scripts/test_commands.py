"""The shell scripts behind `make setup`, `make run` and `.ci/run`, with stand-ins for the programs that they call."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Answers as Python 3.11 does, makes a .venv of copies of itself, and logs what else it is asked.
PYTHON = """#!/bin/bash
case "$*" in
    "-VV") echo "Python 3.11.2" ;;
    "--version") echo "Python 3.11.2" ;;
    "-c import sys; print"*) echo "$0" ;;
    "-c"*) exit "${PYTHON_UNUSABLE:-0}" ;;
    "-m venv --clear .venv")
        echo "venv" >>"$LOG"
        rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python
        echo "#!$PWD/.venv/bin/python" >.venv/bin/pip ;;
    "-m pip"*"--require-hashes"*) echo "locked" >>"$LOG"; exit "${PIP_FAILS:-0}" ;;
    "-m pip"*"--no-deps"*"-e .") echo "editable" >>"$LOG" ;;
    *"scripts/compile_bytecode.py"*site-packages) echo "compile dependencies" >>"$LOG" ;;
    *"-m compileall"*omnicrm_tui*) echo "compile own" >>"$LOG" ;;
    *) echo "unexpected: $*" >>"$LOG"; exit 3 ;;
esac
"""


class Checkout:
    """A folder with the scripts under test, and a folder of stand-ins that comes first on the path."""

    def __init__(self, place: Path) -> None:
        self.home = place / "checkout"
        self.stubs = place / "stubs"
        self.log_file = place / "log"
        shutil.copytree(ROOT / "scripts", self.home / "scripts")
        shutil.copytree(ROOT / ".ci", self.home / ".ci")
        (self.home / "requirements.lock").write_text("one==1\n")
        (self.home / "pyproject.toml").write_text("[project]\n")
        self.stubs.mkdir()
        self.log_file.touch()

    def stub(self, name: str, script: str = "exit 0") -> None:
        path = self.stubs / name
        path.write_text(script if script.startswith("#!") else f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.stubs}:/usr/bin:/bin", "HOME": str(self.home), "LOG": str(self.log_file)}
        self.log_file.write_text("")
        return subprocess.run(
            [self.home / script, *arguments],
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def log(self) -> list[str]:
        return self.log_file.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    made.stub("python3.11", PYTHON)
    made.stub("ldconfig", "echo libpango-1.0.so.0 libpangoft2-1.0.so.0 libharfbuzz-subset.so.0")
    made.stub("find", "echo /usr/share/fonts/a.ttf")
    return made


ALL_STEPS = ["venv", "locked", "editable", "compile dependencies", "compile own"]


def test_setup_makes_everything_once_and_then_only_refreshes_own_bytecode(checkout: Checkout) -> None:
    assert checkout.run("scripts/setup").returncode == 0
    assert checkout.log == ALL_STEPS

    again = checkout.run("scripts/setup")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert checkout.log == ["compile own"]


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "scripts/compile_bytecode.py"])
def test_setup_installs_again_into_the_same_venv_when_its_sources_change(checkout: Checkout, name: str) -> None:
    checkout.run("scripts/setup")
    with (checkout.home / name).open("a") as file:
        file.write("# changed\n")

    checkout.run("scripts/setup")
    assert checkout.log == ALL_STEPS[1:]


def test_setup_makes_a_new_venv_when_the_checkout_moved(checkout: Checkout) -> None:
    checkout.run("scripts/setup")
    checkout.home = checkout.home.rename(checkout.home.with_name("moved"))

    checkout.run("scripts/setup")
    assert checkout.log == ALL_STEPS


def test_setup_that_failed_is_not_taken_for_done(checkout: Checkout) -> None:
    assert checkout.run("scripts/setup", PIP_FAILS="1").returncode != 0

    assert checkout.run("scripts/setup").returncode == 0
    assert checkout.log == ALL_STEPS[1:]


def test_without_a_python_3_11_setup_says_what_to_install(checkout: Checkout) -> None:
    checkout.stub("python3", "exit 1")

    result = checkout.run("scripts/setup", PYTHON_UNUSABLE="1")
    assert result.returncode != 0
    assert "apt-get install python3.11 python3.11-venv" in result.stderr
    assert not (checkout.home / ".venv").exists()


def test_missing_libraries_are_named_and_stop_nothing(checkout: Checkout) -> None:
    checkout.stub("ldconfig", "echo libpango-1.0.so.0")
    checkout.stub("find", "exit 0")

    result = checkout.run("scripts/system_libraries")
    assert result.returncode == 0
    assert result.stderr.splitlines()[-1].split("install --no-install-recommends ")[1].split() == [
        "libpangoft2-1.0-0",
        "libharfbuzz-subset0",
        "fonts-dejavu-core",
    ]


@pytest.mark.parametrize("works", [True, False])
def test_libraries_are_installed_where_that_is_possible(checkout: Checkout, works: bool) -> None:
    checkout.stub("ldconfig", "exit 0")
    checkout.stub("apt-get", f'echo "apt-get $1" >>"$LOG"; {"exit 0" if works else "exit 100"}')

    result = checkout.run("scripts/system_libraries", "--install")
    assert result.returncode == 0
    assert ("sudo apt-get install" in result.stderr) == (not works or os.geteuid() != 0)
    if os.geteuid() == 0:
        assert checkout.log == (["apt-get update", "apt-get install"] if works else ["apt-get update"])


def test_demo_is_made_once_and_again_when_it_was_interrupted(checkout: Checkout) -> None:
    (checkout.home / ".venv/bin").mkdir(parents=True)
    omnicrm = checkout.home / ".venv/bin/omnicrm"
    omnicrm.write_text(
        '#!/bin/bash\necho "$* in $OMNICRM_HOME" >>"$LOG"; mkdir -p "$OMNICRM_HOME"; exit "${FAILS:-0}"\n'
    )
    omnicrm.chmod(0o755)
    home = checkout.home / ".demo"

    checkout.run("scripts/run_demo", str(home), FAILS="1")
    (home / "half").touch()
    assert checkout.log == [f"demo --customers 2000 in {home}"]
    checkout.run("scripts/run_demo", str(home))
    assert checkout.log == [f"demo --customers 2000 in {home}", f"tui in {home}"]
    assert not (home / "half").exists()
    checkout.run("scripts/run_demo", str(home))
    assert checkout.log == [f"tui in {home}"]


@pytest.fixture
def ci(checkout: Checkout) -> Checkout:
    for name in ["git", "tmux", "sshd", "pg_isready", "psql", "mysqladmin", "mysql", "apt-get", "service", "su"]:
        checkout.stub(name)
    checkout.stub(
        "make",
        'echo "make $* $OMNICRM_TEST_POSTGRESQL $OMNICRM_TEST_MARIADB'
        ' skips:$OMNICRM_REFUSE_SKIPS recording:${OMNICRM_OCS_RECORDING:-}" >>"$LOG"',
    )
    return checkout


URLS = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres mysql+pymysql://root@127.0.0.1:3306/test"


def test_ci_announces_a_missing_recording_and_lets_nothing_else_skip(ci: Checkout) -> None:
    result = ci.run(".ci/run")

    assert result.returncode == 0, result.stderr
    assert ci.log == [
        f"make {target} {URLS} skips:OMNICRM_OCS_RECORDING recording:" for target in ("test", "test-full")
    ]
    assert "ANNOUNCED" in result.stdout


def test_ci_replays_the_recording_beside_the_checkout_and_runs_the_full_tests(ci: Checkout) -> None:
    recording = ci.home.parent / "shared/data/ocs_recorded.json"
    recording.parent.mkdir(parents=True)
    recording.touch()

    ci.run(".ci/run")
    assert [line.split()[1] for line in ci.log] == ["test", "test-full"]
    assert all(line.endswith(f"skips: recording:{ci.home}/../shared/data/ocs_recorded.json") for line in ci.log)


def test_ci_makes_accounts_where_the_usual_ones_cannot_log_in(ci: Checkout) -> None:
    ci.stub("psql", "exit 2")
    ci.stub("mysql", '[[ $1 == --protocol=socket ]] && { cat >>"$LOG.sql"; exit 0; }; exit 1')
    ci.stub("su", 'cat >>"$LOG.sql"')

    assert ci.run(".ci/run").returncode == 0
    assert "postgresql+psycopg://omnicrm_test:omnicrm_test@127.0.0.1:5432/postgres" in ci.log[0]
    assert "mysql+pymysql://omnicrm_test:omnicrm_test@127.0.0.1:3306/test" in ci.log[0]
    statements = ci.log_file.with_name("log.sql").read_text()
    assert "ALTER ROLE omnicrm_test" in statements
    assert "CREATE USER IF NOT EXISTS 'omnicrm_test'" in statements


def test_ci_fails_when_the_tests_fail(ci: Checkout) -> None:
    ci.stub("make", "exit 2")

    assert ci.run(".ci/run").returncode == 2
