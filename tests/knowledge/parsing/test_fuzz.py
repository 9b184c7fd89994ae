"""Whatever bytes a file holds: it is read, or it is Unreadable; nothing else is raised, and nothing hangs."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.knowledge.errors import Unreadable
from ringfence.knowledge.parsing import ConfinedParser
from ringfence.knowledge.parsing.clean import FORBIDDEN, clean, line, shown, tidy

from . import making

pytestmark = pytest.mark.asyncio(loop_scope="package")

SUFFIXES = (
    *("pdf", "docx", "xlsx", "xls", "ods", "pptx", "html", "md", "txt", "csv"),
    *("tsv", "json", "jsonl", "eml", "py", "log", "zip", "unknown"),
)
MADE: dict[str, Callable[[], bytes]] = {
    "pdf": lambda: making.pdf(("Head", "some text " * 40), ("Two", "more")),
    "docx": making.word,
    "pptx": making.deck,
    "xlsx": lambda: making.xlsx({"A": [["a", "b"], [1, 2.5]], "B": [["x"]]}),
    "xls": making.xls,
    "ods": making.ods,
    "eml": lambda: making.mail(("a.docx", making.word()), ("b.csv", b"a,b\n1,2\n"), html="<p>hi"),
    "zip": lambda: making.zipped({"a.md": b"# A", "b/c.json": b'{"a": [1]}', "d.pdf": making.pdf(("H", "t"))}),
    "html": lambda: b"<!doctype html><h1>A</h1><table><tr><td>1</table><p hidden>x<pre>y</pre>" * 9,
    "md": lambda: b"---\ntitle: x\nreaders: [role:a]\n---\n# A\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n",
    "csv": lambda: b'a,"b ""c",d\n1,2,3\n' * 20,
    "json": lambda: b'{"a": [1, {"b": null}], "c": "\\u202e"}',
}


async def _parse(parser: ConfinedParser, folder: Path, name: str, data: bytes) -> None:
    place = folder / "fuzzed"
    place.write_bytes(data)
    try:
        found = await parser.parse(name, str(place))
    except Unreadable:
        return
    for member, parsed in found:
        assert not FORBIDDEN.search(member + parsed.title + "".join(parsed.notes))
        assert not any(FORBIDDEN.search(block.text) or not block.text.strip() for block in parsed.blocks)


fuzz = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzz
@given(data=st.binary(min_size=1, max_size=3_000), suffix=st.sampled_from(SUFFIXES))
async def test_random_bytes_are_read_or_unreadable(
    parser: ConfinedParser, tmp_path: Path, data: bytes, suffix: str
) -> None:
    await _parse(parser, tmp_path, f"a.{suffix}", data)


@fuzz
@given(text=st.text(min_size=1, max_size=2_000), suffix=st.sampled_from(SUFFIXES))
async def test_random_text_is_read_or_unreadable(
    parser: ConfinedParser, tmp_path: Path, text: str, suffix: str
) -> None:
    await _parse(parser, tmp_path, f"{text[:9]}.{suffix}", text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("kind", MADE)
async def test_mutated_files_are_read_or_unreadable(parser: ConfinedParser, tmp_path: Path, kind: str) -> None:
    whole, starts = MADE[kind](), parser.starts
    for seed in range(60):
        rng = random.Random(f"{kind}-{seed}")
        data = bytearray(whole)
        for _ in range(rng.choice([1, 3, 20, 200])):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] = rng.randrange(256)
                case 1:
                    data[at : at + rng.randrange(64)] = b""
                case 2:
                    data[at:at] = data[at : at + rng.randrange(64)]
                case _:
                    data[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
            data = data or bytearray(b"x")
        await _parse(parser, tmp_path, f"a.{kind}", bytes(data))
    assert parser.starts == starts  # a fork that breaks down takes nobody along


@given(st.text(st.characters()))
async def test_clean_text_stays_clean_and_as_it_is(text: str) -> None:
    once, _ = clean(text)
    assert not FORBIDDEN.search(once)
    assert clean(once) == (once, 0)
    assert not FORBIDDEN.search(shown(text))
    assert "\n" not in line(text) + shown(text)
    assert tidy(tidy(once)) == tidy(once)
