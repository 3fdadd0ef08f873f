"""Writing what only the operator may read: whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_secretly(path: Path, text: str) -> None:
    """Replace `path` with a file (0600) that holds `text`; at no moment is there half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
