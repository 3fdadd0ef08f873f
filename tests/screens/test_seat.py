"""Who sits at a terminal: told apart over SSH by what only they can show."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.settings import TerminalSection
from screens import themes
from screens.seat import Seat, own_key
from tests.screens.harness import make_app

OVER_SSH = {"SSH_CONNECTION": "192.0.2.9 50022 192.0.2.1 22"}


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_certificate_is_its_key_however_often_it_is_renewed(tmp_path: Path, kind: str) -> None:
    for name, own in (("authority", "ed25519"), ("ada", kind), ("bob", kind)):
        size = ("-b", "2048") if own == "rsa" else ()
        _run("ssh-keygen", "-q", "-t", own, *size, "-N", "", "-f", str(tmp_path / name))
    found = {name: _key(tmp_path / f"{name}.pub") for name in ("ada", "bob")}
    for day in ("today", "tomorrow"):
        _run("ssh-keygen", "-q", "-s", str(tmp_path / "authority"), "-I", day, "-n", "omnicrm", str(tmp_path / "ada"))
        assert _key(tmp_path / "ada-cert.pub") == found["ada"]
    assert found["ada"] != found["bob"]


def test_a_key_of_a_kind_unknown_here_is_still_one_persons() -> None:
    assert own_key("ssh-new", "AAAA") != own_key("ssh-new", "BBBB")
    assert own_key("ssh-ed25519", "AAAA") != own_key("ssh-ed25519-cert-v01@openssh.com", "AAAA")


def _key(path: Path) -> bytes:
    kind, blob = path.read_text().split()[:2]
    return own_key(kind, blob)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, timeout=60, capture_output=True)


@pytest.mark.req("CAT-266")
def test_a_look_for_ssh_is_for_who_comes_that_way_and_chose_none(crm: Crm, admin: Actor) -> None:
    crm.settings = crm.settings.model_copy(update={"terminal": TerminalSection(theme_over_ssh="ansi-dark")})
    assert make_app(crm, admin).theme == themes.DARK.name
    assert make_app(crm, admin, OVER_SSH).theme == themes.ANSI
    make_app(crm, admin).seat.keep(theme=themes.LIGHT.name)
    assert make_app(crm, admin).theme == themes.LIGHT.name


def test_administrators_behind_sudo_have_seats_of_their_own(tmp_path: Path) -> None:
    one, other = (Seat(tmp_path, {"SUDO_UID": number}) for number in ("1000", "1001"))
    assert one.session is not None
    one.session.remember("token")
    assert one.has_session
    assert not other.has_session
    assert not Seat(tmp_path, {}).has_session
    assert Seat(tmp_path, {"SUDO_UID": "../../etc"}).folder == tmp_path
