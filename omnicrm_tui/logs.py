"""Logs: lines of JSON in the home's `logs` folder (0600), a file for each kind of process (PLT-070).

Each line says when, how bad, from where and what, and the request or job that it belongs to. No line holds a secret:
what the configuration knows, tokens, and whatever stands under a name such as `password` are masked.

Any number of processes of one kind write the same file. A line is one write at its end, so that lines never mix; a
file that is full is put aside (`log_files.py`), and the others notice by its name. What cannot be written (a full disk)
is counted, and told by the first line that can.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from omnicrm_tui.log_files import open_to_append, put_aside
from omnicrm_tui.redaction import Redactor, SecretValues, secret_texts
from omnicrm_tui.settings import Settings

REQUEST_VARIABLE = "OMNICRM_REQUEST_ID"
"""The environment variable that tells a job's process which request it was started by."""

OURS = ("omnicrm", "omnicrm_tui", "screens", "widgets")
"""Loggers that are heard from the configured level on; those of libraries from warnings on."""

LONGEST_MESSAGE = 20_000
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_context: ContextVar[Mapping[str, object]] = ContextVar("log_context", default={})  # noqa: B039 - never changed

log = logging.getLogger("omnicrm.logs")


def begin(settings: Settings, process: str, **fixed: object) -> None:
    """Write the logs of this process to `<process>.log` from now on, `fixed` in every line. May be called again."""
    end()
    known = SecretValues(secret_texts(settings))
    password = urlsplit(settings.database_url).password or ""
    known.add(password, unquote(password))
    handler = SharedFile(settings.logs_folder / f"{process}.log", settings.logs.max_bytes, settings.logs.keep)
    handler.setFormatter(JsonLines(Redactor(known, learns=False), {"process": process, "pid": os.getpid(), **fixed}))
    level = logging.getLevelName(settings.logs.level.upper())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(max(level, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    # A thread's last words would go to standard error, which is the terminal that the application draws on.
    threading.excepthook = _thread_died


def end() -> None:
    """Write no more; what `begin` changed is as it was."""
    root = logging.getLogger()
    for handler in [found for found in root.handlers if isinstance(found, SharedFile)]:
        root.removeHandler(handler)
        handler.close()
        threading.excepthook = threading.__excepthook__
        logging.captureWarnings(False)
        root.setLevel(logging.WARNING)
        for name in OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)


@contextmanager
def binding(**values: object) -> Iterator[None]:
    """Put `values` (`request`, `job`) into every line that is logged within the block, in its threads too."""
    token = _context.set({**_context.get(), **values})
    try:
        yield
    finally:
        _context.reset(token)


def bound(name: str) -> object | None:
    """Return what is bound under `name` here, or None."""
    return _context.get().get(name)


def request_id(given: str = "") -> str:
    """Return the caller's id for a request where it is well-formed, or else a new one."""
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


class JsonLines(logging.Formatter):
    """A record as one line of JSON; `extra={"fields": {...}}` adds to it."""

    def __init__(self, redactor: Redactor, fixed: Mapping[str, object]) -> None:
        super().__init__()
        self._redactor = redactor
        self._fixed = {name: value for name, value in fixed.items() if value is not None}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "at": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **self._fixed,
            **_context.get(),
            **{name: self._safe(value) for name, value in getattr(record, "fields", {}).items()},
            "message": self._safe(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = self._safe(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)

    def _safe(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float)):
            return value
        text = self._redactor.text(str(value))
        return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}… {len(text):,} characters"


class SharedFile(logging.Handler):
    """Appends lines to a file that other processes append to; put aside at `most` bytes, `keep` times."""

    def __init__(self, path: Path, most: int, keep: int) -> None:
        super().__init__()
        self._path = path
        self._most = most
        self._keep = keep
        self._file: int | None = None
        self._lost = 0
        self._torn = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, or count it as lost."""
        try:
            line = self.format(record)
            self._tell_what_was_lost()
            self._write(line)
        except Exception:
            # A line that cannot be made or written is nobody's reason to stop, and there is nowhere to complain.
            self._lost += 1

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        super().close()

    def _tell_what_was_lost(self) -> None:
        if self._lost:
            lost = log.makeRecord(log.name, logging.ERROR, "", 0, "%s lines could not be written", (self._lost,), None)
            self._write(self.format(lost))
            self._lost = 0

    def _write(self, line: str) -> None:
        file = self._current()
        data = (("\n" if self._torn else "") + line + "\n").encode("utf-8", "backslashreplace")
        written = os.write(file, data)
        # What is left of a line when the disk became full: the next one begins anew.
        self._torn = written < len(data)
        if self._torn:
            raise OSError("the disk is full")
        if os.fstat(file).st_size >= self._most:
            put_aside(self._path, self._most, self._keep)

    def _current(self) -> int:
        """Return the file that has the name now: another process may have put ours aside."""
        if self._file is not None:
            try:
                named = os.stat(self._path)
            except FileNotFoundError:
                named = None
            if named is not None and os.path.samestat(named, os.fstat(self._file)):
                return self._file
            os.close(self._file)
            self._file = None
        self._file = open_to_append(self._path, self._most, self._keep)
        return self._file


def _thread_died(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None and what.exc_type is not SystemExit:
        name = what.thread.name if what.thread else "?"
        log.error("The thread %s ended", name, exc_info=(what.exc_type, what.exc_value, what.exc_traceback))
