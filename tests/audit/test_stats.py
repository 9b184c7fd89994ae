"""Statistics of a log, in one pass."""

from __future__ import annotations

from ringfence.audit.events import events
from ringfence.audit.stats import OTHERS, Stats, count
from ringfence.core.chain import Kind, Record
from ringfence.stores.sqlite import SqliteJournal

from .conftest import LABEL, append


def test_what_a_log_holds_is_counted_by_kind_person_rule_and_tool(filled: SqliteJournal) -> None:
    found = count(events(filled.log)).to_json()
    assert (found["records"], found["runs"], found["approvals"], found["failures"]) == (34, 2, 2, 2)
    assert found["kinds"]["intent"] == found["kinds"]["outcome"] == 8
    assert found["principals"] == {"user:alice": 17, "user:bob": 17}
    assert found["refusals"] == {"POL-3 grant": 2}
    assert found["asks"] == {"POL-4 provenance": 2}
    assert found["effects"] == {"tool:files.write": 2}
    assert found["calls"] == {"model:main": 2, "tool:files.read": 2, "tool:files.write": 2, "reply:cli": 2}
    assert found["tokens"] == {"prompt": 600, "completion": 80}
    assert found["ended"] == {"done": 2}
    assert (found["first"], found["last"]) == ("2026-01-31T12:00:00.000Z", "2026-01-31T12:01:00.016Z")
    assert found["records_per_day"] == round(34 * 86_400_000 / 60_016, 1)
    assert found["header_bytes"] == sum(map(len, filled.log.headers()))


def test_a_log_without_records_has_statistics_too() -> None:
    found = Stats().to_json()
    assert (found["records"], found["first"], found["records_per_day"]) == (0, None, 0.0)


async def test_a_table_of_a_thousand_names_grows_no_further(journal: SqliteJournal) -> None:
    run = [Record(f"r{n}", 0, 1, Kind.STARTED, f"user:{n}", LABEL, {}, {}) for n in range(1500)]
    await append(journal, run)
    found = count(events(journal.log)).principals
    assert (len(found), found[OTHERS]) == (1001, 500)
