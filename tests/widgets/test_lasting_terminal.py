"""What outlives a terminal that is gone, and what must not."""

from __future__ import annotations

import os
import threading

import pytest
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from widgets.lasting_terminal import end_input


@pytest.fixture
def gone() -> int:
    """The descriptor of a terminal whose other end was closed: it can be read at any time, and gives nothing."""
    ours, theirs = os.openpty()
    os.close(ours)
    return theirs


async def test_the_thread_that_reads_a_lost_terminal_ends(gone: int) -> None:
    driver = LinuxDriver(App())
    driver.fileno = gone
    reading = threading.Thread(target=driver._run_input_thread, daemon=True)
    reading.start()
    reading.join(0.3)
    end_input(driver)
    reading.join(10)
    assert not reading.is_alive()
    os.close(gone)


def test_an_application_that_never_had_a_driver_ends_too() -> None:
    end_input(None)
