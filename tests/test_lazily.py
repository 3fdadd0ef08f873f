import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omnicrm_tui.lazily import import_lazily


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A module that nobody has imported, and that tells when it is."""
    name = "omnicrm_test_of_lazy_modules"
    (tmp_path / f"{name}.py").write_text(
        "import builtins\nbuiltins.lazy_module_ran = True\n"
        "value = 7\ndef answer(of): return of * 6\nclass Thing: pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delattr("builtins.lazy_module_ran", raising=False)
    yield name
    sys.modules.pop(name, None)


def test_a_lazy_module_runs_when_something_of_it_is_used(later: str) -> None:
    import builtins

    import_lazily(later)
    module = __import__(later)
    assert not hasattr(builtins, "lazy_module_ran")
    assert module.value == 7
    assert builtins.lazy_module_ran


def test_a_function_taken_from_a_lazy_module_runs_it_when_it_is_called(later: str) -> None:
    import builtins

    import_lazily(later, ["answer"])
    answer = __import__(later, fromlist=["answer"]).answer
    assert not hasattr(builtins, "lazy_module_ran")
    assert answer(7) == 42
    assert builtins.lazy_module_ran


def test_a_class_of_a_lazy_module_may_be_derived_from_but_not_used(later: str) -> None:
    import builtins

    import_lazily(later, classes=["Thing"])
    stand_in = __import__(later, fromlist=["Thing"]).Thing
    derived = type("Derived", (stand_in,), {})
    with pytest.raises(TypeError, match="Derived"):
        derived()
    assert not hasattr(builtins, "lazy_module_ran")
    assert type(stand_in()) is __import__(later).Thing
    assert builtins.lazy_module_ran


def test_a_module_that_is_there_stays() -> None:
    import json

    import_lazily("json")
    assert sys.modules["json"] is json


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_lazily("there_is_no_such_module")
