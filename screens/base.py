"""What every screen shares: title line, key line, dialogs, and a guarded way to do slow things."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.worker import Worker

from omnicrm_tui.errors import CrmError
from screens.desk import Desk, SignedOut, permission_missing, sentence
from widgets.key_line import KeyLine
from widgets.scroll_region import PaintedScreen
from widgets.text import visible
from widgets.title_line import TitleLine
from widgets.too_small import TooSmall

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp
    from widgets.entity_table import EntityTable

    _Widget = Widget
else:
    _Widget = object

T = TypeVar("T")
Severity = Literal["information", "warning", "error"]

_log = logging.getLogger(__name__)


class AtDesk(_Widget):
    """For screens and parts of screens: the desk, and work beside the event loop. Mix in before the widget's class.

    `NEEDS` names the permission of each action that asks for one: without it the key is not offered, `?` lists it with
    the reason, and pressing it says the same.
    """

    NEEDS: ClassVar[Mapping[str, str]] = {}

    async def on_event(self, event: events.Event) -> None:
        """Handle an event. What is left in the moment in which it opens has no parts: its opening is not handled."""
        if isinstance(event, events.Mount) and (self._pruning or self._closing):
            return
        await super().on_event(event)

    @property
    def crm_app(self) -> OmniCrmApp:
        """The application, typed."""
        return cast("OmniCrmApp", self.app)

    @property
    def desk(self) -> Desk:
        """The way into the service layer."""
        return self.crm_app.desk

    def needed_for(self, action: str) -> str:
        """Return the permission that an action needs, "" where it needs none."""
        return self.NEEDS.get(action, "")

    def refusal(self, action: str) -> str:
        """Return why the actor may not do this here, as a sentence; "" where nothing is in the way."""
        needed = self.needed_for(action)
        return "" if not needed or self.desk.may(needed) else permission_missing(needed)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the actor may do: None for what needs a permission that is missing."""
        return None if self.refusal(action) else super().check_action(action, parameters)

    def do(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        *,
        group: str = "default",
        exclusive: bool = False,
        on_error: Callable[[CrmError], None] | None = None,
    ) -> Worker[T | None]:
        """Run a coroutine beside the event loop's other work.

        A CrmError goes to `on_error`, or becomes a message to the person; the worker's result is then None.
        """
        # A callable, not a coroutine: a worker that is replaced before it began leaves nothing unawaited.
        guarded = partial(self._guarded, work, on_error)
        return self.run_worker(guarded, group=group, exclusive=exclusive, exit_on_error=False)

    async def _guarded(
        self, work: Callable[[], Coroutine[Any, Any, T]], on_error: Callable[[CrmError], None] | None
    ) -> T | None:
        try:
            return await work()
        except SignedOut:
            pass  # the application shows the login screen, whatever this screen would do about an error
        except CrmError as error:
            if on_error is None:
                self.tell(sentence(error), severity="error")
            else:
                on_error(error)
        except Exception as error:
            if self._pruning or not self.is_attached:
                return None  # what it would have shown is gone: somebody else sits here, or nobody
            # The last line of defence: a person sees a sentence, the log keeps the traceback.
            _log.exception("a screen's work failed")
            self.tell(sentence(error), severity="error")
        return None

    def ask_first(
        self, question: str, detail: str, work: Callable[[], Coroutine[Any, Any, None]], *, yes: str = ""
    ) -> None:
        """Ask, and `do` the work when the answer is yes."""
        from screens.dialogs import Confirm

        def answered(sure: bool | None) -> None:
            if sure:
                self.do(work)

        self.app.push_screen(Confirm(question, detail, yes=yes), answered)

    def tell(self, message: str, *, severity: Severity = "information") -> None:
        """Show a short message; names in it are shown literally."""
        self.notify(visible(message), severity=severity, markup=False)


class CrmScreen(AtDesk, PaintedScreen[None]):
    """A full screen: a title line with the path to here, the body, and the keys of what has the focus.

    Subclasses give `TITLE` (or `path()`) and compose their parts in `body()`. Work: `self.do(...)`.
    """

    DEFAULT_CSS = """
    CrmScreen { layers: base above notice; }
    CrmScreen.-under-banner TitleLine { dock: none; }
    """

    BINDINGS = [Binding("escape", "back", _("Back"), id="screen.back", show=False, tooltip=_("One step back"))]

    place: tuple[str, int] | None = None
    """How to come here again: what `open_place` was told."""

    def compose(self) -> ComposeResult:
        """Put title line, body and key line under each other."""
        self.set_class(bool(self.crm_app.acting), "-under-banner")
        yield from self.crm_app.acting.banner()
        yield TitleLine(self.path(), badge=self.crm_app.home_badge, person=self.crm_app.person)
        yield from self.body()
        yield KeyLine()
        yield TooSmall()

    def body(self) -> ComposeResult:
        """Yield what is between the two lines."""
        yield from ()

    def path(self) -> tuple[str, ...]:
        """Return the breadcrumbs, outermost first."""
        return (self.TITLE or "",)

    def show_path(self) -> None:
        """Show `path()` again after it changed."""
        self.query_one(TitleLine).show_path(self.path())

    def on_screen_resume(self) -> None:
        """Coming back: show who is signed in."""
        self.show_person()

    def show_person(self) -> None:
        """Show who is signed in, and the keys of what they may do."""
        self.refresh_bindings()
        for line in self.query(TitleLine):
            line.show_person(self.crm_app.person)
            line.show_badge(self.crm_app.home_badge)

    def list_name(self, table: EntityTable[Any]) -> str:
        """Return what a list of this screen is called, in a dialog and as the name of a file."""
        return table.id or self.path()[0]

    def on_entity_table_export_requested(self, message: EntityTable.ExportRequested) -> None:
        """`E` in a list of this screen."""
        message.stop()
        from screens.export import ExportDialog

        self.app.push_screen(ExportDialog(message.table, message.selection, self.list_name(message.table)))

    def action_back(self) -> None:
        """One step back: leave this screen, unless it is a room's first."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()


class Dialog(AtDesk, ModalScreen[T]):
    """A compact, opaque box on the screen below; `esc` closes it with no result.

    Subclasses give `heading` and `keys` (shown in the frame) and compose their parts in `body()`.
    Await the result with `await app.push_screen_wait(dialog)` in a worker; None means "left".
    """

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; layers: base above notice; }
    Dialog #box {
        width: 64; max-width: 100%; height: auto; max-height: 100%; padding: 0 1;
        border: round $primary; background: $surface; border-title-style: bold;
        border-subtitle-color: $text-muted;
    }
    """

    BINDINGS = [
        Binding("escape", "leave", _("Close"), id="dialog.close", show=False, tooltip=_("Close without doing it")),
        Binding("question_mark", "app.keys", _("All keys"), id="dialog.keys", show=False),
    ]

    heading = ""
    keys = _("esc close")

    def __init__(self) -> None:
        super().__init__()
        self._finished: tuple[T | None] | None = None

    def compose(self) -> ComposeResult:
        """Put the parts into the frame."""
        box = Vertical(*self.body(), id="box")
        box.border_title = _literal(self.heading)
        box.border_subtitle = _literal(self.keys)
        yield from self.crm_app.acting.banner()
        yield box
        yield TooSmall()

    def body(self) -> ComposeResult:
        """Yield what is in the frame."""
        yield from ()

    @property
    def unsaved(self) -> bool:
        """Whether leaving would lose something."""
        return False

    def keep_draft(self) -> None:
        """Keep what was entered, where that is worth it: the terminal is gone, or the session over."""

    def forget_draft(self) -> None:
        """Remove what was kept: the dialog is left on purpose."""

    def finish(self, result: T | None) -> None:
        """Close with `result`, the first that is given; under another screen (a lock), as soon as that is gone."""
        if self._finished is None:
            self._finished = (result,)
        self._close()

    def _close(self) -> None:
        """Close, if that is due. `is_current` would not do: it holds under a lock too, and what is on top would go."""
        if self._finished is not None and self.is_active:
            self.dismiss(self._finished[0])

    def on_screen_resume(self, _event: events.ScreenResume) -> None:
        """Close, if that was put off."""
        self.call_after_refresh(self._close)

    def action_leave(self) -> None:
        """Close with no result."""
        self.finish(None)


def _literal(text: str) -> str:
    """Return `text` for a border's title, which Textual reads as markup."""
    return visible(text).replace("[", "\\[")
