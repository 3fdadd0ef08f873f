"""The two small parts that come up inside an entity table: the search line and the choice of filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from gettext import gettext as _
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from widgets.text import visible


@dataclass(frozen=True, slots=True)
class Filter:
    """A declared filter: its name in `ListQuery.filters`, its label, and its choices as (value, label)."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]


class SearchLine(Input):
    """One line, no border, no blinking: echo is all that a key costs.

    Enter, down and tab lead to the rows, escape clears the search first. Over a slow link keys come in packets:
    those that follow such a key already belong to the rows.
    """

    DEFAULT_CSS = """
    SearchLine { height: 1; border: none; padding: 0 1; display: none; background: $panel; }
    SearchLine:focus { border: none; }
    """

    class Left(Message):
        """Back to the rows, with or without the search."""

        def __init__(self, cleared: bool) -> None:
            super().__init__()
            self.cleared = cleared

    def __init__(self, rows: Widget) -> None:
        super().__init__(placeholder=_("Search"), select_on_focus=False)
        self.cursor_blink = False
        self._rows = rows

    def open(self) -> None:
        """Show the line and give it the keyboard at once."""
        self.display = True
        self.screen.set_focus(self)

    def on_key(self, event: events.Key) -> None:
        leaves = event.key in ("enter", "escape", "down", "tab")
        late = self.screen.focused is not self
        if not (leaves or late):
            return
        event.stop()
        event.prevent_default()
        if late:
            self._rows.post_message(events.Key(event.key, event.character))
        else:
            self.screen.set_focus(self._rows)
            self.post_message(self.Left(cleared=event.key == "escape"))


class FilterMenu(OptionList):
    """The choices of all filters in one list; space or enter takes a choice in or out, esc closes it."""

    DEFAULT_CSS = """
    FilterMenu {
        display: none; layer: above; dock: right; width: 40; max-width: 100%; height: auto; max-height: 100%;
        border: round $primary; background: $surface; scrollbar-size-vertical: 1;
    }
    FilterMenu:focus { border: round $primary; }
    FilterMenu.-open { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", _("Take in or out"), show=False, id="filter.toggle"),
        Binding("j", "cursor_down", _("Down"), show=False, id="filter.down"),
        Binding("k", "cursor_up", _("Up"), show=False, id="filter.up"),
        Binding("escape,f", "close", _("Close"), show=False, id="filter.close"),
    ]

    class Changed(Message):
        """Other choices are in force."""

        def __init__(self, filters: Mapping[str, Sequence[str]]) -> None:
            super().__init__()
            self.filters = filters

    class Closed(Message):
        """The menu was closed."""

    def __init__(self, filters: Sequence[Filter]) -> None:
        super().__init__(markup=False)
        self._choices: list[tuple[Filter, str, str]] = []
        self.declare(filters)
        self._chosen: dict[str, tuple[str, ...]] = {}
        self.border_title = _("Filter")

    def declare(self, filters: Sequence[Filter]) -> None:
        """Offer these filters, from the next opening on."""
        self._choices = [(f, value, label) for f in filters for value, label in f.choices]

    def open(self, chosen: Mapping[str, Sequence[str]]) -> None:
        """Show the menu with these choices taken."""
        self._chosen = {name: tuple(values) for name, values in chosen.items()}
        self.clear_options()
        self.add_options([Option(self._prompt(i)) for i in range(len(self._choices))])
        self.highlighted = 0
        self.add_class("-open")
        self.focus()

    def _prompt(self, index: int) -> Text:
        declared, value, label = self._choices[index]
        taken = value in self._chosen.get(declared.name, ())
        return Text(visible(f"[{'x' if taken else ' '}] {declared.label}: {label}"), no_wrap=True, overflow="ellipsis")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        declared, value, _label = self._choices[event.option_index]
        taken = self._chosen.get(declared.name, ())
        taken = tuple(v for v in taken if v != value) if value in taken else (*taken, value)
        self._chosen = {**self._chosen, declared.name: taken}
        self.replace_option_prompt_at_index(event.option_index, self._prompt(event.option_index))
        self.post_message(self.Changed({name: values for name, values in self._chosen.items() if values}))

    def action_close(self) -> None:
        self.remove_class("-open")
        self.post_message(self.Closed())
