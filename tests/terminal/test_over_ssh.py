"""The application over SSH: a real sshd with the shipped configuration, a terminal by `ssh -tt`."""

from __future__ import annotations

import base64
import os
import re
import shlex
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from bench.pty_run import DOWN, PtyProgram
from bench.sshd import ROOT, SSHD, Sshd
from tests.terminal.conftest import CUSTOMERS, EMAIL, Demo, log_in, log_in_here
from tests.terminal.tmux import TIMEOUT, Tmux, wait_until

pytestmark = pytest.mark.terminal

COLOURS = ("SendEnv=COLORTERM",)
TRUE_COLOUR, ONE_OF_256 = re.compile(rb"\x1b\[[\d;]*[34]8;2;"), re.compile(rb"\x1b\[[\d;]*[34]8;5;")
COPIED = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07")


@pytest.fixture
def sshd(demo: Demo, tmp_path: Path) -> Iterator[Sshd]:
    """An sshd that serves the demo."""
    if SSHD is None:
        pytest.skip("needs sshd, which is not installed (openssh-server)")
    folder = tmp_path / "sshd"
    folder.mkdir()
    with Sshd(folder, demo.home) as server:
        yield server
        for application in server.applications():
            application.terminate()


@pytest.fixture
def key(sshd: Sshd) -> Path:
    """The key of somebody who is let in."""
    return sshd.admit(sshd.make_key("ada"))


@pytest.mark.req("PLT-168")
def test_a_terminal_over_ssh_can_do_all_that_one_here_can(sshd: Sshd, key: Path) -> None:
    with PtyProgram(sshd.argv(key, options=COLOURS), columns=100, rows=30) as program:
        log_in_here(program)
        assert TRUE_COLOUR.search(program.output)
        program.write(DOWN)
        program.wait_for("2 of 60", timeout=TIMEOUT)
        program.write(b"\x1b[<0;12;8M\x1b[<0;12;8m")  # the mouse, on the sixth line of the list
        program.wait_for("6 of 60", timeout=TIMEOUT)
        program.write(b"\x1b[<65;12;8M")  # its wheel, down
        program.wait_for("9 of 60", timeout=TIMEOUT)
        program.resize(120, 40)
        program.wait_until(lambda: "E-mail" in program.lines[1] and "n New" in program.lines[39], timeout=TIMEOUT)
        program.write(b"/")
        program.wait_until(lambda: "n New" not in program.lines[39], timeout=TIMEOUT)
        program.write(b"\x1b[200~bold\x1b[201~")
        program.wait_for("[bold]Bold & Sons[/bold]", "1 of 1", timeout=TIMEOUT)
        program.write(b"\r")
        program.output.clear()
        program.wait_until(lambda: _copied(program) == "2", timeout=TIMEOUT)
        program.write(b"\x11")
        assert program.wait_for_exit(TIMEOUT) == 0


def _copied(program: PtyProgram) -> str:
    """Press `y` until something arrives on the clipboard of the near side; return it."""
    program.press(b"y", idle=0.2)
    found = COPIED.findall(bytes(program.output))
    return base64.b64decode(found[-1]).decode() if found else ""


def test_nothing_of_the_clients_environment_counts_but_its_colours(sshd: Sshd, key: Path, tmp_path: Path) -> None:
    theirs = {
        "OMNICRM_HOME": str(tmp_path / "theirs"),
        "OMNICRM_CONFIG": str(tmp_path / "theirs.yaml"),
        "TEXTUAL": "devtools,debug",
        "TEXTUAL_LOG": str(tmp_path / "log"),
        "TEXTUAL_DRIVER": "os:abort",
        "TEXTUAL_SCREENSHOT": "1",
        "PYTHONSTARTUP": str(tmp_path / "theirs.py"),
        "PYTHONINSPECT": "1",
        "PYTHONPATH": str(tmp_path),
        "ANSIBLE_LIBRARY": str(tmp_path),
        "EDITOR": "sh",
        "LD_PRELOAD": "",
        "LC_ALL": "de_DE.ISO-8859-1",
        "COLORTERM": "../../colours",
    }
    (tmp_path / "omnicrm_tui").mkdir()
    (tmp_path / "omnicrm_tui" / "__init__.py").write_text("raise SystemExit('theirs')")
    with PtyProgram(sshd.argv(key, options=("SendEnv=*",)), columns=80, rows=24, env=theirs) as program:
        log_in_here(program)
        assert not TRUE_COLOUR.search(program.output)
        assert ONE_OF_256.search(program.output)
        (application,) = sshd.applications()
        found = _environment(application)
        assert theirs.keys() & found.keys() <= {"OMNICRM_HOME", "OMNICRM_CONFIG", "LC_ALL", "COLORTERM"}
        assert found["OMNICRM_HOME"] != theirs["OMNICRM_HOME"]
        assert found["LC_ALL"] == "C.UTF-8"
        program.write(b"\x11")
        assert program.wait_for_exit(TIMEOUT) == 0
    assert not {"theirs", "log"} & {path.name for path in tmp_path.iterdir()}


def _environment(process: psutil.Process) -> dict[str, str]:
    """Return what sshd gave the application."""
    return {name: value for name, value in process.environ().items() if value}


@pytest.mark.parametrize(("tty", "command"), [("-tt", "sh"), ("-T", "id"), ("-T", "omnicrm user create")])
def test_other_commands_are_refused_in_a_sentence(sshd: Sshd, key: Path, tty: str, command: str) -> None:
    argv = [tty if word == "-tt" else word for word in sshd.argv(key, command)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert "omnicrm: Only the application runs here: connect without a command" in done.stdout + done.stderr
    assert "uid=" not in done.stdout
    assert done.returncode == 1


def test_without_a_terminal_it_says_what_to_type(sshd: Sshd, key: Path) -> None:
    argv = [word for word in sshd.argv(key) if word != "-tt"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert "needs a terminal (over SSH: ssh -t)" in done.stderr


def test_nothing_but_the_terminal_goes_through(sshd: Sshd, key: Path, tmp_path: Path) -> None:
    loot = tmp_path / "loot"
    quiet = [word for word in sshd.argv(key) if word != "-tt"]
    copy = [word.replace("-p", "-P") if word == "-p" else word for word in quiet[1:-1]]
    done = subprocess.run(
        ["scp", *copy, f"{quiet[-1]}:/etc/hostname", str(loot)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert not loot.exists()
    with closing(socket.create_server(("127.0.0.1", 0))) as target, closing(socket.create_server(("", 0))) as taken:
        inside, near = target.getsockname()[1], taken.getsockname()[1]
        taken.close()
        argv = [*quiet[:-1], "-N", "-L", f"127.0.0.1:{near}:127.0.0.1:{inside}", quiet[-1]]
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as forwarding:
            wait_until(lambda: _refused(near), lambda: "the tunnel is open or never was")
            forwarding.terminate()
        target.settimeout(0)
        with pytest.raises(BlockingIOError):
            target.accept()


def _refused(port: int) -> bool:
    """Whether a tunnel that the client opened on its side leads nowhere."""
    with closing(socket.socket()) as probe:
        probe.settimeout(5)
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return False
        return probe.recv(1) == b""


@pytest.mark.req("PLT-177")
def test_people_are_remembered_by_their_key_or_certificate(sshd: Sshd, key: Path) -> None:
    authority = sshd.make_key("authority")
    sshd.admit(authority, "cert-authority")
    bob, cleo = sshd.admit(sshd.make_key("bob")), sshd.make_key("cleo")
    sshd.certify(cleo, authority, "cleo today")
    for person in (key, cleo):
        with PtyProgram(sshd.argv(person), columns=80, rows=24) as program:
            log_in_here(program, remember=True)
            program.write(b"\x11")
            assert program.wait_for_exit(TIMEOUT) == 0
    sshd.certify(cleo, authority, "cleo tomorrow")
    for person, remembered in ((key, True), (bob, False), (cleo, True)):
        with PtyProgram(sshd.argv(person), columns=80, rows=24) as program:
            awaited = f"1 of {CUSTOMERS}" if remembered else "[ ] Remember me"
            program.wait_for(awaited, timeout=TIMEOUT)
            program.write(b"\x11")
            assert program.wait_for_exit(TIMEOUT) == 0


def test_a_key_that_the_configuration_trusts_opens_without_a_password(demo: Demo, sshd: Sshd, key: Path) -> None:
    """Whatever variables and files the client comes with: it is sshd that says whose key it is."""
    bob = sshd.admit(sshd.make_key("bob"))
    printed = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], capture_output=True, text=True, check=True).stdout
    line = f"security: {{ssh_identities: [{{key: '{printed.split()[1]}', user: {EMAIL}}}]}}\n"
    with (demo.home / "config.yaml").open("a") as config:
        config.write(line)
    forged = Path(tempfile.mkstemp(prefix="sshauth.", dir="/tmp")[1])
    forged.write_text(f"publickey {key.with_suffix('.pub').read_text()}")
    for person, opens in ((key, True), (bob, False)):
        argv = sshd.argv(person, options=("SendEnv=SSH_USER_AUTH",))
        with PtyProgram(argv, columns=80, rows=24, env={"SSH_USER_AUTH": str(forged)}) as program:
            program.wait_for(f"1 of {CUSTOMERS}" if opens else "[ ] Remember me", timeout=TIMEOUT)
            program.write(b"\x11")
            assert program.wait_for_exit(TIMEOUT) == 0
    forged.unlink()


def test_signals_that_stop_or_dump_a_program_do_no_harm(sshd: Sshd, key: Path) -> None:
    with PtyProgram(sshd.argv(key), columns=80, rows=24) as program:
        log_in_here(program)
        (application,) = sshd.applications()
        program.write(b"\x1a\x1c\x03")  # ctrl+z, ctrl+\, ctrl+c
        application.send_signal(signal.SIGTSTP)
        program.write(DOWN)
        program.wait_for("2 of 60", timeout=TIMEOUT)
        assert application.status() != psutil.STATUS_STOPPED
        application.send_signal(signal.SIGQUIT)
        assert program.wait_for_exit(TIMEOUT) == 128 + signal.SIGQUIT
        assert b"\x1b[?1049l" in program.output


def test_a_copy_passes_through_the_tmux_of_the_near_side(sshd: Sshd, key: Path) -> None:
    with Tmux(shlex.join(sshd.argv(key)), env={}) as terminal:
        terminal.run("set-option", "-g", "allow-passthrough", "on")
        with PtyProgram(terminal.attach_argv, columns=80, rows=24, env={"TERM": "xterm-256color"}) as client:
            log_in(terminal)
            client.wait_for("1 of 60", timeout=20)
            client.wait_until(lambda: _copied(client) == "11", timeout=TIMEOUT)


def test_a_broken_link_leaves_the_terminal_as_it_was(sshd: Sshd, key: Path) -> None:
    helper = ROOT / "packaging" / "ssh" / "omnicrm-ssh"
    command = shlex.join(sshd.argv(key, program=(str(helper),)))
    modes = "stty -a | tr -s ' ;' '\\n' | grep -xE -e '-?(echo|icanon|isig)' | tr '\\n' ' '"
    with Tmux(f'{command}; echo "left with $?"; {modes}; exec sleep 300', env={}) as terminal:
        log_in(terminal)
        assert terminal.asked("alternate_on") == "1"
        (application,) = sshd.applications()
        link = application.parent()
        assert link is not None
        link.kill()
        terminal.see("left with 255", "isig icanon echo")
        for what in ("alternate_on", "mouse_any_flag", "mouse_sgr_flag"):
            assert terminal.asked(what) == "0"
        assert terminal.asked("cursor_flag") == "1"
    wait_until(lambda: not sshd.applications(), lambda: f"still there: {sshd.applications()}")
    psutil.wait_procs([application], timeout=TIMEOUT)
    assert not application.is_running()


def test_a_form_that_was_open_when_the_link_broke_is_offered_again(sshd: Sshd, key: Path) -> None:
    with PtyProgram(sshd.argv(key), columns=80, rows=24) as program:
        log_in_here(program)
        program.write(b"n")
        program.wait_for("New customer", timeout=TIMEOUT)
        program.write("Žofie Half Typed".encode())
        program.wait_for("Žofie Half Typed", timeout=TIMEOUT)
        os.kill(program.pid, signal.SIGKILL)
        program.wait_for_exit(TIMEOUT)
    wait_until(lambda: not sshd.applications(), lambda: f"still there: {sshd.applications()}")
    with PtyProgram(sshd.argv(key), columns=80, rows=24) as program:
        log_in_here(program)
        program.wait_for("There is an unfinished draft of “New customer” from", timeout=TIMEOUT)
        program.write(b"\r")
        program.wait_for("Žofie Half Typed", timeout=TIMEOUT)
        program.write(b"\x13")
        program.wait_for("Customers › Žofie Half Typed #61", timeout=TIMEOUT)


@pytest.mark.ansible
@pytest.mark.req("SVC-160")
def test_a_job_goes_on_when_the_link_breaks(demo: Demo, sshd: Sshd, key: Path) -> None:
    with PtyProgram(sshd.argv(key), columns=80, rows=24) as program:
        log_in_here(program)
        program.write(b"\r")
        program.wait_for("Active services", timeout=TIMEOUT)
        program.write(b"a")
        program.wait_for("› Business Mobile 100GB", "Needs:", timeout=TIMEOUT)
        program.write(b"\r")
        program.wait_for("Details of the order", "ctrl+s continue", timeout=TIMEOUT)
        program.write(b"\x13")
        program.wait_for("2 to choose", "1 of", timeout=TIMEOUT)
        program.write(b"\r")
        program.wait_for("1 to choose", "Phone Number", "1 of", timeout=TIMEOUT)
        program.write(b"\r")
        program.wait_for("[ Continue ]", timeout=TIMEOUT)
        program.write(b"\r")
        program.wait_for("tick the terms first", timeout=TIMEOUT)
        program.write(b" ")
        program.wait_for("[x] I have read the terms", timeout=TIMEOUT)
        program.write(b"\x13")
        program.wait_for("Jobs › #", timeout=TIMEOUT)
        os.kill(program.pid, signal.SIGKILL)
        program.wait_for_exit(TIMEOUT)
    wait_until(lambda: not sshd.applications(), lambda: f"still there: {sshd.applications()}")
    with PtyProgram(sshd.argv(key), columns=80, rows=24) as program:
        log_in_here(program)
        program.write(b"gj")
        program.wait_for("Customer ", "1 of 75", timeout=TIMEOUT)
        program.write(b"\r")
        program.wait_for("Jobs › #75", "Success", "100 %", timeout=90)
