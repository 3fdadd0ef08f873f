"""Files that are there whole or not at all, and room for them."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from gettext import gettext as _
from pathlib import Path
from typing import BinaryIO

from omnicrm_tui.errors import Conflict, CrmError

_SCRATCH = ".tmp"


def require_room(folder: Path, needed: int) -> None:
    """Raise CrmError unless `folder` has room for `needed` bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CrmError(
            _("{folder} has {free} free, and {needed} may be needed. Nothing was written.").format(
                folder=folder, free=megabytes(free), needed=megabytes(needed)
            )
        )


def megabytes(size: int) -> str:
    """Return a number of bytes as people read it."""
    return _("{size} MB").format(size=f"{size / 1e6:,.1f}")


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file (0600) to write that becomes `path` when the block ends well, and leaves nothing when it does not.

    After a kill its beginning stays as `path`.partial, which the next one writes anew. Raises Conflict when `path`
    exists or is being written, CrmError when the disk is full.
    """
    if path.exists():
        raise Conflict(_("{path} exists already. Choose another name.").format(path=path))
    partial = path.with_name(path.name + ".partial")
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(_("{path} is being written already.").format(path=path)) from None
        if path.exists() or not is_the_file(handle, partial):
            # Another one was finished between the look at the name and the lock.
            raise Conflict(_("{path} exists already. Choose another name.").format(path=path))
        try:
            os.fchmod(handle, 0o600)
            file.truncate(0)
            yield file
            file.flush()
            os.fsync(handle)
            _give_name(partial, path)
        except BaseException as error:
            partial.unlink(missing_ok=True)
            # What is left in the buffer has no room either, and must not speak in the place of the sentence.
            with suppress(OSError):
                file.close()
            if isinstance(error, OSError):
                raise _full(path, error) from error
            raise
    sync_folder(path.parent)


def is_the_file(handle: int, path: Path) -> bool:
    """Tell whether the open file is still the one that has the name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _give_name(partial: Path, path: Path) -> None:
    """Let `partial` be `path`, which nobody has made meanwhile. Raises Conflict."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise Conflict(_("{path} exists already. Choose another name.").format(path=path)) from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        # A file system without hard links, such as that of a stick.
        partial.rename(path)
    else:
        partial.unlink()


def replace_file(path: Path, data: bytes | Iterable[bytes], mode: int = 0o600) -> None:
    """Put `data`, in one or in parts, in the place of `path`, whole or not at all."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}{_SCRATCH}")
    try:
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode), "wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException as error:
        scratch.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _full(path, error) from error
        raise
    sync_folder(path.parent)


def forget_scratch(folder: Path, names: str) -> None:
    """Take away what `replace_file` was writing for files of `folder` (`names` is a pattern) when it was killed."""
    for left in folder.glob(f"{names}.[0-9]*{_SCRATCH}"):
        left.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Let the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _full(path: Path, error: OSError) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return CrmError(_("There is no room left for {path}. Nothing was kept of it.").format(path=path))
    return error
