"""The control of forms for several lines of text; apart, because its import costs more than all the others'."""

from __future__ import annotations

from textual.widgets import TextArea


class Lines(TextArea):
    """Several lines of text."""

    DEFAULT_CSS = """
    Lines { height: 4; border: none; padding: 0 1; width: 1fr; background: $panel; color: $foreground; }
    Lines:focus { border: none; background: $panel; }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(text, tab_behavior="focus", show_line_numbers=False, soft_wrap=True)
        self.cursor_blink = False
