"""What is left of an environment that a client had a hand in."""

from __future__ import annotations

import pytest

from omnicrm_tui.cli.confined import confine
from omnicrm_tui.errors import CrmError

OURS = {
    "HOME": "/var/lib/omnicrm",
    "PATH": "/usr/bin:/bin",
    "OMNICRM_HOME": "/var/lib/omnicrm",
    "SSH_CONNECTION": "192.0.2.9 50022 192.0.2.1 22",
    "SSH_USER_AUTH": "/tmp/sshauth.x",
    "TERM": "xterm-256color",
    "LC_ALL": "C.UTF-8",
    "COLORTERM": "truecolor",
}


@pytest.mark.parametrize(
    "name",
    ["TEXTUAL", "TEXTUAL_LOG", "TEXTUAL_DRIVER", "PYTHONPATH", "ANSIBLE_CONFIG", "HTTPS_PROXY", "EDITOR", "PAGER",
     "BROWSER", "LD_PRELOAD", "OMNICRM_SOMETHING", "TMUX", "PYDANTIC_DISABLE_PLUGINS", "ESCDELAY", "LANGUAGE"],
)  # fmt: skip
def test_what_is_not_known_is_dropped(name: str) -> None:
    environ = {**OURS, name: "1"}
    confine(environ)
    assert environ == OURS


@pytest.mark.parametrize("name", ["TERM", "COLORTERM", "LC_ALL", "LANG", "NO_COLOR"])
@pytest.mark.parametrize("value", ["../../tmp", "a b", "x\x1b[2J", "y" * 65])
def test_what_a_client_may_name_is_a_plain_word(name: str, value: str) -> None:
    environ = {**OURS, name: value}
    confine(environ)
    assert name not in environ


def test_another_command_is_refused() -> None:
    with pytest.raises(CrmError, match="Only the application runs here"):
        confine({**OURS, "SSH_ORIGINAL_COMMAND": "id"})
