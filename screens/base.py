"""What every screen shares: title line, key line, and a guarded way to do slow things."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.worker import Worker

from omnicrm_tui.errors import CrmError
from screens.desk import Desk, sentence
from widgets.key_line import KeyLine
from widgets.title_line import TitleLine

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp

T = TypeVar("T")
ScreenResult = TypeVar("ScreenResult")


class CrmScreen(Screen[None]):
    """A full screen: a title line with the path to here, the body, and the keys of what has the focus.

    Subclasses give `TITLE` and compose their parts in `body()`.
    """

    BINDINGS = [Binding("escape", "back", "Back", id="screen.back", show=False)]

    @property
    def desk(self) -> Desk:
        """The way into the service layer."""
        return cast("OmniCrmApp", self.app).desk

    @property
    def crm_app(self) -> OmniCrmApp:
        """The application, typed."""
        return cast("OmniCrmApp", self.app)

    def compose(self) -> ComposeResult:
        """Put title line, body and key line under each other."""
        yield TitleLine(self.path(), badge=self.crm_app.home_badge, person=self.crm_app.person)
        yield from self.body()
        yield KeyLine()

    def body(self) -> ComposeResult:
        """Yield what is between the two lines."""
        yield from ()

    def path(self) -> tuple[str, ...]:
        """Return the breadcrumbs, outermost first."""
        return (self.TITLE or "",)

    def action_back(self) -> None:
        """One step back: leave this screen, unless it is a room's first."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def do(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        *,
        group: str = "default",
        exclusive: bool = False,
    ) -> Worker[T | None]:
        """Run a coroutine beside the event loop's other work; a CrmError becomes a message to the person."""
        return self.run_worker(self._guarded(work()), group=group, exclusive=exclusive, exit_on_error=False)

    async def _guarded(self, work: Awaitable[T]) -> T | None:
        try:
            return await work
        except CrmError as error:
            self.tell(sentence(error), severity="error")
            return None

    def tell(self, message: str, *, severity: str = "information") -> None:
        """Show a short message; names in it are shown literally."""
        self.notify(message, severity=cast("Any", severity), markup=False)
