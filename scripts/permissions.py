"""Write docs/permissions.md, the table of what every use case needs: `make permissions`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from omnicrm_tui.clock import SystemClock
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.identity.permissions import PERMISSIONS
from omnicrm_tui.needs import WORDS, UseCase, table
from omnicrm_tui.settings import Settings
from omnicrm_tui.work import Work

PAGE = Path(__file__).resolve().parent.parent / "docs" / "permissions.md"
_HEAD = """# Who may do what

Written by `make permissions` from the decorators of the services (`omnicrm_tui/needs.py`); a test holds it to them.
A use case is one method of one room's service, and the only way that a screen, a REST address or a command has.

`admin` includes every permission. A customer's user with `view_own_...` may use what needs `view_...`, and sees its
own customer alone. How the permissions are bundled is in the users room, under Roles.
"""


def page() -> str:
    """Return the page as it should be."""
    cases = table(_without_database())
    lines = [_HEAD, "| when asked | what that means |", "|---|---|"]
    lines += [f"| {asked.value} | {words} |" for asked, words in WORDS.items()]
    for room in dict.fromkeys(case.room for case in cases):
        lines += ["", f"## {room}", "", "| use case | needs | asked |", "|---|---|---|"]
        lines += [_line(case) for case in cases if case.room == room]
    lines += ["", "## By permission", "", "| permission | use cases |", "|---|---|", *_by_permission(cases)]
    return "\n".join(lines) + "\n"


def _line(case: UseCase) -> str:
    names = " or ".join(f"`{name}`" for name in case.need.permissions)
    asked = case.need.asked.value + (f", unless {case.need.unless}" if case.need.unless else "")
    return f"| `{case.method}` | {names} | {asked} |"


def _by_permission(cases: list[UseCase]) -> Iterator[str]:
    for name in dict.fromkeys([*PERMISSIONS, *(each for case in cases for each in case.need.permissions)]):
        used = [f"`{case.room}.{case.method}`" for case in cases if name in case.need.permissions]
        if used:
            yield f"| `{name}` | {', '.join(used)} |"


def _without_database() -> Work:
    nothing = cast("Any", None)
    return Work(nothing, system_actor("set-up"), SystemClock(), Settings(home=Path()), nothing, nothing)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
