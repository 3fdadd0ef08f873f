"""Find a play and read from its YAML what the product needs to know before and while it runs.

The name people see, the tasks in order with the section they stand in, and where in which file each begins:
Ansible names a running task by file and line, and that tells provisioning from rollback.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from gettext import gettext as _
from pathlib import Path
from typing import Literal

import yaml

from omnicrm_tui.errors import CrmError
from omnicrm_tui.shipped import PLAYS

Phase = Literal["main", "rescue"]
MAIN: Phase = "main"
RESCUE: Phase = "rescue"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,190}")
_TASK_SECTIONS = ("pre_tasks", "tasks", "post_tasks")
_IMPORTS = frozenset({"import_tasks", "ansible.builtin.import_tasks", "ansible.legacy.import_tasks"})
_INCLUDES = frozenset({"include_tasks", "ansible.builtin.include_tasks", "ansible.legacy.include_tasks"})
_KEYWORDS = frozenset(
    {"name", "vars", "when", "register", "loop", "loop_control", "until", "retries", "delay", "tags", "args"}
    | {"ignore_errors", "ignore_unreachable", "failed_when", "changed_when", "no_log", "environment", "notify"}
    | {"become", "become_user", "become_method", "delegate_to", "delegate_facts", "run_once", "throttle"}
    | {"check_mode", "diff", "async", "poll", "any_errors_fatal", "listen", "timeout", "module_defaults"}
    | {"collections", "debugger", "local_action", "action", "connection", "port", "remote_user", "vars_files"}
)
_DEEPEST = 20


class PlayProblem(CrmError):
    """A play that cannot be run as it is; `file` and `line` say where, when that is known."""

    def __init__(self, message: str, file: Path | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.file = file
        self.line = line


class PlayNotFound(PlayProblem):
    """There is no play of that name in any of the places."""


class PlaySyntax(PlayProblem):
    """The file is not YAML, or not a list of plays."""


@dataclass(frozen=True, slots=True)
class PlayTask:
    """One task as written: what it is called, what it does, where it stands (`line` counts from 1)."""

    name: str
    action: str
    phase: Phase
    file: Path
    line: int
    node: yaml.MappingNode = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Play:
    """A play file, read: its description (CAT-112) and its tasks in the order in which they would run."""

    file: Path
    description: str
    tasks: tuple[PlayTask, ...]
    documents: tuple[yaml.MappingNode, ...] = field(repr=False, compare=False)

    @property
    def task_count(self) -> int:
        """Tasks of the main sections: what "3 of 6" counts (SVC-019, CAT-109)."""
        return sum(task.phase == MAIN for task in self.tasks)

    @property
    def rescue_count(self) -> int:
        """Tasks of the rescue sections, which run only to clean up."""
        return len(self.tasks) - self.task_count

    def phase_of(self, file_name: str, line: int) -> Phase | None:
        """The section of the task that begins there; None when it is in both, or not known."""
        phases = {task.phase for task in self.tasks if task.line == line and task.file.name == file_name}
        return phases.pop() if len(phases) == 1 else None


def search_path(home: Path | None) -> tuple[Path, ...]:
    """Where plays are looked for: the operator's, then those that come with the product."""
    return (home / "plays", PLAYS) if home else (PLAYS,)


def find_play(name: str, folders: Sequence[Path]) -> Path:
    """Return the file of the play of that name, with or without ".yaml" (SVC-050).

    Raises PlayNotFound, for a name that would lead out of the folders too.
    """
    stem = re.sub(r"\.ya?ml$", "", name.strip())
    if not _NAME.fullmatch(stem):
        raise PlayNotFound(
            _("{name!r} is no name of a play: letters, digits, underscores, points and hyphens").format(name=name)
        )
    for folder in folders:
        for suffix in (".yaml", ".yml"):
            file = folder / f"{stem}{suffix}"
            if file.is_file():
                return file
    places = ", ".join(str(folder) for folder in folders)
    raise PlayNotFound(_("There is no play {stem}.yaml in {places}").format(stem=stem, places=places))


def play_names(folders: Sequence[Path]) -> list[str]:
    """The names of all plays that can be found, without ".yaml", in order."""
    files = (file for folder in folders if folder.is_dir() for file in folder.glob("play_*.y*ml"))
    return sorted({file.stem for file in files})


def read_play(file: Path) -> Play:
    """Read a play and the task files that it names. Raises PlaySyntax with the line that is wrong."""
    root = _compose(file)
    if not isinstance(root, yaml.SequenceNode) or not root.value:
        raise PlaySyntax(_("{name}: a play file is a list of plays").format(name=file.name), file, 1)
    documents = []
    for node in root.value:
        if not isinstance(node, yaml.MappingNode):
            raise PlaySyntax(
                _("{name}, line {line}: a play is a mapping").format(name=file.name, line=line_of(node)),
                file,
                line_of(node),
            )
        documents.append(node)
    tasks = [task for node in documents for task in _tasks_of_play(node, file)]
    description = scalar(documents[0], "name") or file.stem
    return Play(file, description, tuple(tasks), tuple(documents))


def entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """The keys and values of a YAML mapping; empty for anything else."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def scalar(node: yaml.Node | None, key: str) -> str | None:
    """The text under a key of a YAML mapping, or None."""
    value = entries(node).get(key)
    return str(value.value) if isinstance(value, yaml.ScalarNode) else None


def line_of(node: yaml.Node) -> int:
    """The line where a node begins, counted from 1."""
    return int(node.start_mark.line) + 1


def _compose(file: Path) -> yaml.Node | None:
    try:
        text = file.read_text(encoding="utf-8")
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + 1 if mark else None
        where = _(", line {line}, column {value}").format(line=line, value=mark.column + 1) if mark else ""
        raise PlaySyntax(f"{file.name}{where}: {problem.problem or problem.context}", file, line) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise PlaySyntax(_("{name} is not YAML: {problem}").format(name=file.name, problem=problem), file) from problem
    except FileNotFoundError as problem:
        raise PlayNotFound(_("There is no file {file}").format(file=file), file) from problem
    except OSError as problem:
        raise PlayProblem(
            _("{file} cannot be read: {reason}").format(file=file, reason=problem.strerror), file
        ) from problem


def _tasks_of_play(node: yaml.MappingNode, file: Path) -> Iterator[PlayTask]:
    parts = entries(node)
    for key in ("import_playbook", "ansible.builtin.import_playbook"):
        target = parts.get(key)
        if isinstance(target, yaml.ScalarNode) and "{{" not in target.value:
            yield from read_play(file.parent / target.value).tasks
    for section in _TASK_SECTIONS:
        yield from _tasks(parts.get(section), file, MAIN, 0)


def _tasks(node: yaml.Node | None, file: Path, phase: Phase, depth: int) -> Iterator[PlayTask]:
    if not isinstance(node, yaml.SequenceNode) or depth > _DEEPEST:
        return
    for item in node.value:
        parts = entries(item)
        if "block" in parts:
            yield from _tasks(parts["block"], file, phase, depth)
            yield from _tasks(parts.get("rescue"), file, RESCUE, depth)
            yield from _tasks(parts.get("always"), file, phase, depth)
        elif isinstance(item, yaml.MappingNode):
            yield from _task(item, parts, file, phase, depth)


def _task(
    item: yaml.MappingNode, parts: dict[str, yaml.Node], file: Path, phase: Phase, depth: int
) -> Iterator[PlayTask]:
    action = action_of(parts)
    if action not in _IMPORTS:  # an import is no task of its own: what it names stands in its place
        yield PlayTask(scalar(item, "name") or action, action, phase, file, line_of(item), item)
    if action in _IMPORTS | _INCLUDES:
        target = scalar(item, action) or scalar(parts[action], "file")
        if target and "{{" not in target:
            named = file.parent / target
            if named.is_file() or action in _IMPORTS:
                yield from _tasks(_compose(named), named, phase, depth + 1)


def action_of(parts: dict[str, yaml.Node]) -> str:
    """The module that a task calls: its one key that is no keyword of Ansible's."""
    for key in parts:
        if key not in _KEYWORDS and not key.startswith("with_"):
            return key
    return scalar_or(parts.get("action"), "task")


def scalar_or(node: yaml.Node | None, default: str) -> str:
    """The text of a scalar node, or the default."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else default
