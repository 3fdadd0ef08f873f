import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.text import fit, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
        ("\x1b[31mred", "␛[31mred"),
        ("two\nlines\ttab", "two␊lines␉tab"),
        ("del\x7f", "del␡"),
        ("c1\x9b31m", "c1�31m"),
        ("\u202egnp.exe", "�gnp.exe"),
        ("lone \ud800", "lone �"),
        ("para\u2029graph", "para�graph"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("e\u0301", "é"),
        ("\u0301x", "◌́x"),
        ("王小明", "王小明"),
        ("مريم", "مريم"),
        ("", ""),
    ],
)
def test_what_cannot_be_shown_becomes_a_symbol(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_accents_do_not_pile_up() -> None:
    assert len(visible("x" + "\u0301" * 1000)) < 10


@given(st.text())
def test_nothing_that_a_terminal_obeys_gets_through(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown.encode("utf-8")


@given(st.text(), st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int, align: str) -> None:
    assert cell_len(fit(text, width, align)) == width  # type: ignore[arg-type]


def test_text_that_is_too_long_ends_in_an_ellipsis() -> None:
    assert fit("abcdef", 4) == "abc…"
    assert fit("王小明", 4) == "王 …"
    assert fit("ab", 4, "right") == "  ab"
