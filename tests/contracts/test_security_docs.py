"""What the security pages claim exists: each named test, each file and its length."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLAIMS = (ROOT / "docs/security/claims.md").read_text()
READING = (ROOT / "docs/security/reading-order.md").read_text()
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", CLAIMS)
KERNEL, SERVER = (
    [(path, int(lines)) for path, lines in re.findall(r"\| `(src/[\w/.]+)` \| (\d+) \|", part)]
    for part in READING.split("## Who comes in")
)


@functools.cache
def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("path", "name"), TESTS, ids=[name for _, name in TESTS])
def test_a_test_that_is_named_as_a_proof_exists(path: str, name: str) -> None:
    assert name in functions(path)


def test_every_promise_of_the_design_has_a_proof_on_every_line() -> None:
    rows = [line for line in CLAIMS.splitlines() if re.match(r"\| P\d ", line)]
    assert {row[2:4] for row in rows} == {f"P{n}" for n in range(1, 9)}
    assert all("::test_" in row for row in rows)


def test_the_reading_order_is_as_long_as_it_says() -> None:
    for path, lines in KERNEL + SERVER:
        real = len((ROOT / path).read_text().splitlines())
        assert abs(real - lines) <= real / 10, f"{path} has {real} lines, and the page says {lines}"
    assert sum(lines for _, lines in KERNEL) < 3550, "what has to be read fits into an afternoon"
    assert sum(lines for _, lines in SERVER) < 2750, "and so does what comes in by a server"


def test_the_whole_kernel_is_in_the_reading_order() -> None:
    kernel = {f"src/ringfence/core/{file.name}" for file in (ROOT / "src/ringfence/core").glob("[a-z]*.py")}
    assert kernel <= {path for path, _ in KERNEL}
