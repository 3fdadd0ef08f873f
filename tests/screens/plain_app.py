"""The application in a terminal, for tests of what is painted.

python -m tests.screens.plain_app HOME          as it is
python -m tests.screens.plain_app HOME --plain  painted the way Textual does
"""

from __future__ import annotations

import sys
from pathlib import Path

from omnicrm_tui.app import OmniCrmApp
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.settings import Settings
from tests.at_rest import SaysWhenAtRest
from tests.fixtures.databases import NOON
from tests.screens.harness import make_app


class RestingApp(SaysWhenAtRest, OmniCrmApp):
    """The application, saying when it is at rest."""


def main(home: Path, plain: bool) -> None:
    """Run the application on the database in `home`, signed in."""
    settings = Settings(home=home)
    crm = Crm(settings, make_engine(settings.database_url), FrozenClock(NOON), Vault({1: bytes(range(32))}))
    admin = Actor(ActorKind.STAFF, "admin", permissions=frozenset({"admin"}))
    app = make_app(crm, admin, kind=RestingApp)
    if plain:
        app.scroll_region = False
    app.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), plain="--plain" in sys.argv)
