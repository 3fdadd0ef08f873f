"""From config.yaml and the environment to Settings, on the start-up path of every program.

Reading is one pass of the C parser. Only when something is wrong is the file parsed a second time, with
positions, so that each mistake is told with its file and line, what is wrong and what is allowed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from omnicrm_tui.errors import CrmError
from omnicrm_tui.home import config_path, home_of
from omnicrm_tui.languages import spoken as _
from omnicrm_tui.settings import EMAIL_TYPES, Settings

_NOT_IN_FILES = ("home", "config_path", "demo")
DEMO_MARKER = "demo.json"
"""The file that makes a home a demo's."""


class ConfigurationError(CrmError):
    """The configuration cannot be used; the message says where and what is allowed, one line for each mistake."""


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that `env` (by default the process's environment) leads to (PLT-422..468).

    OMNICRM_HOME holds all state and is made (0700) where it is absent. OMNICRM_CONFIG names the configuration,
    by default config.yaml in the home; where that is absent, the defaults stand. Addresses of outside systems
    that are not configured are those of the home's lab network, if it has one. Raises ConfigurationError.
    """
    env = os.environ if env is None else env
    home = prepared_home(env)
    path, named = config_path(env, home)
    fixed: dict[str, Any] = {"home": home, "demo": (home / DEMO_MARKER).exists()}
    if not path.exists():
        if named:
            sentence = _("{path}: OMNICRM_CONFIG names this file, and it does not exist.")
            raise ConfigurationError(sentence.format(path=path))
        return _with_lab(Settings(**fixed))
    from omnicrm_tui.config_yaml import read_yaml

    values = read_yaml(path)
    return _with_lab(_checked(path, values, {**fixed, "config_path": path}))


def prepared_home(env: Mapping[str, str]) -> Path:
    """Return the home that `env` names, made (0700) where it is absent; raises ConfigurationError."""
    home = home_of(env)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = home.stat()
        if status.st_mode & 0o077:
            _close_to_others(home, status)
    except OSError as error:
        sentence = _("{home}: cannot be the home of OmniCRM: {why}.").format(home=home, why=error.strerror)
        raise ConfigurationError(sentence) from None
    return home


def _close_to_others(home: Path, status: os.stat_result) -> None:
    # Closing /tmp or a login directory would do more harm than good, and nothing secret may live in one that is open.
    if status.st_uid != os.getuid() or status.st_mode & 0o1000 or home == Path.home():
        raise ConfigurationError(
            _("{home}: is open to other users; choose a folder of its own as OMNICRM_HOME.").format(home=home)
        )
    home.chmod(0o700)


def _checked(path: Path, values: dict[str, Any], fixed: dict[str, Any]) -> Settings:
    moved = arranged(values)
    # Never settings of a file: what is in there under these names is as unknown as any other wrong key.
    reserved = [name for name in _NOT_IN_FILES if name in moved]
    try:
        if reserved:
            moved = {name: value for name, value in moved.items() if name not in reserved}
        settings = Settings.model_validate({**moved, **fixed})
    except ValidationError as error:
        details: list[Any] = [*error.errors(include_url=False)]
    else:
        if not reserved:
            return settings
        details = []
    from omnicrm_tui.config_mistakes import explain

    details += [{"type": "extra_forbidden", "loc": (name,), "msg": "", "input": values[name]} for name in reserved]
    raise ConfigurationError("\n".join(explain(path, values, details)))


def arranged(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values in the shape of Settings: e-mail types below mailjet (PLT-436), lists as maps, no blanks."""
    arranged = {name: _without_blanks(value) for name, value in values.items() if value is not None}
    outside = {name: arranged.pop(name) for name in EMAIL_TYPES if name in arranged}
    mailjet = arranged.get("mailjet", {})
    if outside and isinstance(mailjet, dict):
        arranged["mailjet"] = {**mailjet, **outside}
    whitelist = arranged.get("ip_whitelist")
    if isinstance(whitelist, list):
        # A bare address acts for the first administrator (SVC-084).
        arranged["ip_whitelist"] = {str(address): {"roles": ["admin"]} for address in whitelist}
    return arranged


def _without_blanks(value: Any) -> Any:
    """A key with nothing behind it keeps its default."""
    if isinstance(value, dict):
        return {name: _without_blanks(inner) for name, inner in value.items() if inner is not None}
    return value


def _with_lab(settings: Settings) -> Settings:
    if not (settings.lab_folder / "addresses.json").exists():
        return settings
    from omnicrm_tui.lab_process import with_lab_addresses

    return with_lab_addresses(settings)
