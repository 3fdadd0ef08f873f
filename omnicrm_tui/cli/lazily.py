"""Modules that load when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def import_lazily(name: str, *functions: str) -> None:
    """Let every later `import` of the module `name` cost nothing until one of its attributes is asked for.

    For modules that libraries import in passing. (`importlib.util.LazyLoader` loads at the next `import` already.)
    Of `functions`, which are taken by `from module import function`, a stand-in loads the module when it is called.
    """
    if name in sys.modules:
        return
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    stand_in = ModuleType(name)
    stand_in.__spec__ = spec

    def load(attribute: str) -> Any:
        if attribute == "__path__":
            raise AttributeError(attribute)
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    def later(function: str) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            return load(function)(*arguments, **named)

        return called

    for function in functions:
        setattr(stand_in, function, later(function))
    stand_in.__getattr__ = load  # type: ignore[method-assign]
    sys.modules[name] = stand_in
