"""Write docs/requirements/*.md: every requirement's id with a short, neutral wording.

Usage: python -m scripts.requirements SPEC_FOLDER [--words FILE] [--out docs/requirements]

SPEC_FOLDER holds the full specification as markdown files whose table rows start with an id such as
`PLT-001`. Where a row came from (line references, remarks about its source) is dropped, and the rest is cut
to one or two sentences: the page is an index for tests, the specification stays the authority.

FILE (SPEC_FOLDER/words.tsv when it is there) holds names that must not be printed, one
`regular expression<TAB>replacement` a line. Names of firms and their goods that samples mention are replaced
without it: NAMES knows them by digest, so that they are not printed here either.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROW_ID = re.compile(r"[A-Z]{3}-\d{3}$")
CELL_WALL = re.compile(r"(?<!\\)\|")
EMPTY_CELLS = {"", "-", "–", "—", "none"}
DROPPED_COLUMNS = ("source", "versions")
MAX_WORDING = 180

# What tells where a statement came from, or how sure its reader was, and nothing about what to build.
PROVENANCE = [
    (r"\[[^\]]*\bL\d[^\]]*\]", ""),
    (r"\[(?:inv|alt|prov|xref)\b[^\]]*\]", ""),
    (r"\(\s*(?:⚠|xref|see)[^()]*\)", ""),
    (r"\((?:web|garbled|inferred|derived)\b[^()]*\)", ""),
    (r"\([^()]*\b(?:lost|garbled|missing from|not stated|GAP|misspell\w*|§)[^()]*\)", ""),
    (r"⚠ ?C\d+", ""),
    (r"\bxref\b", ""),
    (r"(?i)\*?\b(?:impl|suggest(?:ed)?|derived(?=[:*]))\b:?\*?:? ?", ""),
    (r"\b(?:CONFLICT|GAP(?: \d+)?)(?:/trap)?:? ?", ""),
    (r"\bTUI: ?", "in the terminal: "),
    (r"[,;:]?\s*\bsee §[\d.]+(?:, §[\d.]+)*", ""),
]
# A sentence with one of these talks about a document, not about the product.
REMARK = re.compile(
    r"\b(?:the|ops)[ -]guide\b|\bguide's\b|\bin (?:both|the) sources?\b|\b(?:was|were|are|is) lost\b"
    r"|\bdump\b|\bgarbled\b|\bmock-ups?\b|\bthis range\b|\bthe source (?:says|names|gives|calls)\b"
    r"|\badjoining chapter\b|\bOutside the source\b|\bPart \d\b|\btexts? lost\b",
    re.IGNORECASE,
)

NAMES = {
    "32651c08dc47": "ExampleTel",
    "131265792415": "ExampleDesk",
    "1ca16718d94c": "ExampleCare",
    "b0606c08f5a9": "Smiles",
    "2ab6d53e717a": "MakerA",
    "b81c8201acfc": "MakerB",
    "4dbe391b8fcf": "MakerC",
    "f2ed4886e20f": "MakerD",
    "8e3ded90da21": "EMS",
    "184c78677c82": "EMS",
    "b11402ec5c26": "EMS",
    "7154a4e25d5a": "EMS",
    "e383b7c53698": "MakerE",
    "9368aa9f00ea": "Outdoor",
    "4f40457082b4": "another operator",
    "1dd8cb03d5dc": "Example",
    "58b4537b616e": "Books",
    "3ccbd9105a45": "Sales",
    "91b6da07adf5": "Leads",
}
"""The first twelve digits of the SHA-256 of a word in small letters, and what stands for it."""
WORD = re.compile("[A-Za-z]+")


@dataclass
class Section:
    """A heading and the (id, wording) pairs under it."""

    title: str
    rows: list[tuple[str, str]] = field(default_factory=list)


def replace(text: str, patterns: Iterable[tuple[str, str]]) -> str:
    for pattern, replacement in patterns:
        text = re.sub(pattern, replacement, text)
    return text


def without_names(text: str) -> str:
    """The text with other words for the names of firms and goods; small letters stay small, as in addresses."""

    def other(match: re.Match[str]) -> str:
        word = match[0]
        digest = hashlib.sha256(word.lower().encode()).hexdigest()[:12]
        found = NAMES.get(digest, word)
        return found.lower() if word.islower() else found

    return WORD.sub(other, text)


def neutral(text: str, words: Iterable[tuple[str, str]]) -> str:
    """The text without provenance and without the names that `words` replaces."""
    text = without_names(replace(replace(text, words), PROVENANCE))
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,;:.)])", r"\1", text)
    text = re.sub(r"\([\s:;,]+", "(", text)
    text = re.sub(r"[,;:]\)", ")", text)
    text = re.sub(r" ?\(\s*\)", "", text)
    return text.strip(" ;,:→")


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?;])\s+(?=[^a-z])|(?<=;)\s+", text) if part]


def without_remarks(text: str) -> str:
    """Drop the sentences that speak of a document; keep the text whole when nothing else would be left."""
    kept = [part for part in sentences(text) if not REMARK.search(part)]
    return " ".join(kept) if kept else text


def shorten(text: str, limit: int = MAX_WORDING) -> str:
    """Whole sentences up to the limit; where that says too little, a cut between words, not inside `code`."""
    short = ""
    for part in sentences(text):
        if len(short) + len(part) >= limit:
            break
        short = f"{short} {part}".strip()
    if len(short) > limit // 4:
        return short.rstrip(";,: ")
    cut = text[:limit].rsplit(" ", 1)[0]
    if cut.count("`") % 2:
        cut = cut[: cut.rindex("`")]
    return cut.rstrip(" ,;:(") + "…"


def wording(cells: list[str], words: Iterable[tuple[str, str]]) -> str:
    """One line from the cells of a row: `name: what it is; what else`."""
    cleaned = [neutral(without_remarks(replace(cell, words)), words) for cell in cells]
    parts = [cell for cell in cleaned if cell not in EMPTY_CELLS]
    if len(parts) > 1:
        parts = [f"{parts[0].rstrip(':')}: {parts[1]}", *parts[2:]]
    text = "; ".join(part.rstrip(". ;") for part in parts)
    return text if len(text) < MAX_WORDING else shorten(text)


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in CELL_WALL.split(line.strip())[1:-1]]


def kept_cells(header: list[str], cells: list[str]) -> list[str]:
    """The cells that say something of the requirement: not the id, and not where it came from."""
    named = zip(cells[1:-1], header[1:-1], strict=False)
    return [cell for cell, column in named if not column.lower().startswith(DROPPED_COLUMNS)]


def read_sections(lines: Iterable[str], words: list[tuple[str, str]]) -> Iterator[Section]:
    section, header = Section(""), list[str]()
    for line in lines:
        if line.startswith("#"):
            yield section
            section = Section(neutral(line.lstrip("# "), words))
        elif line.startswith("| ID"):
            header = cells_of(line)
        elif line.startswith("| ") and ROW_ID.match((cells := cells_of(line))[0]):
            section.rows.append((cells[0], wording(kept_cells(header, cells), words)))
    yield section


def page(title: str, sections: Iterable[Section]) -> str:
    parts = [f"# {title}\n"]
    for section in sections:
        rows = "\n".join(f"| {identity} | {text} |" for identity, text in section.rows)
        parts.append(f"## {section.title}\n\n| id | requirement |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


def read_words(path: Path) -> list[tuple[str, str]]:
    if not path.is_file():
        return []
    pairs = (line.partition("\t") for line in path.read_text(encoding="utf-8").splitlines() if line)
    return [(pattern, replacement) for pattern, _, replacement in pairs]


def write_pages(spec: Path, words: list[tuple[str, str]], out: Path) -> dict[str, int]:
    """Write one page per specification file that has requirements; give the count of each prefix."""
    counts: dict[str, int] = {}
    out.mkdir(parents=True, exist_ok=True)
    for source in sorted(spec.glob("*.md")):
        found = read_sections(source.read_text(encoding="utf-8").splitlines(), words)
        sections = [section for section in found if section.rows]
        if not sections:
            continue
        title = source.stem.lstrip("0123456789-").replace("-", ", ").capitalize()
        (out / source.name).write_text(page(title, sections), encoding="utf-8")
        for section in sections:
            for identity, _ in section.rows:
                counts[identity[:3]] = counts.get(identity[:3], 0) + 1
    return counts


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("spec", type=Path, help="folder with the specification's markdown files")
    parser.add_argument("--words", type=Path, help="names to replace (default: SPEC/words.tsv)")
    parser.add_argument("--out", type=Path, default=Path("docs/requirements"))
    options = parser.parse_args(arguments)
    counts = write_pages(options.spec, read_words(options.words or options.spec / "words.tsv"), options.out)
    for prefix, count in counts.items():
        sys.stdout.write(f"{prefix} {count}\n")
    sys.stdout.write(f"total {sum(counts.values())}\n")
    return 0 if counts else 1


if __name__ == "__main__":
    sys.exit(main())
