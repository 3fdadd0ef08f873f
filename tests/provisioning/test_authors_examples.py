"""What the guide tells authors of plays to write works as they would write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from omnicrm_tui.catalog.schemas import ProductChange
from omnicrm_tui.job.runner import Job
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.rules import SUCCESS
from omnicrm_tui.provisioning.schemas import ProvisionRequest
from omnicrm_tui.shipped import PLAYS
from tests.fixtures.operator import Operator

HEAD = """
- name: An author's play
  hosts: localhost
  gather_facts: no
  become: False
  tasks:
    - name: Load the configuration
      include_vars: {file: ../../crm_config.yaml, name: crm_config}
"""

BUNDLE = """
    - name: Create the bundle
      uri: &create
        url: "{{ crm_config.crm.base_url }}/crm/service/"
        method: PUT
        headers: {Authorization: "Bearer {{ access_token }}"}
        body_format: json
        body: {customer_id: "{{ customer_id | int }}", service_name: Home, service_type: internet, service_uuid: Home_1}
        status_code: 200
      register: bundle
    - name: Create the telephone in it
      uri:
        <<: *create
        body:
          customer_id: "{{ customer_id | int }}"
          service_name: Telephone
          service_type: voip
          service_uuid: Home_2
          bundled_parent: "{{ bundle.json.service_id | int }}"
"""

ACCOUNT = """
    - name: Look for the account
      uri: &ocs
        url: "http://{{ crm_config.ocs.cgrates }}/jsonrpc"
        method: POST
        body_format: json
        body:
          method: ApierV2.GetAccount
          params: [{Tenant: "{{ crm_config.ocs.ocsTenant }}", Account: author}]
      register: account
      failed_when: false
    - name: Look for the service
      uri:
        url: "{{ crm_config.crm.base_url }}/crm/service/service_uuid/author"
        headers: {Authorization: "Bearer {{ access_token }}"}
      register: service
      failed_when: false
    - name: Create the account
      uri:
        <<: *ocs
        body:
          method: ApierV2.SetAccount
          params: [{Tenant: "{{ crm_config.ocs.ocsTenant }}", Account: author}]
      when: account.json.error | default('') == 'NOT_FOUND'
      register: made
    - name: Create the service
      uri:
        url: "{{ crm_config.crm.base_url }}/crm/service/"
        method: PUT
        headers: {Authorization: "Bearer {{ access_token }}"}
        body_format: json
        body: {customer_id: "{{ customer_id | int }}", service_name: Author's, service_uuid: author}
      when: service.status == 404
      register: created
    - name: Add the balances
      uri:
        <<: *ocs
        body:
          method: ApierV1.AddBalance
          params:
            - Tenant: "{{ crm_config.ocs.ocsTenant }}"
              Account: author
              BalanceType: "{{ item.type }}"
              Balance: {ID: "{{ item.id }}", Value: "{{ item.value | int }}", ExpiryTime: "+720h"}
      loop:
        - {type: "*data", id: DATA_1GB, value: 1073741824}
        - {type: "*voice", id: VOICE_10min, value: 600000000000}
        - {type: "*sms", id: SMS_5, value: 5}
      when: made is not skipped
      register: added
    - name: Check each answer
      assert: {that: item.json.result == 'OK'}
      loop: "{{ added.results | reject('skipped') | list }}"
      loop_control: {label: "{{ item.item.id }}"}
    - name: Configure the CPE
      command: /bin/false
      when: provision_cpe | default(false) | bool
    - name: Use the feature
      set_fact: {feature: used}
      when:
        - iccid is defined
        - enable_feature | default(true) | bool
        - not (switched_off | bool)
    - name: Work with numbers, days and defaults
      set_fact:
        next_id: "{{ text_id | int + 1 }}"
        no_id: "{{ never_given | default(0) | int }}"
        cost: "{{ custom_cost | default(50.00) }}"
        account_is_new: "{{ made is not skipped }}"
        service_is_new: "{{ created is not skipped }}"
        moment: "{{ now(utc=true).isoformat() }}"
        today: "{{ now(utc=true).strftime('%Y-%m-%d') }}"
        in_30_days: "{{ '%Y-%m-%dT%H:%M:%S' | strftime(now().strftime('%s') | int + 30 * 86400, utc=true) }}"
        in_90_days: "{{ lookup('pipe', 'date -u -d \\"+90 days\\" +%Y-%m-%d') }}"
"""


def run(operator: Operator, tmp_path: Path, tasks: str, **variables: object) -> dict[str, Any]:
    """Run tasks as an operator's own play and return the facts that it set."""
    plays = tmp_path / "plays"
    plays.mkdir(exist_ok=True)
    (plays / "play_own.yaml").write_text(HEAD + tasks)
    product_id = operator.product_ids["play_simple_service"]
    with operator.crm.as_actor(operator.admin) as work:
        work.catalog.update(product_id, ProductChange(provisioning_play="play_own"))
    request = ProvisionRequest(product_id=product_id, customer_id=operator.customer_id, variables=variables)
    number = operator.start(request).provision_id
    assert Job(operator.crm, number).run() == 0
    with operator.crm.as_actor(operator.admin) as work:
        job = work.session.get_one(Provision, number)
        assert (job.provisioning_status, job.error_message) == (SUCCESS, None)
        return dict(job.facts)


def truth(value: object) -> bool:
    """Return what a fact means, whether it came as a truth value or as its text."""
    return str(value) == "True"


@pytest.mark.ansible
@pytest.mark.req("PLT-041", "CAT-012")
def test_one_product_may_make_several_services(operator: Operator, tmp_path: Path) -> None:
    run(operator, tmp_path, BUNDLE)
    with operator.crm.reading(operator.admin) as work:
        rows = work.customer_services.window(ListQuery(sort="service_id"), FIRST, 10).rows
        services = [work.customer_services.get(row.service_id) for row in rows]
    home, telephone = sorted(services, key=lambda service: service.service_id)
    assert [(service.service_name, service.service_type) for service in (home, telephone)] == [
        ("Home", "internet"),
        ("Telephone", "voip"),
    ]
    assert (home.bundled_parent, telephone.bundled_parent) == (None, home.service_id)


@pytest.mark.ansible
@pytest.mark.req("CAT-457", "CAT-458", "CAT-459", "CAT-460", "CAT-461", "CAT-463")
def test_an_authors_usual_means_do_what_the_guide_says(operator: Operator, tmp_path: Path) -> None:
    before = datetime.now(UTC)
    first = run(operator, tmp_path, ACCOUNT, text_id="41", switched_off="no")
    again = run(operator, tmp_path, ACCOUNT, text_id="41", switched_off="no", custom_cost=20)
    after = datetime.now(UTC)
    assert [(truth(facts["account_is_new"]), truth(facts["service_is_new"])) for facts in (first, again)] == [
        (True, True),
        (False, False),
    ]
    assert operator.accounts() == [f"{operator.lab.addresses.tenant}:author"]
    with operator.crm.reading(operator.admin) as work:
        (service,) = work.customer_services.window(ListQuery(), FIRST, 10).rows
        balances = work.charging.account(service.service_id).balances
    assert {balance.id for balance in balances} == {"DATA_1GB", "VOICE_10min", "SMS_5"}
    assert (int(first["next_id"]), int(first["no_id"]), first["feature"]) == (42, 0, "used")
    assert [float(facts["cost"]) for facts in (first, again)] == [50, 20]
    moment = datetime.fromisoformat(first["moment"])
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    assert before - timedelta(seconds=1) <= moment <= after
    days = [{(when + timedelta(days=ahead)).strftime("%Y-%m-%d") for when in (before, after)} for ahead in (0, 30, 90)]
    told = [first[name][:10] for name in ("today", "in_30_days", "in_90_days")]
    assert all(day in possible for day, possible in zip(told, days, strict=True))


@pytest.mark.req("CAT-464")
@pytest.mark.parametrize("file", sorted(PLAYS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_plays_hold_no_credentials_and_check_certificates(file: Path) -> None:
    text = file.read_text()
    assert "validate_certs" not in text
    for name, value in _named_values(yaml.safe_load(text)):
        if any(word in str(name).lower() for word in ("password", "secret", "api_key", "authorization", "token")):
            assert not str(value).strip() or "{{" in str(value), f"{name} is written out"
        if str(name) == "url" and str(value).startswith("http://"):
            assert value.startswith(("http://{{ crm_config", "http://{{ ocs", "http://{{ hss")), value


def _named_values(node: object) -> list[tuple[object, object]]:
    """Return every name and plain value of a play, at any depth."""
    if isinstance(node, dict):
        plain = [(name, value) for name, value in node.items() if not isinstance(value, dict | list)]
        return plain + [found for value in node.values() for found in _named_values(value)]
    return [found for item in node for found in _named_values(item)] if isinstance(node, list) else []
