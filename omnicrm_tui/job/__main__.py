"""The process of one provisioning job; whoever ordered it waits for this start."""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    """Run the job whose number is the only argument.

    Ansible is started as soon as the settings are known: it takes as long to be imported as the service layer does,
    and machines have more than one processor.
    """
    gc.disable()  # Importing makes no garbage worth looking for.
    from omnicrm_tui import logs
    from omnicrm_tui.lazily import import_lazily

    import_lazily("importlib.metadata", ["entry_points"])  # pydantic looks for plug-ins, of which there are none
    from omnicrm_tui.config_file import load_settings
    from omnicrm_tui.job.preparation import prepared

    settings = load_settings(os.environ)
    provision_id = int(sys.argv[1])
    with prepared(settings, provision_id) as preparation:
        from omnicrm_tui.crm import Crm
        from omnicrm_tui.job.runner import Job

        gc.freeze()
        gc.enable()
        logs.begin(settings, "job", job=provision_id, request=os.environ.get(logs.REQUEST_VARIABLE))
        crm = Crm.open(settings)
        try:
            return Job(crm, provision_id, preparation).run()
        finally:
            crm.close()


if __name__ == "__main__":
    sys.exit(main())
