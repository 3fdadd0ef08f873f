"""Every key of every screen: it can be looked up, changed by configuration, and pressed inside tmux."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import omnicrm_tui.app
import screens
import widgets
from tests.terminal.tmux import Tmux

NAMES_IN_TMUX = {
    "asterisk": "*",
    "colon": ":",
    "escape": "Escape",
    "left_square_bracket": "[",
    "question_mark": "?",
    "right_square_bracket": "]",
    "shift+tab": "BTab",
    "slash": "/",
    "pagedown": "PageDown",
    "pageup": "PageUp",
}
"""What tmux calls a key where it is not simply the name with a capital."""

NEVER_ALONE = ("ctrl+shift+", "alt+", "ctrl+enter")
"""Many terminals cannot send them (the keys page)."""

THE_MULTIPLEXERS = ("ctrl+b",)


def _bindings() -> Iterator[tuple[type, Binding]]:
    """Yield each binding that our classes declare."""
    modules = [omnicrm_tui.app]
    for package in (screens, widgets):
        found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        modules += [importlib.import_module(module.name) for module in found]
    for module in modules:
        for owner in vars(module).values():
            if inspect.isclass(owner) and issubclass(owner, DOMNode) and owner.__module__ == module.__name__:
                for binding in owner.__dict__.get("BINDINGS", ()):
                    assert isinstance(binding, Binding), f"{owner.__name__}: {binding}"
                    yield owner, binding


def _keys() -> list[str]:
    return sorted({key.strip() for _owner, binding in _bindings() for key in binding.key.split(",")})


def test_every_binding_has_an_id_and_tells_what_it_does() -> None:
    """The id makes it a setting (`keymap`); `?` shows the tooltip, or else the description."""
    silent = [
        (owner.__name__, binding.key)
        for owner, binding in _bindings()
        if not binding.id or not (binding.tooltip or binding.description)
    ]
    assert silent == []


def test_no_key_is_one_that_terminals_lose() -> None:
    for owner, binding in _bindings():
        keys = [key.strip() for key in binding.key.split(",")]
        sendable = [key for key in keys if not key.startswith(NEVER_ALONE) and key not in THE_MULTIPLEXERS]
        assert sendable, f"{owner.__name__}: {binding.key}"


@pytest.mark.terminal
def test_every_key_arrives_through_tmux() -> None:
    with Tmux(f"{sys.executable} -m tests.terminal.key_names", env={"PYTHONPATH": "."}) as terminal:
        terminal.see("[ready]")
        for key in _keys():
            terminal.keys(_in_tmux(key))
            terminal.see(f"[{key}]")


def _in_tmux(key: str) -> str:
    if key in NAMES_IN_TMUX:
        return NAMES_IN_TMUX[key]
    if key.startswith("ctrl+"):
        rest = key.removeprefix("ctrl+")
        return f"C-{rest if len(rest) == 1 else rest.title()}"
    return key if len(key) == 1 else key.title()
