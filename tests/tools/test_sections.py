"""files.find and files.search in settings and lists of changes, where a line means nothing without its section."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.tools.sections import in_sections, with_sections

Call = Callable[..., Any]

DEPLOY = """\
# replicas: 1
service:
  web:
    replicas: 3
    # memory: 256Mi
    memory: 512Mi
    env:
      - name: LOG_LEVEL
        value: debug
      - name: TIMEOUT
        value: "45"
  worker:
    replicas: 7   # was 5
    memory: 1Gi
"""
SETTINGS = """\
{
  "editor": {
    "fontSize": 14
  },
  "terminal": {
    "fontSize": 11,
    "shell": "zsh"
  }
}
"""
SHOP = """\
[[plugin]]
name = "stripe"
timeout = 10
[[plugin]]
name = "sepa"
timeout = 25
[mail]
; retries = 9
retries = 3
"""
CHANGES = """\
# Changelog

## [2.3.0] - 2026-03-01

### Added
- Dark mode

### Fixed
- Crash on empty cart

## [2.2.1] - 2026-01-15

### Fixed
- Login loop in Safari

## Thanks
- Everybody
"""


@pytest.fixture
def find(call: Call, box: Path) -> Call:
    """The closest lines for a question."""
    for name, text in {
        "deploy.yaml": DEPLOY,
        "user.json": SETTINGS,
        "shop.toml": SHOP,
        "CHANGELOG.md": CHANGES,
    }.items():
        (box / "runbooks" / name).write_text(text)

    async def closest(question: str) -> Any:
        return (await call("files.find", question=question))["closest lines"]

    return closest


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("How many replicas does the worker have?", "[service.worker] replicas: 7   # was 5"),
        ("memory of the web service", "[service.web] memory: 512Mi"),
        ("font size of the terminal", '[terminal] "fontSize": 11,'),
        ("timeout of the sepa plugin", "[plugin sepa] timeout = 25"),
        ("retries of mail", "[mail] retries = 3"),
        ("What was fixed in 2.2.1?", "[2.2.1 - 2026-01-15, Fixed] - Login loop in Safari"),
        ("When was 2.3.0 released?", "## [2.3.0] - 2026-03-01"),
        ("Which version brought dark mode?", "[2.3.0 - 2026-03-01, Added] - Dark mode"),
    ],
)
async def test_the_closest_line_is_that_of_the_section_that_is_asked_for(find: Call, question: str, line: str) -> None:
    assert (await find(question))[0] == line


async def test_what_is_told_apart_stays_out_of_the_passages(find: Call, call: Call) -> None:
    (one, *_) = (await call("files.find", question="replicas of the worker"))["passages"]
    assert set(one) <= {"path", "lines", "text"}
    assert "    replicas: 7   # was 5" in one["text"]


async def test_a_match_in_settings_names_its_section(find: Call, call: Call) -> None:
    assert (await call("files.search", path="deploy.yaml", pattern="replicas:"))["matches"] == [
        "runbooks/deploy.yaml:1: # replicas: 1",
        "runbooks/deploy.yaml:4 [service.web]: replicas: 3",
        "runbooks/deploy.yaml:13 [service.worker]: replicas: 7   # was 5",
    ]
    assert (await call("files.search", pattern="timeout = 2"))["matches"] == [
        "runbooks/shop.toml:6 [plugin sepa]: timeout = 25"
    ]


async def test_of_a_long_file_of_settings_the_sample_says_its_sections(call: Call, box: Path) -> None:
    lines = [line for n in range(60) for line in (f"  node{n}:", f"    port: {8_000 + n}", f"    memory: {n}Gi")]
    (box / "runbooks/nodes.yaml").write_text("\n".join(["nodes:", *lines]) + "\n")
    (one, *_) = (await call("files.find", question="memory of node37 in nodes.yaml"))["passages"]
    assert "[nodes.node37] memory: 37Gi" in one["text"]


def test_an_object_of_a_list_is_called_by_its_first_value() -> None:
    rates = {
        "valid": "2026",
        "tariffs": [{"plant": "Old Mill", "ct": 7.8}, {"plant": "Library", "ct": 9, "by": {"n": 1}}],
    }
    named = in_sections("a.json", json.dumps(rates, indent=2).split("\n"))
    assert [line for line in named.values() if "ct" in line or '"n"' in line] == [
        '[tariffs.Old Mill] "ct": 7.8', '[tariffs.Library] "ct": 9,', '[tariffs.Library.by] "n": 1',
    ]  # fmt: skip
    assert named[2] == '"valid": "2026",'


def test_a_remark_behind_a_section_is_none_of_its_name() -> None:
    ini = in_sections("a.ini", ["[cache]", "ttl = 60", "[db] # main", "port = 5432", '[servers."a=b"]', "port = 1"])
    assert [ini[2], ini[4], ini[6]] == ["[cache] ttl = 60", "[db] port = 5432", "port = 1"]
    assert in_sections("a.yaml", ["prod:", "  db: # main", "    port: 5"])[3] == "[prod.db] port: 5"
    assert in_sections("a.yaml", ["prod:", "  db: &main", "    port: 5"])[3] == "[prod.db] port: 5"


def test_sections_of_settings() -> None:
    named = in_sections("deploy.yaml", DEPLOY.splitlines())
    assert named[8] == "[service.web.env] - name: LOG_LEVEL"
    assert named[9] == "[service.web.env.LOG_LEVEL] value: debug"
    assert named[11] == '[service.web.env.TIMEOUT] value: "45"'
    assert in_sections("notes.md", ["a: 1"]) == {}
    assert with_sections(CHANGES)[-1] == "- Everybody"
    assert with_sections("[x]\na = 1\n- [ ] b\n# c") == ["[x] a = 1", "- [ ] b"]
