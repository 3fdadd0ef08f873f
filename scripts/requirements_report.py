"""Which requirements have a test: `make requirements`, or python -m scripts.requirements_report.

The ids are those of docs/requirements; the tests name theirs with `@pytest.mark.req("SVC-051")`, which is read
without importing them. An id that no page knows, or one that is not written out, is an error.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "requirements"
TESTS = ROOT / "tests"
ROW = re.compile(r"\| ([A-Z]{3}-\d{3}) \| (.*) \|$")


@dataclass(frozen=True)
class Requirement:
    """One row of a page: where it stands, and its short wording."""

    identity: str
    wording: str
    page: str
    section: str


@dataclass(frozen=True)
class Claim:
    """A test file and line that says it proves a requirement; identity is None when it cannot be read."""

    identity: str | None
    place: str


def read_requirements(pages: Path = PAGES) -> dict[str, Requirement]:
    found: dict[str, Requirement] = {}
    for page in sorted(pages.glob("*.md")):
        section = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith("## "):
                section = line[3:]
            elif match := ROW.match(line):
                identity, wording = match.groups()
                found[identity] = Requirement(identity, wording, page.stem, section)
    return found


def known_ids() -> frozenset[str]:
    """The ids that a test may name."""
    return frozenset(read_requirements())


def read_claims(tests: Path = TESTS) -> list[Claim]:
    claims: list[Claim] = []
    for path in sorted(tests.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.req"):
                place = f"{path.relative_to(tests.parent)}:{node.lineno}"
                claims.extend(Claim(identity, place) for identity in _written_ids(node))
    return claims


def _written_ids(call: ast.Call) -> Iterator[str | None]:
    """The ids in the call; None for an argument that is not a plain string, or when there is none at all."""
    if not call.args or call.keywords:
        yield None
    for argument in call.args:
        literal = argument.value if isinstance(argument, ast.Constant) else None
        yield literal if isinstance(literal, str) else None


def mistakes(claims: list[Claim], known: dict[str, Requirement]) -> list[str]:
    return [
        f"{claim.place}: {'ids must be written out' if claim.identity is None else f'unknown {claim.identity}'}"
        for claim in claims
        if claim.identity not in known
    ]


def summary(known: dict[str, Requirement], tested: set[str]) -> Iterator[str]:
    """Lines `tested / all  name` for each page, for its sections, and for everything."""
    groups: dict[str, dict[str, list[str]]] = {}
    for requirement in known.values():
        groups.setdefault(requirement.page, {}).setdefault(requirement.section, []).append(requirement.identity)
    for page, sections in groups.items():
        yield _line(page, [identity for ids in sections.values() for identity in ids], tested)
        for section, ids in sections.items():
            yield _line(f"  {section}", ids, tested)
    yield _line("all", list(known), tested)


def _line(name: str, ids: list[str], tested: set[str]) -> str:
    return f"{sum(identity in tested for identity in ids):5} /{len(ids):5}  {name}"


def details(known: dict[str, Requirement], claims: list[Claim], *, tested: bool) -> Iterator[str]:
    """One line for each requirement with a test and where it is, or for each one without."""
    places: dict[str, list[str]] = {}
    for claim in claims:
        places.setdefault(claim.identity or "", []).append(claim.place)
    for identity, requirement in known.items():
        if tested and identity in places:
            yield f"{identity}  {requirement.wording}\n         {', '.join(sorted(set(places[identity])))}"
        elif not tested and identity not in places:
            yield f"{identity}  {requirement.wording}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--missing", action="store_true", help="list the requirements without a test")
    what.add_argument("--tested", action="store_true", help="list the requirements with a test, and their tests")
    parser.add_argument("--pages", type=Path, default=PAGES, help=argparse.SUPPRESS)
    parser.add_argument("--tests", type=Path, default=TESTS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    known, claims = read_requirements(options.pages), read_claims(options.tests)
    if options.missing or options.tested:
        lines = details(known, claims, tested=options.tested)
    else:
        lines = summary(known, {claim.identity for claim in claims if claim.identity})
    sys.stdout.writelines(f"{line}\n" for line in lines)
    wrong = mistakes(claims, known)
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
