"""Keys and certificates of SSH: what sshd tells of them, and that nobody else can."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from omnicrm_tui.identity.ssh_keys import SshKey, parsed, shown_to_sshd
from tests.fixtures.ssh import Told

KINDS = ("ed25519", "rsa", "ecdsa")


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, timeout=60, capture_output=True, text=True).stdout


def make(folder: Path, name: str, kind: str = "ed25519") -> Path:
    size = ("-b", "2048") if kind == "rsa" else ()
    run("ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-f", str(folder / name))
    return folder / name


def certify(authority: Path, key: Path, serial: int, principals: str = "") -> SshKey:
    names = ("-n", principals) if principals else ()
    run("ssh-keygen", "-q", "-s", str(authority), "-I", f"day {serial}", "-z", str(serial), *names, str(key))
    return read(key.with_name(f"{key.name}-cert.pub"))


def read(path: Path) -> SshKey:
    kind, blob = path.read_text().split()[:2]
    return parsed(kind, blob)


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_is_its_key_however_often_it_is_renewed(tmp_path: Path, kind: str) -> None:
    authority, ada, bob = make(tmp_path, "authority"), make(tmp_path, "ada", kind), make(tmp_path, "bob", kind)
    bare = read(ada.with_suffix(".pub"))
    for serial, names in ((1, "omnicrm,ada"), (2**63, "Zoë")):
        certificate = certify(authority, ada, serial, names)
        assert (certificate.own, certificate.fingerprint) == (bare.own, bare.fingerprint)
        assert certificate.principals == tuple(names.split(","))
    assert certify(authority, ada, 3).principals == bare.principals == ()
    assert read(bob.with_suffix(".pub")).own != bare.own


@pytest.mark.parametrize("kind", KINDS)
def test_the_fingerprint_is_what_ssh_keygen_prints(tmp_path: Path, kind: str) -> None:
    key = make(tmp_path, "ada", kind).with_suffix(".pub")
    assert read(key).fingerprint == run("ssh-keygen", "-l", "-f", str(key)).split()[1]


@pytest.mark.parametrize(
    ("kind", "blob"),
    [
        ("ssh-new", "AAAA"),
        ("ssh-ed25519", "AAAA"),
        ("ssh-ed25519", "not base64"),
        ("ssh-ed25519-cert-v01@openssh.com", "AAAAC3NzaC1lZDI1NTE5AAAA"),
    ],
)
def test_what_cannot_be_read_is_still_one_persons_and_stands_for_nobody(kind: str, blob: str) -> None:
    key = parsed(kind, blob)
    assert (key.fingerprint, key.principals) == ("", ())
    assert key.own != parsed(kind, f"{blob}A").own


def test_only_what_sshd_wrote_counts(tmp_path: Path, over_ssh: Told) -> None:
    line = "publickey ssh-ed25519 AAAA\n"
    place = Path(over_ssh(line)["SSH_USER_AUTH"])
    assert shown_to_sshd(str(place)) == parsed("ssh-ed25519", "AAAA")
    for other in (f"/tmp/../tmp/{place.name}", f"{place}/", f"{place}\0", "", "/tmp/sshauth.", "/tmp/sshauth.none"):
        assert shown_to_sshd(other) is None
    export = tmp_path / place.name
    export.write_text(line)
    export.chmod(0o600)
    assert shown_to_sshd(str(export)) is None
    linked = place.with_name(f"{place.name}L")
    for make_link in (linked.symlink_to, linked.hardlink_to):
        make_link(place)
        assert shown_to_sshd(str(linked)) is None
        linked.unlink()
    os.mkfifo(linked, 0o600)
    assert shown_to_sshd(str(linked)) is None
    linked.unlink()
    place.chmod(0o640)
    assert shown_to_sshd(str(place)) is None


def test_a_file_of_somebody_else_counts_for_nothing(over_ssh: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    place = over_ssh("publickey ssh-ed25519 AAAA\n")["SSH_USER_AUTH"]
    mine: Callable[[], int] = os.geteuid
    monkeypatch.setattr(os, "geteuid", lambda: mine() + 1)
    assert shown_to_sshd(place) is None


@pytest.mark.parametrize("lines", ["", "password\n", "publickey\n", "publickey ssh-ed25519\n", "hostbased ssh-rsa A\n"])
def test_who_showed_no_key_has_none(over_ssh: Told, lines: str) -> None:
    assert shown_to_sshd(over_ssh(lines)["SSH_USER_AUTH"]) is None
