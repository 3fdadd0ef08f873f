"""A job's variables at rest: masked in the column that everybody reads, and sealed as long as a play may need them."""

from __future__ import annotations

import json
import sys
from typing import Any

from sqlalchemy import update

from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.redaction import Redactor
from omnicrm_tui.work import Work

SEALED = "provision.sealed_vars"


def masked(variables: dict[str, Any]) -> dict[str, Any]:
    """Return the variables with their secrets masked (SVC-017), whatever their size."""
    hidden: dict[str, Any] = Redactor().result(variables, limit=sys.maxsize)
    return hidden


def seal_variables(work: Work, job: Provision, variables: dict[str, Any]) -> None:
    """Keep all variables of a new job, which has its number, where masking took anything from them."""
    if job.provisioning_json_vars != variables:
        job.sealed_vars = work.vault.seal(SEALED, job.provision_id, json.dumps(variables, ensure_ascii=False))


def open_variables(work: Work, job: Provision) -> dict[str, Any]:
    """Return the variables as they were given. Raises CrmError when the key that sealed them is gone."""
    sealed = work.vault.open(SEALED, job.provision_id, job.sealed_vars)
    variables: dict[str, Any] = dict(job.provisioning_json_vars) if sealed is None else json.loads(sealed)
    return variables


def forget_variables(work: Work, job: Provision) -> None:
    """Drop what is sealed of a job that ended well and of the attempts before it: none of them is run again."""
    job.sealed_vars = None
    earlier = job.retry_of
    while earlier is not None:
        # A plain UPDATE, for somebody may look at that job at this moment.
        dropped = update(Provision).where(Provision.provision_id == earlier).values(sealed_vars=None)
        work.session.execute(dropped.execution_options(synchronize_session=False))
        earlier = work.session.get_one(Provision, earlier).retry_of
