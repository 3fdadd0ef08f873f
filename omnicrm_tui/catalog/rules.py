"""Who may order what and when, and how the operator's texts of lists, features and variables are read."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from gettext import gettext as _
from typing import Any, Protocol

from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.redaction import secret_names

CATEGORIES = ("standalone", "addon", "bundle", "promo")
GROUPS: Mapping[str, tuple[str, ...]] = {
    "plans": ("standalone", "bundle"),
    "addons": ("addon",),
    "promos": ("promo",),
}
"""The catalogue's groups (CAT-362, CAT-363); promos have one of their own (CAT-547)."""

ADDON = "addon"
BUSINESS = "Business"
LONGEST_FEATURE = 50
LONGEST_LIST = 20_000

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PERCENT = Decimal("0.01")


class Offer(Protocol):
    """What the rules need to know of a product."""

    @property
    def product_name(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def service_type(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def residential(self) -> bool: ...
    @property
    def business(self) -> bool: ...
    @property
    def customer_can_purchase(self) -> bool: ...
    @property
    def available_from(self) -> datetime | None: ...
    @property
    def available_until(self) -> datetime | None: ...


def available(product: Offer, now: datetime) -> bool:
    """Tell whether a product is on sale: enabled and within its dates, ends included (CAT-364)."""
    begun = product.available_from is None or product.available_from <= now
    ended = product.available_until is not None and product.available_until < now
    return product.enabled and begun and not ended


def eligible(product: Offer, account_type: str, *, by_customer: bool) -> bool:
    """Tell whether that kind of customer may have the product (CAT-360, CAT-361, CAT-365).

    A product with neither flag counts as residential, as written (CAT-567).
    """
    fits = product.business if account_type == BUSINESS else product.residential or not product.business
    return fits and (product.customer_can_purchase or not by_customer)


def order_problem(product: Offer, account_type: str, now: datetime, *, by_customer: bool) -> str | None:
    """Return in a sentence why the product cannot be ordered, or None when it can."""
    if not available(product, now):
        return _("{product_name} is not on sale.").format(product_name=product.product_name)
    if not eligible(product, account_type, by_customer=False):
        return _("{product_name} is not for {account_type} customers.").format(
            product_name=product.product_name, account_type=account_type.lower()
        )
    if not eligible(product, account_type, by_customer=by_customer):
        return _("{product_name} can only be ordered by staff.").format(product_name=product.product_name)
    return None


def charged_once(category: str, contract_days: int, auto_renew: str) -> bool:
    """Tell whether a product's price is paid once: an add-on that has no contract and is never renewed (SVC-192)."""
    return category == ADDON and not contract_days and auto_renew == "false"


def dependencies_met(relies_on: Sequence[str], product_ids: Set[int], service_types: Set[str]) -> bool:
    """Tell whether each entry is among what the customer has: a product's number or a service type (CAT-368)."""
    have = service_types | {str(number) for number in product_ids}
    return all(entry in have for entry in relies_on)


def parse_list(text: str | None) -> tuple[str, ...]:
    """Read a list of names or numbers, spelled in Python or JSON (CAT-105); nothing and "[]" are empty.

    Names are kept to the letter: they are case- and space-sensitive (BIL-100). Raises InvalidInput for
    anything else.
    """
    if text is None or not text.strip():
        return ()
    found = _literal(text)
    if not isinstance(found, (list, tuple)) or not all(_is_name(entry) for entry in found):
        raise InvalidInput(_("This is not a list such as ['SIM Card', 'Mobile Number']."))
    return tuple(str(entry) for entry in found if entry != "")


def parse_features(text: str | None) -> tuple[str, ...]:
    """Read a features text: sentences divided by ". ", or a list literal (BIL-121, BIL-122).

    A list that cannot be read becomes one bullet instead of an error (BIL-123).
    """
    stripped = (text or "").strip()
    if not stripped:
        return ()
    if stripped.startswith("["):
        try:
            return tuple(feature.strip() for feature in parse_list(stripped) if feature.strip())
        except InvalidInput:
            return (stripped,)
    parts = [" ".join(part.split()) for part in stripped.split(". ")]
    if len(parts) > 1:
        parts[-1] = parts[-1].removesuffix(".")
    return tuple(part for part in parts if part)


def feature_warnings(text: str | None) -> tuple[str, ...]:
    """Return hints for the editor: an unreadable list (BIL-123), features that are too long (BIL-129)."""
    features = parse_features(text)
    warnings = []
    if features and (text or "").strip().startswith("[") and features == ((text or "").strip(),):
        warnings.append(_("The features look like a list and cannot be read as one; they show as one line."))
    elif any(len(feature) > LONGEST_FEATURE for feature in features):
        warnings.append(_("Features read best below {n} characters.").format(n=LONGEST_FEATURE))
    return tuple(warnings)


def parse_vars(text: str | None) -> dict[str, Any]:
    """Read a play's default variables: a JSON object; nothing is empty (CAT-100). Raises InvalidInput."""
    if text is None or not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidInput(_('This is not a JSON object such as {"days": 30}.'))
    return found


def stored_vars(text: str | None) -> dict[str, Any]:
    """Read default variables that are about to be stored; raises InvalidInput where a secret is among them.

    Products and services are read by many, and logged: a secret comes with the order, which is sealed, or stands
    in a file beside the operator's play (CAT-117). Blank values are placeholders and may have any name (CAT-471).
    """
    variables = parse_vars(text)
    if found := secret_names(variables):
        names = ", ".join(dict.fromkeys(found))
        raise InvalidInput(
            _(
                "{names}: a secret is not kept here, where many can read it. Give it with the order, or keep it "
                "in a file beside the play."
            ).format(names=names)
        )
    return variables


def duplicates(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names that are there more than once, each once, in order (BIL-113)."""
    return tuple(dict.fromkeys(name for name in names if names.count(name) > 1))


def is_slug(text: str) -> bool:
    """Tell whether `text` is lower case letters and digits joined by hyphens (CAT-078)."""
    return _SLUG.fullmatch(text) is not None


def slug_of(name: str) -> str:
    """Return a slug made from a folded name; "product" where no letter or digit is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "product"


def markup(retail: Decimal, wholesale: Decimal) -> Decimal | None:
    """Return profit over wholesale in percent, None without a wholesale cost (BIL-067): 15 and 5 give 200."""
    return None if wholesale == 0 else _percent((retail - wholesale) / wholesale)


def margin(retail: Decimal, wholesale: Decimal) -> Decimal | None:
    """Return profit over retail in percent, None without a retail price (BIL-067): 15 and 5 give 66.67."""
    return None if retail == 0 else _percent((retail - wholesale) / retail)


def _percent(ratio: Decimal) -> Decimal:
    return (ratio * 100).quantize(_PERCENT, ROUND_HALF_UP)


def _is_name(entry: object) -> bool:
    return isinstance(entry, (str, int)) and not isinstance(entry, bool)


def _literal(text: str) -> object:
    """Return the list in `text`, whichever way it is spelled, or None."""
    stripped = text.strip()
    if len(stripped) > LONGEST_LIST or not stripped.startswith(("[", "(")):
        return None
    try:
        return json.loads(stripped)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(stripped)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
