"""What the authors of plays are asked to do (SVC-131..138, CAT-447..449), as far as YAML alone can tell.

SVC-135 (re-runnable), SVC-136 (which token) and SVC-139 (parallel work) cannot be seen in a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from omnicrm_tui.provisioning.play_file import (
    MAIN,
    RESCUE,
    Play,
    PlayTask,
    action_of,
    entries,
    line_of,
    read_play,
    scalar,
)

_WRITES = frozenset({"PUT", "POST", "PATCH", "DELETE"})
_OPTIONAL = ("mail", "sms", "notif", "welcome", "/sms/", "message")
_IDS = ("customer_id", "service_id", "service_uuid", "product_id")


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about a play: the rule, where, and what to do."""

    rule: str
    file: Path
    line: int
    message: str


def lint_play(file: Path) -> list[Finding]:
    """Return what could be better in a play; empty when all is well. Raises PlayProblem as `read_play` does."""
    play = read_play(file)
    checks = (_header, _configuration, _rescue, _final_assertion, _ignored, _debug, _answers, _messages, _ids)
    found = [finding for check in checks for finding in check(play)]
    return sorted(found, key=lambda finding: (finding.file.name, finding.line, finding.rule))


def _header(play: Play) -> Iterator[Finding]:
    for node in play.documents:
        line, parts = line_of(node), entries(node)
        if "import_playbook" in parts:
            continue
        if not scalar(node, "name"):
            yield Finding("CAT-447", play.file, line, "Give the play a name: people see it while it runs")
        if scalar(node, "hosts") != "localhost":
            yield Finding("CAT-447", play.file, line, "Say hosts: localhost")
        if (scalar(node, "gather_facts") or "yes").lower() not in ("no", "false"):
            yield Finding("CAT-447", play.file, line, "Say gather_facts: no; facts slow every job down")


def _configuration(play: Play) -> Iterator[Finding]:
    if play.tasks and "crm_config.yaml" not in _text(play.tasks[0].node):
        first = play.tasks[0]
        yield Finding("CAT-448", first.file, first.line, "Load ../../crm_config.yaml as crm_config first")


def _rescue(play: Play) -> Iterator[Finding]:
    if not play.rescue_count:
        yield Finding("SVC-131", play.file, 1, "Put the tasks into a block with a rescue that undoes them")


def _final_assertion(play: Play) -> Iterator[Finding]:
    rescue = [task for task in play.tasks if task.phase == RESCUE]
    if rescue and not (_is(rescue[-1], "assert") and "deprovision" in _text(rescue[-1].node)):
        last = rescue[-1]
        yield Finding("SVC-090", last.file, last.line, 'End the rescue with an assertion that action == "deprovision"')


def _ignored(play: Play) -> Iterator[Finding]:
    for task in play.tasks:
        ignored = (scalar(task.node, "ignore_errors") or "no").lower() in ("yes", "true")
        text = f"{task.name} {_text(task.node)}".lower()
        if ignored and task.phase == MAIN and _writes(task) and not any(word in text for word in _OPTIONAL):
            yield Finding("SVC-132", task.file, task.line, "Ignore errors of optional tasks only")


def _debug(play: Play) -> Iterator[Finding]:
    if not any(_is(task, "debug") for task in play.tasks):
        yield Finding("SVC-133", play.file, 1, "Show the values that matter with a debug task")


def _answers(play: Play) -> Iterator[Finding]:
    """The charging system answers errors with status 200, so its answers have to be looked at."""
    for number, task in enumerate(play.tasks):
        if task.phase != MAIN or not _is(task, "uri") or "jsonrpc" not in _text(task.node):
            continue
        register = scalar(task.node, "register")
        checked = "failed_when" in entries(task.node) or any(
            _is(later, "assert") and register and register in _text(later.node)
            for later in play.tasks[number + 1 : number + 4]
        )
        if not checked:
            yield Finding("SVC-134", task.file, task.line, "Assert that the answer's result is as expected")


def _messages(play: Play) -> Iterator[Finding]:
    for task in play.tasks:
        if task.phase != MAIN or not (_is(task, "assert") or _is(task, "fail")):
            continue
        arguments = entries(task.node).get(action_of(entries(task.node)))
        message = scalar(arguments, "fail_msg") or scalar(arguments, "msg") or ""
        if not any(name in message for name in _IDS):
            yield Finding(
                "SVC-137", task.file, task.line, "Name customer_id or service_id and the operation in the message"
            )


def _ids(play: Play) -> Iterator[Finding]:
    for task in play.tasks:
        if _is(task, "assert") and "customer_id" in _text(task.node):
            return
        if task.phase == MAIN and _writes(task):
            yield Finding("SVC-138", task.file, task.line, "Check customer_id and product_id before writing")
            return


def _is(task: PlayTask, module: str) -> bool:
    return task.action.rpartition(".")[2] == module


def _writes(task: PlayTask) -> bool:
    arguments = entries(task.node).get(task.action)
    return _is(task, "uri") and (scalar(arguments, "method") or "GET").upper() in _WRITES


def _text(node: yaml.Node) -> str:
    """All the text below a node, for searching."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    parts = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    return " ".join(_text(part) for part in parts)
