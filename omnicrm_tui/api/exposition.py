"""Prometheus' text format (0.0.4): what is counted in this process, and how families of samples are written."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends in seconds of the time that a request takes."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: `suffix` is for the parts of a histogram (`_bucket`, `_sum`, `_count`)."""

    value: float
    labels: Labels = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """All samples of one name."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    samples: Sequence[Sample]


def text_of(families: Sequence[Family]) -> str:
    """Return the families as Prometheus reads them; one without samples is left out."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines += [f"# HELP {family.name} {_escaped(family.help)}", f"# TYPE {family.name} {family.kind}"]
            lines += [f"{family.name}{one.suffix}{_labels(one.labels)} {_number(one.value)}" for one in family.samples]
    return "\n".join(lines) + "\n"


class Times:
    """A histogram of seconds by labels. Safe to use from threads."""

    def __init__(self, name: str, help_text: str, labels: Sequence[str]) -> None:
        self._name, self._help, self._labels = name, help_text, tuple(labels)
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        self._lock = Lock()

    def observe(self, seconds: float, *values: str) -> None:
        """Count one; `values` are those of the labels, in their order."""
        with self._lock:
            counts = self._counts.setdefault(values, [0] * (len(BUCKETS) + 1))
            counts[bisect_left(BUCKETS, seconds)] += 1
            self._sums[values] = self._sums.get(values, 0.0) + seconds

    def family(self) -> Family:
        """Return what was counted so far."""
        with self._lock:
            seen = [(values, list(counts), self._sums[values]) for values, counts in sorted(self._counts.items())]
        samples = [sample for values, counts, total in seen for sample in self._of(values, counts, total)]
        return Family(self._name, "histogram", self._help, samples)

    def _of(self, values: tuple[str, ...], counts: Sequence[int], total: float) -> Iterator[Sample]:
        labels = dict(zip(self._labels, values, strict=True))
        so_far = 0
        for end, count in zip((*BUCKETS, math.inf), counts, strict=True):
            so_far += count
            yield Sample(so_far, {**labels, "le": _number(end)}, "_bucket")
        yield Sample(total, labels, "_sum")
        yield Sample(so_far, labels, "_count")


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    escaped = (f'{name}="{_escaped(value, quoted=True)}"' for name, value in labels.items())
    return "{" + ",".join(escaped) + "}"


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quoted else text


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
