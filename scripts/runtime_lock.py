"""Print the part of requirements.lock that the product needs where it runs: no tools, no tests.

    python -m scripts.runtime_lock

Follows what the installed distributions say they require, from pyproject.toml's dependencies on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==.*\n((?: .*|)\n)*", re.MULTILINE)
_COMMENT = re.compile(r"^ *#.*\n", re.MULTILINE)


def needed(dependencies: list[str]) -> set[str]:
    """Return the names, in canonical form, of `dependencies` and of all that they require here."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(line) for line in dependencies]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        found.add(name)
        waiting += _required(name, wanted.extras)
    return found


def _required(name: str, extras: set[str]) -> Iterator[Requirement]:
    for line in distribution(name).requires or ():
        required = Requirement(line)
        marker = required.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield required


def runtime_lock(lock: str, names: set[str]) -> str:
    """Return the entries of `lock`, with their hashes, that `names` name; raises KeyError when one is not locked."""
    entries = {canonicalize_name(entry["name"]): _COMMENT.sub("", entry[0]) for entry in _ENTRY.finditer(lock)}
    return "".join(entries[name] for name in sorted(names))


def main() -> None:
    """Print the lock of the product alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    print(runtime_lock(lock, needed(project["dependencies"])), end="")


if __name__ == "__main__":
    main()
