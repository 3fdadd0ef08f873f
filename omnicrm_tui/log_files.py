"""The files that logs go to: 0600 in a folder 0700, put aside when they are full, by whoever notices first.

What is put aside only gets another name: whoever has the file open writes on, and whoever opens it next begins a new
one. Standard library only: terminals come through here when they start a job or a lab.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def open_to_append(path: Path, most: int, keep: int) -> int:
    """Return a descriptor that appends to `path`, which begins anew where it had `most` bytes; raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    put_aside(path, most, keep)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


@contextmanager
def output_file(path: Path, most: int, keep: int) -> Iterator[int]:
    """Lend a descriptor, as of `open_to_append`, for what a new process prints.

    Where no file can be had (a full disk) that is lost, and the process starts all the same.
    """
    try:
        file = open_to_append(path, most, keep)
    except OSError:
        file = os.open(os.devnull, os.O_WRONLY)
    try:
        yield file
    finally:
        os.close(file)


class OwnOutput:
    """What this process prints, where that goes into `path`: a process that lives long calls `renew` now and then."""

    def __init__(self, path: Path, most: int, keep: int) -> None:
        self._path, self._most, self._keep = path, most, keep
        self._outputs = [number for number in (1, 2) if self._goes_into(number)]

    def renew(self) -> None:
        """Begin the file anew when it is full, or was put aside by another process."""
        if not self._outputs or (self._goes_into(self._outputs[0]) and not _is_full(self._path, self._most)):
            return
        with suppress(OSError):  # a full disk: what is open is written on
            file = open_to_append(self._path, self._most, self._keep)
            for number in self._outputs:
                os.dup2(file, number)
            os.close(file)

    def _goes_into(self, number: int) -> bool:
        try:
            return os.path.samestat(os.fstat(number), self._path.stat())
        except OSError:
            return False


def put_aside(path: Path, most: int, keep: int) -> None:
    """Rename a file of `most` bytes or more to `.1`, what was `.1` to `.2`, and delete what is above `keep`.

    Any number of processes may call this at once. A file that cannot be renamed stays and goes on growing.
    """
    if not _is_full(path, most):
        return
    with suppress(OSError), _alone_in(path.parent):
        if _is_full(path, most):  # else another process was quicker
            _rename(path, keep)


def _rename(path: Path, keep: int) -> None:
    for number, old in sorted(_kept(path).items(), reverse=True):
        if number >= keep:
            old.unlink()
        else:
            old.rename(_numbered(path, number + 1))
    if keep:
        path.rename(_numbered(path, 1))
    else:
        path.unlink()


def _is_full(path: Path, most: int) -> bool:
    try:
        return path.stat().st_size >= most
    except OSError:
        return False


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _kept(path: Path) -> dict[int, Path]:
    found = path.parent.glob(f"{path.name}.*")
    return {int(old.suffix[1:]): old for old in found if old.suffix[1:].isdecimal()}


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
