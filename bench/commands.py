"""Commands that print one line and end, beside an interpreter that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from bench.homes import OMNICRM, interleaved
from bench.report import Row, median

RUNS = 15


def run() -> list[Row]:
    """Measure `omnicrm --version` and `omnicrm db current`, in a home of their own."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "OMNICRM_HOME": home, "OMNICRM_CONFIG": ""}

        def timed(*argv: str) -> float:
            begin = time.perf_counter()
            subprocess.run(argv, env=env, check=True, stdout=subprocess.DEVNULL)
            return (time.perf_counter() - begin) * 1000

        timed(OMNICRM, "db", "upgrade")
        nothing, version, current = interleaved(
            RUNS,
            lambda: timed(sys.executable, "-c", "pass"),
            lambda: timed(OMNICRM, "--version"),
            lambda: timed(OMNICRM, "db", "current"),
        )
    floor = median(nothing)
    return [
        Row("omnicrm --version", median(version), 150, floor=floor),
        Row("omnicrm db current", median(current), 400, floor=floor),
    ]
