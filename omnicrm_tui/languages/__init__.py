"""The language of what people read: bound once per process, before the modules that hold texts are imported.

Every module says `from gettext import gettext as _`, and many call it while they are imported. `speak` puts the
catalogue's two functions where such an import finds them. What is stored or read by machines (activity, states,
REST) is English: N_ marks such a word where it is written, `said` translates it where a person reads it.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Mapping
from pathlib import Path

from omnicrm_tui.errors import CrmError
from omnicrm_tui.home import config_path, home_of

ENGLISH = "en"
DOMAIN = "omnicrm"
FOLDER = Path(__file__).parent
STORED = "stored"
"""The context of words that are stored in English: `Open` is a customer's state, and another word on a key."""

NAMES = {ENGLISH: "English", "fr": "Français"}
"""The languages there are, each in its own words."""

_ISO_CODES = {"ch": "zh", "gr": "el", "sp": "es"}
"""Codes of PLT-483 that are not ISO 639's."""

_catalogue = gettext.NullTranslations()


def N_(word: str) -> str:  # noqa: N802 - the name that gettext's own manual gives it
    """Mark a word that is stored in English and translated by `said`."""
    return word


def iso_code(language: str) -> str:
    """Return the ISO 639 code of a language's code or locale: "el" of "gr", "en" of "en-GB"."""
    code = language.replace("_", "-").partition("-")[0].lower()
    return _ISO_CODES.get(code, code)


def configured(env: Mapping[str, str] = os.environ) -> str:
    """Return `crm.language` as the file says it; English where that cannot be told: who reads it all says why."""
    path, _named = config_path(env, home_of(env))
    try:
        if b"language" not in path.read_bytes():
            return ENGLISH
        from omnicrm_tui.config_yaml import read_yaml

        crm = read_yaml(path).get("crm")
    except (OSError, CrmError):
        return ENGLISH
    language = crm.get("language") if isinstance(crm, dict) else None
    return language if isinstance(language, str) else ENGLISH


def catalogue_of(language: str) -> gettext.NullTranslations:
    """Return the texts of `language`, for what is written to others than who runs this process; else English."""
    code = iso_code(language)
    if code in NAMES and code != ENGLISH:
        return gettext.translation(DOMAIN, FOLDER, [code])
    return gettext.NullTranslations()


def speak(language: str) -> None:
    """Let every text that is imported from now on be `language`'s, or English where there is no such catalogue."""
    global _catalogue
    _catalogue = catalogue_of(language)
    # The standard library's own functions look for a catalogue in the file system at every call.
    gettext.gettext, gettext.ngettext = _catalogue.gettext, _catalogue.ngettext


def spoken(text: str) -> str:
    """Return a text in the language that is bound by now, as `_` of a module that is imported before it is bound."""
    return _catalogue.gettext(text)


def said(word: str, texts: gettext.NullTranslations | None = None) -> str:
    """Return a stored word in the language of this process, or of `texts`; words that are not ours stay."""
    return (texts or _catalogue).pgettext(STORED, word) if word else ""
