"""What the operator calls the product and where it leads: window title, login screen, links, help."""

from __future__ import annotations

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.settings import BrandingSection, CrmSection, Link
from screens.links import links_of
from tests.screens.harness import OmniCrmApp, make_app, press, screen_text, settled, signed_in_app, type_text
from widgets.qr_code import qr_lines
from widgets.window_title import window_title

BRANDING = BrandingSection(
    portal_name="ShellManager",
    self_care_name="ShellCare",
    web_apps=[Link(name="GitHub", url="https://github.com")],
    dashboards=[Link(name="Service Health", url="https://grafana.example.com/b")],
    support_url="https://support.example.com",
)


@pytest.fixture
def branded(crm: Crm) -> Crm:
    """A Crm whose operator has names and links."""
    named = CrmSection(company_name="ShellFone", tagline="Phones with Shells")
    crm.settings = crm.settings.model_copy(update={"branding": BRANDING, "crm": named})
    return crm


@pytest.mark.req("PLT-496", "PLT-497", "PLT-499")
async def test_links_are_shown_copied_and_drawn(branded: Crm, admin: Actor) -> None:
    async with signed_in_app(branded, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "links")
        await press(pilot, "enter")
        for text in ("Support", "GitHub", "https://github.com", "Service Health"):
            assert text in screen_text(pilot.app)
        await press(pilot, "down", "enter")
        assert pilot.app.clipboard == "https://github.com"
        await press(pilot, "c")
        assert qr_lines("https://github.com")[5].strip() in screen_text(pilot.app)
        await press(pilot, "escape", "escape")
        assert "https://github.com" not in screen_text(pilot.app)


@pytest.mark.req("PLT-499")
async def test_help_names_the_support_page(branded: Crm, admin: Actor) -> None:
    async with signed_in_app(branded, admin, (80, 60)) as pilot:
        await press(pilot, "question_mark", "end")
        assert "https://support.example.com" in screen_text(pilot.app)


async def test_without_links_nothing_is_offered(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "links")
        assert "Links and support" not in screen_text(pilot.app)


@pytest.mark.req("PLT-477", "PLT-478", "PLT-480")
async def test_the_login_screen_is_the_operators(branded: Crm) -> None:
    async with make_app(branded).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "ShellFone  ShellManager" in screen_text(pilot.app)
        assert "Phones with Shells" in screen_text(pilot.app)


@pytest.mark.req("PLT-478", "PLT-479")
@pytest.mark.parametrize(("own", "name"), [(None, "ShellManager"), (1, "ShellCare")])
async def test_the_window_is_named_after_the_portal(
    branded: Crm, monkeypatch: pytest.MonkeyPatch, own: int | None, name: str
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(OmniCrmApp, "write_to_terminal", lambda _app, codes: sent.append(codes))
    monkeypatch.setenv("TERM", "xterm-256color")
    kind = ActorKind.CUSTOMER if own else ActorKind.STAFF
    actor = Actor(kind, "ada", permissions=frozenset({"admin"}), own_customer_id=own)
    async with make_app(branded, actor).run_test() as pilot:
        await settled(pilot)
    assert sent[0] == f"\x1b]2;{name}\x07"


def test_a_name_does_nothing_to_the_terminal() -> None:
    assert window_title("a\x07\x1b[31mb") == "\x1b]2;a␇␛[31mb\x07"


def test_a_qr_code_is_square_and_quiet_around() -> None:
    lines = qr_lines("https://example.com")
    assert len({len(line) for line in lines}) == 1
    assert abs(len(lines) * 2 - len(lines[0])) <= 1
    assert not lines[0].strip()


def test_an_installation_without_links_has_none() -> None:
    assert links_of(BrandingSection()) == []
