"""`?`: the keys that do something here, generated from the bindings of focus, screen and application."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, cast

from textual.app import App
from textual.binding import ActiveBinding
from textual.dom import DOMNode
from textual.screen import Screen

from screens.base import AtDesk
from screens.dialogs import Reading
from widgets.text import fit

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp
    from omnicrm_tui.settings import BrandingSection


class KeysScreen(Reading):
    """The keys of `below`, grouped by who takes them."""

    def __init__(self, below: Screen[Any]) -> None:
        branding = cast("OmniCrmApp", below.app).settings.branding
        super().__init__(_("Keys"), [*key_lines(below), *refused_lines(below), *_help_pages(branding)])


def _help_pages(branding: BrandingSection) -> list[str]:
    """Return where the operator's own help is (PLT-499)."""
    pages = ((_("Support"), branding.support_url), (_("Frequent questions"), branding.faqs_url))
    lines = [f"  {fit(name, 22)} {url}" for name, url in pages if url]
    return ["", _("Help"), *lines] if lines else []


def key_lines(below: Screen[Any]) -> list[str]:
    """Return headings and lines `key  what it does`, focus first."""
    groups: dict[DOMNode, dict[str, tuple[list[str], str]]] = {}
    for active in below.active_bindings.values():
        binding, node = active.binding, active.node
        if not active.enabled or not binding.description or not binding.id:
            continue
        text = binding.tooltip or binding.description
        keys, _text = groups.setdefault(node, {}).setdefault(binding.action, ([], text))
        display = binding.key_display or below.app.get_key_display(binding)
        if display not in keys:
            keys.append(display)
    lines: list[str] = []
    for node, entries in groups.items():
        lines += ["", _title(node, below)] if lines else [_title(node, below)]
        lines += [f"  {fit(' '.join(keys), 22)} {text}" for keys, text in entries.values()]
    return lines


def refused_lines(below: Screen[Any]) -> list[str]:
    """Return a heading and lines `key  what it does` with the permission that the actor lacks for it."""
    lines = [
        f"  {fit(active.binding.key_display or below.app.get_key_display(active.binding), 22)} {words}"
        for active, words in refused(below)
    ]
    return ["", _("Not permitted to you"), *lines] if lines else []


def refused(below: Screen[Any]) -> Iterator[tuple[ActiveBinding, str]]:
    """Yield the keys that the actor lacks a permission for, and what they would do with the permission's name."""
    for active in below.active_bindings.values():
        binding, node = active.binding, active.node
        if isinstance(node, AtDesk) and not active.enabled and (needed := node.needed_for(binding.action)):
            what = binding.tooltip or binding.description
            yield active, _("{what}: needs {permission}").format(what=what, permission=needed)


def _title(node: DOMNode, below: Screen[Any]) -> str:
    if isinstance(node, App):
        return _("Everywhere")
    if node is below:
        return _("On this screen")
    return _("Here")
