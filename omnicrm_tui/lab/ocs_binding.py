"""Reading request parameters as the engine's own decoder does: typed structures, keys without regard to case."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from omnicrm_tui.lab.ocs_engine import BalanceFilter, Flags
from omnicrm_tui.lab.ocs_errors import OcsError
from omnicrm_tui.lab.ocs_time import parse_duration, parse_time

TEXT: Final = "string"
NUMBER: Final = "float64"
WHOLE: Final = "int"
FLAG: Final = "bool"
TEXTS: Final = "[]string"
FLAGS: Final = "map[string]bool"
FREE: Final = "map[string]interface {}"
ANY: Final = "interface {}"


@dataclass(frozen=True)
class Struct:
    """A structure of parameters: the name that its errors carry, and the type of each field."""

    name: str
    fields: Mapping[str, str | Struct | ListOf]


@dataclass(frozen=True)
class ListOf:
    """A list of structures."""

    item: Struct


_ZERO: Final[dict[str, Any]] = {TEXT: "", NUMBER: 0, WHOLE: 0, FLAG: False}
_LARGEST: Final = Decimal("1.7976931348623157e308")


def bind(struct: Struct, value: object, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the structure's fields from a JSON value: absent and null ones at their zero, unknown ones left out.

    Raises OcsError with the decoder's words for a value of another type.
    """
    bound: dict[str, Any] = {
        name: _ZERO.get(kind) if isinstance(kind, str) else None for name, kind in struct.fields.items()
    }
    if value is None:
        return bound
    if not isinstance(value, dict):
        raise OcsError(f"json: cannot unmarshal {_json_kind(value)} into Go value of type {struct.name}")
    by_lower = {name.lower(): name for name in struct.fields}
    for key, item in value.items():
        name = by_lower.get(key.lower())
        if name is not None and item is not None:
            bound[name] = _convert(struct, struct.fields[name], item, (*path, name))
    return bound


def _convert(struct: Struct, kind: str | Struct | ListOf, item: object, path: tuple[str, ...]) -> Any:
    if isinstance(kind, Struct) and isinstance(item, dict):
        return bind(kind, item, path)
    if isinstance(kind, ListOf):
        if not isinstance(item, list):
            raise _wrong(struct, f"[]*engine.{kind.item.name}", item, path)
        for entry in item:
            if entry is not None and not isinstance(entry, dict):
                raise _wrong(struct, kind.item.name, entry, path)
        return [bind(kind.item, entry, path) for entry in item]
    if isinstance(kind, Struct) or not _fits(kind, item):
        raise _wrong(struct, kind if isinstance(kind, str) else kind.name, item, path)
    return item


def _fits(kind: str, item: object) -> bool:
    number = isinstance(item, int | Decimal) and not isinstance(item, bool)
    if kind == NUMBER:
        return number and abs(item) <= _LARGEST  # type: ignore[arg-type]
    if kind == WHOLE:
        return isinstance(item, int) and not isinstance(item, bool) and abs(item) < 2**63
    if kind == TEXTS:
        return isinstance(item, list) and all(isinstance(entry, str) for entry in item)
    if kind == FLAGS:
        return isinstance(item, dict) and all(isinstance(entry, bool) for entry in item.values())
    return isinstance(item, {TEXT: str, FLAG: bool, FREE: dict, ANY: object}[kind])


def _wrong(struct: Struct, kind: str, item: object, path: tuple[str, ...]) -> OcsError:
    return OcsError(
        f"json: cannot unmarshal {_json_kind(item)} into Go struct field {struct.name}.{'.'.join(path)} of type {kind}"
    )


def _json_kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    kinds = ((str, "string"), (int | Decimal, "number"), (list, "array"), (dict, "object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def go_text(value: object) -> str:
    """Write any JSON value as text, as the engine does where it wants text and gets something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value)


def go_number(value: object) -> Decimal:
    """Read a number, the text of a number or a duration ("10m", in nanoseconds); raises OcsError."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _in_range(Decimal(value), go_text(value))
    if not isinstance(value, str):
        raise OcsError(f"cannot convert field: {go_text(value)} to float64")
    if value.endswith(("s", "m", "h")):
        return Decimal(parse_duration(value))
    try:
        return _in_range(Decimal(value), value)
    except ArithmeticError:
        raise OcsError(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from None


def _in_range(number: Decimal, text: str) -> Decimal:
    # The engine's own numbers end at 1.8e308; nobody charges more than 1e50 of anything.
    if not number.is_finite() or abs(number) > Decimal("1e50"):
        raise OcsError(f'strconv.ParseFloat: parsing "{text[:40]}": value out of range')
    return number


def go_bool(value: object) -> bool:
    """Read a flag, the text of a flag, or a number above zero; raises OcsError."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return value > 0
    text = go_text(value)
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise OcsError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def go_flags(value: object) -> Flags:
    """Read a list written "a;b;!c" as a map of names to true or, after an exclamation mark, false."""
    if isinstance(value, dict):
        return {str(name): bool(flag) for name, flag in value.items()}
    names = value if isinstance(value, list) else go_text(value).split(";")
    return {str(name).removeprefix("!"): not str(name).startswith("!") for name in names if name}


def balance_filter(said: Mapping[str, Any] | None, value: Decimal | int, now: Any) -> BalanceFilter:
    """Read the `Balance` of a request; a `Value` beside it that is not zero wins. Signs are dropped.

    Raises OcsError for an expiry, a number or a flag that cannot be read.
    """
    given = {key.lower(): item for key, item in (said or {}).items() if item is not None}
    wanted = BalanceFilter()
    for key, name in (("id", "id"), ("uuid", "uuid"), ("ratingsubject", "rating_subject")):
        if key in given:
            setattr(wanted, name, go_text(given[key]))
    if "value" in given:
        wanted.value = abs(go_number(given["value"]))
    if "expirytime" in given:
        if not isinstance(given["expirytime"], str):
            raise OcsError(f"cannot convert field: {go_text(given['expirytime'])} to time.Time")
        wanted.expires, wanted.expires_set = parse_time(given["expirytime"], now), True
    if "weight" in given:
        wanted.weight = balance_weight(go_text(given["weight"]))
    for key, name in _FLAG_LISTS:
        if key in given:
            setattr(wanted, name, go_flags(given[key]))
    for key in ("disabled", "blocker"):
        if key in given:
            setattr(wanted, key, go_bool(given[key]))
    if isinstance(given.get("factors"), dict):
        wanted.factors = {str(key): float(go_number(item)) for key, item in given["factors"].items()}
    if value:
        wanted.value = abs(go_number(value))
    return wanted


_FLAG_LISTS: Final = (
    ("destinationids", "destination_ids"),
    ("categories", "categories"),
    ("sharedgroups", "shared_groups"),
    ("timingids", "timing_ids"),
)


def balance_weight(text: str) -> float:
    """Read a weight written as text; raises OcsError."""
    weight = float(go_number(text))
    if not math.isfinite(weight):
        raise OcsError(f'strconv.ParseFloat: parsing "{text}": value out of range')
    return weight
