"""Drafts offered again: after log-in, and in the form they belong to."""

from __future__ import annotations

import asyncio
from gettext import gettext as _
from gettext import ngettext
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from screens.base import Dialog
from screens.drafts import DraftFile, drafts_of
from widgets.text import visible

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp
    from screens.drafts import Draft

Answer = Literal["take", "drop"]

_LOOKS = 50
_LOOK_SECONDS = 0.1


class DraftOffer(Dialog[Answer]):
    """Says whose draft there is and from when: enter takes it, d drops it, esc leaves it for later."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer('take')", _("Take the draft"), id="draft.take", tooltip=_("Go on with the draft")),
        Binding("d", "answer('drop')", _("Drop the draft"), id="draft.drop", tooltip=_("Delete the draft")),
    ]

    DEFAULT_CSS = """
    DraftOffer #box { width: 72; border: round $warning; }
    """

    keys = _("enter take it   d drop it   esc later")

    def __init__(self, draft: Draft, *, more: int = 0) -> None:
        super().__init__()
        self.heading = _("Unfinished")
        self._draft = draft
        self._more = more

    def body(self) -> ComposeResult:
        formats = self.crm_app.formats
        at, now = self._draft.at, self.desk.now()
        today = formats.day(at) == formats.day(now)
        when = formats.time(at)[:5] if today else formats.moment(at)
        lines = [_("There is an unfinished draft of “{form}” from {when}.").format(form=self._draft.heading, when=when)]
        if self._more:
            others = ngettext(
                "{n} more is offered where it was begun.", "{n} more are offered where they were begun.", self._more
            )
            lines.append(others.format(n=self._more))
        yield Static("\n".join(visible(line) for line in lines), markup=False)

    def action_answer(self, answer: Answer) -> None:
        """Close with the answer."""
        self.finish(answer)


async def offer_drafts(app: OmniCrmApp) -> None:
    """After log-in: offer the newest draft of the person, and go where it was begun if it is taken."""
    actor = app.desk.actor
    if actor is None or actor.user_id is None:
        return
    home = app.settings.home
    drafts = await asyncio.to_thread(drafts_of, home, actor.user_id, app.desk.now())
    if not drafts or app.desk.actor is None or app.locked:
        return
    answer = await app.push_screen_wait(DraftOffer(drafts[0], more=len(drafts) - 1))
    if answer == "drop":
        await asyncio.to_thread(DraftFile(home, actor.user_id, drafts[0].about).drop)
    elif answer == "take":
        await _go_on(app, drafts[0])


async def _go_on(app: OmniCrmApp, draft: Draft) -> None:
    """Open the form where it was, filled in. A page reads its record first; until then its action does nothing."""
    if draft.place is not None:
        app.open_place(*draft.place)
    else:
        app.go(draft.room)
    if not draft.action:
        app.screen.call_after_refresh(app.notify, _("Open the form again to go on with the draft."))
        return
    app.taken_draft = draft.about
    page: Screen[Any] = app.screen
    for _look in range(_LOOKS):
        await asyncio.sleep(_LOOK_SECONDS)
        if app.screen is not page:
            return  # the form, which knows by now, or wherever the person went
        await app.run_action(draft.action, page)
    app.taken_draft = ""
