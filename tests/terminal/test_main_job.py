"""The main job by keyboard alone, as README tells it: from a new customer to a mobile service, watched live."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.terminal.conftest import EMAIL, PASSWORD, Demo, log_in
from tests.terminal.tmux import wait_until

pytestmark = [pytest.mark.terminal, pytest.mark.ansible]

README = Path(__file__).parents[2] / "README.md"
TWO_MINUTES = 120.0
_TMUX = {"ctrl+s": "C-s", "enter": "Enter", "space": "Space"}


def shown_steps() -> list[list[str]]:
    """Return what README's steps to a first service tell to press, and to choose, in each."""
    section = README.read_text(encoding="utf-8").partition("## Your first service, in two minutes\n")[2]
    steps = re.findall(r"^\d\. (.*)$", section.partition("\n## ")[0], re.MULTILINE)
    return [[code or name for code, name in re.findall(r"`([^`]+)`|\*([^*]+)\*", step)] for step in steps]


@pytest.mark.req("CAT-239", "SVC-160", "SVC-076", "SVC-077")
def test_a_new_customer_gets_a_mobile_service(demo: Demo) -> None:
    log_in_as, customer, product, choices, order = shown_steps()
    assert log_in_as == [EMAIL, PASSWORD]
    begin = time.monotonic()
    with demo.terminal() as terminal:

        def press(key: str) -> None:
            terminal.keys(_TMUX.get(key, key))

        log_in(terminal)
        new, save = customer
        press(new)
        terminal.see("New customer")
        terminal.type("Ada Main")
        terminal.see("Ada Main")
        press(save)
        terminal.see("Customers › Ada Main #61", "Active services", "0 of 0")

        add, wanted, take = product
        press(add)
        terminal.see("Service Plans", "› ")
        while f"› {wanted}" not in terminal.text:
            shown = terminal.text
            terminal.keys("Down")
            wait_until(lambda before=shown: terminal.text != before, lambda: f"no {wanted}:\n{terminal.text}")
        press(take)

        pick, go_on, renew = choices
        terminal.see("Required Inventory Items", "2 to choose", "ICCID", "1 of")
        press(pick)
        terminal.see("1 to choose", "Phone Number", "1 of")
        press(pick)
        terminal.see("[ Continue ]")
        press(go_on)
        terminal.see("auto-renew")
        press(renew)

        accept, provision, open_service = order
        terminal.see("Review", "Ada Main (ID: 61)", "tick the terms first")
        press(accept)
        terminal.see("[x] I have read the terms")
        press(provision)
        terminal.see("Jobs › #", "Provisioning Status")
        terminal.see("Success", "Service successfully provisioned for Ada Main", "100 %", timeout=90)
        press(open_service)
        terminal.see(f"{wanted} - ", "Active", "20 GB remaining")
    assert time.monotonic() - begin < TWO_MINUTES
