"""What is held about a subject, and what is left of it: erasure and retention, on real logs, cut off at any step."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest

from ringfence.app import privacy
from ringfence.app.record import open_journal, open_log
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError, ManifestError
from ringfence.core.labels import Label, Trust
from ringfence.core.values import Principal
from ringfence.manifest.loader import load
from ringfence.manifest.types import Manifest
from ringfence.proof.keys import KeySigner
from ringfence.stores import erasure
from ringfence.stores.vault import Sealed

DAY = erasure.DAY_MS
BASE = "inference: {provider: llamacpp, model: m, endpoint: 'http://127.0.0.1:1'}\n"
OPERATOR = Principal("user:root", frozenset(), "")


def made(folder: Path, more: str = "") -> Manifest:
    path = folder / "ringfence.yaml"
    path.write_text(BASE + more)
    return load(path)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return made(tmp_path)


def run_of(run: str, principal: str, *subjects: str, days_ago: float = 0, end: bool = True) -> list[Record]:
    """A run: a task, a step of the model, a result of a tool (it says whom it is about), and its end."""
    now = time.time_ns() // 1_000_000 - int(days_ago * DAY)
    label = Label(Trust.USER, frozenset({frozenset({principal})}))
    about: dict[str, Any] = {"subjects": list(subjects)} if subjects else {}
    rows: list[tuple[Kind, dict[str, Any], dict[str, Any]]] = [
        (Kind.STARTED, {}, {"task": f"task of {run}", "principal": {"subject": principal}}),
        (Kind.INTENT, {"sink": "model:main", "rule": "POL-8"}, {"prompt": f"prompt of {run}"}),
        (Kind.OUTCOME, {"of": 1, "ok": True}, {"value": f"step of {run}"}),
        (Kind.INTENT, {"sink": "tool:look", "rule": "POL-8"}, {"args": {"q": f"query of {run}"}}),
        (Kind.OUTCOME, {"of": 3, "ok": True, **about}, {"value": f"result of {run}"}),
        (Kind.FINISHED, {"status": "done"}, {"answer": f"answer of {run}"}),
    ]
    records = [Record(run, n, now, kind, principal, label, view, body) for n, (kind, view, body) in enumerate(rows)]
    return records if end else records[:-1]


def fill(manifest: Manifest, *runs: list[Record]) -> None:
    with open_journal(manifest) as journal:
        for run in runs:
            named = [
                replace(r, view=r.view | {"subjects": [journal.alias(s) for s in r.view["subjects"]]})
                if "subjects" in r.view
                else r
                for r in run
            ]
            for each in named:
                journal.append(each)
            asyncio.run(journal.flush())


def seen(manifest: Manifest, run: str) -> list[int]:
    """The records of a run whose content can be read."""
    with open_log(manifest) as log:
        return [head["seq"] for head, content in log.contents(run, frozenset(range(99))) if content is not None]


def whole(manifest: Manifest) -> bool:
    with open_log(manifest) as log:
        return log.verify().findings == ()


def test_what_is_held_is_what_is_about_them_and_nothing_else(manifest: Manifest) -> None:
    fill(manifest, run_of("a", "user:alice"), run_of("b", "user:bob", "patient:4711"), run_of("c", "user:bob"))
    found = {
        s: [(r["run"], r["seq"]) for r in privacy.held(manifest, s).records] for s in ("user:alice", "patient:4711")
    }
    assert found == {"user:alice": [("a", n) for n in range(6)], "patient:4711": [("b", 4), ("b", 5)]}
    assert [(r["run"], r["seq"]) for r in privacy.held(manifest, "user:bob").records] == [
        *(("b", n) for n in range(4)),
        *(("c", n) for n in range(6)),
    ]
    assert [r["content"] for r in privacy.held(manifest, "patient:4711").records] == [
        {"value": "result of b"},
        {"answer": "answer of b"},
    ]


def test_headers_never_have_the_name_of_a_subject(manifest: Manifest, tmp_path: Path) -> None:
    fill(manifest, run_of("b", "user:bob", "patient:4711"))
    with open_log(manifest) as log:
        assert b"patient:4711" not in b"".join(log.headers())
        assert b'"subjects":["subject:' in b"".join(log.headers())
    for file in (tmp_path / ".ringfence").glob("journal.db*"):
        assert b"4711" not in file.read_bytes()


def test_an_erasure_takes_what_is_about_them_and_leaves_the_rest(manifest: Manifest) -> None:
    fill(manifest, run_of("a", "user:alice"), run_of("b", "user:bob", "patient:4711"), run_of("c", "user:bob"))
    certificate = privacy.erase(manifest, "patient:4711", by=OPERATOR)
    assert "destroyed 1 keys, and with them the contents of 2 records in 1 runs" in certificate
    assert [seen(manifest, run) for run in "abc"] == [[*range(6)], [*range(4)], [*range(6)]]
    assert whole(manifest)
    with pytest.raises(ManifestError, match="nothing is held about patient:4711"):
        privacy.erase(manifest, "patient:4711", by=OPERATOR)


def test_what_is_about_two_is_gone_for_both(manifest: Manifest) -> None:
    fill(manifest, run_of("b", "user:bob", "patient:1", "patient:2"))
    privacy.erase(manifest, "patient:2", by=OPERATOR)
    assert seen(manifest, "b") == [0, 1, 2, 3]
    assert [r["content"] for r in privacy.held(manifest, "patient:1").records] == [None, None]


def test_a_principal_is_erased_by_the_name_that_headers_have(manifest: Manifest) -> None:
    fill(manifest, run_of("a", "user:alice"), run_of("b", "user:bob", "user:alice"))
    privacy.erase(manifest, "user:alice", by=OPERATOR)
    assert (seen(manifest, "a"), seen(manifest, "b")) == ([], [0, 1, 2, 3])


def test_an_erasure_is_on_the_record_with_the_alias_alone(manifest: Manifest) -> None:
    fill(manifest, run_of("b", "user:bob", "patient:4711"))
    privacy.erase(manifest, "patient:4711", by=OPERATOR)
    with open_log(manifest) as log:
        newest = log.views(log.runs(1)[0].run)
        assert b"4711" not in b"".join(log.headers())
    assert [r.kind for r in newest] == [Kind.STARTED, Kind.FINISHED]
    assert (newest[1].view["privacy"], newest[1].view["keys"], newest[1].view["records"]) == ("erase", 1, 2)
    assert newest[0].principal == "user:root"


def test_nobody_is_erased_while_a_run_about_them_goes_on(manifest: Manifest) -> None:
    fill(manifest, run_of("b", "user:bob", "patient:4711", end=False))
    with pytest.raises(JournalError, match="have not ended: b") as caught:
        privacy.erase(manifest, "patient:4711", by=OPERATOR)
    assert "runs cancel" in caught.value.todo
    assert seen(manifest, "b") == [0, 1, 2, 3, 4]


def test_a_run_that_begins_while_somebody_is_erased_is_looked_at_once_more(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(manifest, run_of("a", "user:alice"))
    recorded = privacy.recorded

    def meanwhile(*arguments: Any) -> Any:
        fill(manifest, run_of("late", "user:alice", end=False))
        return recorded(*arguments)

    monkeypatch.setattr(privacy, "recorded", meanwhile)
    with pytest.raises(JournalError, match="have not ended: late"):
        privacy.erase(manifest, "user:alice", by=OPERATOR)
    assert (len(seen(manifest, "a")), len(seen(manifest, "late"))) == (6, 5)


def test_nobody_is_erased_where_no_certificate_could_be_signed(manifest: Manifest, tmp_path: Path) -> None:
    fill(manifest, run_of("a", "user:alice"))
    (tmp_path / ".ringfence" / "keys" / "audit.key").unlink()
    with pytest.raises(ManifestError, match=r"audit\.key cannot be read"):
        privacy.erase(manifest, "user:alice", by=OPERATOR)
    assert len(seen(manifest, "a")) == 6


def test_a_process_that_goes_on_after_an_erasure_has_another_alias_and_can_be_erased_again(manifest: Manifest) -> None:
    fill(manifest, run_of("a", "user:bob", "patient:4711"))
    with open_journal(manifest) as running:
        alias = running.alias("patient:4711")
        privacy.erase(manifest, "patient:4711", by=OPERATOR)
        assert running.alias("patient:4711") != alias
    fill(manifest, run_of("b", "user:bob", "patient:4711"))
    assert [r["run"] for r in privacy.held(manifest, "patient:4711").records] == ["b", "b"]
    privacy.erase(manifest, "patient:4711", by=OPERATOR)
    assert seen(manifest, "b") == [0, 1, 2, 3]


CUT = """
import os, signal, sys, threading
from pathlib import Path
from ringfence.app import privacy
from ringfence.core.values import Principal
from ringfence.manifest.loader import load
OURS = ("app/privacy.py", "stores/vault.py", "stores/erasure.py", "stores/writer.py", "stores/sqlite.py")
count, stop = 0, int(sys.argv[3])
def step(frame, event, argument):
    global count
    if event in ("call", "return") and frame.f_code.co_filename.endswith(OURS):
        count += 1
        if count == stop:
            os.kill(os.getpid(), signal.SIGKILL)
manifest, by = load(Path(sys.argv[1])), Principal("user:root", frozenset(), "")
threading.setprofile(step)
sys.setprofile(step)
if sys.argv[2] == "erase":
    privacy.erase(manifest, "patient:4711", by=by)
else:
    privacy.retain(manifest, by=by)
sys.setprofile(None)
print(count)
"""


def cut(manifest: Manifest, what: str, at: int) -> str:
    """Do it in a process of its own, killed at its `at`th call or return; what it printed."""
    command = [sys.executable, "-c", CUT, str(manifest.source), what, str(at)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, -9), done.stderr
    return done.stdout


def instants(total: int, count: int) -> list[int]:
    return [1 + n * (total - 1) // (count - 1) for n in range(count)]


def test_an_erasure_that_is_killed_at_any_instant_is_done_or_not_and_can_be_done_again(tmp_path: Path) -> None:
    def filled(name: str) -> Manifest:
        (tmp_path / name).mkdir()
        manifest = made(tmp_path / name)
        fill(manifest, run_of("a", "user:alice"), run_of("b", "user:bob", "patient:4711"))
        return manifest

    total = int(cut(filled("dry"), "erase", -1))
    for at in instants(total, 12):
        manifest = filled(str(at))
        cut(manifest, "erase", at)
        assert whole(manifest)
        assert seen(manifest, "a") == [*range(6)]
        done = seen(manifest, "b") == [0, 1, 2, 3]
        assert done or seen(manifest, "b") == [*range(6)]
        if done:  # the name went with the keys
            with pytest.raises(ManifestError, match="nothing is held"):
                privacy.erase(manifest, "patient:4711", by=OPERATOR)
        else:
            assert "patient:4711" in privacy.erase(manifest, "patient:4711", by=OPERATOR)
        assert (seen(manifest, "a"), seen(manifest, "b")) == ([*range(6)], [0, 1, 2, 3])
        assert whole(manifest)
        held = (tmp_path / str(at) / ".ringfence" / "keys" / "subjects.db").read_bytes()
        assert b"4711" not in held


RULES = "privacy: {retention: [%s]}\n"


def kept(folder: Path, rules: str, *runs: list[Record]) -> tuple[Manifest, privacy.Kept]:
    manifest = made(folder, RULES % rules)
    fill(manifest, *runs)
    return manifest, privacy.retain(manifest, by=OPERATOR)


def test_retention_destroys_what_is_older_and_leaves_the_rest(tmp_path: Path) -> None:
    runs = run_of("old", "user:alice", days_ago=11), run_of("new", "user:alice", days_ago=9)
    manifest, done = kept(tmp_path, "{days: 10}", *runs)
    assert done.bodies == 6
    assert (seen(manifest, "old"), seen(manifest, "new")) == ([], [*range(6)])
    assert whole(manifest)
    assert privacy.retain(manifest, by=OPERATOR).bodies == 0


@pytest.mark.parametrize(
    ("classes", "left"), [("messages", [1, 2, 3, 4]), ("model", [0, 3, 4, 5]), ("tools", [0, 1, 2, 5])]
)
def test_retention_is_by_class(tmp_path: Path, classes: str, left: list[int]) -> None:
    manifest, done = kept(tmp_path, f"{{days: 10, classes: [{classes}]}}", run_of("old", "user:alice", days_ago=99))
    assert seen(manifest, "old") == left
    assert done == privacy.Kept(6 - len(left), 0, 0)
    assert whole(manifest)


def test_retention_is_by_subject_whatever_headers_call_them(tmp_path: Path) -> None:
    old = {"days_ago": 99}
    manifest, done = kept(
        tmp_path,
        "{days: 10, subject: 'patient:4711'}",
        run_of("a", "user:alice", **old),
        run_of("b", "user:bob", "patient:4711", **old),
    )
    assert (seen(manifest, "a"), seen(manifest, "b")) == ([*range(6)], [0, 1, 2, 3])
    assert (done.bodies, done.keys) == (2, 1)
    assert whole(manifest)


def test_retention_destroys_the_keys_of_months_that_are_over(tmp_path: Path) -> None:
    runs = run_of("old", "user:alice", days_ago=99), run_of("new", "user:alice")
    manifest, done = kept(tmp_path, "{days: 10}", *runs)
    assert done.keys == 1
    with open_log(manifest) as log, pytest.raises(Sealed):
        log.read("old")
    assert seen(manifest, "new") == [*range(6)]


def test_a_run_that_goes_on_keeps_its_contents_and_its_keys(tmp_path: Path) -> None:
    runs = run_of("going", "user:alice", days_ago=99, end=False), run_of("over", "user:alice", days_ago=99)
    manifest, done = kept(tmp_path, "{days: 10}", *runs)
    assert (seen(manifest, "going"), seen(manifest, "over")) == ([*range(5)], [])
    assert (done.bodies, done.keys) == (6, 0)


def test_the_keys_that_a_run_needs_are_kept_though_it_began_long_before_them(tmp_path: Path) -> None:
    going = run_of("going", "user:alice", days_ago=99, end=False)
    newer = [replace(r, time=r.time + 40 * DAY) for r in going]
    manifest, done = kept(tmp_path, "{days: 10}", [*going[:2], *newer[2:]])
    assert (seen(manifest, "going"), done) == ([*range(5)], privacy.Kept(0, 0, 0))


def test_what_retention_destroyed_is_in_no_file_any_more(tmp_path: Path) -> None:
    manifest = made(tmp_path, RULES % "{days: 10}")
    fill(manifest, run_of("old", "user:alice", days_ago=11))
    path = tmp_path / ".ringfence" / "journal.db"
    db = apsw.Connection(str(path))
    (bodies,) = db.execute("SELECT bodies FROM chunks WHERE idx = 0").fetchone()
    db.close()
    piece = bodies[40:72]
    assert piece in b"".join(file.read_bytes() for file in path.parent.glob("journal.db*"))
    privacy.retain(manifest, by=OPERATOR)
    assert not any(piece in file.read_bytes() for file in path.parent.glob("journal.db*"))


def test_retention_says_so_where_a_reader_keeps_old_pages_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.stores.file.BUSY_S", 0.2)
    manifest = made(tmp_path, RULES % "{days: 10}")
    fill(manifest, run_of("old", "user:alice", days_ago=11))
    reader = apsw.Connection(str(tmp_path / ".ringfence" / "journal.db"))
    reader.execute("BEGIN; SELECT * FROM chunks").fetchall()
    with pytest.raises(JournalError, match="6 contents were destroyed, but another process reads") as caught:
        privacy.retain(manifest, by=OPERATOR)
    assert "again" in caught.value.todo
    reader.close(True)
    assert privacy.retain(manifest, by=OPERATOR).bodies == 0
    assert whole(manifest)


def test_a_retention_that_is_killed_at_any_instant_loses_nothing_else_and_can_be_done_again(tmp_path: Path) -> None:
    def filled(name: str) -> Manifest:
        (tmp_path / name).mkdir()
        manifest = made(tmp_path / name, RULES % "{days: 10}")
        fill(manifest, run_of("old", "user:alice", days_ago=99), run_of("new", "user:alice"))
        return manifest

    total = int(cut(filled("dry"), "retain", -1))
    for at in instants(total, 10):
        manifest = filled(str(at))
        cut(manifest, "retain", at)
        assert whole(manifest)
        assert seen(manifest, "old") in ([], [*range(6)])
        privacy.retain(manifest, by=OPERATOR)
        assert (seen(manifest, "old"), seen(manifest, "new")) == ([], [*range(6)])
        assert whole(manifest)
        with open_log(manifest) as log, pytest.raises(Sealed):  # its key went too
            log.read("old")


def test_without_rules_there_is_nothing_to_do_and_it_says_so(manifest: Manifest) -> None:
    with pytest.raises(ManifestError, match=r"privacy\.retention, got none"):
        privacy.retain(manifest, by=OPERATOR)


def test_nobody_is_erased_while_the_program_that_signs_is_down(tmp_path: Path) -> None:
    public = str(KeySigner("notes", bytes(32)).verifier)
    manifest = made(tmp_path, f"audit: {{key: {{command: ['false'], public: '{public}'}}}}\n")
    fill(manifest, run_of("a", "user:alice"))
    with pytest.raises(JournalError, match="false left with exit code 1"):
        privacy.erase(manifest, "user:alice", by=OPERATOR)
    assert len(seen(manifest, "a")) == 6
