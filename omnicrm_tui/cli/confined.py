"""The application and nothing else: what `omnicrm tui --confined` makes of an environment that a client had a
hand in. It is the second lock; the first is sshd, which lets two harmless variables through (packaging/ssh)."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from gettext import gettext as _

from omnicrm_tui.errors import CrmError

_KEPT = re.compile(
    "HOME|USER|LOGNAME|SHELL|PATH|TZ|TERM|COLORTERM|NO_COLOR|LANG|LC_[A-Z]+"
    "|OMNICRM_HOME|OMNICRM_CONFIG|SSH_CONNECTION|SSH_TTY|SSH_USER_AUTH"
)
_CLIENTS = re.compile("TERM|COLORTERM|NO_COLOR|LANG|LC_[A-Z]+")
_WORD = re.compile(r"[A-Za-z0-9_.@+-]{0,64}")


def confine(environ: MutableMapping[str, str]) -> None:
    """Keep of `environ` what is known and harmless, for this process and for all that it starts.

    What other variables do (TEXTUAL_LOG writes a file, TEXTUAL_DRIVER imports a module, ANSIBLE_LIBRARY lends
    jobs other code, HTTPS_PROXY sees their calls) is for the operator to decide. What clients name must be plain
    words: some of it becomes part of paths. Raises CrmError where the client asks for another command.
    """
    if environ.get("SSH_ORIGINAL_COMMAND"):
        raise CrmError(_("Only the application runs here: connect without a command, as in 'ssh -t account@host'."))
    for name in list(environ):
        if not _KEPT.fullmatch(name) or (_CLIENTS.fullmatch(name) and not _WORD.fullmatch(environ[name])):
            del environ[name]
