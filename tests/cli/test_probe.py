"""`ringfence models probe`, and what `doctor` then shows of it."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Serve, Shell


def rows(text: str) -> dict[str, str]:
    """What was found, by name."""
    found = (line.split() for line in text.splitlines() if line.startswith("  "))
    return {" ".join(words[1:3]): words[0] for words in found if words[0] in ("yes", "no", "unknown", "broken")}


def test_what_a_server_can_do_is_shown_kept_and_tried_again_when_asked(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve("Hello there")
    first = ringfence("models", "probe")
    assert first.code == 0
    assert "scripted at http://127.0.0.1:" in first.out
    found = rows(first.out)
    assert (found["tools auto"], found["tools required"]) == ("no", "no")
    assert "a step is first asked on rung 3, text that is read" in first.out
    second = ringfence("models", "probe")
    assert "--again tries anew" in second.out
    assert rows(second.out) == found
    assert "tried in" in ringfence("models", "probe", "--again").out


def test_json_holds_every_row_and_the_rung(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve("Hello there")
    told = json.loads(ringfence("models", "probe", "--json").out)
    assert [one["tier"] for one in told] == ["main"]
    assert told[0]["rung"] == "3, text that is read"
    assert {row["name"] for row in told[0]["rows"]} >= {"window", "too long", "tools auto", "grammar", "speed"}
    assert told[0]["cached"] is False


def test_doctor_says_how_to_try_and_then_what_was_found(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve("Hello there")
    assert "ringfence models probe --tier main" in ringfence("doctor").out
    ringfence("models", "probe")
    line = next(line for line in ringfence("doctor").out.splitlines() if "probe main" in line)
    assert "no native calls, grammar not held" in line


def test_doctor_does_not_show_what_was_found_of_another_model(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve("Hello there")
    ringfence("models", "probe")
    for kept in (folder.parent / "home" / "probes").iterdir():
        kept.write_text(json.dumps({**json.loads(kept.read_text()), "identity": "0" * 64}))
    line = next(line for line in ringfence("doctor").out.splitlines() if "probe main" in line)
    assert "another model, and is not used" in line
    assert "tried in" in ringfence("models", "probe").out


def test_a_server_that_is_absent_is_a_line_that_says_so(ringfence: Shell, folder: Path) -> None:
    (folder / "ringfence.yaml").write_text(
        'inference: {provider: llamacpp, model: m, endpoint: "http://127.0.0.1:9", retries: 0}\n'
    )
    shown = ringfence("models", "probe")
    assert shown.code == 5
    assert "main: no model server answers at http://127.0.0.1:9" in shown.out
    assert "llama-server" in shown.out
    told = ringfence("models", "probe", "--json")
    assert told.code == 5
    assert "no model server answers" in json.loads(told.out)[0]["error"]


def test_a_tier_that_is_not_there_names_those_that_are(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve("x")
    shown = ringfence("models", "probe", "--tier", "large")
    assert shown.code == 2
    assert "there are main" in shown.err
