"""Modules that load when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def import_lazily(name: str, functions: Sequence[str] = (), classes: Sequence[str] = ()) -> None:
    """Let every later `import` of the module `name` cost nothing until one of its attributes is asked for.

    For modules that libraries import in passing. (`importlib.util.LazyLoader` loads at the next `import` already.)
    Of `functions` and `classes`, which are taken by `from module import name`, a stand-in loads the module when it is
    called. A class may derive from such a stand-in, but can then not be used: this is for what is never used at all.
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

    def unused(class_name: str) -> type:
        def made(cls: type, *arguments: Any, **named: Any) -> Any:
            if cls is not stand_ins[class_name]:
                raise TypeError(f"{cls.__name__} derives from a stand-in of {name}.{class_name}")
            return load(class_name)(*arguments, **named)

        return type(class_name, (), {"__new__": made})

    stand_ins = {class_name: unused(class_name) for class_name in classes}
    for class_name, kind in stand_ins.items():
        setattr(stand_in, class_name, kind)
    for function in functions:
        setattr(stand_in, function, later(function))
    stand_in.__getattr__ = load  # type: ignore[method-assign]
    sys.modules[name] = stand_in
