"""`omnicrm config`: is it right, what is in force, and what can be set."""

from __future__ import annotations

import os
from gettext import gettext as _
from pathlib import Path
from typing import Any

import click

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.settings import Settings

_HIDDEN = "(hidden)"


@click.group()
def config() -> None:
    """Check or show the configuration."""


@config.command()
def check() -> None:
    """Read the configuration and say what is wrong in it, or what deserves a second look."""
    from omnicrm_tui.config_advice import advice

    settings = load_settings()
    for warning in advice(settings):
        click.echo(_("Warning: {warning}").format(warning=warning))
    click.echo(_("{path}: fine.").format(path=settings.config_path or _("The defaults")))


@config.command()
def show() -> None:
    """Print what is in force, as YAML, with secrets hidden."""
    import yaml

    settings = load_settings()
    click.echo(_("# home: {home}").format(home=settings.home))
    click.echo(_("# configuration: {path}").format(path=settings.config_path or _("none, these are the defaults")))
    click.echo(yaml.safe_dump(shown(settings), sort_keys=False, allow_unicode=True), nl=False)


@config.command()
def default() -> None:
    """Print config.yaml with every setting at its default, explained: a file to begin from."""
    from omnicrm_tui.shipped import default_config

    click.echo(default_config(), nl=False)


@config.command(name="import")
@click.argument("env_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_env(env_file: Path) -> None:
    """Print the configuration with what a .env file of the web version says.

    Redirect it into a file, look at it, and put it in the place of config.yaml. What differs and what is not used
    here is told on standard error.
    """
    import yaml

    from omnicrm_tui.config_env import imported
    from omnicrm_tui.config_yaml import read_yaml
    from omnicrm_tui.home import config_path, home_of

    present, _named = config_path(os.environ, home_of(os.environ))
    found = imported(env_file, read_yaml(present) if present.exists() else {})
    for remark in found.remarks:
        click.echo(remark, err=True)
    click.echo(yaml.safe_dump(found.values, sort_keys=False, allow_unicode=True), nl=False)


def shown(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain values, secrets hidden (PLT-424)."""
    values = settings.model_dump(mode="json", exclude={"home", "config_path"})
    _hide(values)
    values["api_keys"] = {f"key {number}": key for number, key in enumerate(values["api_keys"].values(), 1)}
    return values


def _hide(values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            _hide(value)
        elif isinstance(value, str) and value and not value.strip("*"):
            values[name] = _HIDDEN
