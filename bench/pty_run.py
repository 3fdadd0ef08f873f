"""Run a program in a pseudo-terminal, measure what it sends, and see the screen that a user would see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil
import pyte

DOWN, UP = b"\x1b[B", b"\x1b[A"
PAGE_DOWN, PAGE_UP = b"\x1b[6~", b"\x1b[5~"
HOME, END = b"\x1b[H", b"\x1b[F"
ENTER, ESCAPE = b"\r", b"\x1b"

_MIB = 2**20
_QUERIES = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
}
"""What programs ask a terminal, and what a capable one answers."""

_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\[\?[0-9;]*u|\x1b\[[0-9;]*t")
_OPEN_SEQUENCE = re.compile(rb"\x1b(?:\[[<>=?0-9;$]*|\][^\x07\x1b]*|P[^\x1b]*)?$")


@dataclass(frozen=True, slots=True)
class Burst:
    """What a program sent in answer to one event: bytes, and milliseconds to its first and last byte."""

    sent: int
    first_ms: float | None
    last_ms: float | None


class Picture:
    """What a terminal of `columns` x `rows` shows of the bytes that it is fed."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Draw `data`; a sequence that has not ended waits for its end."""
        data = self._rest + data
        rest = _OPEN_SEQUENCE.search(data)
        cut = rest.start() if rest else len(data)
        self._rest = data[cut:]
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data[:cut]))

    @property
    def text(self) -> str:
        """The screen as one string."""
        return "\n".join(self.screen.display)


class PtyProgram:
    """A program in a terminal of `columns` x `rows`, as a context manager.

    Output is time-stamped when it is read and drawn only when the screen is asked for, so that watching does
    not slow what is watched.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self.columns, self.rows = columns, rows
        self.sent = 0
        """Bytes that the program has sent so far."""
        self.output = bytearray()
        """What the program sent since this was last cleared."""
        self._chunks: list[tuple[float, bytes]] = []
        self._drawn = 0
        self._picture = Picture(columns, rows)
        self.started_at = time.time()
        """When it was started, in seconds since 1970."""
        self.begun = time.perf_counter()
        """The moment from which `frames` counts, by the clock of `time.perf_counter`."""
        self.pid, self._terminal = self._spawn(argv, dict(env or {}), cwd)

    def _spawn(self, argv: Sequence[str], env: dict[str, str], cwd: str | os.PathLike[str] | None) -> tuple[int, int]:
        inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES", "TMUX", "CI")}
        full = inherited | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"} | env
        ours, theirs = pty.openpty()
        self._set_size(theirs)
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            os.login_tty(theirs)
            # Whatever runs under nohup leaves it ignored to all its children: a hang-up would end none of them.
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            try:
                if cwd is not None:
                    os.chdir(cwd)
                os.execvpe(argv[0], list(argv), full)
            finally:
                os._exit(127)
        os.close(theirs)
        return pid, ours

    def _set_size(self, terminal: int) -> None:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Reading

    def _read(self, seconds: float) -> int | None:
        """Read what comes within `seconds`. Returns bytes read, 0 when none came, None at the end."""
        if not select.select([self._terminal], [], [], seconds)[0]:
            return 0
        try:
            data = os.read(self._terminal, 262_144)
        except OSError:
            return None
        if not data:
            return None
        self._chunks.append((time.perf_counter() - self.begun, data))
        self.output += data
        self.sent += len(data)
        for query, answer in _QUERIES.items():
            if query in data:
                self.write(answer)
        return len(data)

    def fileno(self) -> int:
        """The terminal, to wait for several programs at once."""
        return self._terminal

    def take(self) -> None:
        """Read what is there, without waiting."""
        self._read(0)

    def settle(self, idle: float = 0.1, limit: float = 10.0, since: float | None = None) -> Burst:
        """Read until nothing came for `idle` seconds; times count from `since` (now)."""
        start = time.perf_counter() if since is None else since
        last_at = start
        first: float | None = None
        last: float | None = None
        sent = 0
        while (now := time.perf_counter()) - last_at < idle and now - start < limit:
            got = self._read(max(0.0, idle - (now - last_at)))
            if got is None:
                break
            if got:
                last_at = time.perf_counter()
                last = (last_at - start) * 1000
                first = last if first is None else first
                sent += got
        return Burst(sent, first, last)

    def wait_until(self, condition: Callable[[], bool], timeout: float = 20.0) -> float:
        """Read until `condition` holds. Returns seconds since the start; raises TimeoutError with the screen."""
        deadline = time.perf_counter() + timeout
        while not condition():
            if time.perf_counter() > deadline or self._read(0.05) is None:
                raise TimeoutError("the screen did not come to what was waited for:\n" + self.text)
        return time.perf_counter() - self.begun

    def wait_for(self, *texts: str, timeout: float = 20.0) -> float:
        """Read until the screen holds every text. Returns seconds since the start."""
        return self.wait_until(lambda: all(text in self.text for text in texts), timeout)

    # Acting

    def write(self, data: bytes) -> None:
        """Type `data`."""
        os.write(self._terminal, data)

    def press(self, key: bytes, idle: float = 0.06, limit: float = 10.0) -> Burst:
        """Type one key and measure the answer."""
        start = time.perf_counter()
        self.write(key)
        return self.settle(idle, limit, since=start)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the terminal, as a window manager does."""
        self._draw()
        self.columns, self.rows = columns, rows
        self._picture.screen.resize(rows, columns)
        self._set_size(self._terminal)
        os.kill(self.pid, signal.SIGWINCH)

    # Seeing

    def _draw(self) -> None:
        for _at, data in self._chunks[self._drawn :]:
            self._picture.feed(data)
        self._drawn = len(self._chunks)

    def shown_at(self, condition: Callable[[str], bool], timeout: float = 30.0) -> float:
        """Return the milliseconds from the start to the first moment when `condition` held for the screen.

        Looks only while the program is silent, and finds the moment by drawing everything once more, so that
        looking does not slow what is watched. The terminal must not have been resized. Raises TimeoutError.
        """
        deadline = time.perf_counter() + timeout
        while not (self.settle(idle=0.3).sent == 0 and condition(self.text)):
            if time.perf_counter() > deadline:
                raise TimeoutError("the screen never showed what was looked for:\n" + self.text)
        return next(at for at, screen in self.frames() if condition(screen)) * 1000

    def frames(self) -> Iterator[tuple[float, str]]:
        """Yield every screen there was so far, and the seconds from the start when it was read."""
        picture = Picture(self.columns, self.rows)
        for at, data in self._chunks:
            picture.feed(data)
            yield at, picture.text

    @property
    def lines(self) -> list[str]:
        """The lines of the screen."""
        self._draw()
        return list(self._picture.screen.display)

    @property
    def text(self) -> str:
        """The screen as one string."""
        return "\n".join(self.lines)

    @property
    def cells(self) -> list[list[pyte.screens.Char]]:
        """Every cell of the screen with its colours, to compare two screens exactly."""
        self._draw()
        return [[self._picture.screen.buffer[y][x] for x in range(self.columns)] for y in range(self.rows)]

    @property
    def memory_mib(self) -> float:
        """Private memory of the program in MiB."""
        return float(psutil.Process(self.pid).memory_full_info().uss) / _MIB

    @property
    def cpu_seconds(self) -> float:
        """Processor time that the program has used."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    # Ending

    def hang_up(self) -> None:
        """Let the terminal vanish, as a broken connection does."""
        os.close(self._terminal)
        self._terminal = -1

    def wait_for_exit(self, timeout: float = 10.0) -> int:
        """Read until the program ends. Returns its exit status; raises TimeoutError."""
        deadline = time.perf_counter() + timeout
        while time.perf_counter() < deadline:
            self._read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise TimeoutError("the program did not end:\n" + self.text)

    def close(self) -> None:
        """End the program if it still runs, and let go of the terminal."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            self.pid = 0
        with contextlib.suppress(OSError):
            os.close(self._terminal)
