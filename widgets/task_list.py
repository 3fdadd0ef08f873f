"""The tasks of a job, live: state, time and duration on a line each, with detail that opens below it.

Lines come and change while one looks; only those that changed are painted again, and the cursor stays with its
task. In follow mode the cursor goes along with the newest task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from gettext import gettext as _
from typing import ClassVar, Literal

from rich.cells import chop_cells
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.columns import Tone
from widgets.text import fit, visible

TaskState = Literal["done", "running", "failed", "ignored", "skipped", "pending", "dropped"]

_STATES: dict[TaskState, tuple[str, str, Tone]] = {
    "done": ("✓", _("done"), "success"),
    "running": ("▸", _("running"), "accent"),
    "failed": ("✗", _("failed"), "error"),
    "ignored": ("!", _("ignored"), "warning"),
    "skipped": ("·", _("skipped"), "muted"),
    "pending": ("○", _("pending"), "muted"),
    "dropped": ("○", _("not run"), "muted"),
}
_QUIET = ("skipped", "pending", "dropped")
_WORD = 8
_TIME = 8
_TOOK = 8
_INDENT = "    │ "


@dataclass(frozen=True, slots=True)
class Task:
    """One task; `key` is its own for good. `note` stands in brackets behind the name, "" for none."""

    key: int
    name: str
    state: TaskState
    at: str = ""
    took: str = ""
    note: str = ""
    undoing: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A line between tasks, such as "Rolling back…"."""

    text: str
    tone: Tone = "warning"


@dataclass(frozen=True, slots=True)
class _Line:
    """What one line shows; `part` counts the lines of a task: 0 is the task itself, the others its detail."""

    key: int
    part: int
    content: Task | Heading | str


class TaskList(Widget, can_focus=True):
    """Tasks and headings in order; `detail(key)` gives the lines that open below a task."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "task--cursor",
        "task--detail",
        "task--heading",
        "task--muted",
        "task--success",
        "task--warning",
        "task--error",
        "task--accent",
    }

    DEFAULT_CSS = """
    TaskList { height: 1fr; background: $surface; color: $foreground; }
    TaskList .task--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    TaskList .task--detail { color: $text-muted; }
    TaskList .task--heading { text-style: bold; }
    TaskList .task--muted { color: $text-muted; }
    TaskList .task--success { color: $text-success; }
    TaskList .task--warning { color: $text-warning; }
    TaskList .task--error { color: $text-error; }
    TaskList .task--accent { color: $text-accent; }
    TaskList:nocolor .task--cursor { text-style: reverse; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,space",
            "open_close",
            _("Detail"),
            key_display="enter",
            id="tasks.open",
            tooltip=_("Open or close the task's detail"),
        ),
        Binding("down,j", "move(1)", _("Down"), show=False, id="tasks.down"),
        Binding("up,k", "move(-1)", _("Up"), show=False, id="tasks.up"),
        Binding("J", "move_half(1)", _("Half a page down"), show=False, id="tasks.half-down"),
        Binding("K", "move_half(-1)", _("Half a page up"), show=False, id="tasks.half-up"),
        Binding("pagedown", "move_half(2)", _("Page down"), show=False, id="tasks.page-down"),
        Binding("pageup", "move_half(-2)", _("Page up"), show=False, id="tasks.page-up"),
        Binding("home,ctrl+home,ctrl+a", "end(False)", _("First task"), show=False, id="tasks.first"),
        Binding("end,ctrl+end,ctrl+d,G", "end(True)", _("Last task"), show=False, id="tasks.last"),
        Binding("F", "follow", _("Follow"), id="tasks.follow", tooltip=_("Go along with the newest task, or stop it")),
    ]

    class FollowChanged(Message):
        """Following began or ended."""

    def __init__(self, detail: Callable[[int], Sequence[str]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.following = True
        self._detail = detail
        self._entries: tuple[Task | Heading, ...] = ()
        self._open: set[int] = set()
        self._lines: list[_Line] = []
        self._top = 0
        self._cursor = 0

    # What is shown

    @property
    def task_key(self) -> int | None:
        """The key of the task under the cursor; None on a heading or in an empty list."""
        line = self._lines[self._cursor] if self._cursor < len(self._lines) else None
        return line.key if line is not None and not isinstance(line.content, Heading) else None

    def show(self, entries: Sequence[Task | Heading]) -> None:
        """Show these entries in place of those before, and paint what differs."""
        self._entries = tuple(entries)
        self._rebuild()

    def open_task(self, key: int) -> None:
        """Open the detail of a task, and go there."""
        self._stop_following()
        self._open.add(key)
        self._rebuild()
        self._go(next((at for at, line in enumerate(self._lines) if line.key == key), self._cursor))

    def settle(self) -> None:
        """Nothing new will come: stop following, with the list filling the view."""
        self._stop_following()
        self._go(self._cursor)

    def _rebuild(self) -> None:
        before = self._lines
        here = before[self._cursor] if self._cursor < len(before) else None
        self._lines = self._laid_out()
        cursor = self._cursor
        if here is not None and not self._is_at(cursor, here):
            found = [at for at, line in enumerate(self._lines) if line.key == here.key and line.part <= here.part]
            cursor = found[-1] if found else cursor
        if self.following:
            cursor = self._newest()
        top = self._top
        self._go(cursor)
        if self._top == top:
            self._paint_differences(before)

    def _is_at(self, at: int, line: _Line) -> bool:
        return at < len(self._lines) and (self._lines[at].key, self._lines[at].part) == (line.key, line.part)

    def _laid_out(self) -> list[_Line]:
        lines: list[_Line] = []
        width = max(20, self.size.width - len(_INDENT))
        for at, entry in enumerate(self._entries):
            if isinstance(entry, Heading):
                lines.append(_Line(-10_000 - at, 0, entry))
                continue
            lines.append(_Line(entry.key, 0, entry))
            if entry.key in self._open:
                texts = [
                    piece for text in self._detail(entry.key) for piece in chop_cells(visible(text), width) or [""]
                ]
                lines += [_Line(entry.key, part, text) for part, text in enumerate(texts, 1)]
        return lines

    def _newest(self) -> int:
        started = [
            at
            for at, line in enumerate(self._lines)
            if isinstance(line.content, Task) and line.content.state not in ("pending", "dropped")
        ]
        return started[-1] if started else 0

    def _paint_differences(self, before: Sequence[_Line]) -> None:
        for y in range(self.size.height):
            at = self._top + y
            old = before[at] if at < len(before) else None
            new = self._lines[at] if at < len(self._lines) else None
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    # Moving

    def _go(self, cursor: int) -> None:
        """Put the cursor on a line, in view, and paint what that changes."""
        height = max(1, self.size.height)
        old, self._cursor = self._cursor, max(0, min(len(self._lines) - 1, cursor))
        top = max(self._cursor - height + 1, min(self._top, self._cursor))
        if self.following and top > self._top:
            # Many lines now and then: to scroll for each poll would send the whole list each time.
            top += height // 2
        top = max(0, min(top, self._cursor, len(self._lines) - (height // 2 if self.following else height)))
        if top != self._top:
            self._top = top
            self.refresh()
        elif old != self._cursor:
            for at in (old, self._cursor):
                self.refresh(Region(0, at - top, self.size.width, 1))

    def _stop_following(self) -> None:
        if self.following:
            self.following = False
            self.post_message(self.FollowChanged())

    def action_move(self, by: int) -> None:
        """Go down or up by lines."""
        self._stop_following()
        self._go(self._cursor + by)

    def action_move_half(self, halves: int) -> None:
        """Go down or up by half pages."""
        self.action_move(halves * max(1, self.size.height // 2))

    def action_end(self, last: bool) -> None:
        """Go to the first or last line."""
        self._stop_following()
        self._go(len(self._lines) - 1 if last else 0)

    def action_follow(self) -> None:
        """Go along with the newest task, or stop it."""
        self.following = not self.following
        self.post_message(self.FollowChanged())
        self._rebuild()

    def action_open_close(self) -> None:
        """Open or close the detail of the task under the cursor."""
        key = self.task_key
        if key is None:
            return
        self._stop_following()
        self._open ^= {key}
        self._rebuild()

    def on_resize(self) -> None:
        self._rebuild()
        self.refresh()

    # Painting

    def render_line(self, y: int) -> Strip:
        at = self._top + y
        if at >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        content, width = self._lines[at].content, self.size.width
        chosen = at == self._cursor and self.has_focus
        if isinstance(content, Task):
            return self._drawn(content, width, chosen)
        if isinstance(content, Heading):
            text, style = f"  {content.text}", self._style(content.tone or "heading") + Style(bold=True)
        else:
            text, style = _INDENT + content, self._style("detail")
        return Strip([Segment(fit(text, width), self._style("cursor") if chosen else style)], width)

    def _drawn(self, task: Task, width: int, chosen: bool) -> Strip:
        mark, word, tone = _STATES[task.state]
        plain = self._style("cursor") if chosen else self.rich_style
        muted = plain if chosen else self._style("muted")
        gutter = ("▾" if task.key in self._open else " ") + ("↩ " if task.undoing else "")
        state = f"{mark} {fit(word, _WORD)} "
        times = f"{fit(task.at, _TIME)} {fit(task.took, _TOOK, 'right')}  "
        name = f"{task.name} ({task.note})" if task.note else task.name
        segments = [
            Segment(gutter, plain),
            Segment(state, plain if chosen else self._style(tone)),
            Segment(times, muted),
            Segment(
                fit(name, width - len(gutter) - len(state) - len(times)),
                muted if task.state in _QUIET else plain,
            ),
        ]
        return Strip(segments).adjust_cell_length(width, plain)

    def _style(self, name: str) -> Style:
        return self.rich_style + self.get_component_rich_style(f"task--{name}")

    # Focus and mouse

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        at = self._top + event.y
        if at < len(self._lines):
            self._stop_following()
            self._go(at)
            self.action_open_close()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move(-3)
