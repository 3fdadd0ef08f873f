import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.listing import FIRST, LAST, Anchor, Edge, ListQuery
from tests.widgets.lists import ListRows, Thing, things
from widgets.row_cache import RowWindow, just_before

QUERY = ListQuery(sort="name")


def loaded(source: ListRows, anchor: Anchor = FIRST, kept: int = 100, query: ListQuery = QUERY) -> RowWindow[Thing]:
    window: RowWindow[Thing] = RowWindow(kept)
    window.replace(source.window(query, anchor, 20), 0 if anchor == FIRST else None)
    return window


def extend(window: RowWindow[Thing], source: ListRows, place: int) -> int:
    anchor = window.missing(place, place)
    if anchor is None:
        return 0
    rows = source.window(QUERY, anchor, 20)
    if anchor.edge is Edge.AFTER:
        window.append(rows)
        return 0
    return window.prepend(rows)


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 500), st.booleans())
def test_a_window_is_always_a_stretch_of_the_list(downwards: list[bool], count: int, from_end: bool) -> None:
    source = ListRows(things(count))
    window = loaded(source, LAST if from_end else FIRST)
    expected = source.matching(QUERY)
    for down in downwards:
        extend(window, source, window.stop if down else window.start - 1)
        rows = [window.row(place) for place in range(window.start, window.stop)]
        at = expected.index(rows[0]) if rows else 0
        assert rows == expected[at : at + len(rows)]
        assert len(rows) <= 100
        assert window.more_before == (at > 0)
        assert window.more_after == (at + len(rows) < count)
        if window.counted:
            assert window.start == at


def test_places_stay_while_rows_come_and_go() -> None:
    source = ListRows(things(300))
    window = loaded(source)
    row = window.row(15)
    for _ in range(4):
        extend(window, source, window.stop)
    assert window.row(15) == row
    extend(window, source, window.stop)
    assert 15 not in window
    with pytest.raises(IndexError):
        window.row(15)
    extend(window, source, window.start - 1)
    assert window.row(15) == row


def test_places_become_positions_when_the_first_row_comes_into_sight() -> None:
    source = ListRows(things(50))
    window = loaded(source, LAST)
    assert not window.counted
    moved = extend(window, source, window.start - 1) + extend(window, source, window.start - 1)
    assert (window.start, window.stop, window.counted) == (0, 50, True)
    assert moved == 30


@pytest.mark.parametrize("descending", [False, True])
def test_reading_after_the_key_before_a_row_begins_with_that_row(descending: bool) -> None:
    source = ListRows(things(300))
    query = ListQuery(sort="name", descending=descending)
    row = source.matching(query)[123]
    before = just_before(source.key(query, row), descending)
    assert source.window(query, Anchor(Edge.AFTER, before), 5).rows[0] == row
