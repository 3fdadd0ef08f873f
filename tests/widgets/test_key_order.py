"""Keys of one packet act as if they had been typed one by one."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Input

from widgets.key_order import KeysInOrder


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
