"""Modules that load when they are first used."""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec


def import_lazily(name: str) -> None:
    """Let every later `import` of the module `name` cost nothing until one of its attributes is asked for.

    For modules that libraries import in passing; see `importlib.util.LazyLoader`.
    """
    if name in sys.modules:
        return
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
