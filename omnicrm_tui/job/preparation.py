"""What a job needs before it is known what is to be played: a folder, the API's address, and Ansible on its way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from omnicrm_tui.job.own_api import OwnApi
from omnicrm_tui.provisioning.ansible_process import AnsibleProcess, RunSettings
from omnicrm_tui.provisioning.job_folder import JobFolder
from omnicrm_tui.settings import Settings


@dataclass(frozen=True, slots=True)
class Preparation:
    """A job that can be played."""

    api: OwnApi
    folder: JobFolder
    ansible: AnsibleProcess

    def clear(self) -> None:
        """End Ansible and remove the folder, with the keys and tokens in it; may be called again."""
        self.ansible.close()
        self.folder.remove()

    def close(self) -> None:
        """Clear up, and give the API's port back; may be called again."""
        self.clear()
        self.api.close()


def prepare(settings: Settings, provision_id: int) -> Preparation:
    """Make the folder and start Ansible, which waits; raises OSError."""
    api = OwnApi(settings)
    try:
        folder = JobFolder.make(settings.jobs_folder, provision_id)
    except OSError:
        api.close()
        raise
    ansible = AnsibleProcess(
        folder,
        api.url,
        RunSettings(
            ansible_playbook=settings.provisioning.ansible_playbook or None,
            timeout_seconds=settings.provisioning.task_timeout_seconds,
        ),
    )
    with contextlib.suppress(OSError):  # the run tries again, and tells of it
        ansible.start()
    return Preparation(api, folder, ansible)


@contextlib.contextmanager
def prepared(settings: Settings, provision_id: int) -> Iterator[Preparation | None]:
    """Prepare, and clear up at the end, whatever happens; None when it failed: the job tries again, and tells of it."""
    preparation = None
    with contextlib.suppress(OSError):
        preparation = prepare(settings, provision_id)
    try:
        yield preparation
    finally:
        if preparation is not None:
            preparation.close()
