"""The private folder of one job, in which an operator's play finds what it expects.

    env/extravars, inventory.yaml                the variables, by file and never on a command line
    project/crm_config.yaml                      `../../crm_config.yaml` of a play
    project/Provisioners/plays/                  copies of the plays, task files and templates
    cancel, token.json, tmp/                     the cancel flag, the job's tokens, Ansible's own files

It is readable by its owner alone, and it is gone when the job is: see `left_folders` for one whose process is killed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import yaml

from omnicrm_tui.provisioning.left_folders import hold

PLAY_SECTIONS = frozenset({"crm", "ocs", "hss", "smsc", "mailjet", "email", "provisioning", "service_types", "cbc_url"})
"""The sections of the configuration that plays read; of the others no play gets to see anything."""

_OWN_API = re.compile(rb"http://(?:localhost|127\.0\.0\.1):5000(?![0-9])")
_TEXT_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".j2", ".cfg", ".txt", ".ini", ".xml", ".html"})


@dataclass(frozen=True, slots=True)
class JobFolder:
    """Where things are in a job's folder."""

    root: Path
    lock: IO[bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def plays(self) -> Path:
        """The copies of the plays; the working folder of the run."""
        return self.root / "project" / "Provisioners" / "plays"

    @property
    def configuration(self) -> Path:
        """The generated crm_config.yaml."""
        return self.root / "project" / "crm_config.yaml"

    @property
    def extra_vars(self) -> Path:
        """The variables that override all others."""
        return self.root / "env" / "extravars"

    @property
    def inventory(self) -> Path:
        """The one host, with the placeholders that a play may fill."""
        return self.root / "inventory.yaml"

    @property
    def cancel_flag(self) -> Path:
        """Exists from the moment the job is to stop."""
        return self.root / "cancel"

    @property
    def tokens(self) -> Path:
        """JSON with `access_token` and perhaps `refresh_token`, for calls that our API answers with 401."""
        return self.root / "token.json"

    @property
    def scratch(self) -> Path:
        """For Ansible's temporary files."""
        return self.root / "tmp"

    @classmethod
    def make(cls, parent: Path | None = None, provision_id: int = 0) -> JobFolder:
        """Make an empty one in `parent`, or among the system's temporary folders; raises OSError.

        It is removed at the end of a `with`. `provision_id` is in its name.
        """
        if parent is not None:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix=f"job-{provision_id}-", dir=parent))  # 0700 from the first moment
        folder = cls(root, hold(root))
        for path in (folder.plays, folder.extra_vars.parent, folder.scratch):
            path.mkdir(mode=0o700, parents=True)
        return folder

    def __enter__(self) -> JobFolder:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.remove()

    def fill(
        self,
        *,
        play_folders: Sequence[Path],
        config: Mapping[str, Any],
        variables: Mapping[str, Any],
        api_url: str,
    ) -> None:
        """Put the plays, their configuration and the variables where Ansible finds them.

        `play_folders` as `play_file.search_path` gives them: what comes first wins. `config` is the whole
        configuration, secrets in plain text; only what plays read is written. `api_url` is where this job's play
        finds our API.
        """
        for source in reversed(play_folders):
            _copy_plays(source, self.plays, api_url.rstrip("/").encode())
        readable = config_for_plays(config, api_url)
        write_private(self.configuration, yaml.safe_dump(readable, sort_keys=False, allow_unicode=True))
        _write_variables(self, variables)

    def remove(self) -> None:
        """Delete it with all that is in it; may be called again."""
        shutil.rmtree(self.root, ignore_errors=True)
        if self.lock is not None:
            self.lock.close()

    def write_tokens(self, access_token: str, refresh_token: str | None = None) -> None:
        """Put the job's current tokens where the running play takes them from."""
        tokens = {"access_token": access_token}
        if refresh_token:
            tokens["refresh_token"] = refresh_token
        write_private(self.tokens, json.dumps(tokens))


def config_for_plays(config: Mapping[str, Any], api_url: str) -> dict[str, Any]:
    """Return the `crm_config` of a play: addresses and the keys of outside systems, with our API's address.

    Never the database password, the signing secret, card keys or API keys. `crm.base_url` is where the play calls
    us; `crm.public_url` is for what people read (PLT-601). The mail types stand at both places where plays look for
    them (PLT-436), without blanks, so that a play's own defaults stand in. `ocs.OCS` and `ocs.cgrates` are two names
    of one address in operators' plays (SVC-144, CAT-519): each is filled from the other.
    """
    readable = {name: section for name, section in config.items() if name in PLAY_SECTIONS}
    crm = dict(readable.get("crm") or {})
    public = crm.get("public_url") or crm.get("base_url")
    readable["crm"] = {**crm, "base_url": api_url.rstrip("/"), **({"public_url": public} if public else {})}
    if mailjet := readable.get("mailjet"):
        types = {name: _without_blanks(mailjet[name]) for name in mailjet if name.startswith("api_crm")}
        known = {name: section for name, section in types.items() if section}
        keys = {name: value for name, value in mailjet.items() if name not in types}
        readable |= {"mailjet": {**keys, **known}, **known}
    ocs = dict(readable.get("ocs") or {})
    address = ocs.get("cgrates") or ocs.get("OCS")
    if address:
        readable["ocs"] = {**ocs, "cgrates": address, "OCS": ocs.get("OCS") or address}
    return readable


def _without_blanks(section: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (section or {}).items() if value not in (None, "")}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _copy_plays(source: Path, target: Path, api_url: bytes) -> None:
    """Copy a folder of plays; in the copy our API has the job's address instead of port 5000."""
    if not source.is_dir():
        return
    for entry in sorted(source.iterdir()):
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        copy = target / entry.name
        if entry.is_dir():
            copy.mkdir(mode=0o700, exist_ok=True)
            _copy_plays(entry, copy, api_url)
        elif entry.suffix in _TEXT_SUFFIXES:
            copy.write_bytes(_OWN_API.sub(lambda _match: api_url, entry.read_bytes()))
        elif entry.is_file():
            shutil.copyfile(entry, copy)


def _write_variables(folder: JobFolder, variables: Mapping[str, Any]) -> None:
    """Extra vars win over everything a play sets; so empty placeholders become plain host variables.

    A product's `{"iccid": "", "msisdn": ""}` are blanks for the play to fill (CAT-471): as extra vars they
    would stay empty for ever.
    """
    blanks = {name: value for name, value in variables.items() if value == ""}
    given = {name: value for name, value in variables.items() if name not in blanks}
    host = {"ansible_connection": "local", **blanks}
    inventory = {"all": {"hosts": {"localhost": host}}}
    write_private(folder.inventory, yaml.safe_dump(inventory, allow_unicode=True))
    write_private(folder.extra_vars, f"{{{', '.join(_pair(name, value) for name, value in given.items())}}}\n")


def _pair(name: str, value: Any) -> str:
    """One variable as YAML. Text is data: Ansible evaluates neither templates in it nor, in a condition, bare words."""
    mark = "!unsafe " if isinstance(value, (str, list, dict)) else ""
    return f"{json.dumps(name)}: {mark}{json.dumps(value, ensure_ascii=True)}"
