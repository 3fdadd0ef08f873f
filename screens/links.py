"""The operator's links: shown, copied to the clipboard and drawn as QR codes. Nothing here opens a browser."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.base import Dialog
from widgets.clipboard import copy
from widgets.qr_code import qr_lines
from widgets.text import fit, visible

if TYPE_CHECKING:
    from omnicrm_tui.settings import BrandingSection


def links_of(branding: BrandingSection) -> list[tuple[str, str]]:
    """Return name and address of each link: support first, then web applications and dashboards (PLT-496..499)."""
    help_pages = ((_("Support"), branding.support_url), (_("Frequent questions"), branding.faqs_url))
    return [
        *((name, url) for name, url in help_pages if url),
        *((link.name, link.url) for link in (*branding.web_apps, *branding.dashboards)),
    ]


class Links(Dialog[None]):
    """Up and down choose, `y` or enter copies the address, `c` draws it for a phone's camera."""

    DEFAULT_CSS = """
    Links #box { width: 76; height: auto; max-height: 100%; }
    Links OptionList, Links OptionList:focus {
        height: auto; max-height: 12; border: none; padding: 0; background: $surface;
    }
    Links OptionList > .option-list--option-highlighted {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    Links #told { height: auto; color: $text-muted; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", _("Copy"), id="links.copy", tooltip=_("Copy the address")),
        Binding("c", "code", _("QR code"), id="links.code", tooltip=_("Draw the address as a QR code")),
    ]

    heading = _("Links and support")
    keys = _("enter copy   c QR code   esc close")

    def __init__(self, branding: BrandingSection) -> None:
        super().__init__()
        self._links = links_of(branding)

    def body(self) -> ComposeResult:
        yield OptionList(*(Option(_line(name, url)) for name, url in self._links), markup=False)
        yield Static("", id="told", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter, or a click."""
        message.stop()
        self.action_copy()

    def action_copy(self) -> None:
        """Copy the chosen address (OSC 52)."""
        url = self._chosen[1]
        copy(self.app, url)
        self.query_one("#told", Static).update(_("Copied: {url}").format(url=visible(url)))

    def action_code(self) -> None:
        """Draw the chosen address large enough for a camera."""
        self.app.push_screen(QrCode(*self._chosen))

    @property
    def _chosen(self) -> tuple[str, str]:
        return self._links[self.query_one(OptionList).highlighted or 0]


def _line(name: str, url: str) -> Text:
    return Text(f" {fit(name, 24)} {visible(url)}", no_wrap=True, overflow="ellipsis")


class QrCode(Dialog[None]):
    """An address as a QR code: black on white in every theme, as cameras want it."""

    DEFAULT_CSS = """
    QrCode #box { width: auto; min-width: 40; max-width: 100%; padding: 0; }
    QrCode #code { width: auto; height: auto; color: #000000; background: #ffffff; }
    QrCode #address { width: auto; max-width: 76; height: auto; padding: 0 1; }
    """

    keys = _("esc close")

    def __init__(self, name: str, url: str) -> None:
        super().__init__()
        self.heading = name
        self._url = url

    def body(self) -> ComposeResult:
        yield Static("\n".join(qr_lines(self._url)), id="code", markup=False)
        yield Static(visible(self._url), id="address", markup=False)
