"""Keys of one packet act as if they had been typed one by one."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from widgets.key_order import KeysInOrder, Move


class Ask(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Input(id="asked")


class Form(KeysInOrder[None]):
    BINDINGS = [Binding("ctrl+n", "ask")]

    def compose(self) -> ComposeResult:
        yield Input(id="name", select_on_focus=False)
        yield Input(id="secret")

    def action_ask(self) -> None:
        self.push_screen(Ask())


def packet(app: Form, *keys: str) -> None:
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_a_tab_in_mid_packet_moves_the_focus_for_what_follows() -> None:
    app = Form()
    async with app.run_test() as pilot:
        packet(app, *"ada", "tab", *"pass", "shift+tab", *"x")
        await pilot.pause()
        assert app.query_one("#name", Input).value == "adax"
        assert app.query_one("#secret", Input).value == "pass"


async def test_keys_after_one_that_opens_a_dialog_are_typed_into_the_dialog() -> None:
    app = Form()
    async with app.run_test() as pilot:
        packet(app, *"ada", "ctrl+n", *"hello")
        await pilot.pause()
        assert app.screen.query_one("#asked", Input).value == "hello"
        assert app.screen_stack[0].query_one("#name", Input).value == "ada"


class Steps(Widget, can_focus=True):
    """Counts rows moved, and how often it was asked to move."""

    BINDINGS = [Binding("down", "step(1)"), Binding("up", "step(-1)")]

    def __init__(self) -> None:
        super().__init__()
        self.moves: list[int] = []

    def action_step(self, by: int) -> None:
        self.moves.append(by)

    def repeating(self, key: str) -> Move | None:
        by = {"down": 1, "up": -1}.get(key)
        return None if by is None else lambda times: self.moves.append(by * times)


class Held(Form):
    held_seconds = 0.02

    def compose(self) -> ComposeResult:
        yield Steps()
        yield from super().compose()


async def test_a_key_that_is_held_down_moves_on_in_few_steps_and_no_press_is_lost() -> None:
    app = Held()
    async with app.run_test() as pilot:
        steps = app.query_one(Steps)
        packet(app, *["down"] * 50, *["up"] * 20, "down", "up")
        await pilot.pause()
        while app._keys or (app._key_task and not app._key_task.done()):
            await pilot.pause(0.01)
        assert sum(steps.moves) == 30
        assert len(steps.moves) <= 10
        assert steps.moves[-2:] == [1, -1]


async def test_the_same_letter_twice_is_two_letters() -> None:
    app = Held()
    async with app.run_test() as pilot:
        app.query_one("#name").focus()
        await pilot.pause()
        packet(app, *"aadda", "down", "down")
        await pilot.pause()
        assert app.query_one("#name", Input).value == "aadda"
        assert app.query_one(Steps).moves == []
