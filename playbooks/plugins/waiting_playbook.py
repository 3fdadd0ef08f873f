# SPDX-License-Identifier: GPL-3.0-or-later
# This file imports Ansible and is therefore, unlike the product, under the GNU General Public License,
# version 3 or later. It never imports the product.
"""`ansible-playbook`, imported before it is known what is to be played.

Whoever starts it writes one line, a JSON list with the arguments of ansible-playbook, and closes its standard input;
without that line nothing is played. Ansible's environment and working folder are those it was started with.
"""

from __future__ import annotations

import gc
import json
import os
import sys


def main() -> None:
    gc.disable()
    import ansible.executor.process.worker
    import ansible.module_utils.urls  # for our uri
    import ansible.plugins.strategy  # noqa: F401
    from ansible.cli.playbook import PlaybookCLI

    gc.freeze()  # each task is a fork, which would copy what the collector touches
    gc.enable()
    with open(0, closefd=False) as order:
        line = order.readline()
    if not line:
        sys.exit(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.argv = ["ansible-playbook", *json.loads(line)]
    PlaybookCLI.cli_executor(sys.argv)


if __name__ == "__main__":
    main()
