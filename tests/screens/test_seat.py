"""Who sits at a terminal: told apart over SSH by what only they can show."""

from __future__ import annotations

from pathlib import Path

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.settings import TerminalSection
from screens import themes
from screens.seat import Seat
from tests.screens.harness import make_app

OVER_SSH = {"SSH_CONNECTION": "192.0.2.9 50022 192.0.2.1 22"}


@pytest.mark.req("CAT-266")
def test_a_look_for_ssh_is_for_who_comes_that_way_and_chose_none(crm: Crm, admin: Actor) -> None:
    crm.settings = crm.settings.model_copy(update={"terminal": TerminalSection(theme_over_ssh="ansi-dark")})
    assert make_app(crm, admin).theme == themes.DARK.name
    assert make_app(crm, admin, OVER_SSH).theme == themes.ANSI
    make_app(crm, admin).seat.keep(theme=themes.LIGHT.name)
    assert make_app(crm, admin).theme == themes.LIGHT.name


def test_administrators_behind_sudo_have_seats_of_their_own(tmp_path: Path) -> None:
    one, other = (Seat(tmp_path, {"SUDO_UID": number}) for number in ("1000", "1001"))
    assert one.session is not None
    one.session.remember("token")
    assert one.has_session
    assert not other.has_session
    assert not Seat(tmp_path, {}).has_session
    assert Seat(tmp_path, {"SUDO_UID": "../../etc"}).folder == tmp_path
