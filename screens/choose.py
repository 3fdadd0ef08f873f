"""Small questions with a list of answers: which of these, and which customer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from omnicrm_tui.languages import said
from omnicrm_tui.listing import FIRST, ListQuery
from screens.base import Dialog
from screens.desk import sentence
from widgets.controls import TextLine
from widgets.text import visible

if TYPE_CHECKING:
    from omnicrm_tui.customers.schemas import CustomerRow
    from omnicrm_tui.errors import CrmError
    from omnicrm_tui.work import Work

SHOWN = 8
"""Customers that the type-ahead lists."""

DEBOUNCE_SECONDS = 0.08


class Choose(Dialog[int]):
    """Asks which of `answers`; the result is its place, None when left."""

    DEFAULT_CSS = """
    Choose #box { width: 72; }
    Choose OptionList { height: auto; max-height: 14; border: none; padding: 0; background: $surface; }
    Choose OptionList:focus { border: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", _("Down"), show=False, id="choose.down"),
        Binding("k", "move(-1)", _("Up"), show=False, id="choose.up"),
    ]

    keys = _("↑↓ choose   enter continue   esc cancel")

    def __init__(self, question: str, answers: Sequence[str], note: str = "") -> None:
        super().__init__()
        self.heading = question
        self._answers = answers
        self._note = note

    def body(self) -> ComposeResult:
        yield OptionList(*[Option(_line(answer)) for answer in self._answers], markup=False)
        if self._note:
            yield Static(visible(self._note), markup=False)

    def on_mount(self) -> None:
        answers = self.query_one(OptionList)
        answers.highlighted = 0 if self._answers else None
        answers.focus()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.finish(message.option_index)

    def action_move(self, by: int) -> None:
        """Choose another answer."""
        answers = self.query_one(OptionList)
        answers.highlighted = max(0, min(len(self._answers) - 1, (answers.highlighted or 0) + by))


class ChooseCustomer(Dialog[int]):
    """Finds a customer while one types a name, an id, an e-mail address or a phone number; the result is the id."""

    DEFAULT_CSS = """
    ChooseCustomer { align: center top; }
    ChooseCustomer #box { width: 72; margin: 1 0 0 0; height: 17; border: round $primary; }
    ChooseCustomer OptionList { height: 1fr; border: none; padding: 0; background: $surface; }
    ChooseCustomer #matching { margin: 1 0 0 0; color: $text-muted; }
    ChooseCustomer #warning { height: auto; color: $text-warning; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", _("Down"), show=False, priority=True, id="choose.down"),
        Binding("up,ctrl+p", "move(-1)", _("Up"), show=False, priority=True, id="choose.up"),
    ]

    keys = _("type to find   ↑↓ choose   enter continue   esc back")

    def __init__(self, product_name: str) -> None:
        super().__init__()
        self.heading = _("Who gets {product}?").format(product=product_name)
        self._found: list[CustomerRow] = []
        self._pause: Timer | None = None

    def body(self) -> ComposeResult:
        yield TextLine(placeholder=_("Name, customer id, e-mail or phone"))
        yield Static(_("Matching customers:"), id="matching", markup=False)
        yield OptionList(markup=False)
        yield Static(
            _("Check that this is the right customer: a wrong assignment has to be corrected by hand."), id="warning"
        )

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(TextLine).focus()
        self._search()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Ask when typing pauses."""
        message.stop()
        self._stop_waiting()
        self._pause = self.set_timer(DEBOUNCE_SECONDS, self._search)

    def _stop_waiting(self) -> None:
        if self._pause is not None:
            self._pause.stop()

    def _search(self) -> None:
        words = self.query_one(TextLine).text
        self.do(partial(self._read, words), group="customers", exclusive=True, on_error=self._problem)

    async def _read(self, words: str) -> None:
        self._show(words, await self.desk.read(partial(_matching, words=words)))

    def _show(self, words: str, found: Sequence[CustomerRow]) -> None:
        self._found = list(found)
        answers = self.query_one(OptionList)
        answers.clear_options()
        answers.add_options([Option(_line(_called(row))) for row in found])
        answers.highlighted = 0 if found else None
        heading = _("Matching customers:")
        if not found:
            heading = _("Customer not found. Try the id, e-mail or phone; a new customer is made first (g c, n).")
        elif not words:
            heading = _("Customers:")
        self.query_one("#matching", Static).update(heading)

    def _problem(self, error: CrmError) -> None:
        self.query_one("#matching", Static).update(visible(sentence(error)))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Take the chosen customer; wait for what was typed last."""
        message.stop()
        self._stop_waiting()
        self.do(self._take, group="customers", exclusive=True, on_error=self._problem)

    async def _take(self) -> None:
        words = self.query_one(TextLine).text
        before = self._chosen()
        found = await self.desk.read(partial(_matching, words=words))
        numbers = [row.customer_id for row in found]
        if before in numbers:
            self.finish(before)
        elif numbers:
            self._show(words, found)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.finish(self._found[message.option_index].customer_id)

    def _chosen(self) -> int | None:
        at = self.query_one(OptionList).highlighted
        return self._found[at].customer_id if at is not None and at < len(self._found) else None

    def action_move(self, by: int) -> None:
        """Choose another customer."""
        answers = self.query_one(OptionList)
        if self._found:
            answers.highlighted = max(0, min(len(self._found) - 1, (answers.highlighted or 0) + by))


def _matching(work: Work, words: str) -> Sequence[CustomerRow]:
    return work.customers.window(ListQuery(search=words, sort="customer_name"), FIRST, SHOWN).rows


def _called(row: CustomerRow) -> str:
    """Return `Name (ID: 4711)` and what tells namesakes apart (SVC-164)."""
    more = row.customer_phone or row.customer_email or ""
    name = _("{name} (ID: {id})").format(name=row.customer_name, id=row.customer_id)
    return f"{name}  {said(row.customer_account_type)}  {more}".rstrip()


def _line(text: str) -> Text:
    return Text(f" {visible(text)}", no_wrap=True, overflow="ellipsis")
