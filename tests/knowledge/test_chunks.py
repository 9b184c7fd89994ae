"""Cutting documents: whatever they hold and however tokens are counted, chunks fit, cover and point at the text."""

from __future__ import annotations

import math
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.knowledge.chunks import Count, estimate, passage, split
from ringfence.knowledge.ports import Block, Chunk, Parsed


def letters(text: str) -> int:
    """The finest count there is: a token for each byte."""
    return 2 + len(text.encode())


def words(text: str) -> int:
    """A coarse one, to which a word of any length is one token."""
    return 2 + len(text.split())


def surprising(text: str) -> int:
    """One that costs the more the more often a text changes its kind, and that is not the sum of its parts."""
    return 2 + math.ceil(len(text) / 3) + len(re.findall(r"\d\D", text))


COUNTS: list[Count] = [estimate, letters, words, surprising]
pieces = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="ab .!?\n\t#|-1中é\u0301🙂", max_size=900),
    st.sampled_from(
        ["x" * 5000, "word " * 700, "One. Two! Three? " * 90, "| a | b |\n| - | - |\n" + "| 1 | 2 |\n" * 200]
    ),
    st.sampled_from(
        ["한국어 " * 300, "這是一句話。" * 200, "\n" * 600 + "a", " " * 9000 + "end", "\ud800half", "a\0b"]
    ),
)
blocks = st.builds(
    Block,
    pieces,
    kind=st.sampled_from(["heading", "text", "table", "code"]),
    page=st.integers(0, 3),
    level=st.integers(0, 4),
)
documents = st.builds(
    Parsed, st.lists(blocks, max_size=12).map(tuple), title=st.one_of(st.just("A title"), st.text(max_size=200))
)


@settings(max_examples=150)
@given(documents, st.sampled_from(COUNTS), st.sampled_from([(128, 0), (128, 64), (300, 40), (512, 64)]))
def test_chunks_fit_and_point_at_the_text_and_cover_all_of_it(
    parsed: Parsed, count: Count, size: tuple[int, int]
) -> None:
    tokens, overlap = size
    text, chunks = split(parsed, count=count, tokens=tokens, overlap=overlap)
    covered = bytearray(len(text))
    for chunk in chunks:
        own = text[chunk.start : chunk.end]
        assert own == own.strip()
        assert own
        assert chunk.tokens == count(passage(parsed.title, chunk, own)) <= tokens
        covered[chunk.start : chunk.end] = b"\1" * len(own)
    assert all(seen or character.isspace() for seen, character in zip(covered, text, strict=True))
    for one, after in pairwise(chunks):
        assert one.start < after.start
        assert one.end < after.end
    assert (text, chunks) == split(parsed, count=count, tokens=tokens, overlap=overlap)
    text.encode()
    assert "\0" not in text


@settings(max_examples=60)
@given(documents)
def test_a_chunk_is_of_the_page_of_every_block_in_it(parsed: Parsed) -> None:
    chunks = split(parsed, count=estimate)[1]
    start, places = 0, list[tuple[int, int, int]]()
    for block in parsed.blocks:
        if size := len(block.text.strip()):
            places.append((start, start + size, block.page))
            start += size + 2
    for chunk in chunks:
        pages = {page for first, end, page in places if first < chunk.end and chunk.start < end}
        assert pages == {chunk.page}


def sentences(number: int, first: int = 0) -> str:
    return " ".join(f"Sentence {first + n} says that pump {first + n} holds." for n in range(number))


def test_chunks_begin_and_end_at_sentences_and_overlap_by_whole_ones() -> None:
    text, chunks = split(Parsed((Block(sentences(200)),)), count=estimate, tokens=256, overlap=48)
    assert len(chunks) > 5
    for one, after in pairwise(chunks):
        own, shared = text[one.start : one.end], text[after.start : one.end]
        assert own.startswith("Sentence")
        assert own.endswith("holds.")
        assert 12 < estimate(shared) <= 50
        assert shared.startswith("Sentence")


def test_abbreviations_numbers_and_initials_end_no_sentence() -> None:
    said = "Dr. Ada Byron met C. Babbage, e.g. Charles, on the 3. May of No. 7 Street." + " It rained that day." * 60
    text, chunks = split(Parsed((Block(said),)), count=estimate, tokens=128, overlap=30)
    assert text[chunks[0].start : chunks[0].end].startswith("Dr. Ada Byron met C. Babbage")
    for chunk in chunks[1:]:
        assert text[chunk.start :].startswith("It rained")


def test_a_heading_opens_a_chunk_that_carries_its_path() -> None:
    parsed = Parsed(
        (
            Block("Handbook", "heading", level=1),
            Block("Leave", "heading", level=2),
            Block("Thirty days a year."),
            Block("Travel", "heading", level=2),
            Block("By train."),
            Block("Abroad", "heading", level=3),
            Block("Ask first."),
            Block("Annex", "heading", level=1),
            Block("Forms."),
        ),
        title="Handbook",
    )
    text, chunks = split(parsed, count=estimate)
    assert [(chunk.headings, text[chunk.start : chunk.end]) for chunk in chunks] == [
        (("Handbook", "Leave"), "Handbook\n\nLeave\n\nThirty days a year."),
        (("Handbook", "Travel"), "Travel\n\nBy train."),
        (("Handbook", "Travel", "Abroad"), "Abroad\n\nAsk first."),
        (("Annex",), "Annex\n\nForms."),
    ]
    said = [passage(parsed.title, chunk, text[chunk.start : chunk.end]) for chunk in chunks]
    assert said[0] == "Handbook\n\nLeave\n\nThirty days a year."  # nothing is said twice
    assert said[2] == "Handbook > Travel\nAbroad\n\nAsk first."
    assert said[3] == "Handbook\nAnnex\n\nForms."


def test_the_title_is_in_the_passage_and_in_its_count_and_a_long_one_is_cut() -> None:
    parsed = Parsed((Block("word " * 400),), title="Ein sehr langer Titel über Öl " * 20)
    text, chunks = split(parsed, count=letters, tokens=256)
    said = passage(parsed.title, chunks[0], text[chunks[0].start : chunks[0].end])
    assert said.startswith("Ein sehr langer Titel über Öl")
    assert len(said.partition("\n")[0].encode()) <= 64
    assert max(chunk.tokens for chunk in chunks) <= 256
    other, named = split(Parsed(parsed.blocks), count=letters, tokens=256, title=parsed.title)
    assert (other, named) == (text, chunks)


def table(rows: int) -> str:
    return "| pump | pressure |\n| --- | --- |\n" + "\n".join(f"| P-{n} | {n * 7} bar |" for n in range(rows))


def test_a_table_that_fits_stays_whole_even_where_the_chunk_before_has_room_for_half_of_it() -> None:
    parsed = Parsed((Block(sentences(18)), Block(table(20), "table"), Block(sentences(20, 50))))
    text, chunks = split(parsed, count=estimate, tokens=400)
    assert len(chunks) > 1
    assert any(table(20) in text[chunk.start : chunk.end] for chunk in chunks)


def test_a_table_that_does_not_fit_is_cut_between_rows_and_every_part_knows_its_columns() -> None:
    parsed = Parsed((Block("Pumps", "heading", level=1), Block(table(300), "table")))
    text, chunks = split(parsed, count=estimate, tokens=256, title="Plant")
    assert len(chunks) > 5
    for chunk in chunks[1:]:
        own = text[chunk.start : chunk.end]
        assert chunk.kind == "table"
        assert chunk.headings == ("Pumps", "pump | pressure")
        assert all(re.fullmatch(r"\| P-\d+ \| \d+ bar \|", row) for row in own.splitlines())
        assert passage("Plant", chunk, own).startswith("Plant > Pumps > pump | pressure\n| P-")
    rows = [row for chunk in chunks for row in text[chunk.start : chunk.end].splitlines()]
    assert rows.count("| P-150 | 1050 bar |") == 1  # rows do not overlap


def test_code_is_cut_between_lines_and_rather_before_a_definition() -> None:
    code = "\n\n".join(f"def f{n}(x):\n    a = x + {n}\n    return a * {n}" for n in range(80))
    text, chunks = split(Parsed((Block(code, "code"),)), count=estimate, tokens=200, overlap=0)
    assert len(chunks) > 5
    for chunk in chunks:
        own = text[chunk.start : chunk.end]
        assert chunk.kind == "code"
        assert own.startswith("def f")
        assert re.search(r"return a \* \d+$", own)


def test_pages_are_never_mixed_and_nothing_overlaps_between_them() -> None:
    parsed = Parsed(tuple(Block(sentences(30, 100 * page), page=page) for page in (1, 2, 3)))
    text, chunks = split(parsed, count=estimate, tokens=200)
    for chunk in chunks:
        number = re.match(r"Sentence (\d)?\d\d? ", text[chunk.start : chunk.end])
        assert number is not None
        assert int(number.group(1) or 0) in {chunk.page, 0, 1, 2, 3}
    firsts = {page: min(chunk.start for chunk in chunks if chunk.page == page) for page in (1, 2, 3)}
    assert [text[start:].split()[1] for start in firsts.values()] == ["100", "200", "300"]


def test_the_kind_of_a_chunk_is_that_of_all_its_blocks() -> None:
    def kind(*blocks: Block) -> str:
        (chunk,) = split(Parsed(blocks), count=estimate)[1]
        return chunk.kind

    title = Block("T", "heading", level=1)
    assert kind(title, Block("x = 1", "code")) == "code"
    assert kind(title, Block("Run:"), Block("x = 1", "code")) == "text"
    assert kind(title) == "heading"


def test_an_empty_document_has_no_chunks() -> None:
    assert split(Parsed((Block(" \n"), Block("")), title="Empty"), count=estimate) == ("", ())


def test_a_limit_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 128 tokens"):
        split(Parsed(()), count=estimate, tokens=100)


@pytest.mark.parametrize(
    "hostile", ["a" * 500_000, "." * 300_000, "\n" * 500_000 + "a", "|" * 200_000, "? A" * 100_000]
)
@pytest.mark.parametrize("kind", ["text", "table", "code", "heading"])
def test_a_hostile_text_takes_a_time_that_is_linear_in_it(hostile: str, kind: str) -> None:
    def seconds(text: str) -> float:
        start = time.process_time()
        split(Parsed((Block(text, kind), Block("end"))), count=estimate)  # type: ignore[arg-type]
        return time.process_time() - start

    part = max(seconds(hostile[: len(hostile) // 8]), 0.02)
    assert seconds(hostile) < 40 * part


def test_the_estimate_counts_scripts_without_blanks_by_the_character() -> None:
    assert estimate("") == 2
    assert estimate("internationalisation") == 2 + 4
    assert estimate("這是一句話。") == 2 + 6
    assert estimate("a" * 10_000) == 2 + 2000


def test_a_passage_needs_no_heading() -> None:
    assert passage("", Chunk(0, 4), "text") == "text"
