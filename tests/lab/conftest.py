"""A running lab on a stopped clock, and a way to call its OCS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.lab.network import LabNetwork

START = datetime(2026, 11, 21, tzinfo=UTC)

Rpc = Callable[..., Any]


@pytest.fixture
def lab_clock() -> FrozenClock:
    return FrozenClock(START)


@pytest.fixture
def lab_folder(tmp_path: Path) -> Path:
    return tmp_path / "lab"


@pytest.fixture
def lab(lab_folder: Path, lab_clock: FrozenClock) -> Iterator[LabNetwork]:
    with LabNetwork(lab_folder, clock=lab_clock) as network:
        yield network


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


@pytest.fixture
def rpc(lab: LabNetwork, http: httpx.Client) -> Rpc:
    """Call an OCS method with one object of parameters; an error comes back as `{"error": text}`."""

    def call(method: str, **params: Any) -> Any:
        request = {"method": method, "params": [params], "id": 1}
        response = http.post(f"http://{lab.addresses.ocs}/jsonrpc", json=request)
        assert response.status_code == 200
        answer = response.json()
        assert answer["id"] == 1
        return answer["result"] if answer["error"] is None else {"error": answer["error"]}

    return call
