"""Metrics: a projection of the records, whose labels take few values whatever anybody says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import IDENTITY
from ringfence.telemetry.metrics import MAX_NAMES, OTHER, Metrics

SINKS = {"tool:files.read": 1, "model:small": 1}


def record(kind: Kind, seq: int = 0, run: str = "0abcrun", *, at: int = 0, body: Any = None, **view: Any) -> Record:
    return Record(run, seq, at, kind, "user:alice", IDENTITY, view, body or {})


def samples(metrics: Metrics) -> Iterator[tuple[str, dict[str, str], float]]:
    text, _ = metrics.text("")
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return sum(v for n, found, v in samples(metrics) if n == name and labels.items() <= found.items())


def a_run(metrics: Metrics, run: str = "0abcrun", tool: str = "tool:files.read") -> None:
    for one in (
        record(Kind.STARTED, 0, run, at=1_000, policy="p"),
        record(Kind.INTENT, 1, run, sink="model:small", rule=""),
        record(Kind.OUTCOME, 2, run, of=1, ok=True, ms=250, usage={"prompt": 70, "completion": 8, "cached": 60}),
        record(Kind.INTENT, 3, run, sink=tool, rule="POL-9"),
        record(Kind.OUTCOME, 4, run, of=3, ok=False, ms=20),
        record(Kind.DECISION, 5, run, sink=tool, verdict="deny", rule="POL-5", code="readers"),
        record(Kind.CHECKPOINT, 6, run, egress={"state": "open", "sent": 0, "received": 0}),
        record(Kind.CHECKPOINT, 7, run, egress={"state": "done", "sent": 11, "received": 13}),
        record(Kind.FINISHED, 8, run, at=3_500, status="done", body={"rungs": {"grammar": 2, "repair": 1}}),
    ):
        metrics.observe(one)


def test_what_a_run_did_is_counted_from_its_records() -> None:
    metrics = Metrics(SINKS)
    a_run(metrics)
    assert value(metrics, "ringfence_runs_started_total") == 1
    assert value(metrics, "ringfence_runs_ended_total", status="done") == 1
    assert value(metrics, "ringfence_run_duration_seconds_sum") == 2.5
    assert value(metrics, "ringfence_steps_total") == 1
    assert value(metrics, "ringfence_tool_duration_seconds_count", tool="files.read", ok="false") == 1
    assert value(metrics, "ringfence_tool_duration_seconds_sum", tool="files.read") == 0.02
    assert value(metrics, "ringfence_model_duration_seconds_sum", tier="small", ok="true") == 0.25
    assert value(metrics, "ringfence_tier_up", tier="small") == 1
    assert value(metrics, "ringfence_tokens_total", tier="small", direction="prompt") == 70
    assert value(metrics, "ringfence_tokens_total", tier="small", direction="cached") == 60
    assert value(metrics, "ringfence_decisions_total", verdict="allow") == 2
    assert value(metrics, "ringfence_decisions_total", verdict="allow", rule="POL-9") == 1
    assert value(metrics, "ringfence_decisions_total", verdict="deny", rule="POL-5", code="readers") == 1
    assert value(metrics, "ringfence_egress_attempts_total") == 1
    assert value(metrics, "ringfence_egress_bytes_total", direction="in") == 13
    assert value(metrics, "ringfence_ladder_rungs_total", rung="repair") == 1


def test_a_tier_whose_newest_request_failed_is_not_up_and_one_that_answers_again_is() -> None:
    metrics = Metrics(SINKS)
    for seq, ok in ((1, True), (3, False)):
        metrics.observe(record(Kind.INTENT, seq, sink="model:small"))
        metrics.observe(record(Kind.OUTCOME, seq + 1, of=seq, ok=ok, ms=1))
    assert value(metrics, "ringfence_tier_up", tier="small") == 0
    metrics.observe(record(Kind.INTENT, 5, sink="model:small"))
    metrics.observe(record(Kind.OUTCOME, 6, of=5, ok=True, ms=1, usage={}))
    assert value(metrics, "ringfence_tier_up", tier="small") == 1


def test_copies_of_a_fork_and_runs_that_work_for_others_are_not_counted_as_runs() -> None:
    metrics = Metrics(SINKS)
    metrics.observe(record(Kind.INTENT, 1, sink="model:small", copied="0other"))
    a_run(metrics, "sum-0abcrun")
    assert value(metrics, "ringfence_runs_started_total") == value(metrics, "ringfence_runs_ended_total") == 0
    assert value(metrics, "ringfence_steps_total") == 0
    assert value(metrics, "ringfence_tokens_total", direction="prompt") == 70  # which were used all the same
    assert value(metrics, "ringfence_decisions_total", verdict="allow") == 2


HOSTILE = ('x"} 1\nringfence_runs_started_total 999', "../../etc/passwd", "a" * 10_000, "é\x00\u202e", "user:alice", "")


def test_no_label_grows_or_breaks_out_under_hostile_names() -> None:
    metrics = Metrics(SINKS, ["ops"])
    names = [f"{hostile}{n}" for n in range(MAX_NAMES) for hostile in HOSTILE]
    for name in names:
        a_run(metrics, name[:40] or "r", tool=f"tool:{name}")
        metrics.observe(record(Kind.DECISION, sink="tool:x", verdict=name, rule=name, code=name))
        metrics.observe(record(Kind.FINISHED, status=name, body={"rungs": {name: 1}}))
        metrics.observe(record(Kind.INTENT, 1, sink=f"model:{name}"))
        metrics.observe(record(Kind.OUTCOME, 2, of=1, ok=True, ms=1, usage={name: 5}))
        metrics.observe(record(Kind.CHECKPOINT, egress={"state": name, "host": name, "path": name}))
        metrics.arrived()
        metrics.answered(name, "", 200, 0.1)
        metrics.stranger(name)
        metrics.pushed(name, name)
        metrics.queue(name)
    found: dict[tuple[str, str], set[str]] = {}
    for name, labels, _ in samples(metrics):
        for label, said in labels.items():
            found.setdefault((name, label), set()).add(said)
    assert value(metrics, "ringfence_runs_started_total") != 999
    for (name, label), values in found.items():
        assert len(values) <= MAX_NAMES + 1, (name, label)
        assert all(len(one) <= 40 and one.isascii() and "\n" not in one for one in values), (name, label)
    assert found["ringfence_tool_duration_seconds_count", "tool"] == {OTHER}
    assert found["ringfence_model_duration_seconds_count", "tier"] <= {OTHER, "small"}
    assert found["ringfence_runs_ended_total", "status"] == {"done", OTHER}
    assert found["ringfence_webhook_attempts_total", "webhook"] == {OTHER}
    assert found["ringfence_http_requests_total", "method"] == {OTHER}
    text = metrics.text("")[0].decode()
    assert not any(secret in text for secret in ("passwd", "alice", "0abcrun"))


def test_calls_that_never_end_are_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.telemetry.metrics.MAX_OPEN", 10)
    metrics = Metrics(SINKS)
    for n in range(100):
        metrics.observe(record(Kind.STARTED, 0, f"0{n}"))
        metrics.observe(record(Kind.INTENT, 1, f"0{n}", sink="tool:files.read"))
    assert len(metrics._runs) == len(metrics._calls) == 10
    metrics.observe(record(Kind.OUTCOME, 2, "00", of=1, ok=True, ms=1))  # of a call that was forgotten: no fault
    assert value(metrics, "ringfence_tool_duration_seconds_count") == 0


def test_the_text_says_which_process_it_is_of_and_comes_in_both_formats() -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

    metrics = Metrics(SINKS)
    a_run(metrics)
    assert value(metrics, "process_resident_memory_bytes") > 1e6
    assert value(metrics, "process_open_fds") > 0
    text, media = metrics.text("application/openmetrics-text;version=nonsense,*/*;q=0.1")
    assert media.startswith("application/openmetrics-text")
    families = {family.name for family in openmetrics(text.decode())}
    assert {"ringfence_runs_started", "ringfence_tool_duration_seconds"} <= families
    assert b"_created" not in text


def test_each_metrics_has_a_registry_of_its_own() -> None:
    one, other = Metrics(SINKS), Metrics(SINKS)
    a_run(one)
    assert value(other, "ringfence_runs_started_total") == 0
