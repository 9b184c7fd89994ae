"""Front matter: a file may name its readers, which only narrows; what cannot be understood lets nobody in."""

from __future__ import annotations

import pytest

from ringfence.knowledge.ports import Block

from . import making
from .conftest import Parse, Refused

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_it_gives_title_and_readers_and_is_no_text(parse: Parse) -> None:
    data = b"---\ntitle: Pay scales\nreaders: [role:hr, user:ann]\nother: {a: [1]}\n---\n# Head\n\ntext\n"
    for name in ("a.md", "a.txt"):
        parsed = (await parse(name, data))[""]
        assert parsed.title == "Pay scales"
        assert parsed.readers == ("role:hr", "user:ann")
        assert parsed.blocks[-1] == Block("text") if name == "a.md" else parsed.blocks[0].text == "# Head"
    page = (await parse("a.html", b"\xe2\x80\x8b---\nreaders: role:hr\n---\n<p>Hi"))[""]
    assert (page.readers, page.blocks) == (("role:hr",), (Block("Hi"),))
    assert (await parse("a.md", b"\xef\xbb\xbf---\r\nReaders: role:hr\r\n---\r\nx"))[""].readers == ("role:hr",)


async def test_members_of_an_archive_keep_their_own(parse: Parse) -> None:
    files = {"a.md": b"---\nreaders: role:hr\n---\nx", "b.md": b"---\ntitle: B\n---\nx", "c.md": b"x"}
    found = await parse("a.zip", making.zipped(files))
    assert [found[name].readers for name in ("a.md", "b.md", "c.md")] == [("role:hr",), None, None]


@pytest.mark.parametrize("text", ["---\n\ntext\n\n---\n", "---\nnot: [closed\n---\nx", "-- -\nx", "---\ntitle: x\n\ny"])
async def test_what_is_no_front_matter_stays_text(parse: Parse, text: str) -> None:
    parsed = (await parse("a.md", text.encode()))[""]
    assert parsed.readers is None
    assert parsed.blocks


@pytest.mark.parametrize(
    "front",
    [
        "readers: []", "readers:", "readers: 7", "readers: [role:hr, 7]", "readers: {role: hr}", "readers: ['']",
        "readers: [role:hr", "readers: role:hr\nreaders: [public]", "readers: role:hr\nReaders: public",
        "\"readers\": [role:hr\n", "x: *nowhere\nreaders: role:hr", "- readers: role:hr", "{readers: [role:hr]",
        "readers: &a [*a]",
    ],
)  # fmt: skip
async def test_readers_that_cannot_be_understood_let_nobody_in(refused: Refused, front: str) -> None:
    assert "front matter" in await refused("a.md", f"---\n{front}\n---\nsecret text\n".encode())


async def test_front_matter_that_does_not_end_lets_nobody_in(refused: Refused) -> None:
    assert "does not end" in await refused("a.md", b"---\nreaders: role:hr\nsecret text\n")


async def test_a_bomb_of_aliases_is_not_blown_up(parse: Parse) -> None:
    front = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert (await parse("a.md", f"---\n{front}title: T\n---\nx".encode()))[""].title == "T"
