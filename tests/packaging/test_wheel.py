"""The wheel, installed into an empty environment and used away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import omnicrm_tui
from tests.packaging.conftest import ROOT, bare_environment

PACKAGES = ("omnicrm_tui", "screens", "widgets", "playbooks", "migrations")


class Installed:
    """An environment with the wheel, and the locked dependencies of this one; `away` is where commands run."""

    def __init__(self, place: Path, wheel: Path) -> None:
        self.venv = place / "venv"
        self.away = place / "away"
        self.away.mkdir()
        self._run([sys.executable, "-m", "venv", "--without-pip", str(self.venv)])
        pip = [sys.executable, "-m", "pip", "--python", str(self.venv / "bin" / "python"), "install", "--quiet"]
        self._run([*pip, "--no-index", "--no-deps", str(wheel)])
        # A path in a .pth file is searched last, and the .pth files in there, such as the checkout's, are not obeyed.
        self.packages = self.venv / "lib" / "python3.11" / "site-packages"
        (self.packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def omnicrm(self, *arguments: str) -> str:
        """Run the installed command; return what it says."""
        return self._run([str(self.venv / "bin" / "omnicrm"), *arguments])

    def python(self, code: str) -> list[str]:
        """Run a few lines with the installed interpreter; return what they print."""
        return self._run([str(self.venv / "bin" / "python"), "-c", code]).split()

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.away,
            env=bare_environment(OMNICRM_HOME=str(self.away / "home")),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True)
    tracked = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert tracked
    assert tracked <= names
    assert "omnicrm_tui/config.yaml" in names
    assert not [name for name in names if name.startswith(("tests/", "bench/", "scripts/", "docs/"))]


def test_nothing_comes_from_the_checkout(installed: Installed) -> None:
    code = "import omnicrm_tui, screens, widgets, playbooks, migrations, sys\n"
    code += f"print(*(sys.modules[name].__path__[0] for name in {PACKAGES!r}))"
    assert installed.python(code) == [str(installed.packages / name) for name in PACKAGES]


def test_the_installed_program_makes_its_database_and_a_demo(installed: Installed) -> None:
    assert installed.omnicrm("--version") == f"omnicrm {omnicrm_tui.__version__}\n"
    assert installed.omnicrm("db", "current") == "empty\n"
    assert "Upgraded to 0001" in installed.omnicrm("db", "upgrade")
    assert "20 customers" in installed.omnicrm("demo", "--customers", "20")
    assert installed.omnicrm("config", "default") == (ROOT / "config.yaml").read_text("utf-8")


def test_the_installed_program_finds_its_plays_and_plugins(installed: Installed) -> None:
    code = (
        "from omnicrm_tui.provisioning.play_file import find_play, read_play, search_path\n"
        "from omnicrm_tui.shipped import ACTION_PLUGINS\n"
        "play = find_play('play_simple_service', search_path(None))\n"
        "print(play, len(read_play(play).tasks) > 5, (ACTION_PLUGINS / 'uri.py').exists())"
    )
    play, read, plugin = installed.python(code)
    assert play == str(installed.packages / "playbooks" / "plays" / "play_simple_service.yaml")
    assert (read, plugin) == ("True", "True")
