"""The `.env` files of the web version as a configuration (PLT-423, PLT-469..502): `omnicrm config import`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from gettext import gettext as _
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from omnicrm_tui.config_file import ConfigurationError, arranged
from omnicrm_tui.settings import Settings

_UI = "REACT_APP_"
_PLACES: Mapping[str, tuple[str, ...]] = {
    "REACT_APP_COMPANY_NAME": ("crm", "company_name"),
    "REACT_APP_COMPANY_TAGLINE": ("crm", "tagline"),
    "REACT_APP_DEFAULT_LOCATION": ("crm", "default_location"),
    "REACT_APP_DEFAULT_COUNTRY": ("crm", "default_country"),
    "REACT_APP_DEFAULT_LANGUAGE": ("crm", "language"),
    "REACT_APP_LOCALE": ("crm", "locale"),
    "REACT_APP_CURRENCY_CODE": ("crm", "currency"),
    "REACT_APP_CURRENCY_SYMBOL": ("crm", "currency_symbol"),
    "REACT_APP_PORTAL_NAME": ("branding", "portal_name"),
    "REACT_APP_SELF_CARE_NAME": ("branding", "self_care_name"),
    "REACT_APP_PRIMARY_COLOR": ("branding", "colours", "primary"),
    "REACT_APP_PRIMARY_DARK_COLOR": ("branding", "colours", "primary_dark"),
    "REACT_APP_SECONDARY_COLOR": ("branding", "colours", "secondary"),
    "REACT_APP_TERTIARY_COLOR": ("branding", "colours", "tertiary"),
    "REACT_APP_SUCCESS_COLOR": ("branding", "colours", "success"),
    "REACT_APP_INFO_COLOR": ("branding", "colours", "info"),
    "REACT_APP_WARNING_COLOR": ("branding", "colours", "warning"),
    "REACT_APP_DANGER_COLOR": ("branding", "colours", "danger"),
    "REACT_APP_LIGHT_COLOR": ("branding", "colours", "light"),
    "REACT_APP_DARK_COLOR": ("branding", "colours", "dark"),
    "REACT_APP_SUPPORT_URL": ("branding", "support_url"),
    "REACT_APP_FAQS_URL": ("branding", "faqs_url"),
    "REACT_APP_STRIPE_PUBLISHABLE_KEY": ("stripe", "publishable_key"),
    "MYSQL_USER": ("database", "username"),
    "MYSQL_PASSWORD": ("database", "password"),
    "MYSQL_DATABASE": ("database", "name"),
    "DB_SERVER": ("database", "server"),
}
_WEB_APPS, _MOST_WEB_APPS = f"{_UI}WEB_APP_", 6
_DASHBOARDS = (f"{_UI}GRAFANA_LABELS", f"{_UI}GRAFANA_URLS")
_NAMES = {place: name for name, place in _PLACES.items()}


@dataclass
class Imported:
    """What a `.env` file comes to: the configuration's values, and remarks for the operator."""

    values: dict[str, Any]
    remarks: list[str] = field(default_factory=list)


def imported(path: Path, present: Mapping[str, Any]) -> Imported:
    """Return the configuration `present` with what the `.env` file at `path` says.

    Raises ConfigurationError, with the variable's name, for what cannot be a setting.
    """
    variables = dict(_variables(path))
    found = Imported(_copied(present))
    for name, text in variables.items():
        if name in _PLACES and text:
            _put(found, name, text)
    _put_links(found, variables)
    used = {*_PLACES, *_DASHBOARDS, *_web_app_names()}
    if unused := [name for name in variables if name not in used]:
        found.remarks.append(_("Not used here: {names}.").format(names=", ".join(unused)))
    _check(path, found.values)
    return found


def _variables(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(
            _("{path}: cannot be read: {error}.").format(path=path, error=error.strerror)
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            _("{path}: is not UTF-8 text (byte {at}).").format(path=path, at=error.start)
        ) from None
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ConfigurationError(_("{path}:{line}: must be NAME=value.").format(path=path, line=number))
        yield name.strip(), _unquoted(value.strip())


def _unquoted(value: str) -> str:
    for quote in ("'", '"'):
        if len(value) > 1 and value.startswith(quote) and value.endswith(quote):
            return value[1:-1]
    return value.partition(" #")[0].rstrip()


def _put(found: Imported, name: str, text: str) -> None:
    """Set one value; say so where the configuration had another (PLT-495, PLT-518)."""
    *sections, key = _PLACES[name]
    place = found.values
    for section in sections:
        if not isinstance(place.get(section), dict):
            place[section] = {}
        place = place[section]
    before = place.get(key)
    if before not in (None, "", text):
        differ = (
            _("{setting} and {name} differ: the .env file is followed.")
            if key == "password"
            else _("{setting} and {name} differ ({ours!r} here, {theirs!r} there): the .env file is followed.")
        )
        setting = ".".join((*sections, key))
        found.remarks.append(differ.format(setting=setting, name=name, ours=before, theirs=text))
    place[key] = text


def _put_links(found: Imported, variables: Mapping[str, str]) -> None:
    branding = found.values.setdefault("branding", {})
    numbered = [f"{_WEB_APPS}{number}" for number in range(1, _MOST_WEB_APPS + 1)]
    pairs = [(variables.get(f"{name}_NAME", ""), variables.get(f"{name}_URL", "")) for name in numbered]
    if apps := [{"name": name, "url": url} for name, url in pairs if name or url]:
        branding["web_apps"] = apps
    labels, urls = ([part.strip() for part in variables.get(name, "").split(",")] for name in _DASHBOARDS)
    if len(labels) != len(urls):
        raise ConfigurationError(
            _("{labels} and {urls} must be lists of the same length.").format(
                labels=_DASHBOARDS[0], urls=_DASHBOARDS[1]
            )
        )
    if any(urls):
        branding["dashboards"] = [{"name": name, "url": url} for name, url in zip(labels, urls, strict=True)]
    if not branding:
        del found.values["branding"]


def _web_app_names() -> Iterator[str]:
    for number in range(1, _MOST_WEB_APPS + 1):
        yield from (f"{_WEB_APPS}{number}_{part}" for part in ("NAME", "URL", "ICON_PATH"))


def _check(path: Path, values: Mapping[str, Any]) -> None:
    try:
        Settings.model_validate({**arranged(values), "home": path.parent})
    except ValidationError as error:
        from omnicrm_tui.config_mistakes import explained

        mistakes = [
            f"{path}: {_NAMES.get(tuple(map(str, detail['loc'])), '.'.join(map(str, detail['loc'])))} "
            f"{explained(detail)}"
            for detail in error.errors(include_url=False)
        ]
        raise ConfigurationError("\n".join(mistakes)) from None


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, Mapping) else value for name, value in values.items()}
