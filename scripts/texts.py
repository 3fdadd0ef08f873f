"""Gather every text of the product and bring the catalogues up to date: `make texts`.

What is gathered: `_("...")`, `ngettext("...", "...", n)`, `N_("...")` and the action of `activity.record(...)`
(words that are stored in English), descriptions of permissions, and the help of commands and their options. A new
text is left without a translation in the .po files, visibly: this script and a test name it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from omnicrm_tui.identity.permissions import PERMISSIONS
from omnicrm_tui.languages import DOMAIN, ENGLISH, FOLDER, NAMES, STORED
from widgets.form import label_of

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("omnicrm_tui", "screens", "widgets")
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""The catalogues name no day of their own: the same code gives the same files."""

_HEADER = "# Texts of OmniCRM TUI. Written by `make texts`.\n#"
_OF_CLICK = (
    "Usage:",
    "Options",
    "Commands",
    "Arguments",
    "Show this message and exit.",
    "Show the version and exit.",
    "Aborted!",
    "Repeat for confirmation",
    "Error: The two entered values do not match.",
    "default: {default}",
    "required",
)
"""Words of the library behind the commands that people see again and again."""


_OF_PERMISSIONS = "omnicrm_tui/identity/permissions.py"
"""Puts its descriptions together from a verb and a noun, which not every language can."""

RECORDS = {"record": 2, "_record": 1, "_log": 1, "_refuse": 1}
"""What writes the activity log, and which of its arguments says what happened."""

_PREFIXES = {"Customer": "customer_", "Contact": "contact_"}
"""What forms leave out of the names of fields, by what the schemas' names begin with."""


_UNSEEN = ("version", "icon", "custom_fields", "google_maps_place_id")
"""Fields that no form shows."""


class Text(NamedTuple):
    """One text of the program: with a plural it counts something, with a context it is a stored word."""

    text: str
    plural: str
    context: str
    place: str


def texts_of(path: Path) -> Iterator[Text]:
    """Yield the texts of one module, in its order."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    place = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node, place)
        elif isinstance(node, ast.ClassDef) and node.name.endswith(("Input", "Change")):
            yield from _of_schema(node, place)
        elif isinstance(node, ast.FunctionDef) and any(_is_command(mark) for mark in node.decorator_list):
            yield Text(ast.get_docstring(node) or "", "", "", place)


def _of_call(call: ast.Call, place: str) -> Iterator[Text]:
    name = _name(call.func)
    words = [_words(argument) for argument in call.args]
    if name == "_" and words:
        yield from (Text(text, "", "", place) for text in words[0])
    elif name == "ngettext" and len(words) == 3:
        yield from (Text(one, many, "", place) for one, many in zip(words[0], words[1], strict=True))
    elif name == "N_" and words:
        yield from (Text(text, "", STORED, place) for text in words[0])
    elif name in RECORDS and len(words) > RECORDS[name]:
        yield from (Text(text, "", STORED, place) for text in words[RECORDS[name]] if text[:1].isupper())
    elif name in ("option", "argument", "version_option"):
        for keyword in call.keywords:
            if keyword.arg in ("help", "prompt"):
                yield from (Text(text, "", "", place) for text in _words(keyword.value))


def _of_schema(schema: ast.ClassDef, place: str) -> Iterator[Text]:
    """Yield what a form makes of a schema: labels of its fields, and the values to choose from."""
    prefix = next((prefix for kind, prefix in _PREFIXES.items() if schema.name.startswith(kind)), "")
    for field in schema.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and field.target.id not in _UNSEEN:
            yield Text(label_of(field.target.id, prefix), "", "", place)
            for part in ast.walk(field.annotation):
                if isinstance(part, ast.Subscript) and _name(part.value) == "Literal":
                    values = part.slice.elts if isinstance(part.slice, ast.Tuple) else [part.slice]
                    yield from (Text(word, "", STORED, place) for value in values for word in _words(value))


def _words(node: ast.expr) -> list[str]:
    """Return the literal texts that an argument may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*_words(node.body), *_words(node.orelse)]
    return []


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_command(mark: ast.expr) -> bool:
    return isinstance(mark, ast.Call) and _name(mark.func) in ("command", "group")


def gathered() -> Catalog:
    """Return the template: every text once, with the modules that use it."""
    catalog = _empty(None)
    for text in _OF_CLICK:
        catalog.add(text, locations=[("click", 0)])
    for text in PERMISSIONS.values():
        catalog.add(text, locations=[(_OF_PERMISSIONS, 0)], context=STORED)
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            for text in sorted(text for text in texts_of(path) if text.text):
                identity = (text.text, text.plural) if text.plural else text.text
                flags = ["python-brace-format"] if "{" in text.text else []
                catalog.add(identity, locations=[(text.place, 0)], context=text.context or None, flags=flags)
    return catalog


def _empty(locale: str | None) -> Catalog:
    return Catalog(
        locale=locale,
        domain=DOMAIN,
        header_comment=_HEADER,
        project="OmniCRM TUI",
        version="1",
        creation_date=_SOME_DAY,
        revision_date=_SOME_DAY,
        msgid_bugs_address="OmniCRM TUI",
        last_translator="OmniCRM TUI",
        language_team="OmniCRM TUI",
        fuzzy=False,
    )


def template_path() -> Path:
    """Where the template is."""
    return FOLDER / f"{DOMAIN}.pot"


def catalogue_path(language: str) -> Path:
    """Where a language's texts are."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read_catalogue(path: Path, locale: str | None = None) -> Catalog:
    """Return what is in a .po or .pot file."""
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def updated(template: Catalog, language: str) -> Catalog:
    """Return the language's catalogue with exactly the texts of `template`; new ones have no translation."""
    path = catalogue_path(language)
    known = read_catalogue(path, language) if path.exists() else _empty(language)
    catalog = _empty(language)
    for message in template:
        if message.id:
            before = known.get(message.id[0] if isinstance(message.id, tuple) else message.id, message.context)
            catalog.add(
                message.id,
                string=before.string if before and not before.fuzzy else None,
                locations=message.locations,
                flags=message.flags - {"fuzzy"},
                context=message.context,
            )
    return catalog


def untranslated(catalog: Catalog) -> list[str]:
    """Return the texts that a catalogue has no words for."""
    return [
        message.id[0] if isinstance(message.id, tuple) else message.id
        for message in catalog
        if message.id and not all(message.string if isinstance(message.string, tuple) else (message.string,))
    ]


def _write(path: Path, catalog: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=110, sort_output=True, include_lineno=False)


def main() -> int:
    """Write template and catalogues; say what is not translated, and exit with 1 when something is."""
    template = gathered()
    _write(template_path(), template)
    missing = 0
    for language in NAMES:
        if language == ENGLISH:
            continue
        catalog = updated(template, language)
        path = catalogue_path(language)
        _write(path, catalog)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, read_catalogue(path, language))
        for text in untranslated(catalog):
            missing += 1
            print(f"{path.relative_to(ROOT)}: not translated: {text!r}")
    print(f"{len(template)} texts, {missing} not translated.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
