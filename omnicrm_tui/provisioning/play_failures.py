"""Why a play could not be run, in words that say what to do (SVC-123, SVC-125, SVC-126)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from gettext import NullTranslations
from typing import TYPE_CHECKING, Any

from omnicrm_tui.languages import N_, said

if TYPE_CHECKING:
    from omnicrm_tui.provisioning.schemas import EventView


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A kind of fatal error: its headline, its common causes and what to do about it."""

    kind: str
    headline: str
    causes: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name of the event that tells it."""
        return FATAL.format(what=self.headline)


FATAL = N_("Fatal error: {what}")
SILENCE = N_("Nothing happened for {what} seconds")
NOT_UNDONE = N_("Could not be undone: {what}.")
CUT_OFF = N_("The play ended before this task did")
NOT_KEPT = N_("What this task said could not be written down; the job log has the reason.")

MISSING_PLAY = Diagnosis(
    "missing_play",
    N_("the play does not exist"),
    (
        N_("the product names a play that was never installed, or was renamed"),
        N_("the name is misspelt: capitals count"),
    ),
    (N_("Put the file into the plays folder, or correct the play's name at the product"), N_("Then retry the job")),
)
YAML_ERROR = Diagnosis(
    "yaml_error",
    N_("the play is not valid"),
    (
        N_("wrong indentation, or a tab"),
        N_("a value with a colon or a template that is not in quotes"),
        N_("a module or keyword that Ansible does not know"),
    ),
    (
        N_("Correct the file at the line named"),
        N_("Check it with ansible-playbook --syntax-check"),
        N_("Then retry the job"),
    ),
)
MISSING_FILE = Diagnosis(
    "missing_file",
    N_("the play names a file that does not exist"),
    (N_("a task file or template was not copied along with the play"),),
    (N_("Put the file into the plays folder, beside the play"), N_("Then retry the job")),
)
UNDEFINED_VARIABLE = Diagnosis(
    "undefined_variable",
    N_("the play uses a variable that nobody set"),
    (
        N_("the product's provisioning_json_vars lack it"),
        N_("the inventory item that carries it was not chosen"),
        N_("its name is misspelt in the play, or it has no default"),
    ),
    (
        N_("Add the variable to the product or to the request, or give it a default in the play"),
        N_("Then retry the job"),
    ),
)
UNREACHABLE_SYSTEM = Diagnosis(
    "unreachable_system",
    N_("a system that the play calls cannot be reached"),
    (
        N_("the system is down or restarting"),
        N_("its address or port in the configuration is wrong"),
        N_("a firewall or a missing route stands between"),
    ),
    (
        N_("Check that the system answers at the address in the message"),
        N_("Check the addresses in the configuration (ocs.cgrates, hss.hss_peers, crm.internal_url)"),
        N_("Look at the rollback's tasks for what could not be undone, then retry the job"),
    ),
)
UNREACHABLE_HOST = Diagnosis(
    "unreachable_host",
    N_("a host of the play cannot be reached by Ansible"),
    (N_("the host is down"), N_("the SSH key or user is wrong"), N_("its name does not resolve")),
    (N_("Check that the host answers over SSH from here"), N_("Then retry the job")),
)
NO_ANSIBLE = Diagnosis(
    "no_ansible",
    N_("Ansible could not be started"),
    (N_("ansible-playbook is not where the configuration says"), N_("it may not be executed by this user")),
    (N_("Check provisioning.ansible_playbook in the configuration"), N_("Then retry the job")),
)
TIMED_OUT = Diagnosis(
    "timed_out",
    N_("the job made no progress and was ended"),
    (N_("a system accepts connections and does not answer"), N_("a task waits for input or for a condition")),
    (
        N_("Look at the last task to see what it waited for"),
        N_("Raise provisioning.task_timeout_seconds if such a task may take that long"),
        N_("Look at the rollback's tasks for what could not be undone, then retry the job"),
    ),
)
KILLED = Diagnosis(
    "killed",
    N_("the play's process was ended from outside"),
    (N_("the machine ran out of memory"), N_("somebody, or a restart, ended it")),
    (N_("Check the machine's log"), N_("Check what the play had done so far, then retry the job")),
)
NOT_WRITTEN = Diagnosis(
    "not_written",
    N_("what a task reported could not be written down"),
    (N_("a task printed something that the database does not take"), N_("a fault of this program")),
    (
        N_("Read the job log: it names the event and the reason"),
        N_("Look at the rollback's tasks for what could not be undone, then retry the job"),
    ),
)
NO_API = Diagnosis(
    "no_api",
    N_("the API that the play calls could not be started"),
    (N_("the machine has no memory, processes or open files left"), N_("the installation is damaged")),
    (
        N_("Read the job log: it has the reason"),
        N_("Check the installation with omnicrm doctor"),
        N_("Then retry the job"),
    ),
)
UNKNOWN = Diagnosis(
    "unknown",
    N_("Ansible ended without saying which task failed"),
    (N_("a fault in the play's header, inventory or variables"), N_("a fault in a plugin")),
    (N_("Read the output below"), N_("Run the play by hand with ansible-playbook -vvv")),
)

CAUSES, ADVICE = "common_causes", "what_to_do"
"""Where the result of a fatal error's event has them."""

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


def told(text: str, texts: NullTranslations | None = None) -> str:
    """Return a line of why a job failed in the reader's language, as far as it is ours; `texts` as in `said`."""
    for template in (FATAL, SILENCE, NOT_UNDONE):
        before, after = template.split("{what}")
        what = text.removeprefix(before).removesuffix(after)
        if what and text == f"{before}{what}{after}":
            return said(template, texts).format(what=said(what, texts))
    return said(text, texts)


def told_name(name: str, texts: NullTranslations | None = None) -> str:
    """Return the name of an event: that of a fatal error in the reader's language, a play's own as it is."""
    return told(name, texts) if name.startswith(FATAL.partition("{")[0]) else name


def told_result(result: Mapping[str, Any], texts: NullTranslations | None = None) -> dict[str, Any]:
    """Return an event's result with what we wrote in it in the reader's language; what Ansible says stays."""
    shown = dict(result)
    for name in (CAUSES, ADVICE):
        if isinstance(shown.get(name), list):
            shown[name] = [told(str(step), texts) for step in shown[name]]
    if ADVICE in shown or shown.get("msg") in (CUT_OFF, NOT_KEPT):
        shown["msg"] = told(str(shown.get("msg", "")), texts)
    return shown


def told_event(event: EventView, texts: NullTranslations | None = None) -> EventView:
    """Return an event with its name and result as `told_name` and `told_result` tell them."""
    try:
        result = json.loads(event.provisioning_result_json)
    except json.JSONDecodeError:
        result = None
    if not isinstance(result, dict):
        return replace(event, event_name=told_name(event.event_name, texts))
    shown = json.dumps(told_result(result, texts), ensure_ascii=False)
    return replace(event, event_name=told_name(event.event_name, texts), provisioning_result_json=shown)


def told_message(message: str | None, texts: NullTranslations | None = None) -> str:
    """Return a job's `error_message` in the reader's language, line by line; "" for none."""
    return "\n".join(told(line, texts) for line in (message or "").splitlines())


def fatal_result(diagnosis: Diagnosis, message: str) -> dict[str, Any]:
    """Return what the event of a fatal error says."""
    return {
        "msg": message,
        "kind": diagnosis.kind,
        CAUSES: list(diagnosis.causes),
        ADVICE: list(diagnosis.advice),
    }


def said_by(result: Mapping[str, Any]) -> str:
    """Why a task failed, in one sentence: of a loop, what its failed items said."""
    return _item_messages(result) or str(result.get("msg", "failed"))


def of_task(result: Mapping[str, Any]) -> Diagnosis | None:
    """The fatal error behind a failed task; None for an ordinary failure, which its own event explains."""
    message = f"{result.get('msg', '')} {_item_messages(result)}"
    if result.get("unreachable"):
        return UNREACHABLE_HOST
    if _UNDEFINED.search(message):
        return UNDEFINED_VARIABLE
    if _UNREACHABLE.search(message):
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
