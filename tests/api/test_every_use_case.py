"""Whatever the terminal does goes through a service method that an address of the REST API reaches too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from omnicrm_tui.work import Work

ROOT = Path(__file__).parents[2]

UseCase = tuple[str, str]
"""A room and its method: ("customers", "create")."""

SAME_OVER_REST: dict[UseCase, UseCase] = {
    ("access", "peek"): ("identity", "actor_of_token"),
    ("activity", "window"): ("activity", "page"),
    ("activity", "count"): ("activity", "page"),
    ("billing", "window"): ("billing", "page"),
    ("billing", "invoice_window"): ("billing", "invoice_page"),
    ("billing", "invoice_count"): ("billing", "invoice_page"),
    ("catalog", "window"): ("catalog", "page"),
    ("customer_services", "window"): ("customer_services", "page"),
    ("customer_services", "count"): ("customer_services", "page"),
    ("customers", "window"): ("customers", "page"),
    ("identity", "api_key_window"): ("identity", "api_key_page"),
    ("identity", "api_key_count"): ("identity", "api_key_page"),
    ("identity", "login_by_ssh"): ("identity", "login"),
    ("identity", "resume"): ("identity", "refresh"),
    ("identity", "role_list"): ("identity", "roles"),
    ("identity", "verify_own_email"): ("identity", "verify_email"),
    ("identity", "window"): ("identity", "page"),
    ("impersonation", "window"): ("impersonation", "page"),
    ("inventory", "window"): ("inventory", "page"),
    ("inventory", "items_of_service"): ("inventory", "page"),
    ("inventory", "pickable"): ("inventory", "pickable_page"),
    ("inventory", "pickable_count"): ("inventory", "pickable_page"),
    ("messaging", "window"): ("messaging", "page"),
    ("provisioning", "window"): ("provisioning", "page"),
}
"""What the terminal asks in another form: a window where REST has numbered pages, a session where it has tokens."""

PART_OF: dict[UseCase, UseCase] = {
    ("catalog", "fits"): ("provisioning", "start"),
    ("customers", "currency_of"): ("customers", "get"),
    ("identity", "actor_again"): ("identity", "actor_of_token"),
    ("identity", "nobody_can_log_in"): ("identity", "login"),
    ("identity", "role_loss"): ("identity", "users_of_role"),
}
"""What the terminal asks beforehand and REST is told in the answer."""


def used_in(folder: str) -> set[UseCase]:
    """Return the use cases that the modules below `folder` call."""
    return {
        use for path in (ROOT / folder).rglob("*.py") for use in uses_of(ast.parse(path.read_text(encoding="utf-8")))
    }


def uses_of(tree: ast.AST) -> Iterator[UseCase]:
    """Yield `work.<room>.<method>`, and for a list `ServiceSource(..., lambda work: work.<room>, window="...")`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (room := _room(node.value)):
            yield room, node.attr
        if isinstance(node, ast.Call):
            rooms = [room for one in node.args if isinstance(one, ast.Lambda) and (room := _room(one.body))]
            names = [word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)]
            methods = [str(name) for name in names if str(name).endswith(("window", "count"))] or ["window"]
            yield from ((room, method) for room in rooms for method in methods)


def _room(node: ast.AST) -> str:
    """Return the room's name where `node` is `work.<room>`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "work":
        return node.attr if node.attr in ROOMS else ""
    return ""


ROOMS = {name for name in vars(Work) if not name.startswith("_")} - {"run_after_commit", "after_commit"}


@pytest.mark.req("CAT-171", "PLT-048")
def test_whatever_the_terminal_does_can_be_done_over_rest() -> None:
    terminal, rest = used_in("screens") | used_in("omnicrm_tui/app.py"), used_in("omnicrm_tui/api")
    assert len(terminal) > 40
    known = {**SAME_OVER_REST, **PART_OF}
    assert {use for use in terminal if known.get(use, use) not in rest} == set()


def test_the_written_pairs_are_all_needed_and_exist() -> None:
    terminal, rest = used_in("screens"), used_in("omnicrm_tui/api")
    written = {**SAME_OVER_REST, **PART_OF}
    assert {use for use in written if use not in terminal or use in rest} == set()
