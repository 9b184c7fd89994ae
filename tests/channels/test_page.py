"""The page's files over HTTP."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

import ringfence.channels.web
from ringfence.channels.web.assets import Site, build, site

from .kit import served

STATIC = Path(ringfence.channels.web.__file__).parent / "static"
OURS = sorted(file for file in STATIC.rglob("*.js") if file.parent.name != "lib")
_KB = 1024


def _named(name: str) -> str:
    return f"/static/{site().version}/{name}"


async def test_the_page_is_asked_for_each_time_and_its_files_are_kept_for_ever(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        page = await client.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
        names = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
        assert len(names) > 10
        for name in names:
            file = await client.get(name)
            assert file.status_code == 200, name
            assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        again = await client.get("/", headers={"If-None-Match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("app.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("mark.svg", "image/svg+xml"),
        ("fonts/next.woff2", "font/woff2"),
    ],
)
async def test_a_file_says_what_it_is_and_is_taken_for_nothing_else(tmp_path: Path, name: str, media: str) -> None:
    async with served(tmp_path) as (client, _):
        file = await client.get(_named(name))
        assert file.headers["content-type"] == media
        assert file.headers["x-content-type-options"] == "nosniff"
        assert file.content == (STATIC / name).read_bytes()


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.2", True),
        ("*", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("*;q=0", False),
        ("gzip;q=none", False),
        ("gzipped", False),
    ],
)
async def test_who_takes_gzip_gets_what_was_packed_at_the_start(tmp_path: Path, accepts: str, packed: bool) -> None:
    async with served(tmp_path) as (client, _):
        async with client.stream("GET", _named("app.js"), headers={"Accept-Encoding": accepts}) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])
        assert (answer.headers.get("content-encoding") == "gzip") is packed
        assert int(answer.headers["content-length"]) == len(raw)
        assert (gzip.decompress(raw) if packed else raw) == (STATIC / "app.js").read_bytes()
        assert "Accept-Encoding" in answer.headers["vary"]


async def test_another_versions_name_gets_this_versions_file_and_does_not_keep_it(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        file = await client.get("/static/0123456789abcdef/app.js")
        assert file.content == (STATIC / "app.js").read_bytes()
        assert file.headers["cache-control"] == "no-cache"  # after an upgrade an open page must not mix for ever


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js", "index.html", "%2e%2e/page.py", "..%2fpage.py", "lib/..%2f..%2fpage.py", "lib//preact.js",
        "lib/LICENSE.preact", "lib/README.md", "\\..\\page.py", "app.js%00.css", "",
    ],
)  # fmt: skip
async def test_nothing_but_the_files_of_the_page_is_served(tmp_path: Path, name: str) -> None:
    async with served(tmp_path) as (client, _):
        answer = await client.get(_named(name))
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_head_says_what_get_would_and_sends_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        head = await client.head(_named("style.css"), headers={"Accept-Encoding": "identity"})
        assert head.status_code == 200
        assert int(head.headers["content-length"]) == (STATIC / "style.css").stat().st_size
        assert head.content == b""


async def test_a_browser_runs_nothing_that_stands_in_the_page_and_sets_nothing_as_html(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        page = await client.get("/")
    policy = "; ".join(page.headers.get_list("content-security-policy"))
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", page.text)


def test_one_changed_byte_or_name_makes_another_version() -> None:
    files = {"index.html": b"{{static}} {{preloads}}", "app.js": b"1"}
    versions = [build(files), build(files | {"app.js": b"2"}), build({**files, "b.js": b""}), build(dict(files))]
    assert len({one.version for one in versions}) == 3
    assert versions[0].version == versions[3].version
    assert f"/static/{versions[0].version}" in versions[0].index.body.decode()


def test_what_is_ours_never_sets_html_never_evaluates_and_names_no_other_server() -> None:
    bad = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|dangerouslySetInnerHTML|\beval\(|new Function|"
        r"https?://(?!www\.w3\.org/)|//cdn|import\(\s*[^\"'\s.]"
    )
    assert len(OURS) > 15
    found = [f"{file.name}: {hit[0]}" for file in OURS for hit in bad.finditer(_code(file))]
    assert found == []
    for sheet in STATIC.glob("*.css"):
        assert not re.search(r"@import|url\((?!\"fonts/)", sheet.read_text())


def _code(file: Path) -> str:
    return re.sub(r"^\s*//.*$", "", file.read_text(), flags=re.MULTILINE)


def test_the_libraries_are_what_their_authors_published() -> None:
    rows = re.findall(r"^\| (\S+\.\w+) \|.*\| ([0-9a-f]{64}) \|$", (STATIC / "lib/README.md").read_text(), re.MULTILINE)
    assert {name for name, _ in rows} == {
        "preact.js", "hooks.js", "htm.js", "marked.js", "../fonts/next.woff2", "../fonts/mono.woff2"
    }  # fmt: skip
    for name, digest in rows:
        assert hashlib.sha256((STATIC / "lib" / name).read_bytes()).hexdigest() == digest, name
    for licence in ("lib/LICENSE.preact", "lib/LICENSE.htm", "lib/LICENSE.marked", "fonts/LICENSE.atkinson"):
        assert (STATIC / licence).stat().st_size > 500


def test_the_first_load_stays_below_its_budget() -> None:
    whole: Site = site()
    named = re.findall(rf'(?:src|href)="/static/{whole.version}/([^"]+)"', whole.index.body.decode())
    bodies = [whole.files[name] for name in {*named, "index.html"}]
    sent = sum(len(one.packed or one.body) for one in bodies) + 900 * len(bodies)  # and the headers of each
    assert sent < 120 * _KB, f"{sent / _KB:.0f} kB in {len(bodies)} files"


@pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(STATIC)))
def test_every_module_that_a_module_names_is_there(file: Path) -> None:
    for name in re.findall(r"(?:from|import\()\s*\"(\.[^\"]+)\"", file.read_text()):
        assert (file.parent / name).is_file(), name
