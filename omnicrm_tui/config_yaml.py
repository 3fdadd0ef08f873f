"""Reading config.yaml as YAML. A home without one starts without this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from omnicrm_tui.config_file import ConfigurationError


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the sections in `path`; raises ConfigurationError with file and line (PLT-425)."""
    try:
        content = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - derives from the safe loader
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8 text (byte {error.start}).") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(_yaml_mistake(path, error)) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}:1: must be sections such as 'database:' with settings below them.")
    return content


class _Loader(yaml.CSafeLoader):
    """The safe C loader, refusing a key that appears twice: YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value} appears twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _yaml_mistake(path: Path, error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"{path}: is not YAML: {error}"
    mark = error.problem_mark
    what = f"{error.context}: {error.problem}" if error.context else str(error.problem)
    hint = "" if "appears twice" in what else " Check indentation (spaces, no tabs), colons and quotes."
    return f"{path}:{mark.line + 1}: column {mark.column + 1}: {what}.{hint}"
