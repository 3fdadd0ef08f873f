"""Fields of a form, derived from the schema that the API validates with: one place says what is allowed.

A form is a column of rows: label, control, and below them what is wrong with it. Tab, shift+tab, up and down move;
enter goes on to the next field; the dialog around it saves with ctrl+s.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from omnicrm_tui.languages import said
from omnicrm_tui.schemas import Input as Schema
from widgets.controls import Choice, OneLine, TextLine, Toggle
from widgets.text import visible

if TYPE_CHECKING:
    from widgets.lines import Lines
    from widgets.several import Several

Kind = Literal["text", "secret", "number", "choice", "several", "bool", "lines"]
Control = Union["TextLine", "Choice", "Several", "Toggle", "Lines"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `choices` are (value, label), of which one or `several` are taken.

    `blank_is_none` says what an empty control means: None, or that the field is left out.
    """

    name: str
    label: str
    kind: Kind = "text"
    choices: Sequence[tuple[str, str]] = ()
    required: bool = False
    default: Any = None
    hint: str = ""
    blank_is_none: bool = False


def fields_of(
    schema: type[Schema],
    names: Iterable[str] | None = None,
    *,
    prefix: str = "",
    labels: Mapping[str, str] | None = None,
    hints: Mapping[str, str] | None = None,
    choices: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    lines: Iterable[str] = (),
) -> list[Field]:
    """Derive fields from `schema`: those of `names` in that order, or all.

    Labels come from the names, without `prefix`, unless `labels` has one. `choices` makes a choice of a field whose
    values only the caller knows; fields named in `lines` get several lines.
    """
    found = []
    for name in names or schema.model_fields:
        field = _field(name, schema.model_fields[name])
        label = (labels or {}).get(name) or _label(name, prefix)
        field = replace(field, label=label, hint=(hints or {}).get(name, ""))
        if choices and name in choices:
            field = replace(field, kind="choice", choices=choices[name])
        if name in lines:
            field = replace(field, kind="lines")
        found.append(field)
    return found


def _label(name: str, prefix: str) -> str:
    return _(label_of(name, prefix))


def label_of(name: str, prefix: str = "") -> str:
    """Return a field's name as English words: `Tax percentage`."""
    words = name.removeprefix(prefix).replace("_", " ")
    return words[:1].upper() + words[1:]


def _field(name: str, info: FieldInfo) -> Field:
    bare, optional = _bare(info.annotation)
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    field = Field(name, name, required=info.is_required(), default=default, blank_is_none=optional)
    if get_origin(bare) is Literal:
        values = [(str(value), said(str(value))) for value in get_args(bare)]
        return replace(field, kind="choice", choices=[("", "–"), *values] if optional else values)
    if bare is bool:
        if optional:
            return replace(field, kind="choice", choices=[("", "–"), ("true", _("yes")), ("false", _("no"))])
        return replace(field, kind="bool")
    if bare in (int, float, Decimal):
        return replace(field, kind="number")
    return replace(field, kind="secret") if bare is SecretStr else field


def _bare(annotation: Any) -> tuple[Any, bool]:
    """Return the type itself, without Annotated and None, and whether None is allowed."""
    while get_origin(annotation) is not None and hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        if len(parts) < len(get_args(annotation)):
            return _bare(parts[0])[0], True
    return annotation, False


class Form(VerticalScroll, can_focus=False):
    """The rows of a form. `values()` is what is in it; `show_errors()` says what is wrong, each at its field."""

    DEFAULT_CSS = """
    Form { height: auto; max-height: 100%; scrollbar-size-vertical: 1; background: $surface; }
    Form .form--row { height: auto; min-height: 1; background: $surface; }
    Form .form--label { width: 21; padding: 0 1 0 0; text-align: right; color: $text-muted; }
    /* A row is looked at again when the focus moves only where it has such a rule of its own. */
    Form .form--row:focus-within { background: $surface; }
    Form .form--row:focus-within .form--label { color: $foreground; text-style: bold; }
    Form .form--note { height: auto; margin: 0 0 0 21; color: $text-muted; }
    Form .form--error { height: auto; margin: 0 0 0 21; color: $text-error; text-style: bold; display: none; }
    Form .form--error.-open { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", _("Previous field"), show=False, id="form.previous"),
        Binding("down", "step(1)", _("Next field"), show=False, id="form.next"),
    ]

    class Completed(Message):
        """Enter on the last field."""

    def __init__(self, fields: Sequence[Field], values: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.fields = tuple(fields)
        given = values or {}
        self._controls: dict[str, Control] = {f.name: _control(f, given.get(f.name, f.default)) for f in fields}
        self._errors: dict[str, Static] = {}
        self._before = {name: control.text for name, control in self._controls.items()}

    def compose(self) -> ComposeResult:
        for field in self.fields:
            star = " *" if field.required else ""
            label = Static(visible(field.label) + star, classes="form--label", markup=False)
            yield Horizontal(label, self._controls[field.name], classes="form--row")
            if field.hint:
                yield Static(visible(field.hint), classes="form--note", markup=False)
            error = self._errors[field.name] = Static("", classes="form--error", markup=False)
            yield error

    def control(self, name: str) -> Control:
        """Return the control of a field."""
        return self._controls[name]

    @property
    def changed(self) -> bool:
        """Whether something differs from what the form began with."""
        return any(control.text != self._before[name] for name, control in self._controls.items())

    def values(self, *, only_changed: bool = False) -> dict[str, Any]:
        """Return what the schema should validate: blank fields are None where that is allowed, else left out."""
        given: dict[str, Any] = {}
        for field in self.fields:
            text = self._controls[field.name].text
            if only_changed and text == self._before[field.name]:
                continue
            if text != "":
                given[field.name] = text
            elif field.blank_is_none:
                given[field.name] = None
            elif only_changed or not field.required:
                given[field.name] = "" if field.default in ("", None) and field.kind != "number" else field.default
        return given

    def entered(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return what differs from what the form began with, and what that was; secrets are left out."""
        changed = [
            field.name
            for field in self.fields
            if field.kind != "secret" and self._controls[field.name].text != self._before[field.name]
        ]
        return {n: self._controls[n].text for n in changed}, {n: self._before[n] for n in changed}

    def enter(self, values: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
        """Enter values that `entered` gave; return the labels of fields that began with something else then."""
        known = {field.name: field for field in self.fields if field.kind != "secret" and field.name in values}
        for name in known:
            _fill(self._controls[name], values[name])
        return [field.label for name, field in known.items() if self._before[name] != before.get(name)]

    def focus_first(self) -> None:
        """Give the keyboard to the first field."""
        self.screen.set_focus(next(iter(self._controls.values())))

    def show_errors(self, errors: Mapping[str, str]) -> str:
        """Show what is wrong at each field and go to the first; return what belongs to no field here."""
        elsewhere = [f"{name}: {why}" for name, why in errors.items() if name not in self._errors]
        wrong = [field.name for field in self.fields if field.name in errors]
        for name, line in self._errors.items():
            line.update(visible(f"! {errors[name]}") if name in errors else "")
            line.set_class(name in errors, "-open")
        if wrong:
            self.screen.set_focus(self._controls[wrong[0]])
        return "; ".join(elsewhere)

    def action_step(self, by: int) -> None:
        """Go to the next or previous field; stop at the ends."""
        order: list[Widget] = list(self._controls.values())
        at = order.index(self.screen.focused) if self.screen.focused in order else 0
        self.screen.set_focus(order[max(0, min(len(order) - 1, at + by))])

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter goes on to the next field, and after the last one the form is complete."""
        message.stop()
        if message.input is list(self._controls.values())[-1]:
            self.post_message(self.Completed())
        else:
            self.action_step(1)


def _control(field: Field, value: Any) -> Control:
    if field.kind == "bool":
        return Toggle(bool(value))
    text = _text(value)
    if field.kind == "choice":
        return Choice(field.choices, text)
    if field.kind == "several":
        from widgets.several import Several

        return Several(field.choices, text)
    if field.kind == "lines":
        from widgets.lines import Lines

        return Lines(text)
    return TextLine(text, password=field.kind == "secret")


def _fill(control: Control, text: str) -> None:
    if isinstance(control, TextLine):
        control.value = text
        control.cursor_position = len(text)
    elif isinstance(control, Toggle):
        control.turn(text == "true")
    elif isinstance(control, OneLine):
        control.choose(text)
    else:
        control.text = text


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
