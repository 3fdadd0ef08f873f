"""The remembered session of a terminal: a refresh token in a file that only its owner can read (PLT-177)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from omnicrm_tui.errors import NotAuthenticated

Value = TypeVar("Value")


class SessionFile:
    """Keeps one refresh token in the home."""

    def __init__(self, home: Path) -> None:
        self._path = home / "session"
        self._lock = home / "session.lock"

    def exchange(self, rotate: Callable[[str], tuple[Value, str]]) -> Value | None:
        """Use the remembered token and keep its successor; return what `rotate` returns beside it.

        `rotate` takes the token and returns a value and the next token. Two terminals that start together wait
        for each other: a token used twice would end the session. None where nothing is remembered, or where
        `rotate` raises NotAuthenticated; the token is then forgotten.
        """
        with self._locked():
            token = self._read()
            if token is None:
                return None
            try:
                value, successor = rotate(token)
            except NotAuthenticated:
                self._path.unlink(missing_ok=True)
                return None
            self._write(successor)
            return value

    def peek(self, look: Callable[[str], Value]) -> Value | None:
        """Return what `look` finds of the remembered token, which it leaves unused: see `exchange`.

        Another terminal that exchanges the token meanwhile waits, or has its successor in the file already. None where
        nothing is remembered, or where `look` raises NotAuthenticated.
        """
        with self._locked():
            token = self._read()
            try:
                return None if token is None else look(token)
            except NotAuthenticated:
                return None

    def remember(self, refresh_token: str) -> None:
        """Keep `refresh_token` for the next start."""
        with self._locked():
            self._write(refresh_token)

    def forget(self) -> str | None:
        """Remove the file, as logging out does, and return the token that was in it."""
        with self._locked():
            token = self._read()
            self._path.unlink(missing_ok=True)
            return token

    def _read(self) -> str | None:
        try:
            if self._path.stat().st_mode & 0o077:
                return None
            return self._path.read_text().strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def _write(self, token: str) -> None:
        scratch = self._path.with_name(f"session.{os.getpid()}")
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token)
        scratch.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
