"""Statuses of jobs and events, and how a job's variables come together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.languages import N_

SUCCESS, RUNNING, FAILED, IGNORED = 0, 1, 2, 3
"""SVC-006..009. A job ends in 0 or 2; an event in 0, 2 or 3."""

STATUS_NAMES = {SUCCESS: N_("Success"), RUNNING: N_("Running"), FAILED: N_("Failed"), IGNORED: N_("Failed (ignored)")}

REASONS = {
    "queued": N_("waiting to be started"),
    "cancelled": N_("cancelled"),
    "timed_out": N_("timed out"),
    "interrupted": N_("interrupted"),
    "fatal": N_("could not be run"),
    "clean_up": N_("its process died: undoing what it did"),
}
"""What a job's `status_reason` adds to its status."""

DEPROVISION = "deprovision"

PROVISIONED = "provisioned_by_this_job"
"""The fact that our plays set before they change anything outside: without it there is nothing to undo."""

MOST_CLEAN_UPS = 3
"""Attempts at undoing what a process had done that died; each may die too."""

CUSTOMER_VARIABLES = frozenset({"auto_renew"})
"""What a customer's user may answer (SVC-172); prices, amounts and accounts are the operator's to set."""

_ANSIBLES_OWN = "ansible_"
_SYSTEMS_OWN = frozenset({"crm_config"})


def may_cancel(actor: Actor, initiating_user: int | None) -> bool:
    """Tell whether the actor may stop a job: with update_provision any, else the own one of who may start jobs."""
    own = actor.user_id is not None and actor.user_id == initiating_user
    return actor.may("update_provision") or (own and actor.may("create_provision"))


def reserved_names(variables: Iterable[str]) -> list[str]:
    """Return the names that no variable may have: they would say which programs Ansible runs, and as whom.

    Extra variables win over all others, `ansible_python_interpreter` and the loaded configuration included.
    """
    return [name for name in variables if name.startswith(_ANSIBLES_OWN) or name in _SYSTEMS_OWN]


def merge_variables(
    product: Mapping[str, Any],
    request: Mapping[str, Any],
    system: Mapping[str, Any],
    inventory: Mapping[str, int],
) -> dict[str, Any]:
    """Return the play's variables; later sources win (CAT-467, SVC-051, SVC-054).

    Product defaults, then the request, then what the system adds, then `{inventory type: inventory id}`.
    """
    return {**product, **request, **system, **inventory}


def split_inventory(request: Mapping[str, Any], types: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split a request's variables into inventory choices and the rest (SVC-040: one key per inventory type)."""
    chosen = {name: value for name, value in request.items() if name in types}
    rest = {name: value for name, value in request.items() if name not in types}
    return chosen, rest
