from hypothesis import given
from hypothesis import strategies as st

from widgets.columns import GAP, Column, lay_out


def column(title: str, width: int | None = None, **more: int) -> Column[str]:
    return Column(title, str, width=width, **more)


def test_flexible_columns_share_what_is_left_by_weight() -> None:
    laid = lay_out([column("id", 6), column("name", weight=3), column("city", weight=1)], 6 + 1 + 8 + 1 + 8 + 40)
    assert [width for _, width in laid] == [6, 38, 18]


def test_columns_of_low_priority_vanish_first() -> None:
    columns = [column("a", 20), column("b", 20, priority=1), column("c", 20, priority=2)]
    assert [c.title for c, _ in lay_out(columns, 62)] == ["a", "b", "c"]
    assert [c.title for c, _ in lay_out(columns, 61)] == ["a", "b"]
    assert [c.title for c, _ in lay_out(columns, 30)] == ["a"]


@given(
    st.lists(st.builds(column, st.just("t"), st.none() | st.integers(1, 30), priority=st.integers(0, 2)), min_size=1),
    st.integers(0, 200),
)
def test_columns_never_take_more_than_there_is(columns: list[Column[str]], width: int) -> None:
    laid = lay_out(columns, width)
    used = [w for _, w in laid if w]
    assert sum(used) + GAP * (len(used) - 1) <= max(width, 0)
