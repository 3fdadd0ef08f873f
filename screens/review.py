"""The last look before a service is built: who, what, which items, what it costs, and the terms (SVC-174, BIL-126)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from screens.base import Dialog
from widgets.action_line import Action, ActionLine
from widgets.controls import Toggle
from widgets.facts import Fact, Facts
from widgets.text import visible

if TYPE_CHECKING:
    from omnicrm_tui.catalog.quote import Quote
    from omnicrm_tui.catalog.schemas import ProductView
    from omnicrm_tui.customers.schemas import CustomerView
    from screens.formats import Formats

Verdict = Literal["confirm", "cancel"]


@dataclass(frozen=True, slots=True)
class Ordered:
    """What is about to be ordered: `items` as people call them, `service` the name of the one that an add-on is for,
    `details` as label and text."""

    product: ProductView
    customer: CustomerView
    quote: Quote
    items: Sequence[str]
    service: str
    auto_renew: bool
    details: Sequence[tuple[str, str]] = ()


class Review(Dialog[Verdict]):
    """Shows the order. With terms, they have to be accepted before it can be confirmed (BIL-127)."""

    DEFAULT_CSS = """
    Review #box { width: 78; height: auto; max-height: 100%; }
    Review #order { height: auto; max-height: 1fr; }
    Review #terms { height: auto; padding: 0 2; color: $text-muted; }
    Review Toggle { margin: 1 0 0 1; }
    Review ActionLine { margin: 1 0 0 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "confirm", _("Confirm"), priority=True, id="review.confirm", tooltip=_("Confirm & provision")
        ),
        Binding("down,j", "app.focus_next", _("Next button"), show=False, id="review.next"),
        Binding("up,k", "app.focus_previous", _("Previous button"), show=False, id="review.previous"),
    ]

    heading = _("Review")
    keys = _("tab next   space tick   ctrl+s confirm   esc back")

    def __init__(self, ordered: Ordered, formats: Formats) -> None:
        super().__init__()
        self._ordered = ordered
        self._formats = formats
        terms = ordered.product.terms.strip()
        self._accept = Toggle(label=_("I have read the terms and accept them for the customer")) if terms else None
        self._buttons = ActionLine(self._actions(), chosen="confirm")

    def body(self) -> ComposeResult:
        with VerticalScroll(id="order"):
            yield Facts(order_facts(self._ordered, self._formats))
            if self._accept is not None:
                yield Facts([Fact(_("Terms"))])
                lines = "\n".join(visible(line) for line in self._ordered.product.terms.strip().splitlines())
                yield Static(lines, id="terms", markup=False)
        if self._accept is not None:
            yield self._accept
        yield self._buttons

    def on_mount(self) -> None:
        (self._accept or self._buttons).focus()

    @on(Toggle.Changed)
    def _ticked(self) -> None:
        """The terms were accepted, or not."""
        self._buttons.show(self._actions(), chosen="confirm")
        if self._accept is not None and self._accept.on:
            self._buttons.focus()

    def _actions(self) -> list[Action]:
        missing = _("tick the terms first") if self._accept is not None and not self._accept.on else ""
        return [Action("cancel", _("Cancel")), Action("confirm", _("Confirm & Provision"), missing)]

    def on_action_line_chosen(self, message: ActionLine.Chosen) -> None:
        message.stop()
        self.finish("confirm" if message.name == "confirm" else "cancel")

    def action_confirm(self) -> None:
        """Confirm, unless the terms wait."""
        if self._accept is not None and not self._accept.on:
            self._accept.focus()
        else:
            self.finish("confirm")


def order_facts(ordered: Ordered, formats: Formats) -> list[Fact]:
    """Return the lines of the order."""
    from omnicrm_tui.catalog.rules import charged_once

    product, customer, quote = ordered.product, ordered.customer, ordered.quote

    def money(amount: Decimal) -> str:
        return formats.money(amount, quote.currency)

    facts = [
        Fact(_("Customer"), _("{name} (ID: {id})").format(name=customer.customer_name, id=customer.customer_id)),
        Fact(_("Product"), product.product_name),
    ]
    if ordered.service:
        facts.append(Fact(_("For the service"), ordered.service))
    facts += [Fact(label, text) for label, text in ordered.details]
    facts += [Fact(_("Item") if at == 0 else "", item) for at, item in enumerate(ordered.items)]
    facts += [Fact(_("Features") if at == 0 else "", f"• {text}") for at, text in enumerate(product.features)]
    once = charged_once(product.category, product.contract_days, product.auto_renew)
    price = _("Price, once") if once else _("Monthly Cost")
    facts += [Fact(_("Setup Fee"), money(quote.setup)), Fact(price, money(quote.monthly))]
    if quote.tax:
        facts.append(Fact(_("Tax"), money(quote.tax)))
    facts.append(Fact(_("Due today"), money(quote.due_today), "accent"))
    facts.append(
        Fact(_("Renewal date"), formats.day(quote.renewal) if quote.renewal else _("none: no contract period"))
    )
    facts.append(Fact(_("Auto-Renew"), _("Yes") if ordered.auto_renew else _("No")))
    return facts
