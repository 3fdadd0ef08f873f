"""A secret that is planted anywhere is found nowhere."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.redaction import MASK, RESULT_LIMIT, Redactor, SecretValues, cap, is_secret_name

ODD_LETTERS = st.sampled_from("ab1\"'\\/+=%& é€")
ANY_LETTERS = st.characters(codec="utf-8", exclude_categories=["C"])
SECRET_TEXT = st.one_of(
    st.text(ODD_LETTERS, min_size=6, max_size=20), st.text(ANY_LETTERS, min_size=6, max_size=40)
).map(lambda text: f"Zq{text}9x")
OTHER_TEXT = st.text(max_size=20)


def containers(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The leaf, deep inside lists, mappings and JSON in strings, beside other values."""
    other = st.none() | st.booleans() | st.integers() | OTHER_TEXT
    return st.recursive(
        leaf,
        lambda inner: (
            st.tuples(other, inner, other).map(list)
            | st.dictionaries(OTHER_TEXT, inner, min_size=1, max_size=2)
            | inner.map(lambda value: json.dumps({"deep": value}))
        ),
        max_leaves=4,
    )


def ways_to_write(secret: str) -> st.SearchStrategy[str]:
    return st.sampled_from(
        [
            secret,
            f"before {secret} after",
            quote(secret, safe=""),
            json.dumps(secret),
            json.dumps({"note": secret}),
            repr({"note": secret}),
            f"said {json.dumps({'note': secret})} and left",
            f"said {json.dumps({'note': secret}, ensure_ascii=False)} and left",
            f"said {[secret]!r} and left",
            base64.b64encode(secret.encode()).decode(),
            base64.b64encode(f"user:{secret}".encode()).decode(),
            base64.b64encode(f"me:{secret}:more".encode()).decode(),
        ]
    )


@pytest.mark.req("SVC-129", "CAT-118", "CAT-120")
@given(st.data())
def test_a_known_secret_never_survives(data: st.DataObject) -> None:
    secret = data.draw(SECRET_TEXT)
    written = data.draw(ways_to_write(secret))
    value = data.draw(containers(st.just(written)))
    redacted = Redactor(SecretValues([secret])).result({"result": value})
    forms = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe="")}
    forms |= {base64.b64encode(secret.encode()).decode(), written} - {MASK}
    assert [(form, text) for text in texts(redacted) for form in forms if form in text] == []


def texts(value: Any) -> Iterator[str]:
    """Every string and key in a structure, and in the JSON that its strings hold."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            with contextlib.suppress(ValueError):
                yield from texts(json.loads(value))


@pytest.mark.req("SVC-129", "CAT-120")
@given(
    st.sampled_from(
        ["password", "Ki", "opc", "access_token", "X-API-KEY", "Authorization", "pin", "wifi_psk", "clientSecret"]
    ),
    SECRET_TEXT,
    st.data(),
)
def test_a_value_under_a_secret_name_is_masked_there_and_everywhere_else(
    name: str, secret: str, data: st.DataObject
) -> None:
    redactor = Redactor()
    value = data.draw(containers(st.just({name: secret})))
    redacted = redactor.result({"first": value, "elsewhere": f"seen {secret}"})
    assert secret not in json.dumps(redacted, ensure_ascii=False)
    assert secret not in redactor.text(f"later: {secret}")


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *(("password", True), ("db_password", True), ("refreshToken", True), ("api-key", True), ("Set-Cookie", True)),
        *(("ki", True), ("opc", True), ("puk1", True), ("url_password", True), ("key", True)),
        *(("kind", False), ("opcode", False), ("keys", False), ("token_type", False), ("spinner", False)),
        *(("customer_id", False), ("iccid", False), ("msg", False), ("option", False)),
    ],
)
def test_names(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Authorization: Bearer abc.def-123456", "abc.def-123456"),
        ("Authorization: Basic bWU6d29yZA==", "bWU6d29yZA"),
        ("GET /SMS?api_key=51c0ffee&to=1", "51c0ffee"),
        ("{'ki': 'A1B2C3', 'x': 1}", "A1B2C3"),
        ('said {\\"password\\": \\"hunter2\\"} and left', "hunter2"),
        ("http://me:word@ocs.example/jsonrpc", "word"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIiOiIxIn0"),
    ],
)
def test_secrets_in_plain_text(text: str, gone: str) -> None:
    redacted = Redactor().text(text)
    assert gone not in redacted
    assert MASK in redacted


@pytest.mark.parametrize("text", ["Basic internet", "the bearer certificate", "basic broadband-package"])
def test_words_that_look_like_a_scheme_stay(text: str) -> None:
    assert Redactor().text(text) == text


def test_ordinary_results_stay_as_they_are() -> None:
    result = {
        "status": 200,
        "cookies": {},
        "url": "http://ocs.example/jsonrpc",
        "changed": False,
        "json": {"result": "OK", "error": None},
        "item": {"key": "http://hss.example", "value": {"subscriber_id": "310120123456789"}},
    }
    assert Redactor().result(result) == result


def test_a_pair_of_name_and_value_is_read_as_one() -> None:
    redacted = Redactor().result([{"key": "password", "value": "hunter2"}, {"name": "note", "value": "kept"}])
    assert redacted == [{"key": "password", "value": MASK}, {"name": "note", "value": "kept"}]


@pytest.mark.req("CAT-121")
@pytest.mark.parametrize(
    "value",
    [
        {"stdout": "x" * 1_000_000},
        {"results": [{"n": number, "text": "y" * 100} for number in range(20_000)]},
        {f"name{number}": "z" * 50 for number in range(20_000)},
        {"deep": {"deeper": ["ü" * 5000] * 500}},
    ],
    ids=["text", "list", "mapping", "deep"],
)
def test_a_large_result_is_cut_and_says_so(value: dict[str, Any]) -> None:
    result = cap(value)
    assert len(json.dumps(result, ensure_ascii=False).encode()) <= RESULT_LIMIT
    assert "truncated" in result


def test_a_small_result_is_not_cut() -> None:
    assert cap({"a": "b" * 60_000}) == {"a": "b" * 60_000}


def test_nonsense_of_an_outside_system_can_be_stored() -> None:
    redacted = Redactor().result({"half \ud800": ["a \udfff", '{"in": "\\ud800"}', "nul \0"]})
    assert redacted == {"half ?": ["a ?", '{"in": "?"}', "nul ?"]}
    assert Redactor().text("half \ud800") == "half ?"


def test_what_stands_under_a_secret_name_is_looked_for_from_the_first_event_on() -> None:
    redactor = Redactor()
    redactor.learn({"wifi_password": "correct-horse", "speed": "correct"})
    assert redactor.text("the key is correct-horse") == f"the key is {MASK}"
