"""Run the measurements and print one table: `python -m bench [name ...]`.

Each bench is a module with a `run` that returns its rows. It is imported when it runs, so that one bench does
not weigh on the figures of another.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from bench.report import Bench, Row, markdown

REGISTRY: dict[str, str] = {
    "commands": "bench.commands",
    "start": "bench.start",
    "lists": "bench.lists",
    "job": "bench.job",
    "live": "bench.live",
    "table": "bench.table",
    "ssh": "bench.ssh",
    "install": "bench.install",
    "upkeep": "bench.upkeep",
    "storm": "bench.storm",
}
"""The benches by name, in the order in which they run."""

BY_NAME_ALONE = frozenset({"install"})
"""Too long for a run of all."""

OWN_PACKAGES = ("omnicrm_tui", "screens", "widgets", "playbooks", "migrations")


def compile_own(root: Path = Path(__file__).parent.parent) -> None:
    """Compile what changed since `make setup`, in the same way.

    Where PYTHONDONTWRITEBYTECODE is set, each start would compile it anew, and be measured with that.
    """
    compiling = [sys.executable, "-X", "no_debug_ranges", "-m", "compileall", "-q"]
    subprocess.run([*compiling, *OWN_PACKAGES], cwd=root, check=True)


def load(name: str) -> Bench:
    """Return the bench of this name."""
    bench: Bench = importlib.import_module(REGISTRY[name]).run
    return bench


def main(arguments: Sequence[str]) -> int:
    """Run the named benches, or all; 1 when a target was missed and `--strict` was given."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of: {', '.join(REGISTRY)}")
    parser.add_argument("--strict", action="store_true", help="fail when a target is missed")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - REGISTRY.keys()
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(REGISTRY)}")
    compile_own()
    rows: list[Row] = []
    broken = False
    for name in options.names or [name for name in REGISTRY if name not in BY_NAME_ALONE]:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            rows += load(name)()
        except Exception:
            # The other benches' minutes are not to be lost with one of them.
            traceback.print_exc()
            broken = True
    print(markdown(rows))
    return 1 if broken or (options.strict and not all(row.met for row in rows)) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
