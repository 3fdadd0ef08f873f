"""Making an installation of the answers. Each step may be repeated: who was interrupted just begins again."""

from __future__ import annotations

from collections.abc import Callable
from gettext import gettext as _
from pathlib import Path

from omnicrm_tui.crm import Crm
from omnicrm_tui.database import migrate
from omnicrm_tui.errors import Conflict
from omnicrm_tui.first_start import KEPT
from omnicrm_tui.first_start.answers import Answers
from omnicrm_tui.first_start.files import write_secretly
from omnicrm_tui.identity.actor import system_actor, visitor
from omnicrm_tui.settings import Settings

_HEADING = """\
# The configuration of OmniCRM TUI, made by the first start.
# Every setting there is, explained and at its default: `omnicrm config default`.

"""


def finish(home: Path, config_path: Path, answers: Answers, tell: Callable[[str], None]) -> Settings:
    """Make keys, tables, the administrator and the configuration; return the settings in force from now on.

    `tell` hears of each step. The configuration comes last: with it the home counts as set up. Raises Conflict
    where there is one already, AtWork while somebody else sets it up, DatabaseProblem, and InvalidInput when the
    administrator cannot be made.
    """
    from omnicrm_tui.upkeep.alone import alone_in

    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone_in(home):
        return _finish(home, config_path, answers, tell)


def _finish(home: Path, config_path: Path, answers: Answers, tell: Callable[[str], None]) -> Settings:
    import yaml

    from omnicrm_tui.config_file import load_settings

    if config_path.exists():
        raise Conflict(_("{path} is there already: this home is set up.").format(path=config_path))
    migrate.require_whole(home)
    settings = Settings.model_validate({**answers.configuration(), "home": home})
    tell(_("Keys are in {path}").format(path=_make_keys(settings)))
    _make_tables(settings, tell)
    _make_administrator(settings, answers, tell)
    write_secretly(config_path, _HEADING + yaml.safe_dump(answers.configuration(), sort_keys=False, allow_unicode=True))
    (home / KEPT).unlink(missing_ok=True)
    tell(_("The configuration is in {path}").format(path=config_path))
    return load_settings({"OMNICRM_HOME": str(home), "OMNICRM_CONFIG": str(config_path)})


def _make_keys(settings: Settings) -> Path:
    from omnicrm_tui.database.engine import make_engine
    from omnicrm_tui.database.sealed_columns import require_keys
    from omnicrm_tui.database.vault import Vault
    from omnicrm_tui.identity.tokens import Keyring

    engine = make_engine(settings.database_url)
    try:
        require_keys(engine, settings.keys_folder)
    finally:
        engine.dispose()
    Keyring.of(settings, Vault.from_folder(settings.keys_folder).installation)
    return settings.keys_folder


def _make_tables(settings: Settings, tell: Callable[[str], None]) -> None:
    from omnicrm_tui.opening import upgrade

    upgrade(settings)
    tell(_("The database is ready"))


def _make_administrator(settings: Settings, answers: Answers, tell: Callable[[str], None]) -> None:
    """Make the first administrator, unless somebody can log in already: a first start that was interrupted here."""
    from omnicrm_tui.identity.schemas import UserInput
    from omnicrm_tui.schemas import parse

    crm = Crm.open(settings)
    try:
        with crm.reading(visitor("")) as work:
            if not work.identity.nobody_can_log_in():
                tell(_("Somebody can log in already: no administrator was added"))
                return
        values = {
            "email": answers.email,
            "username": answers.email,
            "first_name": answers.email.partition("@")[0],
            "last_name": "System Admin",
            "role": ["System Admin"],
            "password": answers.password,
        }
        with crm.as_actor(system_actor("first start")) as work:
            work.identity.create_user(parse(UserInput, values))
    finally:
        crm.close()
    tell(_("{email} can log in").format(email=answers.email))
