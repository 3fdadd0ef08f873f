"""What the terminal shows must not depend on how it was painted."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyte
import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from bench.pty_run import DOWN, END, HOME, PAGE_DOWN, PAGE_UP, UP, PtyProgram
from bench.sqlite_rows import make_people
from tests.at_rest import at_rest, resize, sent_for, wait_for_same
from widgets.scroll_region import SUPPORTED, DiffedUpdate, ShownLines, scroll_codes

ROOT = Path(__file__).parents[2]
CONSOLE = Console(color_system="truecolor", force_terminal=True)
RED, BLUE, BOLD = Style(color="red", bgcolor="black"), Style(color="blue", bgcolor="black"), Style(bold=True)


def test_this_textual_is_one_whose_repaints_are_understood() -> None:
    assert SUPPORTED


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("people") / "people.db"
    make_people(path, 2000)
    return path


def table(people: Path, *options: str, columns: int = 100, rows: int = 30) -> PtyProgram:
    argv = [sys.executable, "-m", "tests.widgets.table_app", str(people), *options]
    return PtyProgram(argv, columns=columns, rows=rows, cwd=ROOT)


Step = bytes | tuple[int, int]
MOVES = (DOWN, UP, b"j", b"k")


def script() -> Iterator[Step]:
    """Yield some hundred keys and two new sizes of the terminal, the same every time; tests/full types thousands."""
    chance = random.Random(4)
    some_move = (*MOVES, DOWN, DOWN, b"J", b"K", PAGE_DOWN, PAGE_UP)
    yield from [DOWN] * 40 + [UP] * 30
    for size in ((80, 24), (120, 40)):
        yield from (chance.choice(some_move) for _ in range(20))
        yield b"o"
        yield from [*[DOWN] * 12, *[UP] * 9]
        yield b"o"
        yield from (b" ", b"j", b"V", b"j", b"j", b"V", b"s")
        yield from [END, UP, UP, *[UP] * 30, HOME, *[DOWN] * 35]
        yield size
        yield from (chance.choice(some_move) for _ in range(10))
    yield from (b"*", b" ", b"f", b" ", b"\x1b", b"/", b"b", b"o", b"\r", *[DOWN] * 40, b"g", b"g", b"S")


def act(programs: tuple[PtyProgram, ...], steps: Iterable[Step]) -> Iterator[Step]:
    """Do each step in each program, and yield it when it is done.

    Moves follow each other faster than frames; other keys find it at rest and are waited for.
    """
    moving = True
    for step in steps:
        if isinstance(step, tuple):
            resize(*programs, columns=step[0], rows=step[1])
        elif step in MOVES:
            for program in programs:
                program.write(step)
            for program in programs:
                program.settle(idle=0.01)
        else:
            if moving:
                at_rest(*programs)
            for program in programs:
                program.write(step)
            at_rest(*programs)
        moving = step in MOVES
        yield step


def test_the_screen_is_the_same_with_and_without_the_scroll_region(people: Path) -> None:
    steps = list(script())
    assert len(steps) > 250
    with table(people) as diffed, table(people, "--plain") as plain:
        diffed.wait_for("of 2,000")
        plain.wait_for("of 2,000")
        for i, step in enumerate(act((diffed, plain), steps)):
            if i % 40 == 0 or isinstance(step, tuple):
                wait_for_same(diffed, plain, i)
        wait_for_same(diffed, plain, len(steps))
        assert diffed.sent < plain.sent / 2


def test_keys_typed_faster_than_frames_leave_nothing_stale(people: Path) -> None:
    with table(people) as program:
        program.wait_for("1 of 2,000")
        for turn in range(1, 11):
            program.write(DOWN * 7 + UP * 2 + DOWN * 40 + UP * 41)
            program.wait_for(f" {1 + 4 * turn} of 2,000")
        at_rest(program)
        shown = program.cells
        for rows in (29, 30):
            resize(program, columns=100, rows=rows)
        program.wait_until(lambda: program.cells == shown)


@pytest.mark.parametrize(("columns", "rows", "budget"), [(120, 40, 600), (80, 24, 400)])
def test_a_scrolled_row_costs_few_bytes(people: Path, columns: int, rows: int, budget: int) -> None:
    with table(people, columns=columns, rows=rows) as program:
        program.wait_for("1 of 2,000")
        assert sent_for(program, *[DOWN] * (rows // 2)) <= min(500, budget) * (rows // 2)
        program.write(DOWN * rows)
        program.wait_for(f" {1 + rows // 2 + rows} of 2,000")
        assert sent_for(program, *[DOWN] * 20) <= budget * 20
        assert f" {21 + rows // 2 + rows} of 2,000" in program.text


def test_nothing_is_sent_while_nothing_changes(people: Path) -> None:
    with table(people) as program:
        program.wait_for("1 of 2,000")
        at_rest(program)
        assert program.settle(idle=2, limit=2).sent == 0


# The lines themselves


def painted(*lines: list[tuple[str, Style | None]]) -> ChopsUpdate:
    """Return a repaint of whole lines of ten cells."""
    strips = [Strip([Segment(text, style) for text, style in line]) for line in lines]
    assert {strip.cell_length for strip in strips} == {10}
    return ChopsUpdate([{0: s} for s in strips], [(y, 0, 10) for y in range(len(strips))], [[10] for _ in strips])


def shown(*outputs: str) -> pyte.Screen:
    screen = pyte.Screen(10, 6)
    stream = pyte.Stream(screen)
    for output in outputs:
        stream.feed(output)
    return screen


def rows_of(*texts: str) -> ChopsUpdate:
    return painted(*([(f"{text:10}", RED)] for text in texts))


def test_what_is_shown_already_is_not_sent_again() -> None:
    lines = ShownLines()
    lines.encode(rows_of("one", "two"), CONSOLE)
    assert lines.encode(rows_of("one", "two"), CONSOLE) == ""
    assert lines.encode(rows_of("one", "twx"), CONSOLE).count("x") == 1
    lines.forget()
    assert "one" in lines.encode(rows_of("one", "two"), CONSOLE)


@pytest.mark.parametrize("shift", [1, -1, 2, -2, 3, -3])
def test_moved_lines_are_moved_by_the_terminal(shift: int) -> None:
    texts = [f"row {i}" for i in range(12)]
    lines = ShownLines()
    before = lines.encode(rows_of(*texts[3:9]), CONSOLE)
    after = lines.encode(rows_of(*texts[3 + shift : 9 + shift]), CONSOLE)
    assert after.startswith(scroll_codes(0, 5, shift))
    assert after.count("row") == abs(shift)
    assert [line.rstrip() for line in shown(before, after).display] == texts[3 + shift : 9 + shift]


def test_lines_beside_the_moved_ones_stay() -> None:
    lines = ShownLines()
    first = lines.encode(rows_of("head", "a", "b", "c", "d", "foot"), CONSOLE)
    second = lines.encode(rows_of("head", "b", "c", "d", "e", "foot"), CONSOLE)
    assert [x.rstrip() for x in shown(first, second).display] == ["head", "b", "c", "d", "e", "foot"]
    assert "head" not in second
    assert "foot" not in second


def test_a_change_of_colour_alone_is_sent_and_attributes_do_not_leak() -> None:
    lines = ShownLines()
    one = lines.encode(painted([("aaa", RED), ("bbb", BLUE), ("cccc", BOLD)]), CONSOLE)
    two = lines.encode(painted([("aaa", BLUE), ("bbb", BOLD), ("cccc", RED)]), CONSOLE)
    cells = shown(one, two).buffer[0]
    assert [(cells[x].fg, cells[x].bold) for x in (0, 3, 6)] == [("blue", False), ("default", True), ("red", False)]
    assert cells[3].bg == "default"


def test_what_is_left_of_a_line_beside_a_repainted_part_stays_known() -> None:
    lines = ShownLines()
    first = lines.encode(rows_of("abcdefghij"), CONSOLE)
    part = ChopsUpdate([{4: Strip([Segment("XY", BLUE)])}], [(0, 4, 6)], [[6]])
    second = lines.encode(part, CONSOLE)
    third = lines.encode(rows_of("abcdefghij"), CONSOLE)
    assert "XY" in second
    assert "ef" in third
    assert "d" not in third
    assert shown(first, second, third).display[0] == "abcdefghij"


def test_of_a_line_with_wide_characters_nothing_is_sent_in_part() -> None:
    lines = ShownLines()
    lines.encode(painted([("陳大文cdef", RED)]), CONSOLE)
    part = ChopsUpdate([{4: Strip([Segment("XY", RED)])}], [(0, 4, 6)], [[6]])
    lines.encode(part, CONSOLE)
    assert "陳大文cdef" in lines.encode(painted([("陳大文cdef", RED)]), CONSOLE)
    assert "陳大文cdeg" in lines.encode(painted([("陳大文cdeg", RED)]), CONSOLE)


def test_a_repaint_of_the_whole_screen_sends_what_differs_however_it_is_cut() -> None:
    lines = ShownLines()
    first = lines.encode(rows_of("one  ╭──╮ ", "two  │x │ "), CONSOLE)
    cut = [
        [Strip([Segment("one", RED)]), Strip([Segment("  ╭──╮ ", RED)])],
        [Strip([Segment("twx  │", RED)]), Strip([Segment("y │ ", BLUE)])],
    ]
    second = lines.encode_all(LayoutUpdate(list(cut), Region(0, 0, 10, 2)), CONSOLE)
    screen = shown(first, second)
    assert [line.rstrip() for line in screen.display[:2]] == ["one  ╭──╮", "twx  │y │"]
    assert [screen.buffer[1][x].fg for x in (2, 5, 6, 7)] == ["red", "red", "blue", "blue"]
    assert "one" not in second
    assert "tw" not in second
    assert lines.encode_all(LayoutUpdate(list(cut), Region(0, 0, 10, 2)), CONSOLE) == ""


def test_a_repaint_that_is_not_understood_is_sent_as_textual_would(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise AttributeError("another Textual")

    lines = ShownLines()
    update = rows_of("one", "two")
    lines.encode(update, CONSOLE)
    monkeypatch.setattr(lines, "encode", fail)
    assert DiffedUpdate(update, lines).render_segments(CONSOLE) == update.render_segments(CONSOLE)
    monkeypatch.undo()
    assert "one" in lines.encode(update, CONSOLE)
