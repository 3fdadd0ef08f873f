"""Check one field of an entity at the REST door: taken, read back, and what holds when it is left out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from fastapi.testclient import TestClient

REQUIRED = object()
"""Stands for a default: without the field there is nothing to make."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Entity:
    """Where something is made and read, and the least that makes one; `{n}` in a text is a number of its own."""

    path: str
    key: str
    body: dict[str, Any] = field(default_factory=dict)

    def make(self, client: TestClient, **values: Any) -> dict[str, Any]:
        """Make one, and return it as it is read afterwards."""
        made = client.put(self.path, json=self._body(values))
        assert made.status_code == 200, made.text
        return self.read(client, made.json()[self.key])

    def read(self, client: TestClient, number: int) -> dict[str, Any]:
        """Return the one of that number."""
        found = client.get(f"{self.path}{self.key}/{number}")
        assert found.status_code == 200, found.text
        body: dict[str, Any] = found.json()
        return body

    def refused(self, client: TestClient, **values: Any) -> set[str]:
        """Return the names of the fields for which a new one is refused."""
        answer = client.put(self.path, json=self._body(values))
        assert answer.status_code == 400, answer.text
        return set(answer.json()["errors"])

    def check(self, client: TestClient, name: str, sent: Any, shown: Any, default: Any) -> None:
        """Send `name` and see it `shown`; leave it out and see the `default`, or that it is asked for."""
        assert exact(self.make(client, **{name: sent})[name]) == exact(shown)
        if default is REQUIRED:
            assert self.refused(client, **{name: ...}) == {name}
        else:
            assert exact(self.make(client, **{name: ...})[name]) == exact(default)

    def _body(self, values: dict[str, Any]) -> dict[str, Any]:
        number = next(_numbers)
        whole = {**self.body, **values}
        return {
            name: value.replace("{n}", str(number)) if isinstance(value, str) else value
            for name, value in whole.items()
            if value is not ...
        }


def exact(value: Any) -> tuple[type, Any]:
    """Return `value` so that 1, 1.0 and True are three things."""
    return type(value), value
