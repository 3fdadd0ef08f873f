"""Every text that a person sees goes through gettext, and says the same in every language."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from omnicrm_tui import errors
from omnicrm_tui.languages import ENGLISH, NAMES
from scripts.texts import ROOT, SOURCES

LANGUAGES = [language for language in NAMES if language != ENGLISH]
ENGLISH_ONLY = (
    "omnicrm_tui/api/",
    "omnicrm_tui/lab/",
    "omnicrm_tui/demo/",
    "omnicrm_tui/config_",
    "omnicrm_tui/settings.py",
    "omnicrm_tui/job.py",
    "omnicrm_tui/provisioning/ansible_run.py",
    "omnicrm_tui/provisioning/play_lint.py",
    "omnicrm_tui/provisioning/failure_mail.py",
)
"""What machines read, what the pretend network says, demo data, mistakes in the configuration, which are told before
the language is known, and what jobs write down and send, which outlives whoever started them."""

ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type)} | {
    "ConfigurationError",
    "ExportFailed",
    "Refused",
    "PlayNotFound",
    "PlaySyntax",
    "PlayProblem",
    "ClickException",
    "UsageError",
    "BadParameter",
}
SHOWN_FIRST = {"Static", "Label", "Column", "notify", "tell", "echo", "confirm", "prompt", "Confirm", "Reading"}
"""Calls whose first argument is a text for people; of others it is told below which arguments are."""

SHOWN_AT = {"Binding": (2,), "Filter": (1,), "Room": (1,), "Command": (0,), "FormDialog": (0,), "FactLine": (0,)}
SHOWN_NAMED = {"tooltip", "label", "placeholder", "empty_text", "description", "prompt"}
SHOWN_ATTRIBUTES = {"TITLE", "SUB_TITLE", "heading", "keys", "border_title", "border_subtitle"}
PRODUCT = "OmniCRM"
GETTEXT = ("_", "ngettext", "N_")
SENTENCE = re.compile(r"[A-Z][^;{}]* [^;{}]*[.?!…]", re.DOTALL)


def modules() -> list[Path]:
    found = [path for source in SOURCES for path in sorted((ROOT / source).rglob("*.py"))]
    kept = [path for path in found if not path.relative_to(ROOT).as_posix().startswith(ENGLISH_ONLY)]
    return [path for path in kept if path.name != "models.py"]


def test_no_bare_text_reaches_a_person() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {words!r}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for words in _bare(node)
    ]
    assert bare == [], "wrap these in _(), with .format(...) after it where something is filled in"


def _bare(node: ast.AST) -> Iterator[str]:
    """Yield the texts at `node` that people see and gettext does not."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _name(node.exc) in ERRORS:
        for argument in node.exc.args:
            yield from _literals(argument)
    elif isinstance(node, ast.Call):
        name = _name(node)
        places = (0,) if name in SHOWN_FIRST else SHOWN_AT.get(name, ())
        for place in places:
            if place < len(node.args):
                yield from _literals(node.args[place])
        for keyword in node.keywords:
            if keyword.arg in SHOWN_NAMED and name not in ("option", "argument", "partial"):
                yield from _literals(keyword.value)
    elif isinstance(node, ast.Assign):
        names = {target.id if isinstance(target, ast.Name) else getattr(target, "attr", "") for target in node.targets}
        if names & SHOWN_ATTRIBUTES:
            yield from _literals(node.value)


def _literals(node: ast.expr) -> Iterator[str]:
    """Yield the literal words that an expression shows as they are."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if any(map(str.islower, node.value)) and node.value != PRODUCT:
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        words = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
        if any(len(word) > 1 and word.isalpha() for word in words.split()):
            yield words
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from _literals(node.left)
        yield from _literals(node.right)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _literals(value)


def _name(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def test_no_sentence_stands_outside_gettext() -> None:
    found = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        ours = {id(part) for node in ast.walk(tree) if _is_exempt(node) for part in ast.walk(node)}
        found += [
            f"{path.relative_to(ROOT)}:{node.lineno}: {words!r}"
            for node in ast.walk(tree)
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in ours
            for words in _literals(node)
            if SENTENCE.fullmatch(words.strip())
        ]
    assert found == []


def _is_exempt(node: ast.AST) -> bool:
    """Tell whether what stands below `node` is not for people, or is translated: docstrings, logs, errors of ours."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Raise):
        return not isinstance(node.exc, ast.Call) or _name(node.exc) not in ERRORS
    return isinstance(node, ast.Call) and _name(node) in (*GETTEXT, "exception", "option", "record", "warning", "info")


def test_what_is_filled_into_a_text_is_what_it_has_places_for() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {text!r} gets {sorted(given)}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for text, given in _filled(node)
        if not places(text) <= given
    ]
    assert wrong == []


def _filled(call: ast.Call) -> Iterator[tuple[str, set[str]]]:
    function = call.func
    if not (isinstance(function, ast.Attribute) and function.attr == "format" and isinstance(function.value, ast.Call)):
        return
    if _name(function.value) in ("_", "ngettext") and all(keyword.arg for keyword in call.keywords):
        for argument in function.value.args[:2]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value, {str(keyword.arg) for keyword in call.keywords}


def places(text: str) -> set[str]:
    """Return the names that a text has places for."""
    return {name.split(".")[0].split("[")[0] for _text, name, _spec, _how in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("words", ['Static("Save")', 'raise Conflict(f"Job {n} ran.")', 'Binding("n", "new", "New")'])
def test_a_bare_text_is_found(words: str) -> None:
    assert [text for node in ast.walk(ast.parse(words)) for text in _bare(node)]


@pytest.mark.parametrize(
    "words", ['Static(_("Save"))', 'raise Conflict(_("Job {n} ran.").format(n=n))', "Static(name)"]
)
def test_a_text_that_goes_through_gettext_is_not(words: str) -> None:
    assert not [text for node in ast.walk(ast.parse(words)) for text in _bare(node)]
