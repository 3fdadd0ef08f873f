"""Forms from schemas: which controls, which values, which errors where."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field as Rule
from pydantic import SecretStr
from textual.app import App, ComposeResult
from textual.widgets import Static

from omnicrm_tui.schemas import Input, UtcInput
from widgets.controls import Choice, TextLine, Toggle
from widgets.form import Form, fields_of


class Thing(Input):
    """One field of each kind."""

    thing_name: Annotated[str, Rule(min_length=1, max_length=20)]
    kind: Literal["small", "large"] = "small"
    flavour: Literal["sweet", "sour"] | None = None
    wanted: bool = False
    price: Annotated[Decimal, Rule(ge=0)] = Decimal(0)
    note: Annotated[Annotated[str, Rule(max_length=9)] | None, Rule()] = None
    ki: SecretStr | None = None
    since: UtcInput = None


class FormApp(App[None]):
    form: Form

    def __init__(self, names: tuple[str, ...] = (), values: dict[str, str] | None = None) -> None:
        super().__init__()
        self.names = names
        self.given = values
        self.completed = 0

    def compose(self) -> ComposeResult:
        self.form = Form(fields_of(Thing, self.names or None), self.given)
        yield self.form

    def on_mount(self) -> None:
        self.form.focus_first()

    def on_form_completed(self) -> None:
        self.completed += 1


def test_kinds_labels_and_choices_come_from_the_schema() -> None:
    fields = {field.name: field for field in fields_of(Thing, prefix="thing_")}
    kinds = {name: field.kind for name, field in fields.items()}
    assert kinds == {
        "thing_name": "text",
        "kind": "choice",
        "flavour": "choice",
        "wanted": "bool",
        "price": "number",
        "note": "text",
        "ki": "secret",
        "since": "text",
    }
    assert (fields["thing_name"].label, fields["thing_name"].required) == ("Name", True)
    assert [value for value, _label in fields["flavour"].choices] == ["", "sweet", "sour"]
    assert fields["note"].blank_is_none
    assert not fields["price"].blank_is_none


async def test_values_are_what_the_schema_reads() -> None:
    app = FormApp()
    async with app.run_test() as pilot:
        await pilot.press(*"Box")
        await pilot.press("tab", "right", "tab", "tab", "space", "tab")
        assert app.form.changed
        values = app.form.values()
    made = Thing.model_validate(values)
    assert (made.thing_name, made.kind, made.flavour, made.wanted, made.note) == ("Box", "large", None, True, None)


async def test_only_what_was_changed_is_given_and_a_blank_means_none() -> None:
    app = FormApp(("thing_name", "note", "kind"), {"thing_name": "Box", "note": "old", "kind": "large"})
    async with app.run_test() as pilot:
        form = app.form
        assert not form.changed
        await pilot.press("down", "backspace", "backspace", "backspace")
        assert form.values(only_changed=True) == {"note": None}
        await pilot.press(*"old")
        assert not form.changed


async def test_errors_stand_at_their_fields_and_the_rest_is_returned() -> None:
    app = FormApp(("kind", "price", "note"))
    async with app.run_test() as pilot:
        rest = app.form.show_errors({"price": "is [b]too[/b] low\x1b", "version": "is stale"})
        await pilot.pause()
        assert rest == "version: is stale"
        assert app.focused is app.form.control("price")
        shown = [str(line.render()) for line in app.query(".form--error.-open")]
        assert shown == ["! is [b]too[/b] low␛"]
        app.form.show_errors({})
        await pilot.pause()
        assert not app.query(".form--error.-open")


async def test_enter_goes_on_and_completes_after_the_last_field() -> None:
    app = FormApp(("thing_name", "note"))
    async with app.run_test() as pilot:
        await pilot.press("enter")
        assert app.focused is app.form.control("note")
        assert app.completed == 0
        await pilot.press("enter")
        await pilot.pause()
        assert app.completed == 1


async def test_a_choice_turns_and_jumps_by_letter() -> None:
    app = FormApp(("kind", "flavour", "wanted"))
    async with app.run_test() as pilot:
        kind, flavour, wanted = (app.form.control(name) for name in ("kind", "flavour", "wanted"))
        assert isinstance(kind, Choice)
        assert isinstance(wanted, Toggle)
        await pilot.press("l")
        assert kind.text == "large"
        await pilot.press("right")
        assert kind.text == "small"
        await pilot.press("down", "s", "s")
        assert flavour.text == "sour"
        await pilot.press("down", "space")
        assert wanted.text == "true"


async def test_a_password_keeps_its_blanks() -> None:
    async with App[None]().run_test():
        assert TextLine(" a ", password=True).text == " a "
        assert TextLine(" a ").text == "a"


async def test_the_label_of_the_field_at_hand_stands_out() -> None:
    app = FormApp()
    async with app.run_test() as pilot:

        def bold() -> list[str]:
            labels = app.query(".form--label").results(Static)
            return [str(label.render()) for label in labels if label.styles.text_style.bold]

        assert bold() == ["Thing name *"]
        await pilot.press("down", "down")
        assert bold() == ["Flavour"]
        await pilot.press("up")
        assert bold() == ["Kind"]
