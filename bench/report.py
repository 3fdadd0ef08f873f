"""What every measurement gives: rows with a floor, a figure, a target, and whether it was met."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `floor` is that of the barest program in the same run; None where there is none.

    `measured` and `target` are in `unit`; less is better, down to `least`.
    """

    what: str
    measured: float
    target: float
    unit: str = "ms"
    floor: float | None = None
    least: float = 0

    @property
    def met(self) -> bool:
        """Whether the target was reached."""
        return self.least <= self.measured <= self.target


Bench = Callable[[], Sequence[Row]]
"""A measurement: runs for some seconds and returns its rows."""


def p95(values: Sequence[float]) -> float:
    """Return the value that 95 % do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return float(statistics.median(values))


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a markdown table."""
    lines = ["| what | floor | measured | target | met |", "|---|--:|--:|--:|---|"]
    for row in rows:
        floor = "" if row.floor is None else _figure(row.floor, row.unit)
        figures = f"{_figure(row.measured, row.unit)} | {_figure(row.target, row.unit)}"
        lines.append(f"| {row.what} | {floor} | {figures} | {'yes' if row.met else 'NO'} |")
    return "\n".join(lines)


def _figure(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or value == int(value) else 1
    return f"{value:,.{digits}f} {unit}".strip()
