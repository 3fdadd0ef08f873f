"""Compile a folder of packages: `python -X no_debug_ranges compile_bytecode.py FOLDER`.

It writes what `compileall` writes, but for the libraries that every terminal loads: their docstrings, which nobody
reads there, take 3 MiB of each terminal and are left out. (`python -OO` would leave out every assertion as well.)
Without the columns of each expression (`no_debug_ranges`) it is another megabyte less; only tracebacks show either.
A file that changes afterwards is compiled by Python itself, in the usual way.
"""

from __future__ import annotations

import ast
import compileall
import importlib.util
import marshal
import struct
import sys
from pathlib import Path

LIBRARIES = ("pydantic", "pydantic_core", "rich", "sqlalchemy", "textual")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
BARE = " "
"""In the place of a docstring: libraries add to theirs, and assert that there is one."""


def without_docstrings(source: bytes) -> ast.Module:
    """Return what `source` says, each docstring in it replaced by `BARE`."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[0] = ast.copy_location(ast.Expr(ast.Constant(BARE)), node.body[0])
    return ast.fix_missing_locations(tree)


def compile_bare(file: Path) -> None:
    """Write the bytecode of a file, in the form of PEP 552 that Python checks by the file's time and size."""
    code = compile(without_docstrings(file.read_bytes()), file, "exec", dont_inherit=True)
    known = file.stat()
    header = importlib.util.MAGIC_NUMBER + struct.pack("<3L", 0, int(known.st_mtime), known.st_size)
    compiled = Path(importlib.util.cache_from_source(file))
    scratch = compiled.with_suffix(".new")
    scratch.write_bytes(header + marshal.dumps(code))
    scratch.replace(compiled)


def main(folder: Path) -> None:
    """Compile all that is in `folder`, whatever PYTHONDONTWRITEBYTECODE says."""
    compileall.compile_dir(folder, quiet=2, workers=0)
    for library in LIBRARIES:
        for file in (folder / library).rglob("*.py"):
            compile_bare(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
