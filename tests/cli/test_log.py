"""The log of a command, and the trace that its caller names in the environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.telemetry import logs
from ringfence.tracing import span_id

from .conftest import MANIFEST, Serve, Shell, final, process, step

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LOOK, DONE = step("files.read", path="notes/a.txt"), final("The disk is full.", "notes/a.txt")


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    yield
    logs.close()


def told(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_command_goes_on_in_the_trace_of_its_caller_and_logs_to_a_file(
    serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(LOOK, DONE)
    for name, value in {"TRACEPARENT": CALLER, "RINGFENCE_LOG": "run.jsonl"}.items():
        monkeypatch.setenv(name, value)
    run = process("run", "what is wrong?", cwd=folder)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out, told(err)) == (0, "The disk is full.\n", [])
    lines = told((folder / "run.jsonl").read_text())
    assert [lines[0]["event"], lines[-1]["event"]] == ["run.started", "run.finished"]
    assert {line["trace_id"] for line in lines} == {CALLER[3:35]}
    assert all("disk" not in json.dumps(line) for line in lines)


def test_without_a_word_about_a_log_there_is_none(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, DONE)
    assert told(ringfence("run", "what is wrong?").err) == []


def test_the_manifest_says_how_much_and_where(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(LOOK, DONE, manifest="runtime: {{log_level: info}}\n" + MANIFEST)
    done = ringfence("run", "what is wrong?")
    lines = told(done.err)
    assert done.out == "The disk is full.\n"
    assert {line["run"] for line in lines} == {lines[0]["run"]}
    assert lines[0]["span_id"] == span_id(lines[0]["run"], 0)
    serve(LOOK, DONE, manifest="runtime: {{log_file: log/own.jsonl}}\n" + MANIFEST)
    refused = ringfence("run", "what is wrong?")
    assert refused.code == 2
    assert "log/own.jsonl cannot be written" in refused.err
    (folder / "log").mkdir()
    assert told(ringfence("run", "what is wrong?").err) == []
    assert len(told((folder / "log" / "own.jsonl").read_text())) > 4


def test_a_conversation_is_one_trace_if_its_caller_names_one(
    ringfence: Shell, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(LOOK, DONE)
    monkeypatch.setenv("TRACEPARENT", CALLER)
    monkeypatch.setenv("RINGFENCE_LOG", "chat.jsonl")
    ringfence("chat", stdin="what is wrong?\nis that all?\n")
    lines = told((folder / "chat.jsonl").read_text())
    assert len({line["run"] for line in lines}) == 2
    assert {line["trace_id"] for line in lines} == {CALLER[3:35]}


def test_a_fork_keeps_the_log_in_a_trace_of_its_own(
    ringfence: Shell, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(LOOK, DONE)
    ringfence("run", "what is wrong?")
    run = ringfence("runs", "list").out.split()[0]
    monkeypatch.setenv("RINGFENCE_LOG", "fork.jsonl")
    fork = ringfence("runs", "fork", run, "--at", "1", "--no-resume").out.strip()
    assert ringfence("runs", "cancel", fork).code == 0
    lines = told((folder / "fork.jsonl").read_text())
    assert [line["event"] for line in lines] == ["run.started", "message", "run.finished"]
    assert {line["run"] for line in lines} == {fork}
    assert len({line["trace_id"] for line in lines}) == 1
