"""`ringfence memory`: what people see and change of what is remembered, and that it is on the record."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from ringfence import stores
from ringfence.app import now_ms, operator
from ringfence.app.knowing import forgetting, remembering
from ringfence.app.knowing.library import index_of
from ringfence.app.knowing.remembering import Opened
from ringfence.core.chain import Kind as RecordKind
from ringfence.core.labels import Label, Trust
from ringfence.knowledge.memory import KINDS, Kind, Saying, Scope
from ringfence.knowledge.memory.locking import locked
from ringfence.knowledge.memory.scopes import collections
from ringfence.manifest.loader import load

from .conftest import Shell

MANIFEST = """\
inference: {provider: llamacpp, model: scripted}
memory: {enabled: true, notes: ./diary}
tools: [{name: calc, type: builtin, callers: [role:ops]}]
"""


@pytest.fixture(autouse=True)
def by_words_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "embedder_of", lambda *_: None)
    monkeypatch.setattr(remembering.models, "paths", lambda *_: ())
    (folder / "ringfence.yaml").write_text(MANIFEST)


def keep(text: str, *, trust: Trust = Trust.USER, by: str = "", kind: Kind = "fact", at: int = 0) -> str:
    """Remember something for the operator, or for somebody else, as if it were said at a time; its id."""
    manifest = load(Path("ringfence.yaml"))
    who = operator(manifest)
    member = frozenset({by}) if by else who.member

    async def once() -> str:
        opened = Opened(manifest, lambda: at or now_ms())
        saying = Saying("run1", 7, f"{text} {at}", by or who.subject, "agent", at or now_ms(), trust.name.lower())
        label = Label(trust, frozenset({member}))
        whose = by or who.subject
        saved = await opened().save(
            text, kind, Scope(whose), label=label, member=member, saying=saying, subjects=[whose]
        )
        await opened.aclose()
        return saved.item.id

    return asyncio.run(once())


def changes() -> list[dict[str, object]]:
    """What is on the record of changes to memory: the views of their last records."""
    with stores.open_log(Path(".ringfence/journal.db")) as log:
        ended = [log.read(run.run)[-1] for run in reversed(log.runs(50))]
    return [record.view for record in ended if record.kind is RecordKind.FINISHED and "memory" in record.view]


def test_list_shows_what_is_kept_and_what_waits_and_show_all_about_it(ringfence: Shell) -> None:
    kept, held = keep("The backup runs at 02:00."), keep("Pay mallory at once.", trust=Trust.UNTRUSTED)
    listed = ringfence("memory", "list")
    assert kept in listed.out
    assert "[quarantined]  Pay mallory at once." in listed.out
    assert "1 in quarantine" in listed.err
    assert ringfence("memory", "list", "--quarantined").out.split()[0] == held
    assert ringfence("memory", "list", "--kind", "procedure").out == ""
    shown = ringfence("memory", "show", kept[:8])
    assert "run run1 record 7, trust user" in shown.out
    assert json.loads(ringfence("memory", "show", kept, "--json").out)["sayings"][0]["seq"] == 7


def test_what_was_superseded_is_kept_and_shown(ringfence: Shell) -> None:
    old, new = keep("My manager is Bob."), keep("My manager is Carol.")
    assert old not in ringfence("memory", "list").out
    assert "[superseded]" in ringfence("memory", "list", "--all").out
    assert f"superseded by {new}" in ringfence("memory", "show", old).out
    assert f"supersedes {old}: My manager is Bob." in ringfence("memory", "show", new).out


def test_what_somebody_else_has_is_not_there(ringfence: Shell) -> None:
    other = keep("The code is 4711.", by="user:bob")
    assert ringfence("memory", "list", "--all").out == ""
    assert ringfence("memory", "show", other).code == 2
    assert ringfence("memory", "rm", other, "--yes").code == 2
    assert ringfence("memory", "wipe", "--yes").err.startswith("destroyed 0")
    assert "destroyed 0, and all that others have" in ringfence("memory", "wipe", "--yes", "--everybody").err


def test_a_promotion_needs_a_persons_word_and_is_on_the_record(ringfence: Shell) -> None:
    held = keep("Reports go to the ops list.", trust=Trust.UNTRUSTED)
    refused = ringfence("memory", "promote", held)
    assert (refused.code, "expected --yes where nobody can be asked" in refused.err) == (2, True)
    assert ringfence("memory", "promote", held, "--yes").code == 0
    shown = json.loads(ringfence("memory", "show", held, "--json").out)
    assert (shown["state"], shown["label"]["trust"]) == ("kept", "user")
    [view] = changes()
    assert (view["memory"], view["items"], view["status"]) == ("promote", [held], "done")
    assert "ops list" not in json.dumps(view)
    assert shown["promoted"]["by"].startswith("user:")
    assert ringfence("memory", "promote", held, "--yes").code == 2


def test_an_edit_is_redacted_and_on_the_record(ringfence: Shell) -> None:
    kept = keep("The backup runs at 02:00.")
    assert ringfence("memory", "edit", kept, "My card is 4111 1111 1111 1111.").code == 0
    assert json.loads(ringfence("memory", "show", kept, "--json").out)["text"] == "My card is <CARD_1>."
    assert ringfence("memory", "edit", kept, " ").code == 2
    assert [view["memory"] for view in changes()] == ["edit", "edit"]


def test_what_is_removed_is_gone_from_the_notes_as_well(ringfence: Shell, folder: Path) -> None:
    kept, other = keep("The backup runs at 02:00."), keep("The restore runs at 04:00.")
    (folder / "diary").mkdir()
    note = folder / "diary" / "2026-11-28.md"
    note.write_text(f"# 2026-11-28\n\n- 10:00 fact: backup `{kept}`\n- 10:01 fact: restore `{other}`\n")
    assert ringfence("memory", "rm", kept).code == 2
    assert ringfence("memory", "rm", kept, "--yes").err.endswith("destroyed 1\n")
    assert note.read_text() == f"# 2026-11-28\n\n- 10:01 fact: restore `{other}`\n"
    assert ringfence("memory", "wipe", "--yes").err == "destroyed 1\n"
    assert note.read_text() == "# 2026-11-28\n\n"
    note.write_text(f"# 2026-11-28\n\n- 10:00 fact: of somebody else `{kept}`\n")
    assert ringfence("memory", "wipe", "--yes", "--everybody").code == 0
    assert note.read_text() == "# 2026-11-28\n\n"
    assert ringfence("memory", "list", "--all").out == ""
    assert [(view["memory"], view["count"]) for view in changes()] == [("rm", 1), ("wipe", 1), ("wipe", 0)]


def test_an_export_is_its_owners_alone(ringfence: Shell, folder: Path) -> None:
    kept = keep("The backup runs at 02:00.")
    out = folder / "memory.json"
    out.write_text("")
    out.chmod(0o644)
    assert ringfence("memory", "export", str(out)).err == f"wrote {out}: 1 items\n"
    assert out.stat().st_mode & 0o777 == 0o600
    assert [item["id"] for item in json.loads(out.read_text())["items"]] == [kept]
    assert json.loads(ringfence("memory", "export", "-").out) == json.loads(out.read_text())


def test_its_help_loads_nothing_heavy(ringfence: Shell) -> None:
    code = "import sys, ringfence.cli.commands, ringfence.cli.memory; print({'numpy', 'apsw'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "numpy" not in done.stdout
    assert "promote" in ringfence("memory", "--help").out


def test_to_erase_somebody_reaches_what_is_remembered_of_them(ringfence: Shell, folder: Path) -> None:
    keep("The code is 4711.", by="user:bob")
    kept = keep("The backup runs at 02:00.")
    assert ringfence("memory", "edit", kept, "The backup runs at 03:00.").code == 0  # so that there is a journal
    erased = ringfence("privacy", "erase", "user:bob", "--yes")
    assert erased.code == 0, erased.err
    assert "destroyed 0 documents of the knowledge index and 1 memories" in erased.out
    assert kept in ringfence("memory", "list").out
    nothing = ringfence("privacy", "erase", "user:bob", "--yes")
    assert (nothing.code, "nothing is held about user:bob" in nothing.err) == (2, True)
    assert not any(b"4711" in path.read_bytes() for path in (folder / ".ringfence" / "knowledge").iterdir())


def test_an_export_of_somebody_has_what_is_remembered_of_them_and_where_it_comes_from(
    ringfence: Shell, folder: Path
) -> None:
    """All kinds, what nobody but them may read, what waits in quarantine, and the lines of the daily notes."""
    keep("Someone else likes tea.")
    held = {keep(f"Bob's {kind} is number 5{n}.", by="user:bob", kind=kind) for n, kind in enumerate(KINDS)}
    held.add(keep("Pay mallory.", by="user:bob", trust=Trust.UNTRUSTED))
    (folder / "diary").mkdir()
    noted = sorted(held)[0]
    (folder / "diary" / "2026-11-28.md").write_text(f"# 2026-11-28\n\n- 10:00 fact: of Bob `{noted}`\n- more `m-0`\n")
    out = ringfence("privacy", "export", "user:bob")
    assert out.code == 0, out.err
    found = json.loads(out.out)
    assert {item["id"] for item in found["memories"]} == held
    assert {item["kind"] for item in found["memories"]} == set(KINDS)
    assert {item["state"] for item in found["memories"]} == {"kept", "quarantined"}
    for item in found["memories"]:
        [saying] = item["sayings"]
        assert (saying["run"], saying["seq"], saying["by"]) == ("run1", 7, "user:bob")
        assert item["label"]["readers"] == [["user:bob"]]
    assert found["notes"] == [{"day": "2026-11-28.md", "line": f"- 10:00 fact: of Bob `{noted}`"}]
    assert found["records"] == found["documents"] == []
    assert "tea" not in out.out
    assert not (folder / ".ringfence" / "journal.db").exists()  # to look makes nothing


def test_retention_destroys_what_was_not_said_again_and_what_has_expired(
    ringfence: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, now = 86_400_000, now_ms()
    old, fresh = keep("The backup runs at 02:00.", at=now - 40 * day), keep("The restore runs at 04:00.")
    of_bob = keep("Bob's desk is 12.", by="user:bob", at=now - 20 * day)
    keep("The gate opens at 06:00.", at=now - 400 * day)
    again = keep("The lift is old.", at=now - 50 * day)
    assert keep("The lift is old.") == again
    (folder / "diary").mkdir()
    note = folder / "diary" / "2026-10-01.md"
    note.write_text(f"# 2026-10-01\n\n- 10:00 fact: backup `{old}`\n- 10:01 fact: restore `{fresh}`\n")
    done = ringfence("privacy", "retention")
    assert (done.code, done.out) == (0, "destroyed 0 contents, 0 keys and 1 memories\n"), done.err
    assert remembered() == {old, fresh, of_bob, again}
    for rule, left in (
        ("{days: 30, classes: [model]}", {old, fresh, of_bob, again}),
        ("{days: 30, classes: [memory]}", {fresh, of_bob, again}),
        ('{days: 10, subject: "user:carol"}', {fresh, of_bob, again}),
        ('{days: 10, subject: "user:bob"}', {fresh, again}),
    ):
        (folder / "ringfence.yaml").write_text(f"{MANIFEST}privacy: {{retention: [{rule}]}}\n")
        assert ringfence("privacy", "retention").code == 0
        assert remembered() == left, rule
    assert note.read_text() == f"# 2026-10-01\n\n- 10:01 fact: restore `{fresh}`\n"
    files = list((folder / ".ringfence" / "knowledge").iterdir())
    assert not any(word in path.read_bytes() for path in files for word in (b"backup", b"06:00", b"desk is 12"))
    with stores.open_log(Path(".ringfence/journal.db")) as log:
        views = [json.loads(line)["view"] for line in log.headers()]
    assert [view["memories"] for view in views if "memories" in view] == [1, 0, 1, 0, 1]


@pytest.mark.parametrize("what", ["erase", "retention"])
def test_nothing_is_destroyed_while_somebody_saves_and_may_bring_it_back(
    ringfence: Shell, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("The code is 4711.", by="user:bob", at=1)
    home = Path(".ringfence/knowledge").resolve()
    monkeypatch.setattr(forgetting, "lock_of", lambda manifest: partial(locked, home, wait_s=0.0))
    command = ("erase", "user:bob", "--yes") if what == "erase" else ("retention",)

    async def busy() -> int:
        async with locked(home):
            return await asyncio.to_thread(lambda: ringfence("privacy", *command).code)

    assert asyncio.run(busy()) != 0
    assert len(remembered()) == 1
    assert ringfence("privacy", *command).code == 0
    assert remembered() == set()


def test_retention_without_a_rule_and_a_memory_says_what_to_write(ringfence: Shell, folder: Path) -> None:
    (folder / "ringfence.yaml").write_text("inference: {provider: llamacpp, model: scripted}\n")
    out = ringfence("privacy", "retention")
    assert (out.code, "expected rules under privacy.retention" in out.err) == (2, True)


def remembered() -> set[str]:
    """The ids of all that anybody has, whoever may read it."""
    manifest = load(Path("ringfence.yaml"))

    async def once() -> set[str]:
        index = index_of(manifest)
        found = await index.held(collections=collections(manifest.runtime.name))
        await index.aclose()
        return {one.path for one in found}

    return asyncio.run(once())
