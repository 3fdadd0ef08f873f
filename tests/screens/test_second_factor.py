"""The second factor by keyboard at 80x24: a phone that scans the screen, codes at log-in, codes on paper."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from textual.pilot import Pilot

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import Enrolment
from omnicrm_tui.identity.second_factor import provisioning_uri
from screens.enrolment import CODE_COLUMNS, CODE_LINES, BackupCodes, Enrol, in_groups
from screens.login import LoginScreen
from screens.second_factor import SecondFactor
from tests.screens.every_dialog import CODES, SECRET
from tests.screens.harness import make_app, press, screen_lines, screen_text, settled, signed_in_app, type_text, until
from tests.screens.people import PASSWORD, add_people, add_user
from tests.screens.qr_reader import read_qr
from widgets.qr_code import fitting_qr_lines, qr_lines

HERE = "127.0.0.1"


class Phone:
    """An authenticator with arithmetic of its own, as RFC 4226 and 6238 describe it."""

    def __init__(self, uri: str) -> None:
        address = urlsplit(uri)
        assert (address.scheme, address.netloc) == ("otpauth", "totp")
        self.account = address.path.removeprefix("/")
        self.secret = base64.b32decode(parse_qs(address.query)["secret"][0])

    def shows(self, now: datetime) -> str:
        """Return the six digits of this half minute."""
        digest = hmac.digest(self.secret, (int(now.timestamp()) // 30).to_bytes(8, "big"), "sha1")
        start = digest[-1] & 15
        return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def scan(pilot: Pilot[None]) -> tuple[Phone, int]:
    """Point the camera at the terminal."""
    code = pilot.app.screen.query_one("#code").region
    lines = [line.ljust(80)[code.x : code.right] for line in screen_lines(pilot.app)[code.y : code.bottom]]
    text, quiet = read_qr(lines)
    return Phone(text), quiet


def actor_of(crm: Crm, user_id: int) -> Actor:
    with crm.reading(visitor(HERE)) as work:
        return work.identity.actor_of_user(user_id, HERE)


def enrolled(crm: Crm, clock: FrozenClock, user_id: int) -> tuple[Phone, tuple[str, ...]]:
    """Turn it on without a screen, and wait until the code that did it is over."""
    with crm.as_actor(actor_of(crm, user_id)) as work:
        enrolment = work.second_factor.enable(user_id, PASSWORD)
        phone = Phone(enrolment.uri)
        work.second_factor.confirm(user_id, phone.shows(clock.now()))
    clock.advance(timedelta(seconds=90))
    return phone, enrolment.backup_codes


async def choose(pilot: Pilot[None], command: str) -> None:
    await pilot.press("colon")
    await type_text(pilot, command)
    await pilot.press("enter")


async def log_in(pilot: Pilot[None], password: str = PASSWORD) -> None:
    await type_text(pilot, "ada")
    await pilot.press("tab")
    await type_text(pilot, password)
    await pilot.press("enter")


async def until_dialog(pilot: Pilot[None], kind: type[object]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)


async def ask_code(pilot: Pilot[None]) -> None:
    await settled(pilot)
    await log_in(pilot)
    await until_dialog(pilot, SecondFactor)


async def until_open(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: pilot.app.current_mode == "customers")


@pytest.mark.req("PLT-187", "PLT-188", "PLT-189", "PLT-190", "PLT-192", "PLT-193", "PLT-195", "PLT-166", "BIL-423")
async def test_an_agent_scans_the_screen_and_logs_in_with_the_phone_from_then_on(
    crm: Crm, admin: Actor, clock: FrozenClock
) -> None:
    add_people(crm, admin)
    user_id = add_user(crm, admin)
    async with signed_in_app(crm, actor_of(crm, user_id)) as pilot:
        await choose(pilot, "second")
        await until(pilot, lambda: "Current password" in screen_text(pilot.app))
        await type_text(pilot, "Wrong-Horse9")
        await pilot.press("enter")
        await until(pilot, lambda: "is not right" in screen_text(pilot.app))
        await pilot.press(*["backspace"] * 12)
        await type_text(pilot, PASSWORD)
        await pilot.press("enter")
        await until_dialog(pilot, Enrol)
        phone, quiet = scan(pilot)
        assert (phone.account, quiet) == ("OmniCRM:ada@mail.example", 4)
        shown = screen_text(pilot.app)
        secret = base64.b32encode(phone.secret).decode()
        assert all(line in shown for line in in_groups(secret).splitlines())
        await type_text(pilot, phone.shows(clock.now() + timedelta(minutes=10)))
        await until(pilot, lambda: "This code is not right" in screen_text(pilot.app))
        await type_text(pilot, phone.shows(clock.now()))
        await until(pilot, lambda: "The second factor is on." in screen_text(pilot.app))
    clock.advance(timedelta(seconds=30))
    async with make_app(crm).run_test(size=(80, 24)) as pilot:
        await ask_code(pilot)
        assert pilot.app.desk.actor is None  # type: ignore[attr-defined]
        await type_text(pilot, phone.shows(clock.now()))
        await until_open(pilot)


@pytest.mark.req("PLT-190", "PLT-194", "PLT-237", "BIL-425")
async def test_backup_codes_are_copied_and_exported_once_and_replaced(
    crm: Crm, admin: Actor, clock: FrozenClock
) -> None:
    user_id = add_user(crm, admin)
    _phone, old = enrolled(crm, clock, user_id)
    async with signed_in_app(crm, actor_of(crm, user_id)) as pilot:
        await choose(pilot, "second")
        await until(pilot, lambda: "10 of the old ones are unused" in screen_text(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: "Make new backup codes" in screen_text(pilot.app))
        await type_text(pilot, PASSWORD)
        await pilot.press("ctrl+s")
        await until_dialog(pilot, BackupCodes)
        await pilot.press("y")
        codes = pilot.app.clipboard.splitlines()
        assert len(set(codes) - set(old)) == 10
        assert all(f"{code[:4]} {code[4:]}" in screen_text(pilot.app) for code in codes)
        await pilot.press("E")
        await until(
            pilot, lambda: "print it, then delete it" in " ".join(screen_text(pilot.app).replace("│", " ").split())
        )
        await pilot.press("E")
        await until(pilot, lambda: "exported already" in screen_text(pilot.app))
        files = list(crm.settings.exports_folder.iterdir())
        assert [file.name for file in files] == ["backup-codes.txt"]
        assert files[0].read_text().splitlines() == codes
        assert files[0].stat().st_mode & 0o777 == 0o600


@pytest.mark.req("BIL-415", "BIL-427")
async def test_a_backup_code_brings_the_second_factor_to_a_new_phone(
    crm: Crm, admin: Actor, clock: FrozenClock
) -> None:
    user_id = add_user(crm, admin)
    old, codes = enrolled(crm, clock, user_id)
    async with signed_in_app(crm, actor_of(crm, user_id)) as pilot:
        await choose(pilot, "second")
        await until(pilot, lambda: "Move to a new device" in screen_text(pilot.app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "Backup code" in screen_text(pilot.app))
        await type_text(pilot, "00000000")
        await pilot.press("enter")
        await until(pilot, lambda: "This code is not right" in screen_text(pilot.app))
        await pilot.press(*["backspace"] * 8)
        await type_text(pilot, codes[0])
        await pilot.press("enter")
        await until_dialog(pilot, Enrol)
        phone, _quiet = scan(pilot)
        assert phone.secret != old.secret
        await pilot.press("escape")
        await until(pilot, lambda: "asks for this key from now on" in " ".join(screen_text(pilot.app).split()))
        await pilot.press("n")
        await until_dialog(pilot, Enrol)
        await type_text(pilot, phone.shows(clock.now()))
        await until(pilot, lambda: not isinstance(pilot.app.screen, Enrol))


@pytest.mark.req("PLT-180", "PLT-183", "PLT-182")
async def test_the_sixth_digit_sends_the_code_a_wrong_one_is_advised_on_and_escape_leads_back(
    crm: Crm, admin: Actor, clock: FrozenClock
) -> None:
    phone, _codes = enrolled(crm, clock, add_user(crm, admin))
    async with make_app(crm).run_test(size=(80, 24)) as pilot:
        await ask_code(pilot)
        await type_text(pilot, phone.shows(clock.now() + timedelta(minutes=10)))
        await until(pilot, lambda: "This code is not right" in screen_text(pilot.app))
        advice = " ".join(screen_text(pilot.app).replace("│", " ").split())
        for words in ("Wait for the next code", "set its clock", "recovery code", "administrator"):
            assert words in advice
        await pilot.press("escape")
        await until_dialog(pilot, LoginScreen)
        assert pilot.app.desk.actor is None  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until_dialog(pilot, SecondFactor)
        await type_text(pilot, phone.shows(clock.now()))
        await until_open(pilot)


@pytest.mark.req("PLT-181", "BIL-412")
async def test_a_recovery_code_opens_on_its_tab(crm: Crm, admin: Actor, clock: FrozenClock) -> None:
    _phone, codes = enrolled(crm, clock, add_user(crm, admin))
    async with make_app(crm).run_test(size=(80, 24)) as pilot:
        await ask_code(pilot)
        assert "6 digits" in screen_text(pilot.app)
        await pilot.press("tab")
        assert "recovery codes that is not used yet" in screen_text(pilot.app)
        await type_text(pilot, codes[3])
        assert isinstance(pilot.app.screen, SecondFactor)
        await pilot.press("enter")
        await until_open(pilot)


@pytest.mark.req("PLT-162", "PLT-178")
@pytest.mark.parametrize("finishes", [True, False], ids=["enrols", "leaves"])
async def test_whom_the_operator_asks_enrols_before_anything_else(
    crm: Crm, admin: Actor, clock: FrozenClock, finishes: bool
) -> None:
    add_people(crm, admin)
    add_user(crm, admin)
    asking = crm.settings.security.model_copy(update={"second_factor_for_staff": True})
    crm.settings = crm.settings.model_copy(update={"security": asking})
    async with make_app(crm).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await log_in(pilot)
        await until(pilot, lambda: "Turn the second factor on" in screen_text(pilot.app))
        await pilot.press("ctrl+k", "f5")
        assert "Commands" not in screen_text(pilot.app)
        if not finishes:
            await pilot.press("escape")
            await until(pilot, lambda: "needs a second factor" in screen_text(pilot.app))
            assert pilot.app.desk.actor is None  # type: ignore[attr-defined]
            return
        await type_text(pilot, PASSWORD)
        await pilot.press("enter")
        await until_dialog(pilot, Enrol)
        await type_text(pilot, scan(pilot)[0].shows(clock.now()))
        await until_open(pilot)
        await until(pilot, lambda: "1 of 6" in screen_text(pilot.app))


@pytest.mark.req("PLT-196", "BIL-428", "PLT-164")
@pytest.mark.parametrize(("wanted", "told"), [(True, True), (False, False)], ids=["by default", "turned off"])
async def test_staff_without_a_second_factor_are_reminded_at_log_in(
    crm: Crm, admin: Actor, wanted: bool, told: bool
) -> None:
    add_user(crm, admin)
    security = crm.settings.security.model_copy(update={"second_factor_reminder": wanted})
    crm.settings = crm.settings.model_copy(update={"security": security})
    async with make_app(crm).run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        await log_in(pilot)
        await until_open(pilot)
        await settled(pilot)
        assert ("has no second factor yet" in " ".join(screen_text(pilot.app).split())) is told


@pytest.mark.req("PLT-189")
@pytest.mark.parametrize(
    ("address", "quiet"),
    [("a@b.c", 4), ("ada@mail.example", 4), ("first.lastname@subsidiary.example.com", 2)],
    ids=["short", "usual", "long"],
)
def test_the_drawing_fits_and_reads_back_whatever_the_address_is(address: str, quiet: int) -> None:
    uri = provisioning_uri(address, SECRET)
    drawn = fitting_qr_lines(uri, CODE_COLUMNS, CODE_LINES)
    assert read_qr([*drawn, " " * len(drawn[0])]) == (uri, quiet)
    assert len(drawn) <= CODE_LINES
    assert read_qr(qr_lines(uri))[0] == uri


@pytest.mark.req("PLT-189", "BIL-423")
async def test_an_address_too_long_to_draw_is_shown_as_text(crm: Crm, admin: Actor) -> None:
    address = f"{'long' * 20}@mail.example"
    uri = provisioning_uri(address, SECRET)
    async with signed_in_app(crm, admin) as pilot:
        await pilot.app.push_screen(Enrol(Enrolment(1, SECRET, uri, CODES)))
        await settled(pilot)
        told = "".join(line[:45].strip() for line in screen_lines(pilot.app))
        assert uri in told
        await press(pilot, "t")
        assert not pilot.app.screen.query_one("#code").display
        await press(pilot, "k")
        assert pilot.app.clipboard == SECRET


async def test_the_drawing_gives_way_to_text_at_a_key(crm: Crm, admin: Actor) -> None:
    uri = provisioning_uri("ada@mail.example", SECRET)
    async with signed_in_app(crm, admin) as pilot:
        await pilot.app.push_screen(Enrol(Enrolment(1, SECRET, uri, CODES)))
        await settled(pilot)
        assert scan(pilot)[0].account == "OmniCRM:ada@mail.example"
        await press(pilot, "t")
        assert uri in "".join(line[:45].strip() for line in screen_lines(pilot.app))
        await press(pilot, "t")
        assert scan(pilot)[0].account == "OmniCRM:ada@mail.example"
