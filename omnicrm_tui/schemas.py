"""What the inputs of all rooms share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from gettext import gettext as _
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from omnicrm_tui.errors import InvalidInput

MAX_ID = 2**63 - 1


class Input(BaseModel):
    """An input of a use case: unknown fields are refused, blanks around text removed, strings coerced (CAT-186)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True, coerce_numbers_to_str=True)


def _date_time(value: Any) -> Any:
    """Read the spellings that playbooks and samples use (CAT-187): offset without a colon, blank for none."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        return None
    for pattern in ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S"):
        try:
            moment = datetime.strptime(text, pattern)  # noqa: DTZ007 - made aware on the next lines
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return text


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(_("is outside the years 1 to 9999")) from None


class _ToUtc:
    """Makes a parsed date-time aware."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(_aware, handler(source))


UtcInput = Annotated[datetime | None, BeforeValidator(_date_time), _ToUtc]
"""An optional instant in any of the accepted spellings; without an offset it is UTC."""


def blank_is_none(value: Any) -> Any:
    """Return None for a text without a letter in it, else the value: forms and plays send "" for nothing."""
    return None if isinstance(value, str) and not value.strip() else value


BLANK = BeforeValidator(blank_is_none)
"""Marks an optional field in which a blank text means nothing."""


def parse(model: type[Input], values: dict[str, Any]) -> Any:
    """Return `values` as `model`, or raise InvalidInput with one sentence for each wrong field."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fields = {_field(detail): _sentence(detail) for detail in error.errors()}
        raise InvalidInput(_("Some fields are not right."), fields) from None


def _field(detail: ErrorDetails) -> str:
    return ".".join(str(part) for part in detail["loc"]) or "input"


def _sentence(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return _("is required")
    if detail["type"] == "extra_forbidden":
        return _("is not a field of this record")
    message = detail["msg"].removeprefix("Value error, ")
    return message[0].lower() + message[1:]


Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4, allow_inf_nan=False)]
"""A price or cost: never negative, at most four decimals; numeric strings are accepted (CAT-186)."""


def refuse_blanks(given: Mapping[str, Any], required: Iterable[str]) -> None:
    """Raise InvalidInput for each of the `required` fields that a change sets to nothing."""
    wrong = {name: _("is required") for name in required if name in given and given[name] in (None, "")}
    if wrong:
        raise InvalidInput(_("Some fields are not right."), wrong)
