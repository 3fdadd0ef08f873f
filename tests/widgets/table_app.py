"""The small table of the measurements, saying when it is at rest: python -m tests.widgets.table_app FILE [--plain]."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.table_app import TableApp
from tests.at_rest import SaysWhenAtRest


class RestingTableApp(SaysWhenAtRest, TableApp):
    """A table with a footer."""


if __name__ == "__main__":
    RestingTableApp(Path(sys.argv[1]), plain="--plain" in sys.argv).run()
