"""A job of play_psim_only, from the order to its final status, beside plain `ansible-playbook` on the same play.

The floor gets everything for nothing that a job has to do for itself: its folder is made, its tokens are there,
the API runs already, no event is read, stored or redacted. Both use the quick `uri` that comes with the plays.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.homes import demo_home, interleaved
from bench.orders import Shop
from bench.report import Row, median

RUNS = 5
SMALL = 200
"""Customers of the demo that is provisioned in: jobs do not read lists."""


def run() -> list[Row]:
    """Run jobs and plain plays in turn."""
    from omnicrm_tui.api.server import ApiServer

    home = demo_home(SMALL)
    shop, plain = Shop(home), Shop(home, dispatch=False)
    with ApiServer(plain.crm) as server:
        _play_seconds(plain, server.url)  # the first of each warms what they share
        floor, jobs = interleaved(RUNS, lambda: _play_seconds(plain, server.url), lambda: _job_seconds(shop))
    plays = median(floor) * 1000
    target = plays * 1.1 + 700
    what = "job of play_psim_only (1.10 x ansible-playbook + 700 ms)"
    return [Row(what, median(jobs) * 1000, target, floor=plays)]


def _job_seconds(shop: Shop) -> float:
    begin = time.time()
    job = shop.wait(shop.order())
    assert job.finished is not None
    return job.finished.timestamp() - begin


def _play_seconds(shop: Shop, api_url: str) -> float:
    from omnicrm_tui.identity.actor import system_actor
    from omnicrm_tui.job.runner import plain
    from omnicrm_tui.provisioning.job_folder import JobFolder
    from omnicrm_tui.provisioning.play_file import search_path
    from omnicrm_tui.provisioning.progress import JobEnd, JobProgress

    settings = shop.crm.settings
    provision_id = shop.order()
    progress = JobProgress(shop.crm, provision_id, "bench")
    claimed = progress.claim(os.getpid())
    assert claimed is not None
    with shop.crm.as_actor(system_actor("bench")) as work:
        tokens = work.identity.mint_job_tokens(provision_id, claimed.initiating_user)
    variables = {**progress.variables(), "access_token": tokens.access_token}
    with JobFolder.make() as folder:
        folder.fill(
            play_folders=search_path(settings.home), config=plain(settings), variables=variables, api_url=api_url
        )
        folder.write_tokens(tokens.access_token)
        ansible = str(Path(sys.executable).with_name("ansible-playbook"))
        play = f"{claimed.provisioning_play}.yaml"
        argv = [ansible, "-i", str(folder.inventory), "-e", f"@{folder.extra_vars}", play]
        begin = time.perf_counter()
        done = subprocess.run(
            argv, check=False, cwd=folder.plays, env=_environment(folder.root, api_url), capture_output=True
        )
        seconds = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(done.stdout.decode(errors="replace")[-3000:])
    progress.finish(JobEnd(0, "finished", None, {}))
    return seconds


def _environment(folder: Path, api_url: str) -> dict[str, str]:
    from omnicrm_tui.shipped import ACTION_PLUGINS

    return {
        **os.environ,
        "LANG": "C.UTF-8",
        "ANSIBLE_HOME": str(folder / "tmp" / "ansible"),
        "ANSIBLE_ACTION_PLUGINS": str(ACTION_PLUGINS),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_GATHERING": "explicit",
        "OMNICRM_API_URL": api_url,
        "OMNICRM_TOKEN_FILE": str(folder / "token.json"),
        "OMNICRM_CANCEL_FILE": str(folder / "cancel"),
    }
