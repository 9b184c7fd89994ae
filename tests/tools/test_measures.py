"""What the numbers in the fields of lines come to, and where lines differ that have no such field."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.tools.measures import Measures, in_words

from .conftest import Call

SOC = [("Market House", 39), ("Town Hall", 3), ("Market House", 7), ("Market House", 96), ("Market House", 58)]


@pytest.fixture
def logs(box: Path) -> None:
    lines = [f'ts=2026-05-0{n}T04:00:00 site="{site}" soc={soc} id=7{n}' for n, (site, soc) in enumerate(SOC, 1)]
    (box / "logs/battery.log").write_text("\n".join(lines) + "\n")
    hosts = ["gw-park", "gw-north", "gw-park", "gw-hill", "gw-park", "gw-north"]
    lost = [f"May  {n} 04:39:40 {host} netd[1]: link lost" for n, host in enumerate(hosts, 1)]
    (box / "logs/gateways.log").write_text("\n".join([*lost, "May  9 05:00:00 gw-hill netd[1]: link up"]) + "\n")


async def test_of_the_lines_that_are_searched_for_the_least_and_the_most_are_told(call: Call, logs: None) -> None:
    found = await call("files.search", path="logs/battery.log", pattern="Market House")
    soc = found["soc of these 4 lines"]
    assert soc.startswith("lowest 7 (logs/battery.log:3: ts=2026-05-03T04:00:00")  # and not the 3 of another site
    assert ", highest 96 (logs/battery.log:4: " in soc
    assert soc.endswith(", average 50, sum 200")
    assert not any(key.startswith("id ") for key in found)  # a number that names something is no amount


async def test_groups_by_a_number_say_what_it_comes_to(call: Call, logs: None) -> None:
    found = await call("text.count", path="logs/battery.log", pattern="Market House", group_by="soc")
    assert found["soc of these lines"].startswith("lowest 7 (logs/battery.log:3: ")
    found = await call("text.count", path="logs/battery.log", pattern="Market House", group_by="site")
    assert not any(key.endswith("of these lines") for key in found)


async def test_where_no_line_has_the_field_it_is_told_how_the_lines_differ(call: Call, logs: None) -> None:
    found = await call("text.count", path="logs/gateways.log", pattern="link lost", group_by="gateway")
    assert found["matching_lines"] == 6
    assert (found["by"], found["top"][0]) == ("word 4 of the line", ["gw-park", 3])
    assert "no matching line has a field 'gateway'" in found["note"]
    found = await call("text.count", path="logs/gateways.log", pattern="link", group_by="gateway")
    assert found["most often as word 7"] == "lost 6, up 1"  # may be meant as well as the fourth
    assert sorted(found["most often as word 4"].split(", ")) == ["gw-hill 2", "gw-north 2", "gw-park 3"]
    assert "no matching line has a field 'gateway'" in found["note"]


async def test_who_asks_for_the_most_frequent_value_is_told_others_too(call: Call, logs: None) -> None:
    found = await call("text.count", path="logs/battery.log", group_by="site", top=1)
    assert found["top"] == [["Market House", 4], ["Town Hall", 1]]


def measured(*lines: dict[str, str]) -> dict[str, str]:
    measures = Measures()
    for n, named in enumerate(lines, 1):
        measures.take(
            named, " ".join(f"{name}={text}" for name, text in named.items()), ["a.log", n, " ".join(named.values())]
        )
    return {name: in_words(of) for name, of in measures.told(len(lines)).items()}


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["-1.5", "2", "0.1"], "lowest -1.5 (a.log:1: -1.5), highest 2 (a.log:2: 2), average 0.2, sum 0.6"),
        (["90s", "12s"], "lowest 12s (a.log:2: 12s), highest 90s (a.log:1: 90s), average 51s, sum 102s"),
        (["52%", "7 %"], "lowest 7 % (a.log:2: 7 %), highest 52% (a.log:1: 52%), average 29.5%, sum 59%"),
        (["90 s", "2 min"], None),  # of two units nothing is told
        (["1,500", "900"], None),
        (["10", "20", "30", "40", "1e6"], None),
        (["5", "5"], None),  # nor of what is the same everywhere
        (["5", "n/a", "7"], None),  # nor of what a third of the lines has no number for
        (["1.2.3", "2.0.1"], None),
        (["10:05", "11:05"], None),
    ],
)  # fmt: skip
def test_what_numbers_come_to(texts: list[str], told: str | None) -> None:
    assert measured(*({"x": text} for text in texts)).get("x") == told


@pytest.mark.parametrize("name", ["id", "user_id", "http.status", "Port", "at", "line_no"])
def test_a_number_that_names_something_is_not_added_up(name: str) -> None:
    assert measured({name: "4"}, {name: "8"}) == {}


def test_of_many_fields_the_first_ones_are_measured() -> None:
    many = [{f"f{n}": str(n + of) for n in range(40)} for of in (0, 1)]
    assert len(measured(*many)) == 20
