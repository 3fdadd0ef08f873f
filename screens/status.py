"""The status of the system: figures that keep themselves up to date, and the outbox (PLT-069)."""

from __future__ import annotations

from datetime import datetime, timedelta
from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from omnicrm_tui.errors import CrmError
from screens.base import CrmScreen
from screens.desk import sentence
from screens.formats import Formats
from screens.outbox import Outbox
from widgets.facts import Fact, Facts
from widgets.tab_line import TabLine
from widgets.text import visible

if TYPE_CHECKING:
    from omnicrm_tui.reporting.schemas import Figures

LOOK_SECONDS = 2.0
GIB = 1 << 30


class StatusScreen(CrmScreen):
    """Two tabs: how the system does, and what it sends."""

    TITLE = _("Status")

    DEFAULT_CSS = """
    StatusScreen #verdict { height: auto; max-height: 6; padding: 0 1; background: $surface; color: $text-success; }
    StatusScreen #verdict.-problem { color: $text-warning; text-style: bold; }
    StatusScreen #figures { height: 1fr; scrollbar-size-vertical: 1; background: $surface; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "look", _("Refresh"), show=False, id="status.refresh", tooltip=_("Read the figures now")),
        Binding(
            "right_square_bracket",
            "next_tab(1)",
            _("Next tab"),
            key_display="]",
            id="tabs.next",
            tooltip=_("Show the next tab"),
        ),
        Binding(
            "left_square_bracket",
            "next_tab(-1)",
            _("Previous tab"),
            show=False,
            key_display="[",
            id="tabs.previous",
            tooltip=_("Show the previous tab"),
        ),
        Binding("1", "tab(0)", _("Status"), show=False, id="tabs.1", tooltip=_("Show the figures")),
        Binding("2", "tab(1)", _("Outbox"), show=False, id="tabs.2", tooltip=_("Show the outbox")),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._tabs = TabLine([_("Status"), _("Outbox")])
        self._facts = Facts()
        self._outbox = Outbox()
        self._reading = False

    def body(self) -> ComposeResult:
        yield self._tabs
        yield Static(_("Reading…"), id="verdict", markup=False)
        with VerticalScroll(id="figures"):
            yield self._facts
        yield self._outbox

    def on_mount(self) -> None:
        self.action_tab(0)
        self.set_interval(LOOK_SECONDS, self._tick)

    def on_screen_resume(self) -> None:
        """Coming back: figures have changed meanwhile."""
        super().on_screen_resume()
        self.action_look()

    # Tabs

    def action_tab(self, at: int) -> None:
        """Show a tab."""
        self._tabs.choose(at)
        figures = self.query_one("#figures")
        figures.display = at == 0
        self.query_one("#verdict").display = at == 0
        self._outbox.display = at == 1
        if at == 0:
            figures.focus()
            self.action_look()
        else:
            self._outbox.take_focus()

    def action_next_tab(self, by: int) -> None:
        """Show the tab beside this one, around the ends."""
        self.action_tab((self._tabs.at + by) % len(self._tabs.titles))

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.action_tab(message.at)

    # Figures

    def _tick(self) -> None:
        """Look again, unless nobody sees it."""
        if self.is_current and self._tabs.at == 0:
            self.action_look()

    def action_look(self) -> None:
        """Read the figures, unless that is under way."""
        if not self._reading:
            self._reading = True
            self.do(self._look, group="figures", on_error=self._failed)

    async def _look(self) -> None:
        from omnicrm_tui.reporting.rules import problems

        try:
            figures = await self.desk.read(lambda work: work.reporting.figures())
        finally:
            self._reading = False
        self._facts.show(facts_of(figures, self.crm_app.formats))
        found = list(problems(figures))
        time = self.crm_app.formats.time(figures.at)
        self._verdict([*found, *([] if found else [_("All is well.  {time}").format(time=time)])], bool(found))

    def _failed(self, error: CrmError) -> None:
        """Say so, and keep what was seen last; the next look may find the database again."""
        self._verdict([sentence(error)], True)

    def _verdict(self, lines: list[str], problem: bool) -> None:
        verdict = self.query_one("#verdict", Static)
        verdict.update("\n".join(visible(line) for line in lines))
        verdict.set_class(problem, "-problem")


def facts_of(figures: Figures, formats: Formats) -> list[Fact]:
    """Return the figures as lines of a page."""
    return [
        Fact(_("Jobs")),
        *_jobs(figures, formats),
        Fact(_("Messages")),
        *_messages(figures, formats),
        Fact(_("Duties")),
        *_duties(figures),
        Fact(_("System")),
        *_system(figures, formats),
    ]


def _jobs(figures: Figures, formats: Formats) -> list[Fact]:
    jobs, number = figures.jobs, formats.number
    queue = _("{waiting} waiting, {running} running")
    ended = _("{well} well, {failed} failed")
    rate = _("{percent} % of {count} ended well")
    percent = f"{jobs.success_rate:.1%}".rstrip("%") if jobs.success_rate is not None else ""
    return [
        Fact(_("Queue"), queue.format(waiting=number(jobs.waiting), running=number(jobs.running))),
        Fact(_("Ended"), ended.format(well=number(jobs.succeeded), failed=number(jobs.failed))),
        Fact(_("Latest"), rate.format(percent=percent, count=number(jobs.recent)) if percent else "–"),
    ]


def _messages(figures: Figures, formats: Formats) -> list[Fact]:
    outbox, number = figures.outbox, formats.number
    waiting = _("{waiting} waiting, {due} of them due").format(waiting=number(outbox.waiting), due=number(outbox.due))
    unsent = _("{failed} failed, {dropped} dropped").format(
        failed=number(outbox.failed), dropped=number(outbox.dropped)
    )
    return [
        Fact(_("Outbox"), waiting),
        Fact(_("Not sent"), unsent, "warning" if outbox.failed else ""),
        Fact(_("Oldest waiting"), _age(figures.at, outbox.oldest)),
    ]


def _duties(figures: Figures) -> list[Fact]:
    from omnicrm_tui.messaging.rules import DUTIES

    found = []
    held = {duty.name: duty.owner for duty in figures.duties if duty.led}
    for name in DUTIES:
        host, _colon, rest = held.get(name, "").partition(":")
        text = _("process {process} on {host}").format(process=rest.partition(":")[0], host=host)
        found.append(Fact(name, text) if name in held else Fact(name, _("nobody leads"), "error"))
    return found


def _system(figures: Figures, formats: Formats) -> list[Fact]:
    pool, disk = figures.pool, figures.disk
    most = str(pool.most) if pool.most is not None else _("any number")
    connections = _("{in_use} in use, {idle} idle, {most} at most")
    room = _("{free} of {size} GiB free ({percent} %)")
    percent = f"{100 * disk.free / max(1, disk.size):.0f}"
    program = _("{version}, with tables of version {schema} in {database}")
    about = {"version": figures.version, "schema": figures.schema, "database": figures.database}
    return [
        Fact(_("Sessions"), _("{count} open").format(count=formats.number(figures.sessions))),
        Fact(_("Connections"), connections.format(in_use=pool.in_use, idle=pool.idle, most=most)),
        Fact(_("Disk"), room.format(free=f"{disk.free / GIB:.1f}", size=f"{disk.size / GIB:.1f}", percent=percent)),
        Fact(_("Version"), program.format(**about)),
    ]


def _age(now: datetime, then: datetime | None) -> str:
    """Return how long ago that was, in the two largest units; "–" for never."""
    if then is None:
        return "–"
    seconds = int(max(timedelta(0), now - then).total_seconds())
    if seconds < 60:
        return _("{seconds} s").format(seconds=seconds)
    if seconds < 3600:
        return _("{minutes} min {seconds} s").format(minutes=seconds // 60, seconds=seconds % 60)
    return _("{hours} h {minutes} min").format(hours=seconds // 3600, minutes=seconds % 3600 // 60)
