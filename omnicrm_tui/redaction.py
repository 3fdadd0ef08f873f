"""Keep secrets out of everything that is stored, shown or mailed (SVC-129, CAT-118, CAT-120).

Two nets, one over the other. By name: whatever stands under a key such as `password`, `ki` or
`Authorization`. By value: the secrets that a job knows, and those that the first net has met, wherever
else they turn up: in a message, a URL, a debug dump, base64 or JSON inside a string. Jobs, the activity log and
the checks of stored variables all use it.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

MASK = "********"
SHORTEST_SECRET = 4
"""Shorter values are not looked for: hiding every "1" would hide the result itself."""
SHORTEST_LEARNED = 6
RESULT_LIMIT = 64 * 1024
"""Most bytes of JSON that one event may keep (CAT-121): a dump of all variables is not worth more."""

_SECRET_WORDS = frozenset(
    {"password", "passwords", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "tokens", "key"}
    | {"apikey", "authorization", "cookie", "cookies", "credential", "credentials", "jwt", "otp", "cvv", "cvc"}
    | {"ki", "opc", "op", "psk", "pin", "pin1", "pin2", "puk", "puk1", "puk2", "adm", "adm1"}
)
_HARMLESS_NAMES = frozenset({"keys", "key_id", "token_type", "primary_key", "sort_key"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^A-Za-z0-9]+")

_NAME_IN_TEXT = (
    r"[\w-]*(?:passw(?:or)?d|pwd|passphrase|secret|token|api[_-]?key|private[_-]?key|authorization|psk)[\w-]*"
    r"|ki|opc|puk\d?|pin\d?"
)
_ENCODED = r"(?=[A-Za-z0-9._~+/=-]*(?:[0-9=]|[a-z][A-Z]))[A-Za-z0-9._~+/=-]{8,}"
_IN_TEXT = [
    # "name": "value" and 'name': 'value', as JSON and Python print them
    re.compile(rf"""(?i)(?P<keep>(?P<q>\\?["'])(?:{_NAME_IN_TEXT})(?P=q)\s*:\s*)(?P<v>\\?["'])(?P<x>.+?)(?P=v)"""),
    # name=value, in a query or on a command line
    re.compile(rf"(?i)(?P<keep>\b(?:{_NAME_IN_TEXT})=)(?P<x>[^\s&\"',;]+)"),
    # not the words "Basic internet": an encoded user:password has a digit, a capital within or an =
    re.compile(rf"(?P<keep>\b(?i:bearer|basic)\s+)(?P<x>{_ENCODED})"),
    re.compile(r"(?i)(?P<keep>\b(?:x-api-key|(?:set-)?cookie)\s*:\s*)(?P<x>[^\s\"',;]+)"),
    re.compile(r"(?P<keep>://)(?P<x>[^/\s:@]+:[^/\s@]+)(?=@)"),
    re.compile(r"(?P<keep>\b[sr]k_(?:live|test)_)(?P<x>[A-Za-z0-9]{16,})"),
    re.compile(r"(?P<keep>)\b(?P<x>eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*)"),
]


def is_secret_name(name: str) -> bool:
    """Whether a value under this key is to be hidden: `api_key`, `refreshToken`, `X-API-KEY`, `ki`."""
    if name.lower() in _HARMLESS_NAMES:
        return False
    words = _NOT_WORD.split(_CAMEL.sub("_", name))
    return any(word.lower() in _SECRET_WORDS for word in words)


class SecretValues:
    """The secrets that a job knows, in every form in which they may appear. Safe to use from threads."""

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        self._known: set[str] = set()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()
        self.add(*secrets)

    def add(self, *secrets: str | None) -> None:
        """Look for these from now on. None and anything under four characters is passed over."""
        new = {text for text in secrets if text and len(text) >= SHORTEST_SECRET and text != MASK}
        with self._lock:
            new -= self._known
            if not new:
                return
            self._known |= new
            for text in new:
                self._forms |= _forms(text)
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def hide(self, text: str) -> str:
        """Return the text with every known secret masked."""
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text


def _forms(secret: str) -> set[str]:
    forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    forms |= {form.replace("\\", "\\\\") for form in forms if "\\" in form}
    if re.fullmatch(r"[0-9a-fA-F]{16,}", secret):
        forms |= {secret.lower(), secret.upper()}
    return forms | _base64_forms(secret.encode())


def _base64_forms(secret: bytes) -> set[str]:
    """What of a base64 text is the same wherever in it the secret stands (as in "user:password")."""
    forms = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret).decode()
        first = (0, 2, 3)[before]
        last = len(encoded) - (0, 3, 2)[(before + len(secret)) % 3]
        middle = encoded[first:last]
        if len(middle) >= SHORTEST_SECRET:
            forms |= {middle, middle.replace("+", "-").replace("/", "_")}
    forms.add(base64.b64encode(secret).decode().rstrip("="))
    return forms


class Redactor:
    """Masks the secrets in results and texts; learns values from the names they stand under.

    One that lives as long as its process, as of its log, does not learn: what one line calls a secret would be masked
    in all others.
    """

    def __init__(self, secrets: SecretValues | None = None, *, learns: bool = True) -> None:
        self.secrets = secrets or SecretValues()
        self._learns = learns

    def result(self, value: Any, limit: int = RESULT_LIMIT) -> Any:
        """Return a redacted copy, at most `limit` bytes of JSON long. Mappings, lists, numbers, text."""
        self.learn(value)
        return cap(self._redact(value), limit)

    def learn(self, value: Any) -> None:
        """Look from now on for what stands under secret names in `value`, such as a job's variables."""
        self._learn(value, named=False)

    def text(self, text: str) -> str:
        """Return the text with the secrets in it masked: log lines, messages, stdout."""
        return self._redact_text(text)

    def _learn(self, value: Any, named: bool) -> None:
        """Remember the values that stand under secret names."""
        if isinstance(value, Mapping):
            entry_name = _entry_name(value)
            for key, item in value.items():
                # a bare "key" names anything: its value is masked where it stands, and not looked for elsewhere
                secret = str(key).lower() != "key" and _hides(str(key), entry_name)
                self._learn(item, named or secret)
        elif isinstance(value, list | tuple | set):
            for item in value:
                self._learn(item, named)
        elif isinstance(value, str):
            inner = _json_inside(value)
            if inner is not None:
                self._learn(inner, named)
            if named and len(value) >= SHORTEST_LEARNED:
                self.secrets.add(value, value.partition(" ")[2] or None)
        elif named and isinstance(value, int) and len(str(value)) >= SHORTEST_LEARNED:
            self.secrets.add(str(value))

    def _redact(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            entry_name = _entry_name(value)
            return {
                self.secrets.hide(_storable(str(key))): (
                    _mask_all(item) if _hides(str(key), entry_name) else self._redact(item)
                )
                for key, item in value.items()
            }
        if isinstance(value, list | tuple | set):
            return [self._redact(item) for item in value]
        if isinstance(value, str):
            return self._redact_text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return value if self.secrets.hide(str(value)) == str(value) else MASK
        return self._redact_text(str(value))

    def _redact_text(self, text: str) -> str:
        inner = _json_inside(text)
        if inner is not None:
            if self._learns:
                self._learn(inner, named=False)
            return json.dumps(self._redact(inner), ensure_ascii=False)
        text = _storable(text)
        for pattern in _IN_TEXT:
            text = pattern.sub(_mask_match, text)
        return self.secrets.hide(text)


def secret_names(value: Any, path: str = "") -> list[str]:
    """Return where in `value` something stands under a secret name (`wifi.password`); blanks are no secrets."""
    if isinstance(value, Mapping):
        entry_name = _entry_name(value)
        found = []
        for key, item in value.items():
            where = f"{path}.{key}" if path else str(key)
            hidden = _hides(str(key), entry_name) and _mask_all(item) != item
            found += [where] if hidden else secret_names(item, where)
        return found
    if isinstance(value, list | tuple):
        return [name for item in value for name in secret_names(item, path)]
    return []


def _storable(text: str) -> str:
    """Replace what no database stores, half a surrogate pair or NUL: an outside system's nonsense ends no job."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def _entry_name(value: Mapping[Any, Any]) -> str | None:
    """The name in a {"key": name, "value": secret} pair, as loops over a mapping make them."""
    for name in ("key", "name"):
        if isinstance(value.get(name), str) and "value" in value:
            return str(value[name])
    return None


def _hides(key: str, entry_name: str | None) -> bool:
    if entry_name is not None:
        if key == "value":
            return is_secret_name(entry_name)
        if key == "key":
            return False
    return is_secret_name(key)


def _mask_match(match: re.Match[str]) -> str:
    groups = match.groupdict()
    around = groups.get("v") or ""
    return f"{groups['keep']}{around}{MASK}{around}"


def _mask_all(value: Any) -> Any:
    """Mask every value below a secret name; shape, None and truth values stay."""
    if isinstance(value, Mapping):
        return {str(key): _mask_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_mask_all(item) for item in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    return MASK


def _json_inside(text: str) -> Any:
    """The mapping or list that a string holds as JSON, or None."""
    start = text.lstrip()[:1]
    if start not in ("{", "["):
        return None
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return inner if isinstance(inner, dict | list) else None


def cap(value: Any, limit: int = RESULT_LIMIT) -> Any:
    """Cut a result to `limit` bytes of JSON: long strings and lists first, then all but a preview."""
    size = _size(value)
    if size <= limit:
        return value
    for length, count in ((4096, 200), (512, 50), (128, 10)):
        cut = _cut(value, length, count)
        if isinstance(cut, dict):
            cut = {**cut, "truncated": f"{size} bytes, cut to {limit}"}
        if _size(cut) <= limit:
            return cut
    preview = json.dumps(value, ensure_ascii=False, default=str)[: limit // 8]
    return {"truncated": f"{size} bytes, cut to {limit}", "preview": preview}


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str).encode())


def _cut(value: Any, length: int, count: int) -> Any:
    if isinstance(value, dict):
        return {key[:length]: _cut(item, length, count) for key, item in value.items()}
    if isinstance(value, list):
        left_out = [f"... {len(value) - count} more"] if len(value) > count else []
        return [_cut(item, length, count) for item in value[:count]] + left_out
    if isinstance(value, str) and len(value) > length:
        return f"{value[:length]}... {len(value) - length} more characters"
    return value


def secret_texts(value: object) -> Iterator[str]:
    """Yield every secret in settings or a part of them: what may stand in no log and no event."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name, item in value:
            yield from item if name == "api_keys" else secret_texts(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from secret_texts(item)
