"""Why a play could not be run, in words that say what to do (SVC-123, SVC-125, SVC-126)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A kind of fatal error: its headline, its common causes and what to do about it."""

    kind: str
    headline: str
    causes: tuple[str, ...]
    advice: tuple[str, ...]


MISSING_PLAY = Diagnosis(
    "missing_play",
    "the play does not exist",
    (
        "the product names a play that was never installed, or was renamed",
        "the name is misspelt: capitals count",
    ),
    ("Put the file into the plays folder, or correct the play's name at the product", "Then retry the job"),
)
YAML_ERROR = Diagnosis(
    "yaml_error",
    "the play is not valid",
    (
        "wrong indentation, or a tab",
        "a value with a colon or a template that is not in quotes",
        "a module or keyword that Ansible does not know",
    ),
    ("Correct the file at the line named", "Check it with ansible-playbook --syntax-check", "Then retry the job"),
)
MISSING_FILE = Diagnosis(
    "missing_file",
    "the play names a file that does not exist",
    ("a task file or template was not copied along with the play",),
    ("Put the file into the plays folder, beside the play", "Then retry the job"),
)
UNDEFINED_VARIABLE = Diagnosis(
    "undefined_variable",
    "the play uses a variable that nobody set",
    (
        "the product's provisioning_json_vars lack it",
        "the inventory item that carries it was not chosen",
        "its name is misspelt in the play, or it has no default",
    ),
    ("Add the variable to the product or to the request, or give it a default in the play", "Then retry the job"),
)
UNREACHABLE_SYSTEM = Diagnosis(
    "unreachable_system",
    "a system that the play calls cannot be reached",
    (
        "the system is down or restarting",
        "its address or port in the configuration is wrong",
        "a firewall or a missing route stands between",
    ),
    (
        "Check that the system answers at the address in the message",
        "Check the addresses in the configuration (ocs.cgrates, hss.hss_peers, crm.internal_url)",
        "Look at the rollback's tasks for what could not be undone, then retry the job",
    ),
)
UNREACHABLE_HOST = Diagnosis(
    "unreachable_host",
    "a host of the play cannot be reached by Ansible",
    ("the host is down", "the SSH key or user is wrong", "its name does not resolve"),
    ("Check that the host answers over SSH from here", "Then retry the job"),
)
NO_ANSIBLE = Diagnosis(
    "no_ansible",
    "Ansible could not be started",
    ("ansible-playbook is not where the configuration says", "it may not be executed by this user"),
    ("Check provisioning.ansible_playbook in the configuration", "Then retry the job"),
)
TIMED_OUT = Diagnosis(
    "timed_out",
    "the job made no progress and was ended",
    ("a system accepts connections and does not answer", "a task waits for input or for a condition"),
    (
        "Look at the last task to see what it waited for",
        "Raise provisioning.task_timeout_seconds if such a task may take that long",
        "Look at the rollback's tasks for what could not be undone, then retry the job",
    ),
)
KILLED = Diagnosis(
    "killed",
    "the play's process was ended from outside",
    ("the machine ran out of memory", "somebody, or a restart, ended it"),
    ("Check the machine's log", "Check what the play had done so far, then retry the job"),
)
UNKNOWN = Diagnosis(
    "unknown",
    "Ansible ended without saying which task failed",
    ("a fault in the play's header, inventory or variables", "a fault in a plugin"),
    ("Read the output below", "Run the play by hand with ansible-playbook -vvv"),
)

_OF_OUTPUT = (
    (re.compile(r"could not find or access|Unable to retrieve file contents|No such file", re.I), MISSING_FILE),
    (re.compile(r"is undefined|undefined variable|has no attribute", re.I), UNDEFINED_VARIABLE),
    (re.compile(r"syntax error|YAML parsing failed|couldn't resolve module|not a valid attribute", re.I), YAML_ERROR),
    (re.compile(r"conflicting action statements|no module/action detected|playbook must be", re.I), YAML_ERROR),
)
_UNREACHABLE = re.compile(
    r"Connection refused|timed out|No route to host|Name or service not known|Connection failure"
    r"|Network is unreachable|Temporary failure in name resolution|Connection reset",
    re.I,
)
_UNDEFINED = re.compile(r"is undefined|undefined variable|has no attribute", re.I)


def said_by(result: Mapping[str, Any]) -> str:
    """Why a task failed, in one sentence: of a loop, what its failed items said."""
    return _item_messages(result) or str(result.get("msg", "failed"))


def of_task(result: Mapping[str, Any]) -> Diagnosis | None:
    """The fatal error behind a failed task; None for an ordinary failure, which its own event explains."""
    said = f"{result.get('msg', '')} {_item_messages(result)}"
    if result.get("unreachable"):
        return UNREACHABLE_HOST
    if _UNDEFINED.search(said):
        return UNDEFINED_VARIABLE
    if _UNREACHABLE.search(said):
        return UNREACHABLE_SYSTEM
    return None


def of_output(exit_code: int, output: str) -> Diagnosis:
    """The fatal error of a run that failed without a failed task."""
    if exit_code < 0 or exit_code in (130, 137, 143):
        return KILLED
    for pattern, diagnosis in _OF_OUTPUT:
        if pattern.search(output):
            return diagnosis
    return YAML_ERROR if exit_code == 4 else UNKNOWN


def _item_messages(result: Mapping[str, Any]) -> str:
    """What the failed items of a loop said: the task itself only says that one of them failed."""
    items = result.get("results")
    if not isinstance(items, list):
        return ""
    messages = (str(item.get("msg", "")) for item in items if isinstance(item, dict) and item.get("failed"))
    return "; ".join(dict.fromkeys(message for message in messages if message))
