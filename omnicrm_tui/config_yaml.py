"""Reading config.yaml as YAML. A home without one starts without this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from omnicrm_tui.config_file import ConfigurationError
from omnicrm_tui.languages import spoken as _


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the sections in `path`; raises ConfigurationError with file and line (PLT-425)."""
    try:
        content = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - derives from the safe loader
    except OSError as error:
        raise ConfigurationError(_("{path}: cannot be read: {why}.").format(path=path, why=error.strerror)) from None
    except UnicodeDecodeError as error:
        sentence = _("{path}: is not UTF-8 text (byte {number}).").format(path=path, number=error.start)
        raise ConfigurationError(sentence) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(_yaml_mistake(path, error)) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(
            _("{path}:1: must be sections such as 'database:' with settings below them.").format(path=path)
        )
    return content


class _Twice(yaml.constructor.ConstructorError):
    """A key that appears twice."""


class _Loader(yaml.CSafeLoader):
    """The safe C loader, refusing a key that appears twice: YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise _Twice(None, None, _("the key {key} appears twice").format(key=key.value), key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _yaml_mistake(path: Path, error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _("{path}: is not YAML: {why}").format(path=path, why=error)
    mark = error.problem_mark
    what = f"{error.context}: {error.problem}" if error.context else str(error.problem)
    hint = "" if isinstance(error, _Twice) else " " + _("Check indentation (spaces, no tabs), colons and quotes.")
    place = _("{path}:{line}: column {column}:").format(path=path, line=mark.line + 1, column=mark.column + 1)
    return f"{place} {what}.{hint}"
