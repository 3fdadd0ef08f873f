"""The buttons of a dialog on one line: `[ Cancel ]  [ Confirm ]`. Left and right choose, enter presses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from gettext import gettext as _
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.text import visible


@dataclass(frozen=True, slots=True)
class Action:
    """One button; `missing` says what has to be done before it can be pressed, "" when it can."""

    name: str
    label: str
    missing: str = ""


class ActionLine(Widget, can_focus=True):
    """Buttons drawn as one line. One that cannot be pressed yet stands in round brackets and says why."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"action--chosen", "action--missing"}

    DEFAULT_CSS = """
    ActionLine { height: 1; background: $surface; color: $foreground; }
    ActionLine .action--chosen { background: $block-cursor-background; color: $block-cursor-foreground; }
    ActionLine .action--missing { color: $text-muted; }
    ActionLine:nocolor .action--chosen { text-style: reverse; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "turn(1)", _("Next button"), show=False, id="action.next"),
        Binding("left", "turn(-1)", _("Previous button"), show=False, id="action.previous"),
        Binding("enter,space", "press", _("Press"), show=False, id="action.press"),
    ]

    class Chosen(Message):
        """A button was pressed."""

        def __init__(self, line: ActionLine, name: str) -> None:
            super().__init__()
            self.line = line
            self.name = name

        @property
        def control(self) -> Widget:
            return self.line

    def __init__(self, actions: Sequence[Action] = (), *, chosen: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self._actions: tuple[Action, ...] = ()
        self._at = 0
        self._set(actions, chosen)

    def show(self, actions: Sequence[Action], chosen: str = "") -> None:
        """Show other buttons, and choose the one named."""
        if tuple(actions) != self._actions or chosen:
            self._set(actions, chosen)
            self.refresh()

    def _set(self, actions: Sequence[Action], chosen: str) -> None:
        names = [action.name for action in actions]
        before = self._actions[self._at].name if self._actions else ""
        self._actions = tuple(actions)
        self._at = next((names.index(name) for name in (chosen, before) if name in names), 0)

    def action_turn(self, by: int) -> None:
        """Choose the button beside this one."""
        self._at = max(0, min(len(self._actions) - 1, self._at + by))
        self.refresh()

    def action_press(self) -> None:
        """Press the chosen button, unless something is missing."""
        if self._actions and not self._actions[self._at].missing:
            self.post_message(self.Chosen(self, self._actions[self._at].name))

    def on_click(self, event: events.Click) -> None:
        for at, (start, end) in enumerate(self._places()):
            if start <= event.x < end:
                self._at = at
                self.refresh()
                self.action_press()

    def _places(self) -> Iterator[tuple[int, int]]:
        x = 1
        for action in self._actions:
            yield x, x + cell_len(_drawn(action))
            x += cell_len(_drawn(action)) + 2

    def render_line(self, y: int) -> Strip:
        segments = [Segment(" ", self.rich_style)]
        for at, action in enumerate(self._actions):
            segments += [Segment(_drawn(action), self._style(at, action)), Segment("  ", self.rich_style)]
        missing = [action.missing for action in self._actions if action.missing]
        if missing:
            segments.append(Segment(visible(missing[0]), self._named("missing")))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _style(self, at: int, action: Action) -> Style:
        if at == self._at and self.has_focus:
            return self._named("chosen")
        return self._named("missing") if action.missing else self.rich_style

    def _named(self, name: str) -> Style:
        return self.rich_style + self.get_component_rich_style(f"action--{name}")


def _drawn(action: Action) -> str:
    label = visible(action.label)
    return f"( {label} )" if action.missing else f"[ {label} ]"
