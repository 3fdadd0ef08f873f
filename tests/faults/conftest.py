"""Programs in a home of their own, watched from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from omnicrm_tui import opening
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm

KEY = "k" * 44
PATIENCE_SECONDS = 90.0


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Look until `condition` holds."""
    pause, deadline = threading.Event(), time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"what was waited for did not come: {what}"
        pause.wait(0.1)


@dataclass
class House:
    """A home, and the programs that run in it."""

    home: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program in this home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNICRM")}
        return {**kept, "OMNICRM_HOME": str(self.home)}

    def configure(self, **sections: object) -> None:
        """Write the configuration, with a key that may do everything, and make the tables."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        keys = {KEY: {"roles": ["admin"], "description": "the test"}}
        (self.home / "config.yaml").write_text(json.dumps({"api_keys": keys, **sections}))
        opening.upgrade(load_settings(self.env))

    def crm(self, url: str = "") -> Crm:
        """Open the database, at another URL if one is given."""
        settings = load_settings(self.env)
        if url:
            section = settings.database.model_validate({"url": url})
            settings = settings.model_copy(update={"database": section})
        return Crm.open(settings)

    def start(self, *arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        """Start a program and return it with its ready line."""
        process = subprocess.Popen(
            [sys.executable, "-m", "omnicrm_tui.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
        )
        self.started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return process, json.loads(line)

    def serve(self) -> tuple[subprocess.Popen[str], httpx.Client]:
        """Start the server and return it with a client that may do everything."""
        process, ready = self.start("serve", "--port", "0")
        return process, httpx.Client(base_url=ready["api"], headers={"X-API-KEY": KEY}, timeout=60)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty house; what was started in it is killed."""
    made = House(tmp_path / "home")
    yield made
    for process in made.started:
        process.kill()
        process.communicate()
