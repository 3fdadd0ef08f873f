"""Attacks on access tokens, and the published example of the signature."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omnicrm_tui.errors import NotAuthenticated
from omnicrm_tui.identity import tokens
from omnicrm_tui.identity.tokens import Keyring

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY, OTHER = b"k" * 32, b"o" * 32
HERE = "4f1c"
RING = Keyring({"1": KEY}, "1", HERE)
USES = (tokens.ACCESS, tokens.CHALLENGE, tokens.CHANGE)


def coded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def forged(head: dict[str, Any], claims: dict[str, Any], key: bytes = KEY, digest: str = "sha256") -> str:
    signed = f"{coded(head)}.{coded(claims)}"
    mac = base64.urlsafe_b64encode(hmac.digest(key, signed.encode(), digest)).rstrip(b"=").decode()
    return f"{signed}.{mac}"


def good(**more: Any) -> dict[str, Any]:
    return {"sub": "1", "use": tokens.ACCESS, "aud": HERE, "exp": int(NOW.timestamp()) + 60, **more}


def opens(token: str, use: str = tokens.ACCESS, now: datetime = NOW) -> bool:
    try:
        RING.read(token, use, now)
    except NotAuthenticated:
        return False
    return True


HEAD = {"alg": "HS256", "kid": "1", "typ": "JWT"}


def test_the_signature_is_that_of_rfc_7515() -> None:
    """Appendix A.1: its key, its header and its claims, byte for byte."""
    key = base64.urlsafe_b64decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow=="
    )
    signed = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    published = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert tokens._base64(hmac.digest(key, signed.encode(), "sha256")).decode() == published
    ours = Keyring({"1": key}, "1", HERE).sign({"sub": "1"}, issued=NOW, expires=NOW)
    head_and_claims, _dot, mac = ours.rpartition(".")
    assert mac == tokens._base64(hmac.digest(key, head_and_claims.encode(), "sha256")).decode()


def test_a_token_of_another_kind_or_hand_opens_nothing() -> None:
    assert opens(forged(HEAD, good()))
    for algorithm in (
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "HS384",
        "HS512",
        "RS256",
        "ES256",
        "PS256",
        "hs256",
        None,
        5,
    ):
        head = {**HEAD, "alg": algorithm}
        assert not opens(forged(head, good()))
        assert not opens(f"{coded(head)}.{coded(good())}.")
    assert not opens(forged({**HEAD, "alg": "HS512"}, good(), digest="sha512"))
    assert not opens(forged(HEAD, good(), OTHER))
    assert not opens(forged({"kid": "1"}, good()))


def test_a_token_that_was_tampered_with_opens_nothing() -> None:
    head, claims, mac = forged(HEAD, good()).split(".")
    assert not opens(f"{head}.{coded(good(sub='2'))}.{mac}")
    assert not opens(f"{coded({**HEAD, 'typ': 'at+jwt'})}.{claims}.{mac}")
    turned = ("A" if mac[0] != "A" else "B") + mac[1:]
    for broken in (turned, mac[:-4], "", mac + "AAAA", "é" * 43):
        assert not opens(f"{head}.{claims}.{broken}")
    for nonsense in (
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "\0",
        "é.é.é",
        f"{head}.{claims}",
        "x" * 100_000,
        f"{head}..{mac}",
    ):
        assert not opens(nonsense)


@pytest.mark.parametrize(
    "kid", ["2", "", "0", "01", "../keys/token-1", "/dev/null", "1' OR '1'='1", "1\0", None, 1, ["1"], {"a": 1}, True]
)
def test_a_header_names_a_known_key_or_nothing(kid: object) -> None:
    assert not opens(forged({**HEAD, "kid": kid}, good()))
    assert not opens(
        forged({**HEAD, "kid": kid, "jwk": {"kty": "oct", "k": coded("x")}, "jku": "http://x"}, good(), OTHER)
    )


def test_a_token_ends_with_its_last_second_and_needs_an_end() -> None:
    token = RING.sign({"sub": "1", "use": tokens.ACCESS}, issued=NOW, expires=NOW + timedelta(seconds=60))
    assert opens(token, now=NOW + timedelta(seconds=59))
    assert not opens(token, now=NOW + timedelta(seconds=60))
    endless = {name: value for name, value in good().items() if name != "exp"}
    for claims in (endless, good(exp=None), good(exp="soon"), good(exp="9999999999x"), good(exp=[1]), good(exp={})):
        assert not opens(forged(HEAD, claims))


@pytest.mark.parametrize("made_for", USES)
@pytest.mark.parametrize("asked", USES)
def test_a_token_is_good_for_its_own_use_alone(made_for: str, asked: str) -> None:
    token = RING.sign({"sub": "1", "use": made_for}, issued=NOW, expires=NOW + timedelta(minutes=5))
    assert opens(token, asked) == (made_for == asked)


def test_a_token_of_another_installation_with_the_same_secret_opens_nothing() -> None:
    ours = RING.sign({"sub": "1", "use": tokens.ACCESS}, issued=NOW, expires=NOW + timedelta(minutes=5))
    theirs = Keyring({"1": KEY}, "1", "0a9e").sign(
        {"sub": "1", "use": tokens.ACCESS}, issued=NOW, expires=NOW + timedelta(minutes=5)
    )
    assert opens(ours)
    assert not opens(theirs)
    before = {name: value for name, value in good().items() if name != "aud"}
    for claims in (before, good(aud=None), good(aud=""), good(aud=[HERE]), good(aud=[HERE, "0a9e"]), good(aud={})):
        assert not opens(forged(HEAD, claims))
    assert not opens(Keyring({"1": KEY}, "1", "").sign(good(), issued=NOW, expires=NOW + timedelta(minutes=5)))


def test_claims_are_an_object_with_somebody_in_it() -> None:
    nobody = {name: value for name, value in good().items() if name != "sub"}
    wrong: list[Any] = [[], "x", 5, None, nobody, good(use=None), good(sub=1)]
    assert not any(opens(forged(HEAD, claims)) for claims in wrong)
