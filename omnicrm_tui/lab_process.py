"""The lab network of a home: one process runs it, all others find it. Standard library only, for fast starts.

A running lab holds a lock on `lab.lock`; the kernel gives it back whatever becomes of the process. Where it
listens is in `addresses.json`, and its ports stay the same from one run to the next. Programs that use a lab
hold a shared lock on `users.lock`, so that a lab that was started for them ends some time after the last one.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from gettext import gettext as _
from pathlib import Path

from pydantic import SecretStr

from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.log_files import OwnOutput, output_file
from omnicrm_tui.settings import Settings

START_SECONDS = 20.0
_LISTENERS = ("ocs", "hss", "smsc", "mailjet", "mail")
_users: dict[Path, int] = {}


@dataclass(frozen=True, slots=True)
class LabAddresses:
    """Where a lab listens: `ocs` and `mail` (SMTP) are host:port, the others URLs without a final slash."""

    ocs: str
    tenant: str
    hss: str
    smsc: str
    mail: str
    mailjet: str
    control: str

    @property
    def ports(self) -> dict[str, int]:
        """The port of each listener, to listen on again."""
        return {name: int(str(getattr(self, name)).rpartition(":")[2]) for name in _LISTENERS}


def read_addresses(folder: Path) -> LabAddresses | None:
    """Return where the home's lab listens, or will when it runs; None where there never was one."""
    try:
        values = json.loads((folder / "addresses.json").read_text("utf-8"))
        return LabAddresses(**{field.name: str(values[field.name]) for field in fields(LabAddresses)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_addresses(folder: Path, addresses: LabAddresses) -> None:
    """Keep the addresses (0600), whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = folder / f"addresses.{os.getpid()}.tmp"
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(addresses), file)
    scratch.replace(folder / "addresses.json")


def choose_addresses(settings: Settings) -> LabAddresses:
    """Choose ports for the home's lab, once; settings of the home lead there from now on."""
    known = read_addresses(settings.lab_folder)
    if known:
        return known
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in _LISTENERS]
    at = {name: f"127.0.0.1:{listener.getsockname()[1]}" for name, listener in zip(_LISTENERS, listeners, strict=True)}
    for listener in listeners:
        listener.close()
    chosen = LabAddresses(
        ocs=at["ocs"],
        tenant=settings.ocs.ocsTenant,
        hss=f"http://{at['hss']}",
        smsc=f"http://{at['smsc']}",
        mail=at["mail"],
        mailjet=f"http://{at['mailjet']}",
        control=f"http://{at['mailjet']}/lab",
    )
    write_addresses(settings.lab_folder, chosen)
    return chosen


def with_lab_addresses(settings: Settings, addresses: LabAddresses | None = None) -> Settings:
    """Return `settings` with the lab in the place of every outside system that is not configured."""
    at = addresses or read_addresses(settings.lab_folder)
    if at is None:
        return settings
    changes: dict[str, object] = {}
    if not (settings.ocs.cgrates or settings.ocs.OCS):
        changes["ocs"] = settings.ocs.model_copy(update={"cgrates": at.ocs, "OCS": at.ocs})
    if not settings.hss.hss_peers:
        changes["hss"] = settings.hss.model_copy(update={"hss_peers": [at.hss]})
    if not settings.smsc.smsc_url:
        key = settings.smsc.api_key if settings.smsc.api_key.get_secret_value() else SecretStr("lab")
        changes["smsc"] = settings.smsc.model_copy(update={"smsc_url": f"{at.smsc}/SMS", "api_key": key})
    if not (settings.smtp.host or settings.mailjet.api_key.get_secret_value()):
        host, _, port = at.mail.rpartition(":")
        changes["smtp"] = settings.smtp.model_copy(update={"host": host, "port": int(port)})
        changes["mailjet"] = settings.mailjet.model_copy(
            update={"base_url": at.mailjet, "api_key": SecretStr("lab"), "api_secret": SecretStr("lab-secret")}
        )
    return settings.model_copy(update=changes)


def is_running(settings: Settings) -> bool:
    """Tell whether a process runs this home's lab."""
    with _lock(settings.lab_folder, "lab.lock") as held:
        return not held


def ensure_lab(settings: Settings) -> LabAddresses:
    """Return where the home's lab listens; start it, detached, when no process runs it.

    It keeps running as long as this process lives, and some minutes longer. Blocks for a second or two when it
    has to be started. Raises OutsideSystemError when it does not start.
    """
    _keep_in_use(settings.lab_folder)
    if not is_running(settings):
        _start(settings)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        addresses = read_addresses(settings.lab_folder)
        if addresses and is_running(settings) and _answers(addresses):
            return addresses
        time.sleep(0.05)
    raise OutsideSystemError(
        _("The lab network did not start: {path} says why.").format(path=settings.logs_folder / "lab.log")
    )


@contextmanager
def running_lab(settings: Settings) -> Iterator[LabAddresses]:
    """Run the home's lab in this process, or use the one that another process runs.

    Raises OutsideSystemError when it cannot start.
    """
    with _lock(settings.lab_folder, "lab.lock", patience=0.5) as held:
        if not held:
            yield ensure_lab(settings)
            return
        from omnicrm_tui.lab.network import LabNetwork

        known = read_addresses(settings.lab_folder)
        ports: Mapping[str, int] = _free(known.ports) if known else {}
        network = LabNetwork(settings.lab_folder, tenant=settings.ocs.ocsTenant, ports=ports)
        try:
            network.start()
        except OSError as error:
            raise OutsideSystemError(
                _("The lab network did not start: {reason}.").format(reason=error.strerror or error)
            ) from error
        try:
            at = network.addresses
            addresses = LabAddresses(**{field.name: getattr(at, field.name) for field in fields(LabAddresses)})
            write_addresses(settings.lab_folder, addresses)
            yield addresses
        finally:
            network.stop()


def is_in_use(folder: Path) -> bool:
    """Tell whether a program that uses the lab is alive."""
    with _lock(folder, "users.lock") as held:
        return not held


def _keep_in_use(folder: Path) -> None:
    if folder not in _users:
        handle = _open(folder, "users.lock")
        # A lab that looks for users holds the lock for a blink; wait for it.
        fcntl.flock(handle, fcntl.LOCK_SH)
        _users[folder] = handle


def own_output(settings: Settings) -> OwnOutput:
    """Return what a lab prints that was started for others: it may live for months."""
    return OwnOutput(settings.logs_folder / "lab.log", settings.logs.max_bytes, settings.logs.keep)


def _start(settings: Settings) -> None:
    with output_file(settings.logs_folder / "lab.log", settings.logs.max_bytes, settings.logs.keep) as log:
        subprocess.Popen(
            [sys.executable, "-m", "omnicrm_tui.cli", "lab", "--while-used"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "OMNICRM_HOME": str(settings.home)},
        )


def _answers(addresses: LabAddresses) -> bool:
    host, _, port = addresses.ocs.rpartition(":")
    with suppress(OSError), closing(socket.create_connection((host, int(port)), timeout=1)):
        return True
    return False


def _free(ports: Mapping[str, int]) -> dict[str, int]:
    """Keep the ports that nobody has taken meanwhile; the others are chosen anew."""
    kept = {}
    for name, port in ports.items():
        with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
            kept[name] = port
    return kept


@contextmanager
def _lock(folder: Path, name: str, patience: float = 0.0) -> Iterator[bool]:
    """Hold a file lock for the length of the block, if nobody else does; yield whether it is held.

    Whoever only looks whether it is free holds it for a blink: `patience` is how many seconds to try again.
    """
    handle = _open(folder, name)
    until = time.monotonic() + patience
    try:
        while not (held := _taken(handle)) and time.monotonic() < until:
            time.sleep(0.02)
        yield held
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(folder: Path, name: str) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
