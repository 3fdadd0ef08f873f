"""`install.sh` of the bundle, on a small bundle and without a network; tests/full installs the whole one.

The small bundle has the product's wheel alone. Its dependencies are lent by this environment.
"""

from __future__ import annotations

import ensurepip
import hashlib
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

import omnicrm_tui
from tests.packaging.conftest import OFFLINE, ROOT, bare_environment

VERSION = omnicrm_tui.__version__
Install = Callable[..., "subprocess.CompletedProcess[str]"]


def seal(bundle: Path) -> None:
    """Write SHA256SUMS over everything in the bundle."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  ./{file.relative_to(bundle)}\n" for file in files]
    (bundle / "SHA256SUMS").write_text("".join(lines))


@pytest.fixture
def bundle(tmp_path: Path, wheel: Path) -> Path:
    """What `make bundle` packs, small."""
    made = tmp_path / "bundle"
    shutil.copytree(ROOT / "packaging", made / "packaging")
    shutil.copy(ROOT / "packaging" / "bundle" / "install.sh", made)
    for script in ("system_libraries", "compile_bytecode.py"):
        shutil.copy(ROOT / "scripts" / script, made)
    (made / "docs").mkdir()
    (made / "wheels").mkdir()
    shutil.copy(wheel, made / "wheels")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (made / "requirements.txt").write_text(f"omnicrm_tui=={VERSION} --hash=sha256:{digest}\n")
    wheels = sysconfig.get_config_var("WHEEL_PKG_DIR") or Path(ensurepip.__file__).parent / "_bundled"
    shutil.copy(next(Path(wheels).glob("pip-*.whl")), made)
    (made / "VERSION").write_text(f"{VERSION}\n")
    seal(made)
    return made


@pytest.fixture
def install(bundle: Path, tmp_path: Path) -> Install:
    """Run install.sh offline, below a prefix of the test's own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*OFFLINE, str(bundle / "install.sh"), "--prefix", str(tmp_path / "opt"), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=bare_environment(HOME=str(tmp_path))
        )

    return run


def _omnicrm(opt: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    (packages,) = opt.glob("omnicrm-current/lib/*/site-packages")
    (packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [*OFFLINE, str(opt / "bin" / "omnicrm"), *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=120, check=False, env=bare_environment(), cwd="/"
    )


@pytest.mark.req("PLT-512")
def test_install_run_again_upgrade_and_uninstall(install: Install, bundle: Path, tmp_path: Path) -> None:
    opt, home = tmp_path / "opt", tmp_path / "state"
    broken_off = opt / f"omnicrm-{VERSION}"
    broken_off.mkdir(parents=True)
    (broken_off / ".omnicrm").touch()
    (broken_off / "half").touch()
    first = install("--home", str(home))
    assert first.returncode == 0, first.stderr
    assert not (broken_off / "half").exists()
    assert f"Next: {opt}/bin/omnicrm\n" in first.stdout
    assert home.stat().st_mode & 0o777 == 0o700
    assert (opt / "omnicrm-current").readlink() == Path(f"omnicrm-{VERSION}")
    assert list(opt.glob("omnicrm-current/lib/*/site-packages/omnicrm_tui/__pycache__/app.*.pyc"))
    made = _omnicrm(opt, "user", "create", "--email", "ada@example.net", "--password-stdin", stdin="Long-Enough-42!\n")
    assert made.returncode == 0, made.stderr
    assert (home / "omnicrm.sqlite").exists()

    again = install("--home", str(home))
    assert f"Version {VERSION} is installed" in again.stdout
    assert f"Next: {opt}/bin/omnicrm db check, then" in again.stdout
    assert _omnicrm(opt, "db", "current").stdout.endswith("(current)\n")

    (bundle / "VERSION").write_text("9.9.9\n")
    seal(bundle)
    newer = install("--home", str(home))
    assert newer.returncode == 0, newer.stderr
    assert (opt / "omnicrm-current").readlink() == Path("omnicrm-9.9.9")
    assert (opt / f"omnicrm-{VERSION}" / "bin" / "python").exists()

    (opt / "omnicrm-of-somebody-else").mkdir()
    gone = install("--uninstall", "--home", str(home))
    assert gone.returncode == 0, gone.stderr
    assert {path.name for path in opt.iterdir()} == {"bin", "omnicrm-of-somebody-else"}
    assert (home / "omnicrm.sqlite").exists()


def test_a_file_that_was_changed_on_the_way_stops_it(install: Install, bundle: Path, tmp_path: Path) -> None:
    (wheel,) = (bundle / "wheels").iterdir()
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"?")
    refused = install()
    assert refused.returncode == 1
    assert "copy the archive again" in refused.stderr
    assert not (tmp_path / "opt").exists()


def test_wrong_options_are_told(install: Install) -> None:
    assert install("--nonsense").returncode == 2
    refused = install("--home", "relative")
    assert refused.returncode == 1
    assert "needs a folder that begins with /" in refused.stderr


@pytest.mark.req("PLT-512")
def test_the_page_tells_two_commands() -> None:
    """Those that tests/full goes from the archive to the first login with."""
    page = (ROOT / "docs" / "install.md").read_text()
    section = page.partition("## A host without a network: two commands\n")[2].partition("\n## ")[0]
    name = f"omnicrm-{VERSION}-debian12-x86_64"
    assert [line.strip() for line in section.splitlines() if line.startswith("    ")] == [
        f"tar xf {name}.tar.gz && sudo ./{name}/install.sh",
        "sudo omnicrm",
    ]
