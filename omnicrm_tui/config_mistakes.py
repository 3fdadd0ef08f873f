"""What is wrong in a configuration file, said with line, fault and what is allowed. Loaded only when needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from omnicrm_tui.languages import N_, said
from omnicrm_tui.languages import spoken as _
from omnicrm_tui.security_settings import Section
from omnicrm_tui.settings import EMAIL_TYPES, Settings

Detail = Mapping[str, Any]
Location = tuple[str | int, ...]

_NOT_IN_FILES = ("home", "config_path", "demo")
_KINDS = {
    "int": N_("a whole number"),
    "float": N_("a number"),
    "bool": N_("true or false"),
    "string": N_("a text"),
    "list": N_("a list"),
    "dict": N_("a map"),
    "secret": N_("a text"),
}
_PATTERNS = {
    "^[A-Z]{3}$": N_("three capital letters such as USD"),
    "^[a-z]{3}$": N_("three small letters such as usd"),
    "^$|^#[0-9A-Fa-f]{6}$": N_("six hexadecimal digits after a # such as '#405189'"),
    "^[a-z]{2}$": N_("two small letters such as en or fr"),
    "^$|^SHA256:[A-Za-z0-9+/]{43}$": N_("SHA256: and the 43 letters and digits that ssh-keygen -l prints"),
    "^$|^[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*$": N_("a language and a country such as en-GB"),
}


def explain(path: Path, values: Mapping[str, Any], details: Iterable[Detail]) -> list[str]:
    """Return one line for each mistake, in the order of the file.

    `values` is the file's content as read; `details` are pydantic's errors about Settings made of it.
    """
    root = yaml.compose(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert root is not None, "an empty file has no mistakes"
    found: dict[tuple[int, str], None] = {}
    for detail in details:
        location = _as_written(_cleaned(detail), values)
        found[(_line(root, location, detail["type"]), f"{_shown(location)} {_fault(detail, location)}")] = None
    return [f"{path}:{line}: {sentence}" for line, sentence in sorted(found)]


def explained(detail: Detail) -> str:
    """Return what is wrong with one value, and what is allowed there, without its place."""
    return _fault(detail, _cleaned(detail))


def _cleaned(detail: Detail) -> Location:
    """Return where the mistake is, without pydantic's own marks such as `[key]`."""
    return tuple(part for part in detail["loc"] if part != "[key]")


def _as_written(location: Location, values: Mapping[str, Any]) -> Location:
    """Return the place in the file: e-mail types may stand at its top level, and the whitelist may be a list."""
    if len(location) > 1 and location[0] == "mailjet" and location[1] in EMAIL_TYPES and location[1] in values:
        return location[1:]
    whitelist = values.get("ip_whitelist")
    if len(location) > 1 and location[0] == "ip_whitelist" and isinstance(whitelist, list):
        texts = [str(address) for address in whitelist]
        return ("ip_whitelist", texts.index(str(location[1])))
    return location


def _line(root: yaml.Node, location: Location, kind: str) -> int:
    """Return the line (from 1) of the value at `location`, or of what comes nearest."""
    node, line = root, root.start_mark.line
    for depth, part in enumerate(location):
        found = next((pair for pair in _children(node) if pair[0] == str(part)), None)
        if found is None:
            break
        _name, key, node = found
        last = depth == len(location) - 1
        # A wrong value may stand on the lines below its key; a wrong or incomplete section is its key's line.
        scalar = isinstance(node, yaml.ScalarNode) and kind != "extra_forbidden"
        line = node.start_mark.line if last and scalar and node.value else key.start_mark.line
    return int(line) + 1


def _children(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield str(index), value, value


def _shown(location: Location) -> str:
    parts = [str(part) for part in location]
    if len(parts) > 1 and parts[0] == "api_keys":
        parts[1] = f"{parts[1][:4]}..."
    return ".".join(parts) or _("the file")


def _fault(detail: Detail, location: Location) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown(str(location[-1]), _allowed_names(location))
    if kind == "missing":
        return _("is missing.")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        names = _names_of(_annotation(location))
        section = _("must be a section with: {names}.").format(names=", ".join(names))
        return section if names else _("must be a map.")
    if kind == "invalid_key":
        return _("must be a name, not a number.")
    return f"{_value(detail, location)}: {_allowed(detail, location)}"


def _unknown(name: str, allowed: Sequence[str]) -> str:
    near = get_close_matches(name.lower(), [known.lower() for known in allowed], 1)
    meant = next((known for known in allowed if near and known.lower() == near[0]), "")
    suggestion = _("Did you mean {name}?").format(name=meant) if meant else ""
    known = _("Allowed: {names}.").format(names=", ".join(allowed))
    return " ".join(filter(None, (_("is not a setting."), suggestion, known)))


def _allowed_names(location: Location) -> Sequence[str]:
    names = _names_of(_annotation(location[:-1]) if len(location) > 1 else Settings)
    if len(location) == 1:
        types = EMAIL_TYPES if str(location[0]).startswith("api_crm") else ()
        return (*(name for name in names if name not in _NOT_IN_FILES), *types)
    return names


def _value(detail: Detail, location: Location) -> str:
    value = detail["input"]
    if _is_secret(location) or isinstance(value, (dict, list, SecretStr)) or location[0] == "api_keys":
        return _("is not right")
    return _("is {value}").format(value=repr(str(value)[:80])) if value != "" else _("is blank")


def _allowed(detail: Detail, location: Location) -> str:
    kind, limits = str(detail["type"]), detail.get("ctx", {})
    if kind == "value_error":
        return f"{detail['msg'].removeprefix('Value error, ')}."
    if kind == "string_pattern_mismatch":
        return _("{what} are allowed.").format(what=said(_PATTERNS[limits["pattern"]]))
    if kind == "string_too_long":
        return _("at most {number} characters are allowed.").format(number=limits["max_length"])
    field = _field(location)
    base = _KINDS.get(kind.split("_")[0]) or _KINDS["int" if _plain(field) is int else "float"]
    return _("{what} is allowed.").format(what=f"{said(base)}{_range(field)}")


def _range(field: FieldInfo | None) -> str:
    limits: dict[str, Any] = {}
    for rule in [] if field is None else [*field.metadata, *_inner_rules(field.annotation)]:
        for name in ("ge", "gt", "le"):
            if getattr(rule, name, None) is not None:
                limits[name] = getattr(rule, name)
    if "le" in limits:
        words = _("above {low} and up to {high}") if "gt" in limits else _("from {low} to {high}")
        return " " + words.format(low=limits.get("ge", limits.get("gt")), high=limits["le"])
    return " " + _("of at least {low}").format(low=limits["ge"]) if "ge" in limits else ""


def _inner_rules(annotation: Any) -> list[Any]:
    rules: list[Any] = []
    for part in get_args(annotation) if _is_union(annotation) else (annotation,):
        if get_origin(part) is Annotated:
            rules += [rule for mark in get_args(part)[1:] for rule in getattr(mark, "metadata", [mark])]
    return rules


def _field(location: Location) -> FieldInfo | None:
    owner = _annotation(location[:-1]) if len(location) > 1 else Settings
    fields = getattr(owner, "model_fields", {})
    found: FieldInfo | None = fields.get(location[-1])
    return found


def _plain(field: FieldInfo | None) -> Any:
    return None if field is None else _unwrapped(field.annotation)


def _is_secret(location: Location) -> bool:
    return _plain(_field(location)) is SecretStr


def _annotation(location: Location) -> Any:
    """Return the type of the setting at `location` of the file."""
    current: Any = Settings
    if location and location[0] in EMAIL_TYPES:
        location = ("mailjet", *location)
    for part in location:
        if isinstance(current, type) and issubclass(current, Section):
            field = current.model_fields.get(str(part))
            current = _unwrapped(field.annotation) if field else None
        else:
            current = _unwrapped(get_args(current)[-1]) if get_args(current) else None
    return current


def _unwrapped(annotation: Any) -> Any:
    """Return the bare type below Annotated and Optional."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif _is_union(annotation):
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        else:
            return annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _names_of(annotation: Any) -> Sequence[str]:
    return tuple(getattr(annotation, "model_fields", ()))
