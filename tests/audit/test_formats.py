"""Exports: each line ties to a proof, holds no body, and is what its form asks for."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.audit.events import Runs, events, within
from ringfence.audit.formats import COLUMNS, encode
from ringfence.audit.stats import count
from ringfence.audit.syslog import severity
from ringfence.cli import exporting
from ringfence.core import chain
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.values import canonical
from ringfence.stores.sqlite import SqliteJournal

from .conftest import LABEL, NOON, TRACE, append, records_of

OCSF = json.loads((Path(__file__).parent / "ocsf-1.8.0.json").read_text())
PARTS = {  # which object an attribute holds, of those that we fill
    "metadata": "metadata", "metadata.product": "product", "app": "product", "api": "api", "api.request": "request",
    "api.service": "service", "actor": "actor", "actor.user": "user", "user": "user",
    "src_endpoint": "network_endpoint", "dst_endpoint": "network_endpoint", "traffic": "network_traffic",
    "policy": "policy", "message_context": "message_context", "message_context.service": "service",
}  # fmt: skip


def lines(log: Any, form: str) -> list[bytes]:
    return list(encode(events(log), form))


def rows(log: Any) -> list[dict[str, str]]:
    text = b"".join(lines(log, "csv")).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_line_of_json_holds_the_bytes_that_its_leaf_is_the_hash_of(filled: SqliteJournal) -> None:
    frontier = chain.Frontier()
    for index, line in enumerate(lines(filled.log, "jsonl")):
        found = json.loads(line)
        raw = line[line.index(b'"header":') + len(b'"header":') : -2]
        assert (found["index"], found["leaf"]) == (index, chain.leaf(raw).hex())
        assert canonical(found["header"]) == raw
        frontier.append(chain.leaf(raw))
    assert frontier.root().hex() == filled.log.verify().root


@pytest.mark.parametrize("form", ["jsonl", "ocsf", "csv"])
def test_no_export_holds_a_body(filled: SqliteJournal, form: str) -> None:
    data = b"".join(lines(filled.log, form))
    assert b"run-a" in data
    assert b"canary-in-the-body" not in data


def test_every_event_of_a_run_carries_the_trace_of_its_first_record(filled: SqliteJournal) -> None:
    traces = [(event.head["run"], event.trace) for event in events(filled.log)]
    assert set(traces) == {("run-a", TRACE), ("run-b", "")}


def test_an_outcome_and_an_approval_are_about_what_was_intended_or_asked(filled: SqliteJournal) -> None:
    sinks = [event.sink for event in events(filled.log, 0, 17) if event.head["kind"] in ("outcome", "approval")]
    assert sinks == ["model:main", "tool:files.read", "tool:files.write", "tool:files.write", "reply:cli"]


def test_reading_may_begin_in_the_middle_of_a_run_and_knows_what_came_before(filled: SqliteJournal) -> None:
    whole = list(events(filled.log))
    for start in range(len(whole)):
        assert list(events(filled.log, start)) == whole[start:]


async def test_a_run_that_others_only_name_is_exported_without_them(journal: SqliteJournal) -> None:
    named = Record("other", 0, 1, Kind.STARTED, "user:a", LABEL, {"shown": "run-a"}, {})
    await append(journal, records_of("run-a"), [named], records_of("run-ab"))
    assert [event.head["run"] for event in events(journal.log, run="run-a")] == ["run-a"] * 17
    assert {event.trace for event in events(journal.log, run="run-a")} == {TRACE}


async def test_what_is_remembered_of_runs_is_bounded(journal: SqliteJournal) -> None:
    await append(
        journal, [Record(f"run{n}", 0, 1, Kind.STARTED, "user:a", LABEL, {"trace": "t"}, {}) for n in range(5000)]
    )
    runs = Runs()
    for _ in events(journal.log, runs=runs):
        continue
    assert len(runs._runs) == 4096


def test_an_export_is_of_one_run_and_of_a_time(filled: SqliteJournal) -> None:
    found = within(events(filled.log, run="run-b"), NOON + 60_003, NOON + 60_005)
    assert [(event.head["run"], event.head["seq"]) for event in found] == [("run-b", 3), ("run-b", 4)]


def test_a_header_of_a_newer_version_is_refused_in_words(filled: SqliteJournal) -> None:
    raw = next(filled.log.headers()).replace(b'"v":1', b'"v":2')
    with pytest.raises(JournalError, match=r"version 1, got one of version 2\n.*upgrade"):
        Runs().event(raw)


# --- OCSF: names, requirements and activities from the schema's own files (see the `source` of the JSON beside this)


def check(value: Any, rules: dict[str, Any], path: str, profiles: list[str]) -> None:
    """What the schema asks of one object or class: no unknown attribute, no missing one, at least one of some."""
    allowed = {*rules["names"], *(name for each in profiles for name in rules.get("profiles", {}).get(each, ()))}
    assert set(value) <= allowed, f"{path}: {set(value) - allowed} is not in the schema"
    assert set(rules["required"]) <= set(value), f"{path}: {set(rules['required']) - set(value)} is required"
    if "at_least_one" in rules:
        assert set(rules["at_least_one"]) & set(value), f"{path}: one of {rules['at_least_one']} is required"
    for name, part in value.items():
        where = f"{path}.{name}".lstrip(".")
        if where in PARTS:
            check(part, OCSF["objects"][PARTS[where]], where, profiles)
        else:
            assert not isinstance(part, dict) or name == "unmapped", f"{where} is checked against nothing"


def test_every_event_is_valid_in_ocsf(filled: SqliteJournal) -> None:
    seen = set()
    for line in lines(filled.log, "ocsf"):
        event = json.loads(line)
        rules = OCSF["classes"][str(event["class_uid"])]
        check(event, rules, "", event["metadata"]["profiles"])
        assert event["activity_id"] in rules["activities"]
        assert event["category_uid"] == rules["category_uid"]
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["metadata"]["version"] == OCSF["version"]
        assert event["activity_id"] != 99 or event["activity_name"]
        assert event["status_id"] != 99 or event["status"] if "status_id" in event else True
        assert type(event["time"]) is int
        seen.add((event["class_uid"], event["activity_id"]))
    assert seen == {(6002, 3), (6002, 4), (6003, 2), (6003, 3), (6003, 99), (3005, 1), (4001, 2), (4001, 5), (0, 99)}


def test_an_ocsf_event_ties_to_a_proof_a_trace_and_its_whole_header(filled: SqliteJournal) -> None:
    for raw, line in zip(filled.log.headers(), lines(filled.log, "ocsf"), strict=True):
        event = json.loads(line)
        assert event["metadata"]["uid"] == chain.leaf(raw).hex()
        assert event["unmapped"]["header"] == json.loads(raw)
        assert event["metadata"]["correlation_uid"] in (TRACE, "run-b")


def test_a_refusal_is_an_alert_about_the_call_and_its_rule_and_a_question_is_none(filled: SqliteJournal) -> None:
    decided = [json.loads(line) for line in lines(filled.log, "ocsf")[:17] if b'"event_code":"decision"' in line]
    asked, denied = decided
    assert (asked["action"], asked["is_alert"], asked["severity_id"]) == ("Asked", False, 2)
    assert (denied["action_id"], denied["disposition_id"], denied["is_alert"], denied["severity_id"]) == (2, 2, True, 3)
    assert (denied["policy"]["name"], denied["status_code"], denied["api"]["operation"]) == (
        "POL-3", "grant", "tool:shell.run",
    )  # fmt: skip


def test_an_intent_and_its_outcome_have_one_request_id(filled: SqliteJournal) -> None:
    calls = [json.loads(line) for line in lines(filled.log, "ocsf")[:17]]
    uids = [(each["metadata"]["event_code"], each["api"]["request"]["uid"]) for each in calls if "api" in each]
    assert [uid for kind, uid in uids if kind == "outcome"] == [uid for kind, uid in uids if kind == "intent"]


# --- CSV


def test_the_columns_of_the_csv_are_stable(filled: SqliteJournal) -> None:
    assert lines(filled.log, "csv")[0] == (",".join(COLUMNS) + "\r\n").encode()
    assert COLUMNS[:8] == ("index", "time", "run", "seq", "kind", "principal", "trust", "readers")
    first, *_, last = rows(filled.log)
    assert (first["time"], first["kind"], first["trace"]) == ("2026-01-31T12:00:00.000Z", "run.started", TRACE)
    assert (last["index"], last["principal"], last["status"]) == ("33", "user:bob", "done")
    assert json.loads(rows(filled.log)[5]["view"])["shown"] == {"text": "mail <EMAIL_1>, größer"}


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=1",2'])
async def test_no_cell_of_the_csv_is_a_formula(journal: SqliteJournal, evil: str) -> None:
    view = {"sink": evil, "rule": evil, "code": evil, "status": evil, "trace": evil, "verdict": evil}
    await append(journal, [Record(evil, 0, 1, Kind.STARTED, evil, LABEL, view, {})])
    (row,) = rows(journal.log)
    cells = [row[name] for name in ("run", "principal", "sink", "verdict", "rule", "code", "status", "trace")]
    assert cells == ["'" + evil] * 8


async def test_what_a_cell_holds_stays_in_its_cell(journal: SqliteJournal) -> None:
    odd = 'a "quoted", line\r\nand another'
    await append(journal, [Record("a", 0, 1, Kind.STARTED, odd, LABEL, {}, {})])
    (row,) = rows(journal.log)
    assert row["principal"] == odd


async def test_what_nobody_knows_a_copy_and_whoever_said_yes_are_told_as_what_they_are(journal: SqliteJournal) -> None:
    parked = Record("p", 1, NOON, Kind.CHECKPOINT, "user:a", LABEL, {"uncertain": [0, 7]}, {})
    started = Record("p", 0, NOON, Kind.STARTED, "user:a", LABEL, {"effects": ["tool:send"]}, {})
    views: list[tuple[Kind, dict[str, Any]]] = [
        (Kind.STARTED, {"effects": ["tool:send"]}),
        (Kind.INTENT, {"sink": "tool:send", "rule": "POL-8", "copied": "p"}),
        (Kind.DECISION, {"sink": "tool:send", "verdict": "deny", "rule": "POL-3", "code": "grant", "copied": "p"}),
        (Kind.APPROVAL, {"of": 2, "by": "user:boss"}),
    ]
    fork = [Record("q", seq, NOON, kind, "user:a", LABEL, view, {}) for seq, (kind, view) in enumerate(views)]
    await append(journal, [started, parked], fork)
    told = [json.loads(line) for line in lines(journal.log, "ocsf")]
    assert [(t["class_uid"], t.get("activity_name")) for t in told[1:5:2]] == [(0, "uncertain"), (0, "copy")]
    assert (told[1]["severity_id"], told[4]["class_uid"], told[4].get("is_alert")) == (3, 0, None)
    assert (told[5]["actor"]["user"]["name"], told[5]["user"]["name"]) == ("user:boss", "user:a")
    assert [severity(event) for event in events(journal.log)] == [6, 3, 6, 6, 6, 5]
    assert "nobody knows whether it was done: record 0, 7" in exporting.line(list(events(journal.log))[1])
    found = count(events(journal.log)).to_json()
    assert (found["effects"], found["refusals"], found["approvals"]) == ({}, {}, 1)
