"""The controls of forms: one line each, no border, nothing that blinks. `text` is what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from widgets.text import fit


class TextLine(Input):
    """One line of text. Its cursor does not blink: over SSH a blink costs bytes for ever."""

    DEFAULT_CSS = """
    TextLine { height: 1; border: none; padding: 0 1; width: 1fr; background: $panel; color: $foreground; }
    TextLine:focus { border: none; background: $panel; background-tint: transparent; text-style: underline; }
    TextLine > .input--placeholder { color: $text-muted; }
    TextLine:ansi { text-style: underline; }
    TextLine:focus:ansi { text-style: underline bold; }
    """

    def __init__(
        self, value: str = "", *, password: bool = False, placeholder: str = "", id: str | None = None
    ) -> None:
        super().__init__(value, placeholder=placeholder, password=password, select_on_focus=False, id=id)
        self.cursor_blink = False

    @property
    def text(self) -> str:
        """What is written, without blanks around it; of a password every character counts."""
        return self.value if self.password else self.value.strip()


class OneLine(Widget, can_focus=True):
    """A control that is drawn as one line."""

    DEFAULT_CSS = """
    OneLine { height: 1; width: 1fr; background: $surface; color: $foreground; }
    OneLine:focus { text-style: reverse; }
    """

    class Changed(Message):
        """Another value was chosen."""

        def __init__(self, control: OneLine) -> None:
            super().__init__()
            self.chosen = control

        @property
        def control(self) -> Widget:
            return self.chosen

    def _shown(self) -> str:
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(fit(f" {self._shown()}", self.size.width), self.rich_style)], self.size.width)


class Toggle(OneLine):
    """Yes or no: space, enter, left or right changes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter,left,right", "flip", _("Yes or no"), show=False, id="toggle.change")
    ]

    def __init__(self, on: bool = False, label: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.on = on
        self._label = label

    @property
    def text(self) -> str:
        """`true` or `false`."""
        return "true" if self.on else "false"

    def _shown(self) -> str:
        return f"[{'x' if self.on else ' '}] {self._label or (_('yes') if self.on else _('no'))}"

    def turn(self, on: bool) -> None:
        """Set it to yes or no."""
        if on != self.on:
            self.on = on
            self.refresh()
            self.post_message(self.Changed(self))

    def action_flip(self) -> None:
        self.turn(not self.on)


class Choice(OneLine):
    """One of several: left and right (or space) go through them, a letter jumps to the next that begins with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space,enter", "turn(1)", _("Next choice"), show=False, id="choice.next"),
        Binding("left", "turn(-1)", _("Previous choice"), show=False, id="choice.previous"),
    ]

    def __init__(self, choices: Sequence[tuple[str, str]], value: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._choices = list(choices) or [("", "–")]
        self._at = next((i for i, (text, _label) in enumerate(self._choices) if text == value), 0)

    @property
    def text(self) -> str:
        """The chosen value."""
        return self._choices[self._at][0]

    def _shown(self) -> str:
        label = self._choices[self._at][1]
        return f"‹ {label} ›  {self._at + 1}/{len(self._choices)}" if len(self._choices) > 1 else label

    def choose(self, value: str) -> None:
        """Choose `value`, if it is one of the choices."""
        for at, (text, _label) in enumerate(self._choices):
            if text == value and at != self._at:
                self._at = at
                self.refresh()
                self.post_message(self.Changed(self))

    def action_turn(self, by: int) -> None:
        self.choose(self._choices[(self._at + by) % len(self._choices)][0])

    def on_key(self, event: events.Key) -> None:
        """Jump to the next choice that begins with the letter."""
        letter = event.character or ""
        if not letter.isalnum():
            return
        for step in range(1, len(self._choices) + 1):
            value, label = self._choices[(self._at + step) % len(self._choices)]
            if label.lower().startswith(letter.lower()):
                event.stop()
                self.choose(value)
                return
