"""Facts: rows, columns, long text."""

from __future__ import annotations

from textual.app import App, ComposeResult

from widgets.facts import Fact, Facts, rows_of


def test_facts_go_down_one_column_and_then_the_next_under_their_heading() -> None:
    one, two, three = (Fact(name, "x") for name in ("one", "two", "three"))
    heading = Fact("Heading")
    assert rows_of([heading, one, two, three], 2) == [(heading,), (one, three), (two,)]
    assert rows_of([one, heading, two], 1) == [(one,), (), (heading,), (two,)]


async def test_text_over_the_whole_width_is_broken_between_words_and_shown_literally() -> None:
    facts = Facts([Fact(" " + "word " * 30 + "[b]end\x1b"), Fact("Label", "value")])

    class FactsApp(App[None]):
        def compose(self) -> ComposeResult:
            yield facts

    async with FactsApp().run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        lines = [facts.render_line(y).text.rstrip() for y in range(facts.size.height)]
    assert all(len(line) <= 40 for line in lines)
    assert lines[-2].endswith("[b]end␛")
    assert " ".join(lines[:-1]).split().count("word") == 30
    assert lines[-1].split() == ["Label", "value"]
