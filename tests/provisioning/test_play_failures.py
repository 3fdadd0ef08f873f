"""What people are told to do about a play that could not be run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from omnicrm_tui.provisioning import play_failures
from omnicrm_tui.provisioning.play_failures import Diagnosis
from omnicrm_tui.settings import Settings

DIAGNOSES = [value for value in vars(play_failures).values() if isinstance(value, Diagnosis)]
SECTIONS = "|".join(Settings.model_fields)
KEY = re.compile(rf"\b(?:{SECTIONS})\.\w+")


@pytest.mark.req("SVC-123", "SVC-126")
def test_each_setting_that_advice_names_exists(tmp_path: Path) -> None:
    named = {key for one in DIAGNOSES for text in (*one.causes, *one.advice) for key in KEY.findall(text)}
    assert {"provisioning.task_timeout_seconds", "ocs.cgrates", "hss.hss_peers"} <= named
    settings = Settings(home=tmp_path)
    for section, name in (key.split(".") for key in named):
        part = getattr(settings, section)
        assert isinstance(part, BaseModel)
        assert name in type(part).model_fields, f"{section}.{name}"
