"""Every text that a person sees goes through gettext, and says the same in every language."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from omnicrm_tui import errors, languages
from omnicrm_tui.identity.actor import SYSTEM_NAMES, who
from omnicrm_tui.languages import ENGLISH, NAMES
from omnicrm_tui.messaging.rules import DUTIES
from scripts.texts import RECORDS, ROOT, SOURCES

LANGUAGES = [language for language in NAMES if language != ENGLISH]
ENGLISH_ONLY = (
    "omnicrm_tui/api/",
    "omnicrm_tui/lab/",
    "omnicrm_tui/demo/",
    "omnicrm_tui/job/runner.py",
    "omnicrm_tui/provisioning/ansible_run.py",
    "omnicrm_tui/provisioning/play_lint.py",
)
"""What machines read, what the pretend network says, demo data, and what jobs write down, which outlives whoever
started them."""

SHOWN_FIRST = {"Static", "Label", "Column", "notify", "tell", "confirm", "prompt", "Confirm", "Reading"} | {
    *("echo", "secho", "print", "say"),
}
"""Calls whose first argument is a text for people; of others it is told below which arguments are."""

SHOWN_AT = {"Binding": (2,), "Filter": (1,), "Room": (1,), "Command": (0,), "FormDialog": (0,), "FactLine": (0,)}
SHOWN_NAMED = {"tooltip", "label", "placeholder", "empty_text", "description", "prompt"}
SHOWN_ATTRIBUTES = {"TITLE", "SUB_TITLE", "heading", "keys", "border_title", "border_subtitle"}
PRODUCT = "OmniCRM"
GETTEXT = ("_", "ngettext", "N_")
NOT_OURS = ("All assertions passed", "Value error, ")
"""What Ansible and pydantic say, which is looked for and not shown."""

PHRASE = re.compile(r"[A-Z][a-z]+(?: [a-z]+)+,? ?")
"""What the activity log says happened, a description, a headline: some words that begin like a sentence."""

SENTENCE = re.compile(r"[A-Z][^;{}]* [^;{}]*[.?!…]", re.DOTALL)


def modules() -> list[Path]:
    found = [path for source in SOURCES for path in sorted((ROOT / source).rglob("*.py"))]
    kept = [path for path in found if not path.relative_to(ROOT).as_posix().startswith(ENGLISH_ONLY)]
    return [path for path in kept if path.name != "models.py"]


def _errors() -> set[str]:
    """Return the names of all errors that people are told: those of `errors`, of click, and what derives from them."""
    found = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    found |= {"ClickException", "UsageError", "BadParameter"}
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for source in SOURCES for path in (ROOT / source).rglob("*.py")
    ]
    bases = {
        node.name: {base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    while more := {name for name, below in bases.items() if below & found} - found:
        found |= more
    return found


ERRORS = _errors()


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
    if isinstance(node, ast.Call) and _name(node) in ERRORS:
        for argument in [*node.args, *(word.value for word in node.keywords if word.arg != "param_hint")]:
            yield from _literals(argument)
    elif isinstance(node, ast.Call):
        name = _name(node)
        places = (0,) if name in SHOWN_FIRST else SHOWN_AT.get(name, ())
        for keyword in node.keywords if name in ("option", "argument", "command", "group") else ():
            if keyword.arg in ("help", "prompt") and not isinstance(keyword.value, ast.Constant):
                yield from _literals(keyword.value)
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
            if SENTENCE.fullmatch(words.strip()) or (PHRASE.fullmatch(words) and words not in NOT_OURS)
        ]
    assert found == []


def _is_exempt(node: ast.AST) -> bool:
    """Tell whether what stands below `node` is not for people, or is translated: docstrings, logs, errors of ours."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Raise):
        return not isinstance(node.exc, ast.Call) or _name(node.exc) not in ERRORS
    return isinstance(node, ast.Call) and _name(node) in (*GETTEXT, *RECORDS, "exception", "option", "warning", "info")


def test_what_the_product_calls_itself_is_known_by_name() -> None:
    """`who` translates the names in the activity log that are not a person's."""
    named = {
        argument.value
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _name(node) == "system_actor"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }
    assert {"recovery", "command line"} <= named <= set(SYSTEM_NAMES)
    assert set(DUTIES) <= set(SYSTEM_NAMES)


def test_a_person_who_is_called_like_the_product_keeps_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "_catalogue", languages.catalogue_of("fr"))
    assert (who("outbox", None), who("outbox", 7), who("Nord", None)) == ("boîte d’envoi", "outbox", "Nord")


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


@pytest.mark.parametrize(
    "words",
    [
        'Static("Save")',
        'raise Conflict(f"Job {n} ran.")',
        'problem = DatabaseProblem("It is full.")',
        'raise WrongPassphrase("It does not open.")',
        'click.echo("Saved" if done else "Kept")',
        'print(f"Job {n} ran.")',
        'click.option("--limit", help=f"Rows, {n} at most.")',
        'Binding("n", "new", "New")',
    ],
)
def test_a_bare_text_is_found(words: str) -> None:
    assert [text for node in ast.walk(ast.parse(words)) for text in _bare(node)]


@pytest.mark.parametrize(
    "words",
    [
        'Static(_("Save"))',
        'click.option("--limit", help="Rows at most.")',
        'raise Conflict(_("Job {n} ran.").format(n=n))',
        "Static(name)",
    ],
)
def test_a_text_that_goes_through_gettext_is_not(words: str) -> None:
    assert not [text for node in ast.walk(ast.parse(words)) for text in _bare(node)]
