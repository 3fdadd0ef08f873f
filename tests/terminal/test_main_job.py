"""The main job: from an empty home to a provisioned mobile service, by keyboard alone, watched live."""

from __future__ import annotations

import time

import pytest

from tests.terminal.conftest import Demo, log_in

pytestmark = [pytest.mark.terminal, pytest.mark.ansible]

TWO_MINUTES = 120.0


@pytest.mark.req("CAT-239", "SVC-160", "SVC-076", "SVC-077")
def test_a_new_customer_gets_a_mobile_service(demo: Demo) -> None:
    begin = time.monotonic()
    with demo.terminal() as terminal:
        log_in(terminal)
        terminal.keys("n")
        terminal.see("New customer")
        terminal.type("Ada Main")
        terminal.see("Ada Main")
        terminal.keys("C-s")
        terminal.see("Customers › Ada Main #61", "Active services", "0 of 0")
        terminal.keys("a")
        terminal.see("Service Plans", "› Home Internet 100")
        terminal.keys("Down")
        terminal.see("› Mobile SIM Only", "Needs:")
        terminal.keys("Enter")
        terminal.see("Required Inventory Items", "( Continue )", "2 to choose", "ICCID", "1 of")
        terminal.keys("Enter")
        terminal.see("1 to choose", "Phone Number", "1 of")
        terminal.keys("Enter")
        terminal.see("[ Continue ]")
        terminal.keys("Enter")
        terminal.see("Review", "Ada Main (ID: 61)", "tick the terms first")
        terminal.keys("Space")
        terminal.see("[x] I have read the terms")
        terminal.keys("C-s")
        terminal.see("Jobs › #", "Provisioning Status")
        terminal.see("Success", "Service successfully provisioned for Ada Main", "100 %", timeout=90)
        terminal.keys("v")
        terminal.see("Mobile SIM Only - ", "Active")
    assert time.monotonic() - begin < TWO_MINUTES
