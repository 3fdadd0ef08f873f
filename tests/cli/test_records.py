"""Each list and detail of the screens as a command: the same rows, the same permissions, for programs and readers."""

from __future__ import annotations

import ast
import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from omnicrm_tui import languages
from omnicrm_tui.cli import main
from omnicrm_tui.cli.twins import TWINS, Twin
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.demo.build import make_demo
from omnicrm_tui.demo.catalogue import EMAIL, PASSWORD
from omnicrm_tui.identity.actor import system_actor, visitor
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging.leases import Lease
from omnicrm_tui.messaging.rules import DUTIES
from omnicrm_tui.opening import open_crm
from omnicrm_tui.provisioning.models import Provision, ProvisionEvent
from omnicrm_tui.provisioning.play_failures import MISSING_PLAY
from screens import rooms

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def made_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo that nobody changes."""
    home = tmp_path_factory.mktemp("demo") / "home"
    make_demo(load_settings({"OMNICRM_HOME": str(home)}), 40)
    return home


@pytest.fixture
def demo(made_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo of the test's own, in which commands run."""
    home = tmp_path / "home"
    shutil.copytree(made_demo, home)
    for name in ("OMNICRM_CONFIG", "OMNICRM_API_KEY", "SSH_CONNECTION", "SSH_USER_AUTH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMNICRM_HOME", str(home))
    return home


@pytest.fixture
def run(demo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process; `stdin` is what it reads."""

    def ended(*arguments: str, stdin: str = "") -> Ended:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            main(arguments)
        out, err = capsys.readouterr()
        return Ended(int(end.value.code or 0), out, err)

    return ended


@pytest.fixture
def logged_in(run: Run) -> Run:
    """The same, with the administrator's session remembered."""
    assert run("login", "--email", EMAIL, "--password-stdin", stdin=f"{PASSWORD}\n").code == 0
    return run


@pytest.fixture
def crm(demo: Path) -> Iterator[Crm]:
    crm = open_crm(load_settings())
    yield crm
    crm.close()


# Who calls


def test_nobody_sees_anything_without_saying_who_they_are(run: Run) -> None:
    ended = run("customer", "list")
    assert (ended.code, ended.out) == (1, "")
    assert "omnicrm login" in ended.err
    assert "OMNICRM_API_KEY" in ended.err


def test_a_session_ends_with_logging_out(logged_in: Run) -> None:
    assert logged_in("customer", "list").code == 0
    assert logged_in("logout").out == "Logged out.\n"
    assert logged_in("customer", "list").code == 1
    assert logged_in("logout").out == "Nobody is logged in here.\n"


def test_own_sessions_are_listed_and_ended(logged_in: Run, crm: Crm) -> None:
    for _ in range(2):
        with crm.as_actor(visitor("192.0.2.7")) as work:
            assert work.identity.login(EMAIL, PASSWORD, "192.0.2.7").tokens
    listed = json.loads(logged_in("session", "list", "--json").out)
    assert [one["current"] for one in listed] == [False, False, True]
    number = listed[0]["session_id"]
    refused = logged_in("session", "end", number, "--password-stdin", stdin="wrong\n")
    assert (refused.code, refused.out) == (1, "")
    assert "password is not right" in refused.err
    assert logged_in("session", "end", number, stdin=f"{PASSWORD}\n").out == "Sessions ended: 1\n"
    assert logged_in("session", "end", "--others", stdin=f"{PASSWORD}\n").out == "Sessions ended: 1\n"
    assert len(json.loads(logged_in("session", "list", "--json").out)) == 1
    assert logged_in("session", "end").code == 2
    assert logged_in("session", "end", number, "--others").code == 2


def test_a_wrong_password_opens_nothing(run: Run, demo: Path) -> None:
    ended = run("login", "--email", EMAIL, "--password-stdin", stdin="wrong\n")
    assert ended.code == 1
    assert "Invalid email or password" in ended.err
    assert not (demo / "session").exists()


def test_an_api_key_acts_with_its_own_permissions(run: Run, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (demo / "config.yaml").write_text(f'api_keys:\n  "{KEY}":\n    roles: [view_customer]\n')
    monkeypatch.setenv("OMNICRM_API_KEY", KEY)
    assert run("customer", "list").code == 0
    refused = run("transaction", "list")
    assert (refused.code, refused.out) == (1, "")
    assert "view_customer_transaction" in refused.err
    monkeypatch.setenv("OMNICRM_API_KEY", "f" * 32)
    assert run("customer", "list").code == 1


# What they print


def _is_harmless(text: str) -> bool:
    """Whether a terminal obeys nothing in it: lines of printable characters and firm spaces."""
    return text.replace("\n", "").replace("\N{NO-BREAK SPACE}", "").isprintable()


@pytest.mark.parametrize("twin", TWINS.values(), ids=list(TWINS))
def test_every_twin_lists_all_there_is_in_three_forms(logged_in: Run, crm: Crm, twin: Twin) -> None:
    arguments = [twin.name, "list", *(("--customer", "1") if twin.needs_customer else ())]
    with crm.reading(system_actor("test")) as work:
        if twin.every:
            expected = list(twin.every(work, 1))
        else:
            expected = list(getattr(twin.room(work), twin.window)(ListQuery(), FIRST, 10_000).rows)
    listed = json.loads(logged_in(*arguments, "--json").out)
    assert len(listed) == len(expected)
    if expected:
        assert list(listed[0]) == [field.name for field in fields(expected[0])]
        rows = list(csv.DictReader(io.StringIO(logged_in(*arguments, "--csv").out)))
        assert len(rows) == len(expected)
        assert list(rows[0]) == list(listed[0])
    table = logged_in(*arguments, "--all")
    assert table.err == ""
    assert table.out.splitlines()[0].split() == list(twin.columns)
    assert len(table.out.splitlines()) == len(expected) + 1
    assert _is_harmless(table.out)


@pytest.mark.parametrize("twin", [twin for twin in TWINS.values() if twin.get], ids=lambda twin: twin.name)
def test_every_twin_shows_what_it_lists(logged_in: Run, twin: Twin) -> None:
    listed = json.loads(logged_in(twin.name, "list", "--json", "--limit", "1").out)
    if not listed:
        return
    key, number = next(iter(listed[0].items()))
    shown = json.loads(logged_in(twin.name, "show", str(number), "--json").out)
    assert shown[key] == number
    facts = logged_in(twin.name, "show", str(number)).out
    assert f"{key}: {number}\n" in facts
    assert _is_harmless(facts)
    [row] = csv.DictReader(io.StringIO(logged_in(twin.name, "show", str(number), "--csv").out))
    assert row[key] == str(number)
    missing = logged_in(twin.name, "show", "999999999")
    assert (missing.code, missing.out) == (1, "")
    assert "There is no" in missing.err


def test_a_list_is_searched_filtered_and_sorted_as_on_the_screen(logged_in: Run) -> None:
    everybody = json.loads(logged_in("customer", "list", "--json").out)
    assert len(everybody) == 40
    active = json.loads(logged_in("customer", "list", "--json", "--filter", "customer_status=Open").out)
    assert {row["customer_status"] for row in active} == {"Open"}
    assert 0 < len(active) < 40
    backwards = json.loads(logged_in("customer", "list", "--json", "--sort", "customer_id", "--desc").out)
    assert [row["customer_id"] for row in backwards] == list(range(40, 0, -1))
    name = everybody[7]["customer_name"]
    assert name in {
        row["customer_name"] for row in json.loads(logged_in("customer", "list", "--search", name, "--json").out)
    }
    own = json.loads(logged_in("transaction", "list", "--customer", "1", "--json").out)
    assert {row["customer_id"] for row in own} <= {1}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--sort", "shoe_size"), "Sort by one of: customer_name"),
        (("--filter", "shoe_size=44"), "Filter by one of: customer_status"),
        (("--filter", "Open"), "write NAME=VALUE"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_a_mistake_is_told_with_what_is_allowed(logged_in: Run, arguments: tuple[str, ...], sentence: str) -> None:
    ended = logged_in("customer", "list", *arguments)
    assert ended.code in (1, 2)
    assert ended.out == ""
    assert sentence in ended.err


def test_a_table_tells_when_there_is_more(logged_in: Run) -> None:
    ended = logged_in("customer", "list", "--limit", "3")
    assert len(ended.out.splitlines()) == 4
    assert "The first 3. There are more" in ended.err
    assert logged_in("customer", "list", "--limit", "40").err == ""


def test_no_name_acts_on_a_terminal_or_a_spreadsheet(logged_in: Run) -> None:
    table = logged_in("customer", "list").out
    assert "[bold]" in table
    assert "\\x1b[31m" in table
    assert "'=SUM(A1:A9)" in logged_in("customer", "list", "--csv").out
    assert "\x1b" not in logged_in("customer", "list", "--json").out


def test_a_service_comes_with_its_account_or_why_there_is_none(logged_in: Run) -> None:
    number = json.loads(logged_in("service", "list", "--json", "--limit", "1").out)[0]["service_id"]
    shown = json.loads(logged_in("service", "show", str(number), "--json").out)
    assert {"service_uuid", "items", "account"} <= set(shown)
    assert "problem" in shown["account"] or "balances" in shown["account"]


# Following a job


def _a_job(crm: Crm, *, status: int) -> int:
    with crm.as_actor(system_actor("test")) as work:
        now = crm.clock.now()
        job = Provision(
            customer_id=1,
            provisioning_play="play_simple_service",
            playbook_description="A service",
            task_count=2,
            provisioning_json_vars={},
            inventory_choices={},
            facts={},
            provisioning_status=status,
            status_reason="running" if status == 1 else "done",
            cancel_requested=False,
            event_count=0,
            created=now,
            last_modified=now,
        )
        work.session.add(job)
        work.session.flush()
        for number, (name, state) in enumerate((("Read the product", 0), ("Create the service", status)), 1):
            event = ProvisionEvent(
                provision_id=job.provision_id,
                event_number=number,
                event_name=name,
                phase="main",
                provisioning_status=state,
                provisioning_result_json="{}",
                timestamp=now,
            )
            work.session.add(event)
        return job.provision_id


def _end(crm: Crm, provision_id: int, status: int) -> None:
    with crm.as_actor(system_actor("test")) as work:
        job = work.session.get_one(Provision, provision_id)
        job.provisioning_status, job.status_reason = status, "finished"
        for event in work.session.query(ProvisionEvent).filter_by(provision_id=provision_id, event_number=2):
            event.provisioning_status = status


@pytest.mark.parametrize(("status", "word", "code"), [(0, "Success", 0), (2, "Failed", 1)])
def test_following_a_job_tells_each_task_as_it_ends(
    logged_in: Run, crm: Crm, monkeypatch: pytest.MonkeyPatch, status: int, word: str, code: int
) -> None:
    number = _a_job(crm, status=1)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            _end(crm, number, status)

    monkeypatch.setattr("omnicrm_tui.cli.job.time.sleep", wait)
    ended = logged_in("job", "follow", str(number))
    assert ended.code == code
    assert ended.out.splitlines() == [
        "1. Read the product: Success",
        f"2. Create the service: {word}",
        f"Job {number}: {word}",
    ]
    assert len(waits) == 2
    lines = [json.loads(line) for line in logged_in("job", "follow", str(number), "--json").out.splitlines()]
    assert [line.get("event_name") for line in lines] == ["Read the product", "Create the service", None]
    assert lines[-1]["provisioning_status"] == status


def test_following_no_job_is_told(logged_in: Run) -> None:
    assert "There is no job" in logged_in("job", "follow", "999999").err


# Nothing is missing


class _Named:
    """Stands for a unit of work: a room is its name."""

    def __getattr__(self, name: str) -> str:
        return name


def _lists_of_screens() -> Iterator[tuple[str, str, str]]:
    """Yield where, of which room and by which method a screen lists records."""
    for path in sorted((ROOT / "screens").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.value if isinstance(node.func, ast.Subscript) else node.func
            if not (isinstance(called, ast.Name) and called.id == "ServiceSource"):
                continue
            room = eval(ast.unparse(node.args[1]))(_Named())
            methods = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg in ("window",)}
            yield str(path.relative_to(ROOT)), room, methods.get("window", "window")


def test_every_list_of_a_screen_has_its_twin() -> None:
    work: Any = _Named()
    twins = {(twin.room(work), twin.window) for twin in TWINS.values() if twin.every is None}
    lists = list(_lists_of_screens())
    assert len(lists) > 8
    picked = {("inventory", "pickable")}  # a choice within an order: the same items as `item list` shows
    assert [found for found in lists if found[1:] not in twins | picked] == []


def test_every_detail_of_a_screen_has_its_twin() -> None:
    shown = {twin.name for twin in TWINS.values() if twin.get}
    an_order = {"catalogue"}
    assert set(rooms.PLACES) - an_order - shown == set()


# How the system does


def test_the_status_is_told_to_people_and_programs_and_a_problem_is_a_failure(logged_in: Run, crm: Crm) -> None:
    alone = logged_in("status")
    assert alone.code == 1
    assert "Nobody leads outbox" in alone.err
    for name in DUTIES:
        Lease(crm, name, "host:1:x").hold()
    well = logged_in("status", "--json")
    assert json.loads(well.out)["duties"][0] == {"name": "jobs", "owner": "host:1:x", "led": True}
    assert json.loads(well.out)["jobs"]["running"] == 0
    assert (well.code, well.err) == (0, "")
    assert "host:1:x" in logged_in("status").out


@pytest.fixture
def stored_words_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stored words alone: what is imported meanwhile would keep its French for the tests to come."""
    monkeypatch.setattr(languages, "_catalogue", languages.catalogue_of("fr"))
    monkeypatch.setattr(languages, "speak", lambda _language: None)


@pytest.mark.req("BIL-454", "PLT-483")
def test_a_role_is_described_in_the_readers_language_and_to_programs_as_stored(
    logged_in: Run, stored_words_in_french: None
) -> None:
    assert "Contrôle complet du système" in logged_in("role", "list").out
    assert "description: Contrôle complet du système" in logged_in("role", "show", "1").out
    for form in ("--json", "--csv"):
        assert "Full control of the system" in logged_in("role", "list", form).out
        assert "Full control of the system" in logged_in("role", "show", "1", form).out


@pytest.mark.req("PLT-483")
def test_statuses_and_the_products_own_names_are_the_readers_and_to_programs_as_stored(
    logged_in: Run, stored_words_in_french: None
) -> None:
    for command, french, stored in (
        (("customer", "list"), "Ouvert", "Open"),
        (("service", "list"), "Actif", "Active"),
        (("item", "list"), "En stock", "In Stock"),
        (("invoice", "list"), "Payée", "Paid"),
        (("job", "list", "--filter", "provisioning_status=0"), "finie", "finished"),
        (("activity", "list", "--all"), "données de démonstration", "demo data"),
    ):
        assert french in logged_in(*command).out
        for form in ("--json", "--csv"):
            told = logged_in(*command, form).out
            assert (stored in told, french in told) == (True, False)
    assert "Réussite" in logged_in("job", "list", "--filter", "provisioning_status=0").out


@pytest.mark.req("SVC-123", "PLT-483")
def test_why_a_job_could_not_be_run_is_told_in_the_readers_language(
    logged_in: Run, crm: Crm, stored_words_in_french: None
) -> None:
    number = _a_job(crm, status=1)
    _end(crm, number, 2)
    with crm.as_actor(system_actor("test")) as work:
        job = work.session.get_one(Provision, number)
        job.status_reason, job.error_message = "fatal", MISSING_PLAY.headline
        for event in work.session.query(ProvisionEvent).filter_by(provision_id=number, event_number=2):
            event.event_name = MISSING_PLAY.title
            event.provisioning_result_json = json.dumps({"what_to_do": MISSING_PLAY.advice})
    shown = logged_in("job", "show", str(number)).out.replace("\N{NO-BREAK SPACE}", " ")
    assert "error_message: le play n’existe pas" in shown
    assert "event_name: Erreur fatale : le play n’existe pas" in shown
    assert "Relancez ensuite la tâche" in shown
    followed = logged_in("job", "follow", str(number)).out.splitlines()
    assert followed[-1] == f"Job {number}: Échec, n’a pu être lancée: le play n’existe pas"
    for form in ("--json", "--csv"):
        stored = logged_in("job", "show", str(number), form).out
        assert MISSING_PLAY.title in stored
        assert MISSING_PLAY.advice[-1] in stored
