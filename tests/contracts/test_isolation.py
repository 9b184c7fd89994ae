"""The trust kernel stays small, alone and readable; imports only go down."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ringfence

SOURCE = Path(ringfence.__file__).parent
ROOT = SOURCE.parent.parent
CORE = sorted((SOURCE / "core").glob("*.py"))
FILES = sorted(SOURCE.rglob("*.py"))
ALLOWED = {  # pure parts of the standard library: no I/O, no clock, no randomness, no logging
    "__future__", "asyncio", "collections", "collections.abc", "contextlib", "dataclasses", "datetime", "enum",
    "decimal", "functools", "hashlib", "hmac", "itertools", "json", "math", "re", "typing", "unicodedata",
}  # fmt: skip
CLOCKS = {"now", "today", "utcnow"}  # of datetime, which the kernel only reckons with
ASYNCIO = {"gather"}  # of asyncio, the kernel uses nothing that opens, sleeps or runs
BUILTINS = {"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint"}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


@pytest.mark.parametrize("file", CORE, ids=lambda file: file.name)
def test_core_imports_itself_and_pure_parts_of_the_standard_library(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert set(_imports(tree)) <= ALLOWED
    relative = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert all(node.level == 1 for node in relative)
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & BUILTINS
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "asyncio"
    }
    assert used <= ASYNCIO
    assert not CLOCKS & {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_importing_core_loads_no_third_party_module() -> None:
    modules = " ".join(f"ringfence.core.{file.stem}," for file in CORE if file.stem != "__init__").rstrip(",")
    code = f"import sys; import {modules}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    bare = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    third_party = set(done.stdout.split()) - set(bare.stdout.split()) - sys.stdlib_module_names
    assert third_party == {"ringfence"}


def _lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_core_can_be_read_in_an_afternoon() -> None:
    assert sum(map(_lines, CORE)) < 1750  # ADR 0006


def test_no_file_is_longer_than_400_lines() -> None:
    assert [f"{file.relative_to(SOURCE)}: {_lines(file)}" for file in FILES if _lines(file) > 400] == []


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        f"{file.relative_to(SOURCE)}:{node.lineno} {node.name}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 50
    ]
    assert long == []


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [linter, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
