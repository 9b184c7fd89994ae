"""Logs and repositories that are too large to hold: searched, counted, found in and read, in bounded memory."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.errors import ToolError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action
from ringfence.manifest.tools import Sandbox
from ringfence.manifest.types import BuiltinTool
from ringfence.sandboxes import AnyLauncher
from ringfence.tools import Tool, Workshop, corpus, find, from_manifest, lines, marks, search
from ringfence.tools.corpus import Blocks, Budget
from ringfence.tools.folders import Source
from ringfence.tools.lines import Sieve, split_lines
from ringfence.tools.marks import Marks
from ringfence.tools.pattern import Pattern, scan
from ringfence.tools.windows import Sparse, needles

Call = Callable[..., Any]
ODD_ONE = "2026-03-09 11:00:00 FATAL payments gateway: upstream certificate expired, handshake refused\n"
PART = "".join(
    f"2026-03-01 10:{n // 60 % 60:02}:{n % 60:02} {'ERROR' if n % 100 == 0 else 'INFO'} user=u{n % 97} served {n}\n"
    for n in range(20_000)
)
PARTS = 120
BEFORE = 100  # parts, then the odd line


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """About 115 MB and 2.4 million lines."""
    path = tmp_path / "logs/big.log"
    path.parent.mkdir()
    with path.open("wb") as file:
        for n in range(PARTS):
            file.write((ODD_ONE if n == BEFORE else "").encode() + PART.encode())
    assert path.stat().st_size > 100 * 2**20
    yield path
    path.unlink()


@pytest.fixture
async def confined(log: Path, tmp_path: Path, sandbox: AnyLauncher) -> AsyncIterator[Call]:
    """Calls a tool in a sandboxed worker of 192 MB, far less than it would take to hold the log as text."""
    shop = Workshop(sandbox, tmp_path / ".ringfence")
    made: dict[str, Tool] = {}
    for name in ("files", "text"):
        limits = Sandbox(memory_mb=192, cpu_s=60)
        config = BuiltinTool(name=name, type="builtin", target_paths=(Path("logs"),), sandbox=limits)
        for tool in from_manifest(
            config, root=tmp_path, readers=frozenset(), callers=None, clock=lambda: 0, workshop=shop
        ):
            made[tool.spec.name] = tool

    async def call(name: str, **args: Any) -> Any:
        return (await made[f"tool:{name}"].sink.perform(Action(f"tool:{name}", args, IDENTITY))).value

    yield call
    await shop.aclose()


async def test_a_large_log_is_searched_counted_found_in_and_read_in_little_memory(confined: Call) -> None:
    number = BEFORE * 20_000 + 1
    hit = f"logs/big.log:{number}: {ODD_ONE.strip()}"
    assert await confined("files.search", pattern="certificate expired") == {"matches": [hit]}
    assert (await confined("files.search", pattern="handshake.*refused"))["matches"] == [hit]
    counted = await confined("text.count", pattern="ERROR")
    assert (counted["matching_lines"], counted["of_lines"]) == (PARTS * 200, PARTS * 20_000 + 1)
    assert "note" not in counted
    found = await confined("files.find", question="Why did the handshake with the payments gateway fail?")
    assert found["passages"][0]["lines"] == f"{number}-{number} of {PARTS * 20_000 + 1}"
    assert found["passages"][0]["text"] == ODD_ONE.strip()
    assert "note" not in found
    for _ in range(2):
        read = await confined("files.read", path="big.log", first=number - 1, last=number)
        assert read["text"].splitlines() == [PART.splitlines()[-1], ODD_ONE.strip()]
    last = await confined("files.read", path="big.log", first=-1)
    assert last["lines"] == f"{PARTS * 20_000 + 1}-{PARTS * 20_000 + 1} of {PARTS * 20_000 + 1}"


async def test_what_there_was_no_time_for_is_said(
    log: Path, tmp_path: Path, make: Call, act: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logs/z.log").write_text("after it\n")
    monkeypatch.setattr(search, "STREAM_S", 0.0)
    tools = [*make("files", tmp_path, "logs"), *make("text", tmp_path, "logs")]
    result = await act(tools, "text.count", pattern="ERROR")
    assert result["note"].startswith("the time was up: what is told is of the part that was read")
    assert "not read: logs/big.log and the rest (no time left)" in result["note"]
    assert "no time left" in (await act(tools, "files.search", pattern="refused"))["note"]


async def test_a_pattern_that_blows_up_in_the_midst_of_much_text_is_stopped(
    tmp_path: Path, make: Call, act: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.log").write_text(PART + "a" * 5_000 + "!\n" + PART * 10)
    assert scan.__kwdefaults__
    monkeypatch.setitem(scan.__kwdefaults__, "seconds", 1.0)
    with pytest.raises(ToolError, match=r"\(a\+\)\+\$' did not end within 1 s"):
        await act(make("files", tmp_path, "logs"), "files.search", pattern="(a+)+$")


async def test_of_thousands_of_files_the_best_one_is_found(tmp_path: Path, make: Call, act: Call) -> None:
    filler = "def handler(request):\n    return respond(request, status=200)\n\n" * 40
    for n in range(4_000):
        path = tmp_path / f"repo/pkg{n % 50}/module{n}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# module {n}\n{filler}")
    target = tmp_path / "repo/pkg7/quota.py"
    target.write_text(filler * 2 + "def refund_expired_voucher(order):\n    '''Pays back a voucher.'''\n" + filler)
    tools = make("files", tmp_path, "repo")
    found = await act(tools, "files.find", question="where are expired vouchers refunded?")
    assert found["passages"][0]["path"] == "repo/pkg7/quota.py"
    assert "refund_expired_voucher" in found["passages"][0]["text"]
    assert len((await act(tools, "files.search", pattern="refund_expired"))["matches"]) == 1


class Given:
    """A source of bytes in memory."""

    def __new__(cls, data: bytes) -> Source:  # type: ignore[misc]
        return Source("x", len(data), 0, io.BytesIO(data))  # type: ignore[arg-type]


@settings(max_examples=100)
@given(data=st.binary(max_size=80).map(lambda b: b.replace(b"\xff", b"\n").replace(b"\x00", b"a")))
def test_blocks_end_with_lines_and_leave_nothing_out(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "BLOCK_BYTES", 7)
        blocks = list(Blocks(Given(data)))
        assert b"".join(blocks) == data.removeprefix(corpus.BOM)
        assert all(block.endswith(b"\n") for block in blocks[:-1])


def test_a_line_without_end_is_cut_and_its_rest_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "BLOCK_BYTES", 8)
    blocks = Blocks(Given(b"\xef\xbb\xbfone\n" + b"x" * 100 + b"\nthree\n"), line_bytes=20)
    assert b"".join(blocks) == b"one\n" + b"x" * 20 + b"\nthree\n"
    assert (blocks.long, blocks.read) == (1, 3 + 4 + 101 + 6)


PATTERNS = ["error", "ab", "a.b", "ab+c", r"ab\.c", "abc?d", "ab{2}c", "x|ab", "ab|cd", "[ab]cd", "ki", "is",
            r"\x61bcd", r"ab\d", "^ab", "ab$", "(ab)c", "AB", "ab*cd", "a|b", "kſ"]  # fmt: skip

BITS = [
    "ab",
    "abd",
    "abcd",
    "ac",
    "abbc",
    "acd",
    "bcd",
    "b",
    "AB",
    "K",
    "i",
    "İ",
    "ſ",
    "s",
    "k",
    ".",
    "1",
    "x",
    "\n",
    "\r\n",
]
TEXTS = st.lists(st.sampled_from(BITS), max_size=20).map("".join)


@settings(max_examples=600)
@given(pattern=st.sampled_from(PATTERNS), text=TEXTS)
def test_the_sieve_drops_no_line_that_matches(pattern: str, text: str) -> None:
    ignore = pattern == pattern.lower()
    sieve = Sieve.of(pattern, ignore_case=ignore)
    block = text.encode()
    low = sieve.lowered(block)
    if low is None:
        return
    kept = {n: text_of(block, a, b) for n, a, b, _ in sieve.spans(low)}
    regex = re.compile(pattern, re.IGNORECASE if ignore else 0)
    for number, line in enumerate(split_lines(text), 1):
        if regex.search(line):
            assert kept[number] == line
        elif sieve.exact:
            assert number not in kept


def text_of(block: bytes, start: int, end: int) -> str:
    return block[start:end].decode().removesuffix("\r")


@pytest.mark.parametrize(
    ("pattern", "used"), [("error", True), ("disk.*full", True), ("a|bc", False), ("(ab)+", False)]
)
def test_a_pattern_with_a_text_in_every_match_is_looked_for_as_bytes(pattern: str, used: bool) -> None:
    assert (Sieve.of(pattern, ignore_case=True).lowered(b"x") is not None) == used


@settings(max_examples=100)
@given(
    text=st.lists(st.sampled_from(["ab", "ab", "a", " ", "\n", "\r\n"]), max_size=40).map("".join),
    size=st.integers(1, 9),
)
def test_counts_do_not_depend_on_where_blocks_end_nor_on_how_much_is_looked_at(text: str, size: int) -> None:
    job = {"pattern": "ab", "ignore_case": True, "by": "", "hits": 2, "top": 0, "width": 99, "word": ""}
    whole = lines.scan(job, [("x", text.encode())])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "BLOCK_BYTES", size)
        patch.setattr(lines, "MAX_DETAILED", 1)
        pieces = lines.scan(job, (("x", block) for block in Blocks(Given(text.encode()))))
    for key in ("hits", "last", "lines", "occurrences", "total", "files"):
        assert pieces[key] == whole[key], key
    assert json.dumps(pieces)


@settings(max_examples=100)
@given(data=st.text(alphabet="ab\n", max_size=60).map(str.encode), size=st.integers(1, 9))
def test_marks_lead_to_every_line(data: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "BLOCK_BYTES", size)
        made, budget, all_lines = Marks(), Budget(60), data.split(b"\n")
        all_lines = all_lines[:-1] if not all_lines[-1] else all_lines
        for skipped in (*range(len(all_lines) + 2), 0):
            source = Given(data)
            there = made.go(source, skipped, budget)
            if skipped < len(all_lines):
                assert there
                assert source.stream.readline().removesuffix(b"\n") == all_lines[skipped]
            elif made.whole:
                assert not there
        assert made.lines(Given(data), budget) == len(all_lines)


def test_needles_are_what_the_forms_of_a_word_begin_with() -> None:
    assert needles("Why are the certificates expired on web-01?") == [b"certif", b"web-01", b"expir", b"web", b"01"]


def test_lines_that_are_not_known_are_empty() -> None:
    sparse = Sparse({0: "first", 7: "eighth"}, 10)
    assert (len(sparse), sparse[7], sparse[3], sparse[-3], sparse[6:8]) == (10, "eighth", "", "eighth", ["", "eighth"])
    with pytest.raises(IndexError):
        sparse[10]


def test_a_pattern_in_capitals_is_read_once_more_without_minding_them() -> None:
    assert scan(Pattern.read("AB"), [("x", b"ab\n" * 9)])[1]["lines"] == 0


async def test_a_place_in_a_line_of_megabytes_is_found_and_shown_in_bounds(
    tmp_path: Path, make: Call, act: Call
) -> None:
    (tmp_path / "logs").mkdir()
    line = '{"n": 1, "text": "filler"}, ' * 200_000 + '{"alarm": "coolant leak in hall four"}, ' + "[0], " * 100_000
    (tmp_path / "logs/one.json").write_text("[\n" + line + "\n]\n")
    tools = make("files", tmp_path, "logs")
    found = await act(tools, "files.find", question="Where is the coolant leaking?")
    assert found["passages"][0]["path"] == "logs/one.json"
    assert found["passages"][0]["lines"] == "2-3 of 3"
    assert "coolant leak in hall four" in found["passages"][0]["text"]
    assert len(found["passages"][0]["text"]) < 500
    hit = (await act(tools, "files.search", pattern="coolant"))["matches"]
    assert len(hit) == 1
    assert "coolant leak in hall four" in hit[0]


async def test_find_says_what_it_had_no_time_to_scan(
    log: Path, tmp_path: Path, make: Call, act: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logs/note.md").write_text("# Gateways\n\nThe payments gateway is run by Ann.\n")
    tools = make("files", tmp_path, "logs")
    both = await act(tools, "files.find", question="payments gateway")
    assert {passage["path"] for passage in both["passages"]} == {"logs/note.md", "logs/big.log"}
    monkeypatch.setattr(find, "STREAM_S", 0.0)
    found = await act(tools, "files.find", question="payments gateway")
    assert [passage["path"] for passage in found["passages"]] == ["logs/note.md"]
    assert found["note"].startswith("not read: logs/big.log (")
    assert "no time left" in found["note"]
