"""`ringfence route`: which model a task would go to, and why, without asking any."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import Shell, final

TIERS = """\
inference:
  tiers:
    - {{name: small, provider: llamacpp, model: tiny, endpoint: "{url}"}}
    - {{name: large, provider: vllm, model: big, endpoint: "https://gpu-01.example:8000/v1", audience: [role:ops]}}
    - {{name: cloud, provider: openai, model: huge, endpoint: "https://api.example/v1", audience: [public],
       redact: true, price: {{input: 3, output: 15, currency: USD}},
       budgets: {{requests_per_day: 5, money_per_day: 2}}}}
approvals: {{approvers: [role:ops]}}
"""


@contextmanager
def watched() -> Iterator[tuple[str, list[int]]]:
    """A server that takes note of whoever connects."""
    seen: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                seen.append(1)
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", seen
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def manifest(folder: Path) -> Iterator[tuple[Path, list[int]]]:
    with watched() as (url, seen):
        path = folder / "ringfence.yaml"
        path.write_text(TIERS.format(url=url))
        yield path, seen


def test_a_decision_is_explained_and_no_server_hears_of_it(
    ringfence: Shell, manifest: tuple[Path, list[int]], folder: Path
) -> None:
    shown = ringfence("route", "How many errors are in app.log?")
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0].startswith("class    tool (simple ")
    assert lines[1] == "because  a short question; few words (6); names files or paths (1); counts or reckons"
    assert "  1. small (tiny): possible" in lines
    assert "  2. large (big): possible" in lines
    cloud = next(line for line in lines if line.startswith("  3. cloud (huge): not possible: "))
    assert cloud.endswith("(readers)")
    assert "it sees placeholders for personal data and secrets" in shown.out
    assert "     budget: 5 of 5 requests, 2 of 2 USD left today (UTC)" in lines
    assert "would be asked first: small, with these 31 bytes, the tools and what they find" in lines
    assert lines[-1].startswith("Nothing was run, and nothing was sent.")
    assert manifest[1] == []
    assert not (folder / ".ringfence").exists()  # no journal is made for it


def test_a_complex_task_starts_upstairs(ringfence: Shell, manifest: tuple[Path, list[int]]) -> None:
    shown = ringfence("route", "Compare both plans, explain why, and then recommend one.", "--json")
    found = json.loads(shown.out)
    assert (found["class"], found["would_ask"], found["sent"]) == ("complex", "large", False)
    assert [seat["tier"] for seat in found["tiers"]] == ["large", "cloud", "small"]
    assert found["tiers"][0]["place"] == "https://gpu-01.example:8000/v1, on another machine"
    assert found["tiers"][0]["seen_by"] == ["role:ops"]
    assert {seat["health"] for seat in found["tiers"]} == {"unknown"}
    assert found["text"] == {"chars": 56, "bytes": 56}


def test_a_label_that_nobody_behind_a_tier_may_read_leaves_none(
    ringfence: Shell, manifest: tuple[Path, list[int]]
) -> None:
    shown = ringfence("route", "Hi", "--label", "role:hr")
    assert shown.code == 1
    assert "what it is made from may be read by role:hr alone" in shown.out
    assert "would be asked first" not in shown.out
    found = json.loads(ringfence("route", "Hi", "--label", "role:hr", "--json").out)
    assert found["would_ask"] is None
    assert "no model may be asked" in found["refusal"]
    assert [seat["code"] for seat in found["tiers"]] == ["readers"] * 3
    assert ["role:hr"] in found["label"]["readers"]


def test_a_label_may_name_several_readers_or_a_trust(ringfence: Shell, manifest: tuple[Path, list[int]]) -> None:
    found = json.loads(ringfence("route", "Hi", "--label", "role:hr,role:ops", "--label", "untrusted", "--json").out)
    assert (found["would_ask"], found["label"]["trust"]) == ("small", "untrusted")
    assert ["role:hr", "role:ops"] in found["label"]["readers"]


@pytest.mark.parametrize("label", ["hr", "role:", "trusted", "role:hr,", ""])
def test_a_label_that_is_none_is_explained(ringfence: Shell, manifest: tuple[Path, list[int]], label: str) -> None:
    shown = ringfence("route", "Hi", "--label", label)
    assert shown.code == 2
    assert f"expected a label, got {label!r}" in shown.err
    assert "role:NAME" in shown.err


def test_the_text_is_read_from_stdin(ringfence: Shell, manifest: tuple[Path, list[int]]) -> None:
    assert ringfence("route", "-", stdin="Hallo!").out.startswith("class    simple")
    assert ringfence("route", stdin="").code == 2


def test_what_was_used_today_is_taken_off(ringfence: Shell, serve: object, folder: Path) -> None:
    url = serve(final("it is done"), final("it is done"))  # type: ignore[operator]
    (folder / "ringfence.yaml").write_text(
        f"inference: {{provider: llamacpp, model: scripted, endpoint: '{url}', budgets: {{requests_per_day: 1}}}}\n"
    )
    assert ringfence("run", "Hi").code == 0
    shown = ringfence("route", "Hi")
    assert shown.code == 1
    assert "budget: 0 of 1 requests left today (UTC)" in shown.out
    assert "1 of 1 requests a day are used; more from 00:00 UTC on (budget)" in shown.out
    again = ringfence("run", "Hi")
    assert again.code != 0  # the gate itself lets nothing more through
    assert "it is done" not in again.out


def test_a_budget_that_cannot_be_told_is_an_error_in_words(
    ringfence: Shell, manifest: tuple[Path, list[int]], folder: Path
) -> None:
    (folder / ".ringfence").mkdir()
    (folder / ".ringfence" / "journal.db").write_text("no journal at all, though it is long enough to be one")
    shown = ringfence("route", "Hi")
    assert shown.code == 6
    assert "journal.db" in shown.err


def test_check_and_doctor_say_which_tiers_take_what(ringfence: Shell, manifest: tuple[Path, list[int]]) -> None:
    shown = ringfence("manifest", "check", "ringfence.yaml")
    assert "routing: simple and tool tasks go to small, then large, then cloud" in shown.out
    assert "routing: complex tasks go to large, then cloud, then small" in shown.out
    assert (
        "routing: a step goes to the next tier, once a run, on failure, empty, unsure, exhausted, invalid" in shown.out
    )
