"""The rooms one can go to, their letters and their first screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

if TYPE_CHECKING:
    from omnicrm_tui.identity.actor import Actor


def _login() -> Screen[Any]:
    from screens.login import LoginScreen

    return LoginScreen()


def _customers() -> Screen[Any]:
    from screens.customers import CustomersScreen

    return CustomersScreen()


MODES: dict[str, str | Callable[[], Screen[Any]]] = {"login": _login, "customers": _customers}
"""Each room keeps a stack of screens of its own, so that one comes back to where one was."""

LETTERS = {"c": "customers"}
"""`g` and then this letter (keys page)."""


def first_room(actor: Actor) -> str:
    """Return the room that opens after signing in."""
    return "customers"
