"""What an operator's own play finds when it runs: its variables, its items, its configuration, its way back to us."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import yaml

from omnicrm_tui.catalog.schemas import ProductChange
from omnicrm_tui.job.runner import Job
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.rules import SUCCESS
from omnicrm_tui.provisioning.schemas import ProvisionRequest
from omnicrm_tui.shipped import PLAYS
from tests.fixtures.operator import Operator

pytestmark = pytest.mark.ansible

PLAY = """
- name: An operator's own play
  hosts: localhost
  gather_facts: no
  become: False
  tasks:
    - name: Load the configuration
      include_vars: {file: ../../crm_config.yaml, name: crm_config}
    - name: Verify the variables
      assert:
        that:
          - customer_id | int == WANT_CUSTOMER
          - product_id | int == WANT_PRODUCT
          - initiating_user | int == WANT_USER
          - access_token is defined
          - hostvars[inventory_hostname]['SIM Card'] | int == WANT_SIM
          - hostvars[inventory_hostname]['Mobile Number'] | int == WANT_NUMBER
          - iccid == ''
          - asked_for == 'a cable'
          - crm_config.ocs.cgrates | length > 0
          - crm_config.ocs.ocsTenant == 'WANT_TENANT'
        fail_msg: Missing required variables
    - name: Ask for our health
      uri: {url: "{{ crm_config.crm.base_url }}/crm/health", status_code: 200}
    - name: Read the SIM card
      uri:
        url: "{{ crm_config.crm.base_url }}/crm/inventory/inventory_id/{{ item_id | int }}"
        headers: {Authorization: "Bearer {{ access_token }}"}
      vars: {item_id: "{{ hostvars[inventory_hostname]['SIM Card'] }}"}
      register: sim
    - name: Compare the SIM card
      assert: {that: sim.json.imsi == '310120123456789'}
    - name: Read it as nobody
      uri:
        url: "{{ crm_config.crm.base_url }}/crm/inventory/inventory_id/1"
        status_code: 403
    - name: Send what need not arrive
      command: /bin/false
      ignore_errors: true
"""


@pytest.mark.req("CAT-443", "CAT-448", "CAT-454", "CAT-465", "CAT-469", "CAT-470", "CAT-473", "CAT-451", "CAT-444")
@pytest.mark.req("SVC-055", "SVC-056", "SVC-081", "SVC-009", "SVC-128", "CAT-455", "BIL-106", "BIL-136", "BIL-138")
def test_a_play_finds_what_it_needs_and_an_ignored_failure_stays_one(operator: Operator, tmp_path: Path) -> None:
    wanted = {
        "CUSTOMER": operator.customer_id,
        "PRODUCT": operator.product_ids["play_psim_only"],
        "USER": operator.admin.user_id,
        "SIM": operator.sim_id,
        "NUMBER": operator.number_id,
        "TENANT": operator.lab.addresses.tenant,
    }
    text = PLAY
    for name, value in wanted.items():
        text = text.replace(f"WANT_{name}", str(value))
    (tmp_path / "plays").mkdir()
    (tmp_path / "plays" / "play_own.yaml").write_text(text)
    with operator.crm.as_actor(operator.admin) as work:
        product_id = operator.product_ids["play_psim_only"]
        work.catalog.update(product_id, ProductChange(provisioning_play="play_own"))
        request = ProvisionRequest(
            product_id=product_id,
            customer_id=operator.customer_id,
            inventory=operator.choices,
            variables={"asked_for": "a cable"},
        )
        number = work.provisioning.start(request).provision_id
    assert Job(operator.crm, number).run() == 0
    with operator.crm.reading(operator.admin) as work:
        job, events = work.provisioning.get(number), work.provisioning.events(number)
        mails = work.messaging.window(ListQuery(), FIRST, 10).rows
        services = work.customer_services.window(ListQuery(), FIRST, 10).rows
    assert (job.provisioning_status, job.error_message) == (SUCCESS, None)
    assert [event.provisioning_status for event in events] == [SUCCESS] * (len(events) - 1) + [3]
    assert "310120123456789" in json.dumps([event.provisioning_result_json for event in events])
    assert (list(mails), list(services)) == ([], [])


@pytest.mark.req("BIL-139", "BIL-140", "BIL-141", "SVC-001", "PLT-055", "CAT-371")
def test_a_play_reads_the_product_anew_and_uses_what_it_reads(operator: Operator) -> None:
    number = operator.order()
    with operator.crm.as_actor(operator.admin) as work:
        change = ProductChange(product_name="Renamed", retail_cost="20", retail_setup_cost="7")
        work.catalog.update(operator.product_ids["play_psim_only"], change)
    assert Job(operator.crm, number).run() == 0
    with operator.crm.reading(operator.admin) as work:
        job = work.provisioning.get(number)
        assert job.service_id is not None
        service = work.customer_services.get(job.service_id)
        charges = work.billing.window(ListQuery(), FIRST, 10).rows
    assert job.provisioning_status == SUCCESS
    assert (service.service_name, service.retail_cost) == ("Renamed - +61412345678", 20)
    assert sorted(charge.retail_cost for charge in charges) == [7, 20]
    assert "8961234567890123456" in (service.service_notes or "")
    assert list(operator.subscribers()) == ["310120123456789"]


@pytest.mark.req("SVC-112", "CAT-447", "CAT-448")
@pytest.mark.parametrize("file", sorted(PLAYS.glob("play_*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_play_begins_alike(file: Path) -> None:
    (play,) = yaml.safe_load(file.read_text())
    header = {"hosts": "localhost", "gather_facts": False, "become": False}
    assert {name: play[name] for name in header} == header
    assert play["name"]
    assert play["tasks"][0]["ansible.builtin.include_vars"] == {"file": "../../crm_config.yaml", "name": "crm_config"}


def test_a_run_that_has_ended_can_no_longer_be_cancelled_and_says_nothing(operator: Operator) -> None:
    number = operator.order("play_simple_service")
    assert Job(operator.crm, number).run() == 0
    signal.raise_signal(signal.SIGTERM)
    with operator.crm.reading(operator.admin) as work:
        assert work.provisioning.get(number).provisioning_status == SUCCESS
