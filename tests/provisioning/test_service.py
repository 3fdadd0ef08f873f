"""Jobs through the service: what may be started, by whom, and who runs it. No play is run here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from omnicrm_tui.catalog.schemas import ProductChange
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound, NotPermitted, OutsideSystemError
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.schemas import UserChange, UserInput
from omnicrm_tui.job.runner import Job
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.job_folder import JobFolder
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.progress import EventRecord, JobEnd, JobProgress, LostLease
from omnicrm_tui.provisioning.recovery import Recovery
from omnicrm_tui.provisioning.rules import FAILED, RUNNING, SUCCESS, merge_variables, split_inventory
from omnicrm_tui.provisioning.schemas import JobView, ProvisionRequest
from tests.fixtures.databases import NOON
from tests.fixtures.operator import PASSWORD, Stock, end_job, let_go


def job(stock: Stock, provision_id: int) -> JobView:
    with stock.crm.reading(stock.admin) as work:
        return work.provisioning.get(provision_id)


def at_once(use: Callable[[], int]) -> tuple[int, str]:
    """Let two people do the same at the same moment: return what the one got and what the other was told."""
    outcomes: list[int | str] = []
    barrier = threading.Barrier(2)

    def one() -> None:
        barrier.wait()
        try:
            outcomes.append(use())
        except Conflict as error:
            outcomes.append(error.message)

    people = [threading.Thread(target=one) for _ in range(2)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    [got], [told] = [x for x in outcomes if isinstance(x, int)], [x for x in outcomes if isinstance(x, str)]
    return got, told


def recovery_of(stock: Stock, clock: FrozenClock) -> Recovery:
    return Recovery(stock.crm, monotonic=lambda: clock.now().timestamp())


@pytest.mark.req("CAT-467", "CAT-468", "CAT-472", "SVC-051", "SVC-052", "SVC-053", "SVC-054")
def test_variables_merge_in_the_order_of_the_guide() -> None:
    merged = merge_variables(
        {"monthly_cost": 50, "data_gb": 100},
        {"product_id": 99, "monthly_cost": 45, "custom_param": "value"},
        {"product_id": 10, "customer_id": 456},
        {"SIM Card": 789},
    )
    assert merged == {
        "monthly_cost": 45,
        "data_gb": 100,
        "custom_param": "value",
        "product_id": 10,
        "customer_id": 456,
        "SIM Card": 789,
    }
    assert split_inventory({"SIM Card": 7, "x": 1}, ("SIM Card",)) == ({"SIM Card": 7}, {"x": 1})


@pytest.mark.req("SVC-040", "SVC-065", "SVC-068", "SVC-170", "SVC-064", "CAT-476", "BIL-135", "SVC-019", "SVC-020")
def test_a_started_job_is_running_reserved_dispatched_and_logged(any_stock: Stock) -> None:
    provision_id = any_stock.order(custom="x")
    seen = job(any_stock, provision_id)
    assert (seen.provisioning_status, seen.status_reason, seen.customer_name) == (RUNNING, "queued", "Zoë [bold]")
    assert seen.task_count > 10
    assert seen.playbook_description
    assert seen.initiating_user == any_stock.admin.user_id
    assert seen.provisioning_json_vars["SIM Card"] == any_stock.sim_id
    assert seen.provisioning_json_vars["custom"] == "x"
    assert "access_token" not in seen.provisioning_json_vars
    assert any_stock.dispatcher.dispatched == [provision_id]
    with any_stock.crm.reading(any_stock.admin) as work:
        assert work.inventory.pickable("SIM Card", ListQuery(), FIRST, 10).rows == []
        logged = work.activity.window(ListQuery(descending=True), FIRST, 1, any_stock.customer_id).rows
    assert logged[0].action == "Provisioning started"


@pytest.mark.req("SVC-058")
@pytest.mark.req("BIL-105", "SVC-061", "SVC-062")
@pytest.mark.parametrize("inventory", [{}, {"SIM Card": 1}, {"SIM Card": 1, "Mobile Number": 2, "Router": 3}])
def test_each_required_type_needs_one_item_and_nothing_else(stock: Stock, inventory: dict[str, int]) -> None:
    request = ProvisionRequest(
        product_id=stock.product_ids["play_psim_only"], customer_id=stock.customer_id, inventory=inventory
    )
    with pytest.raises(InvalidInput) as refused, stock.crm.as_actor(stock.admin) as work:
        work.provisioning.start(request)
    assert set(refused.value.fields) <= {"SIM Card", "Mobile Number", "Router"}
    assert stock.dispatcher.dispatched == []


@pytest.mark.parametrize("chosen", [1.9, True, -1, "1e3", "9" * 40, [1]])
def test_an_item_is_named_by_a_whole_number_and_by_nothing_like_it(stock: Stock, chosen: object) -> None:
    request = ProvisionRequest(
        product_id=stock.product_ids["play_psim_only"],
        customer_id=stock.customer_id,
        variables={"SIM Card": chosen, "Mobile Number": str(stock.number_id)},
    )
    with pytest.raises(InvalidInput) as refused, stock.crm.as_actor(stock.admin) as work:
        work.provisioning.start(request)
    assert refused.value.fields == {"SIM Card": "a number"}


@pytest.mark.req("SVC-052")
@pytest.mark.parametrize("name", ["ansible_python_interpreter", "ansible_connection", "crm_config"])
def test_no_variable_says_what_ansible_runs_or_where_the_play_calls(stock: Stock, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        stock.order(**{name: "/tmp/mine"})
    assert set(refused.value.fields) == {name}
    assert stock.dispatcher.dispatched == []


@pytest.mark.req("BIL-109", "SVC-170")
def test_two_people_never_get_the_same_sim(any_stock: Stock) -> None:
    taken, refused = at_once(any_stock.order)
    assert "has just been chosen for another order" in str(refused)
    assert any_stock.dispatcher.dispatched == [taken]


@pytest.mark.req("SVC-002", "SVC-156")
@pytest.mark.req("SVC-080", "BIL-452", "SVC-063", "SVC-146")
def test_starting_needs_the_permission_and_a_customer_orders_for_itself(stock: Stock) -> None:
    nobody = Actor(ActorKind.STAFF, "clerk", permissions=frozenset({"view_provision", "view_product"}))
    request = ProvisionRequest(product_id=stock.product_ids["play_simple_service"], customer_id=stock.customer_id)
    with pytest.raises(NotPermitted, match="create_provision"), stock.crm.as_actor(nobody) as work:
        work.provisioning.start(request)
    other = Actor(
        ActorKind.CUSTOMER,
        "customer",
        permissions=frozenset({"view_own_provision"}),
        own_customer_id=stock.customer_id + 1,
    )
    with pytest.raises(NotFound), stock.crm.as_actor(other) as work:
        work.provisioning.start(request)
    own = Actor(
        ActorKind.CUSTOMER,
        "customer",
        permissions=frozenset({"view_own_provision", "view_own_customer"}),
        own_customer_id=stock.customer_id,
    )
    with pytest.raises(NotFound), stock.crm.as_actor(own) as work:
        work.provisioning.start(request)


@pytest.mark.req("SVC-080", "SVC-172", "SVC-004")
@pytest.mark.parametrize("name", ["setup_cost", "clean_uuid", "provisioned_by_this_job"])
def test_a_customer_answers_for_renewal_and_sets_no_other_variable(stock: Stock, name: str) -> None:
    own = Actor(
        ActorKind.CUSTOMER,
        "customer",
        user_id=stock.admin.user_id,
        permissions=frozenset({"view_own_provision", "view_own_customer"}),
        own_customer_id=stock.customer_id,
    )
    product_id = stock.product_ids["play_simple_service"]
    with stock.crm.as_actor(stock.admin) as work:
        work.catalog.update(product_id, ProductChange(customer_can_purchase=True))
    with pytest.raises(InvalidInput) as refused, stock.crm.as_actor(own) as work:
        work.provisioning.start(ProvisionRequest(product_id=product_id, variables={name: "x", "auto_renew": True}))
    assert set(refused.value.fields) == {name}
    with stock.crm.as_actor(own) as work:
        started = work.provisioning.start(ProvisionRequest(product_id=product_id, variables={"auto_renew": True}))
    assert stock.dispatcher.dispatched == [started.provision_id]


@pytest.mark.req("BIL-098", "CAT-364", "SVC-157")
def test_a_product_that_is_not_on_sale_is_refused_by_the_server_too(stock: Stock) -> None:
    product_id = stock.product_ids["play_simple_service"]
    with stock.crm.as_actor(stock.admin) as work:
        work.catalog.update(product_id, ProductChange(enabled=False))
    with pytest.raises(InvalidInput, match="not on sale"):
        stock.order("play_simple_service")


@pytest.mark.req("SVC-138")
def test_a_service_of_another_customer_cannot_be_named(stock: Stock) -> None:
    with stock.crm.as_actor(stock.admin) as work:
        other = work.customers.create(CustomerInput(customer_name="Bob")).customer_id
    for request in (
        ProvisionRequest(product_id=stock.product_ids["play_simple_service"], customer_id=other, service_id=1),
        ProvisionRequest(service_id=1, action="deprovision"),
    ):
        with pytest.raises(NotFound), stock.crm.as_actor(stock.admin) as work:
            work.provisioning.start(request)


@pytest.mark.req("SVC-011", "CAT-436")
def test_only_one_process_runs_a_job_and_its_end_is_final(any_stock: Stock) -> None:
    provision_id = any_stock.order()
    first, second = (JobProgress(any_stock.crm, provision_id, owner) for owner in ("one", "two"))
    assert first.claim(11) is not None
    assert second.claim(12) is None
    first.finish(JobEnd(SUCCESS, "finished", None, {}))
    with pytest.raises(LostLease):
        first.finish(JobEnd(FAILED, "failed", "late", {}))
    assert job(any_stock, provision_id).provisioning_status == SUCCESS
    assert JobProgress(any_stock.crm, provision_id, "three").claim(13) is None
    with pytest.raises(Conflict), any_stock.crm.as_actor(any_stock.admin) as work:
        work.provisioning.cancel(provision_id)


@pytest.mark.req("CAT-559", "SVC-130")
def test_a_job_whose_process_died_is_ended_and_its_items_are_free_again(any_stock: Stock, clock: FrozenClock) -> None:
    provision_id = any_stock.order()
    progress = JobProgress(any_stock.crm, provision_id, "one")
    progress.claim(11)
    jobs = any_stock.crm.settings.jobs_folder
    left, others = JobFolder.make(jobs, provision_id), JobFolder.make(jobs, provision_id + 1)
    left.write_tokens("secret")
    let_go(left)
    recovery = recovery_of(any_stock, clock)
    clock.advance(timedelta(seconds=15))
    assert recovery.look() == []
    clock.advance(timedelta(seconds=10))
    assert recovery.look() == []
    clock.advance(timedelta(seconds=10))
    assert recovery.look() == [provision_id]
    assert recovery.look() == []
    assert job(any_stock, provision_id).status_reason == "interrupted"
    assert list(jobs.iterdir()) == [others.root]
    others.remove()
    with pytest.raises(LostLease):
        progress.beat()
    with any_stock.crm.reading(any_stock.admin) as work:
        assert len(work.inventory.pickable("SIM Card", ListQuery(), FIRST, 10).rows) == 1


@pytest.mark.req("SVC-066")
def test_a_process_that_could_not_renew_its_lease_in_time_keeps_its_job(any_stock: Stock, clock: FrozenClock) -> None:
    """The database was locked, the machine asleep, the clock put forward: it renews as soon as it can."""
    progress = JobProgress(any_stock.crm, any_stock.order(), "one")
    progress.claim(11)
    recovery = recovery_of(any_stock, clock)
    for _ in range(3):
        clock.advance(timedelta(hours=1))
        assert recovery.look() == []
        progress.beat()
    clock.advance(timedelta(seconds=1))
    assert recovery.look() == []
    assert job(any_stock, progress.provision_id).provisioning_status == RUNNING


@pytest.mark.req("SVC-066")
@pytest.mark.parametrize("taken", [True, False], ids=["taken over", "ended"])
def test_a_process_that_lost_its_job_writes_nothing_over_what_is_newer(
    any_stock: Stock, clock: FrozenClock, taken: bool
) -> None:
    provision_id = any_stock.order()
    late, newer = (JobProgress(any_stock.crm, provision_id, owner) for owner in ("late", "newer"))
    late.claim(11)
    late.record(EventRecord(1, "Open", "main", SUCCESS, {"by": "a"}, NOON, NOON))
    clock.advance(timedelta(hours=1))
    if taken:
        assert newer.claim(12) is not None
    else:
        with any_stock.crm.reading(any_stock.admin) as work:
            lease_ms = work.session.get_one(Provision, provision_id).lease_until_ms
        assert late.interrupt(lease_ms)
    before = job(any_stock, provision_id)
    for number in (1, 2):
        with pytest.raises(LostLease):
            late.record(EventRecord(number, "Late", "main", FAILED, {}, NOON, NOON))
    with pytest.raises(LostLease):
        late.finish(JobEnd(SUCCESS, "finished", None, {}))
    assert job(any_stock, provision_id) == before
    with any_stock.crm.reading(any_stock.admin) as work:
        events = work.provisioning.events(provision_id)
    assert [(event.event_name, event.provisioning_status) for event in events] == [("Open", SUCCESS)]


@pytest.mark.req("SVC-066")
def test_a_lease_renewed_at_the_last_moment_is_seen(any_stock: Stock) -> None:
    progress = JobProgress(any_stock.crm, any_stock.order(), "one")
    progress.claim(11)
    assert progress.interrupt(seen_lease_ms=1) is None
    assert job(any_stock, progress.provision_id).provisioning_status == RUNNING


@pytest.mark.req("SVC-067")
def test_a_process_that_cannot_be_started_is_told_with_the_jobs_number(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dispatch(_provision_id: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stock.dispatcher, "dispatch", dispatch)
    with pytest.raises(OutsideSystemError, match=r"Job 1 was written down.*No space left on device"):
        stock.order()


@pytest.mark.req("SVC-027", "SVC-028", "SVC-029", "SVC-012", "CAT-114", "CAT-115", "CAT-437")
def test_events_come_in_order_and_change_from_running_to_their_end(any_stock: Stock) -> None:
    provision_id = any_stock.order()
    progress = JobProgress(any_stock.crm, provision_id, "one")
    progress.claim(11)
    for number, status in ((1, RUNNING), (1, SUCCESS), (2, RUNNING)):
        finished = None if status == RUNNING else NOON
        progress.record(EventRecord(number, f"Task {number}", "main", status, {"n": number}, NOON, finished))
    with any_stock.crm.reading(any_stock.admin) as work:
        events = work.provisioning.events(provision_id)
        later = work.provisioning.events(provision_id, after=1)
    assert [(e.event_number, e.provisioning_status) for e in events] == [(1, SUCCESS), (2, RUNNING)]
    assert [e.event_number for e in later] == [2]
    assert job(any_stock, provision_id).event_count == 2


@pytest.mark.req("SVC-011", "SVC-177")
def test_a_failed_job_can_be_tried_again_with_the_same_choices(any_stock: Stock) -> None:
    provision_id = any_stock.order(custom="x")
    with pytest.raises(Conflict), any_stock.crm.as_actor(any_stock.admin) as work:
        work.provisioning.retry(provision_id)
    end_job(any_stock.crm, provision_id, JobEnd(FAILED, "failed", "no", {}))
    with any_stock.crm.as_actor(any_stock.admin) as work:
        again = work.provisioning.retry(provision_id)
    assert (again.retry_of, again.inventory_choices) == (provision_id, any_stock.choices)
    assert again.provisioning_json_vars["custom"] == "x"
    assert any_stock.dispatcher.dispatched == [provision_id, again.provision_id]


@pytest.mark.req("SVC-011")
def test_two_people_never_try_the_same_job_again_at_once(any_stock: Stock) -> None:
    first = any_stock.order("play_simple_service")
    end_job(any_stock.crm, first, JobEnd(FAILED, "failed", "no", {}))

    def again() -> int:
        with any_stock.crm.as_actor(any_stock.admin) as work:
            return work.provisioning.retry(first).provision_id

    second, refused = at_once(again)
    assert refused == f"Job {second} is another attempt at this one already."
    end_job(any_stock.crm, second, JobEnd(FAILED, "failed", "no", {}))
    assert again() > second


@pytest.mark.req("SVC-043", "SVC-044", "SVC-045", "SVC-078")
def test_jobs_are_listed_newest_first_filtered_by_status_and_found_by_description(any_stock: Stock) -> None:
    failed = any_stock.order("play_simple_service")
    end_job(any_stock.crm, failed, JobEnd(FAILED, "failed", "no", {}))
    running = any_stock.order()
    with any_stock.crm.reading(any_stock.admin) as work:
        newest = work.provisioning.window(ListQuery(descending=True), FIRST, 10).rows
        only = work.provisioning.page(ListQuery(filters={"provisioning_status": ["2"]}), 1, 20)
        found = work.provisioning.window(ListQuery(search=newest[0].playbook_description[:6]), FIRST, 10).rows
    assert [row.provision_id for row in newest] == [running, failed]
    assert [row.provision_id for row in only.rows] == [failed]
    assert newest[0].customer_name == "Zoë [bold]"
    assert running in [row.provision_id for row in found]


@pytest.mark.req("SVC-129", "CAT-117", "SVC-017")
def test_secrets_among_the_variables_are_sealed_and_kept_as_long_as_the_play_may_be_run(any_stock: Stock) -> None:
    def sealed(provision_id: int) -> bool:
        with any_stock.crm.reading(any_stock.admin) as work:
            return work.session.get_one(Provision, provision_id).sealed_vars is not None

    first = any_stock.order("play_simple_service", wifi_password="correct-horse", nested={"api_token": "t0p-s3cret"})
    for text in (repr(job(any_stock, first)), _whole_database(any_stock)):
        assert "correct-horse" not in text
        assert "t0p-s3cret" not in text
    progress = JobProgress(any_stock.crm, first, "one")
    progress.claim(11)
    assert progress.variables()["wifi_password"] == "correct-horse"
    assert progress.variables()["nested"] == {"api_token": "t0p-s3cret"}
    progress.finish(JobEnd(FAILED, "failed", "no", {}))
    with any_stock.crm.as_actor(any_stock.admin) as work:
        second = work.provisioning.retry(first).provision_id
    again = JobProgress(any_stock.crm, second, "two")
    again.claim(12)
    assert again.variables()["wifi_password"] == "correct-horse"
    assert (sealed(first), sealed(second)) == (True, True)
    again.finish(JobEnd(SUCCESS, "finished", None, {}))
    assert (sealed(first), sealed(second)) == (False, False)


@pytest.mark.req("SVC-017")
def test_variables_without_a_secret_need_no_seal_and_are_shown_as_they_are(stock: Stock) -> None:
    provision_id = stock.order("play_simple_service", speed=100, note="Basic internet")
    with stock.crm.reading(stock.admin) as work:
        assert work.session.get_one(Provision, provision_id).sealed_vars is None
    shown = job(stock, provision_id).provisioning_json_vars
    assert (shown["speed"], shown["note"]) == (100, "Basic internet")
    assert JobProgress(stock.crm, provision_id, "one").variables() == shown


@pytest.mark.req("SVC-017", "SVC-123")
def test_a_job_whose_key_is_gone_ends_and_says_so(stock: Stock) -> None:
    provision_id = stock.order("play_simple_service", wifi_password="correct-horse")
    stock.crm.vault = Vault({2: bytes(32)})
    assert Job(stock.crm, provision_id).run() == 0
    ended = job(stock, provision_id)
    assert ended.provisioning_status == FAILED
    assert "key that sealed" in (ended.error_message or "")


def _whole_database(stock: Stock) -> str:
    """Every row of every table."""
    with stock.crm.reading(stock.admin) as work:
        tables = metadata.sorted_tables
        return repr([work.session.connection().execute(select(table)).all() for table in tables])


@pytest.mark.req("BIL-395", "BIL-431")
@pytest.mark.parametrize("change", [UserChange(deleted=True), UserChange(active=False)])
def test_revoking_a_user_cancels_what_it_has_running(any_stock: Stock, change: UserChange) -> None:
    with any_stock.crm.as_actor(any_stock.admin) as work:
        clerk = work.identity.create_user(
            UserInput(
                username="bo",
                email="bo@operator.example",
                password=PASSWORD,
                first_name="Bo",
                last_name="B",
                role="Support",
            )
        )
        own = work.identity.actor_of_user(clerk.id, "192.0.2.2")
    request = ProvisionRequest(
        product_id=any_stock.product_ids["play_simple_service"], customer_id=any_stock.customer_id
    )
    jobs = []
    for _ in range(2):
        with any_stock.crm.as_actor(own) as work:
            jobs.append(work.provisioning.start(request).provision_id)
    others = any_stock.order("play_simple_service")
    end_job(any_stock.crm, jobs[0], JobEnd(SUCCESS, "finished", None, {}))
    with any_stock.crm.as_actor(any_stock.admin) as work:
        work.identity.update_user(clerk.id, change)
    asked = {number: job(any_stock, number).cancel_requested for number in (*jobs, others)}
    assert asked == {jobs[0]: False, jobs[1]: True, others: False}


@pytest.mark.req("BIL-455", "SVC-130")
def test_who_may_start_jobs_stops_the_own_ones_and_no_others(stock: Stock) -> None:
    starters = frozenset({"create_provision", "view_provision", "view_product", "view_customer"})
    own = Actor(ActorKind.STAFF, "bo", stock.admin.user_id, starters)
    other = Actor(ActorKind.STAFF, "eve", None, starters)
    watcher = Actor(ActorKind.STAFF, "ada", stock.admin.user_id, frozenset({"view_provision"}))
    request = ProvisionRequest(product_id=stock.product_ids["play_simple_service"], customer_id=stock.customer_id)
    with stock.crm.as_actor(own) as work:
        number = work.provisioning.start(request).provision_id
    for actor in (other, watcher):
        with pytest.raises(NotPermitted, match="update_provision"), stock.crm.as_actor(actor) as work:
            work.provisioning.cancel(number)
        with pytest.raises(NotPermitted, match="update_provision"), stock.crm.as_actor(actor) as work:
            work.provisioning.cancel(number + 1)
    with stock.crm.as_actor(own) as work:
        assert work.provisioning.cancel(number).cancel_requested
