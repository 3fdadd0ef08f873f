"""Keys of one packet act as if they had been typed one by one."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
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


class Late(Ask):
    """A dialog whose parts take their time."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "look"), Binding("f3", "look", priority=True)]

    def __init__(self) -> None:
        super().__init__()
        self.may_mount, self.looked = asyncio.Event(), list[bool]()

    async def on_mount(self) -> None:
        await self.may_mount.wait()

    def action_look(self) -> None:
        self.looked.append(self.is_mounted)


async def test_a_key_that_a_new_screen_overtakes_does_not_act_on_parts_that_are_not_there() -> None:
    app = Form()
    async with app.run_test() as pilot:
        late = Late()
        # On its way back from the name, to be looked up among the bindings, when the dialog comes.
        key = events.Key("f2", None)
        key._set_forwarded()
        app.post_message(key)
        app.push_screen(late)
        await _looked_at(late)
        assert late.looked == []
        packet(app, "f2")
        await pilot.pause()
        assert late.looked == [True]


async def test_a_key_that_acts_at_once_waits_for_a_new_screens_parts() -> None:
    app = Form()
    async with app.run_test() as pilot:
        late = Late()
        packet(app, "f3", *"hello")
        app.push_screen(late)
        await _looked_at(late)
        await pilot.pause()
        assert late.looked == [True]
        assert late.query_one("#asked", Input).value == "hello"


async def _looked_at(late: Late) -> None:
    """Let everything happen that can before the dialog has its parts, then let it have them."""
    for _round in range(100):
        await asyncio.sleep(0)
    assert not late.is_mounted
    late.may_mount.set()
    await late._mounted_event.wait()


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
