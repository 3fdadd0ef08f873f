"""Letting config.yaml name another database, with everything else in it left as it was written."""

from __future__ import annotations

import json
import re
from gettext import gettext as _
from pathlib import Path

import yaml

from omnicrm_tui.errors import CrmError
from omnicrm_tui.upkeep.address import HOME_SQLITE
from omnicrm_tui.upkeep.disk import replace_file

_SECTION = re.compile(r"^database\s*:")
_INSIDE = re.compile(r"^\s+\S")
_BETWEEN = re.compile(r"^(#.*)?$")


def lines_for(url: str) -> str:
    """Return the section that names the database at `url`; none for the SQLite file of the home."""
    return "" if url == HOME_SQLITE else f"database:\n  url: {json.dumps(url)}\n"


def point_at(path: Path, url: str) -> None:
    """Write into the configuration at `path`, made where it is absent, that the database is at `url`.

    What stood there before stays as a comment. The file is there whole at any moment, and 0600. Raises CrmError
    when it is written in a way that cannot be changed line by line.
    """
    before = path.read_text("utf-8") if path.exists() else ""
    lines, inside, found = list[str](), False, False
    for line in before.splitlines():
        begins = bool(_SECTION.match(line))
        if begins:
            lines += lines_for(url).splitlines()
        inside = begins or (inside and bool(_INSIDE.match(line) or _BETWEEN.match(line)))
        found = found or begins
        lines.append(f"# {line}" if inside and not _BETWEEN.match(line) else line)
    if not found:
        lines += lines_for(url).splitlines()
    text = "".join(f"{line}\n" for line in lines)
    if not _names(text, url):
        raise CrmError(
            _("{path}: the section 'database' cannot be changed here. Put this there: {lines}").format(
                path=path, lines=lines_for(url)
            )
        )
    if text != before:
        replace_file(path, text.encode())


def _names(text: str, url: str) -> bool:
    try:
        section = (yaml.safe_load(text) or {}).get("database")
    except (yaml.YAMLError, AttributeError):
        return False
    return section is None if url == HOME_SQLITE else section == {"url": url}
