"""The keys of subjects: never unwrapped on a disk, gone when they are destroyed, the same for all processes."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from ringfence.core.errors import JournalError
from ringfence.stores.vault import Lock, Sealed, Vault, month_of

ALICE, MONTH, NOW = ("user:alice",), "2026-11", 1_763_640_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def wrapped(folder: Path) -> list[bytes]:
    """The keys as they are stored, of those that are there yet."""
    db = apsw.Connection(str(folder / "subjects.db"))
    found = [row[0] for row in db.execute("SELECT wrapped FROM keys WHERE wrapped IS NOT NULL").fetchall()]
    db.close()
    return found


def everything(folder: Path) -> bytes:
    """The bytes of every file beside the keys, and of the keys."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def keys_of(vault: Vault, subject: str) -> list[bytes]:
    """The keys themselves, which only the vault should ever see."""
    return [vault._unwrap(one) for one in vault.ids(subject)]


def test_no_key_is_on_the_disk_as_it_is_and_none_is_shown(folder: Path) -> None:
    vault = Vault(folder)
    lock = vault.lock(ALICE, MONTH)
    (key,) = keys_of(vault, "user:alice")
    vault.close()
    held = everything(folder)
    for secret in (key, lock.commit):
        assert secret not in held
        assert base64.b64encode(secret).rstrip(b"=") not in held
        assert repr(secret) not in repr(lock)


def test_folder_and_files_are_for_their_owner_alone(folder: Path) -> None:
    before = os.umask(0o022)
    try:
        Vault(folder).lock(ALICE, MONTH)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_what_was_sealed_is_opened_by_whoever_has_the_keys(folder: Path) -> None:
    lock = Vault(folder).lock(ALICE, MONTH)
    sealed = lock.seal(b"words", b"place")
    again = Vault(folder, write=False).opened(lock.ids)
    assert again.open(sealed, b"place") == b"words"
    with pytest.raises(ValueError, match="not sealed so"):
        again.open(sealed, b"elsewhere")


def test_two_seals_of_the_same_words_differ(folder: Path) -> None:
    lock = Vault(folder).lock(ALICE, MONTH)
    assert lock.seal(b"words", b"p") != lock.seal(b"words", b"p")


def test_each_subject_and_each_month_has_a_key_of_its_own(folder: Path) -> None:
    vault = Vault(folder)
    locks = [
        vault.lock(ALICE, MONTH), vault.lock(ALICE, "2026-12"), vault.lock(("user:bob",), MONTH),
        vault.lock(("user:alice", "user:bob"), MONTH),
    ]  # fmt: skip
    sealed = [lock.seal(b"words", b"p") for lock in locks]
    for n, lock in enumerate(locks):
        for m, data in enumerate(sealed):
            assert opens(lock, data) == (n == m)


def opens(lock: Lock, sealed: bytes) -> bool:
    try:
        return lock.open(sealed, b"p") == b"words"
    except ValueError:
        return False


@pytest.mark.parametrize("erased", ["user:alice", "user:bob"])
def test_what_is_about_two_is_gone_with_the_key_of_either(folder: Path, erased: str) -> None:
    vault = Vault(folder)
    both, one = vault.lock(("user:alice", "user:bob"), MONTH), vault.lock(("user:carol",), MONTH)
    assert vault.destroy(NOW, subject=erased) == 1
    with pytest.raises(Sealed, match="destroyed") as caught:
        vault.opened(both.ids)
    assert caught.value.destroyed
    assert vault.opened(one.ids).ids == one.ids


def test_a_destroyed_key_is_in_no_file_any_more(folder: Path) -> None:
    vault = Vault(folder)
    for n in range(300):  # so that pages are split, and keys moved from page to page
        vault.lock((f"user:{n}",), MONTH)
    before = wrapped(folder)
    assert len(before) == 300
    assert vault.destroy(NOW) == 300
    held = everything(folder)
    assert not [key for key in before if key in held]
    assert sorted(file.name for file in folder.iterdir()) == ["operator.key", "subjects.db"]


def test_a_destroyed_alias_is_in_no_file_any_more(folder: Path) -> None:
    vault = Vault(folder)
    alias = vault.alias("patient:4711")
    vault.lock((alias,), MONTH)
    assert b"patient:4711" in everything(folder)
    vault.destroy(NOW, subject="patient:4711")
    assert b"patient:4711" not in everything(folder)


def test_destroying_what_one_subject_has_leaves_the_others(folder: Path) -> None:
    vault = Vault(folder)
    bob = vault.lock(("user:bob",), MONTH)
    vault.lock(ALICE, MONTH), vault.lock(ALICE, "2026-12")
    assert vault.destroy(NOW, subject="user:alice") == 2
    assert vault.destroy(NOW, subject="user:alice") == 0
    assert vault.opened(bob.ids)


def test_months_before_one_are_destroyed_and_that_one_is_not(folder: Path) -> None:
    vault = Vault(folder)
    old, new = vault.lock(ALICE, "2026-10"), vault.lock(ALICE, MONTH)
    alias = vault.alias("patient:4711")
    assert vault.destroy(NOW, before=MONTH) == 1
    assert vault.opened(new.ids)
    with pytest.raises(Sealed):
        vault.opened(old.ids)
    assert vault.known("patient:4711") == alias  # there may be newer records about them


def test_the_keys_of_an_alias_go_with_its_subject_by_month_too(folder: Path) -> None:
    vault = Vault(folder)
    alias = vault.alias("patient:4711")
    vault.lock((alias,), "2026-10")
    assert vault.destroy(NOW, subject="patient:4711", before=MONTH) == 1


def test_after_an_erasure_a_subject_gets_a_new_key_and_another_alias(folder: Path) -> None:
    vault = Vault(folder)
    before, alias = vault.lock(ALICE, MONTH), vault.alias("patient:4711")
    vault.destroy(NOW, subject="user:alice")
    vault.destroy(NOW, subject="patient:4711")
    assert vault.lock(ALICE, MONTH).ids != before.ids
    assert vault.alias("patient:4711") != alias


def test_a_process_that_remembers_keys_forgets_those_that_another_one_destroyed(folder: Path) -> None:
    ours, theirs = Vault(folder), Vault(folder)
    before, alias = ours.lock(ALICE, MONTH), ours.alias("patient:4711")
    assert ours.opened(before.ids)
    theirs.destroy(NOW, subject="user:alice")
    theirs.destroy(NOW, subject="patient:4711")
    ours.refresh()
    with pytest.raises(Sealed):
        ours.opened(before.ids)
    assert ours.lock(ALICE, MONTH).ids != before.ids
    assert ours.alias("patient:4711") != alias


def test_an_alias_of_somebody_who_was_erased_elsewhere_is_not_given_out(folder: Path) -> None:
    ours, theirs = Vault(folder), Vault(folder)
    alias = ours.alias("patient:4711")
    theirs.destroy(NOW, subject="patient:4711")
    assert ours.alias("patient:4711") != alias  # without being told to look


def test_an_alias_says_nothing_of_its_subject_and_stays_the_same(folder: Path) -> None:
    alias = Vault(folder).alias("patient:4711")
    assert "4711" not in alias
    assert Vault(folder).alias("patient:4711") == alias
    assert Vault(folder, write=False).known("patient:4711") == alias


MAKER = """
import sys
from pathlib import Path
from ringfence.stores.vault import Vault
vault = Vault(Path(sys.argv[1]))
sys.stdin.readline()
for n in range(5):
    lock = vault.lock((f"user:{n}",), "2026-11")
    print(lock.ids[0].hex(), lock.commit.hex(), vault.alias(f"patient:{n}"))
"""


def test_processes_that_begin_at_once_have_one_operators_key_and_one_key_each(folder: Path) -> None:
    command = [sys.executable, "-c", MAKER, str(folder)]
    pipe = subprocess.PIPE
    makers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(6)]
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()
    ends = [maker.communicate(timeout=60) for maker in makers]
    assert [err for _, err in ends] == [""] * 6
    assert len({out for out, _ in ends}) == 1
    assert len(wrapped(folder)) == 5


def test_the_operators_key_that_another_process_made_meanwhile_is_taken(folder: Path) -> None:
    late, quick = Vault(folder), Vault(folder)
    opened = late._open

    def slow() -> apsw.Connection:  # the other one makes all its keys between our look and our question
        late._open = opened  # type: ignore[method-assign]
        quick.lock(ALICE, MONTH)
        return opened()

    late._open = slow  # type: ignore[method-assign]
    late.tag("talk")
    assert late.lock(ALICE, MONTH).ids == quick.lock(ALICE, MONTH).ids


def test_another_operators_key_opens_nothing_and_adds_nothing(folder: Path) -> None:
    lock = Vault(folder).lock(ALICE, MONTH)
    (folder / "operator.key").write_bytes(base64.b64encode(bytes(32)))
    wrong = Vault(folder)
    tries: list[Callable[[], object]] = [
        lambda: wrong.opened(lock.ids), lambda: wrong.lock(("user:bob",), MONTH), lambda: wrong.tag("talk"),
    ]  # fmt: skip
    for attempt in tries:
        with pytest.raises(Sealed, match="another operator's key") as caught:
            attempt()
        assert "operator.key" in caught.value.todo
    assert len(wrapped(folder)) == 1


def test_a_lost_operators_key_is_not_made_anew_beside_keys_that_it_belongs_to(folder: Path) -> None:
    Vault(folder).lock(ALICE, MONTH)
    (folder / "operator.key").unlink()
    with pytest.raises(JournalError, match="is gone") as caught:
        Vault(folder).lock(ALICE, MONTH)
    assert "put it back" in caught.value.todo
    assert not (folder / "operator.key").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_an_operators_key_that_others_may_read_is_refused(folder: Path, mode: int) -> None:
    Vault(folder).make()
    (folder / "operator.key").chmod(mode)
    with pytest.raises(JournalError, match="others may read") as caught:
        Vault(folder).lock(ALICE, MONTH)
    assert "chmod 600" in caught.value.todo


@pytest.mark.parametrize("text", [b"", b"rubbish", b"hunter2hunter2", base64.b64encode(b"short"), b"\xff" * 44])
def test_a_key_that_is_none_is_refused_and_not_repeated(folder: Path, text: bytes) -> None:
    Vault(folder).make()
    (folder / "operator.key").write_bytes(text)
    with pytest.raises(JournalError, match="expected 32 bytes in base64") as caught:
        Vault(folder).make()
    assert not text or text.decode(errors="replace") not in str(caught.value)


def test_a_reader_makes_nothing(folder: Path) -> None:
    with pytest.raises(Sealed, match="there are no keys"):
        Vault(folder, write=False).opened((b"12345678",))
    assert not folder.exists()


def test_a_program_that_gives_no_key_is_asked_once_until_somebody_looks_again(folder: Path) -> None:
    asked: list[int] = []

    def broken() -> bytes:
        asked.append(1)
        raise JournalError("privacy.key: kms gave no answer within 30 s", todo="run it by hand to see why")

    lock = Vault(folder, operator=lambda: bytes(32)).lock(ALICE, MONTH)
    vault = Vault(folder, operator=broken, write=False)
    for _ in range(3):
        with pytest.raises(Sealed, match="gave no answer") as caught:
            vault.opened(lock.ids)
        assert not caught.value.destroyed
    assert len(asked) == 1
    vault.refresh()
    with pytest.raises(Sealed):
        vault.opened(lock.ids)
    assert len(asked) == 2


def test_a_file_of_keys_that_is_none_is_refused_in_words(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "subjects.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(JournalError, match="no SQLite database"):
        Vault(folder).lock(ALICE, MONTH)


def test_keys_that_somebody_holds_locked_are_a_fault_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.stores.vault._BUSY_MS", 50)
    vault = Vault(folder)
    vault.lock(ALICE, MONTH)
    other = apsw.Connection(str(folder / "subjects.db"))
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalError, match="locked"):
        vault.destroy(NOW)
    other.execute("ROLLBACK")
    assert vault.opened(vault.lock(ALICE, MONTH).ids)


KILLED = """
import os, sys
from pathlib import Path
from ringfence.stores import vault as vaults
def syscalls(event, arguments):
    if event == "os.link" or (event == "open" and ".operator.key." in str(arguments[0])):
        steps.append(event)
        if len(steps) > int(sys.argv[2]):
            os._exit(9)
steps = []
sys.addaudithook(syscalls)
vaults.Vault(Path(sys.argv[1])).make()
"""


@pytest.mark.parametrize("step", range(3))
def test_a_crash_while_the_operators_key_is_made_leaves_one_that_is_whole_or_none(folder: Path, step: int) -> None:
    left = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(step)], check=False)
    assert left.returncode in (0, 9)
    lock = Vault(folder).lock(ALICE, MONTH)
    assert Vault(folder, write=False).opened(lock.ids)


def test_a_month_is_the_one_of_utc() -> None:
    assert [month_of(time) for time in (0, 2_678_399_999, 2_678_400_000)] == ["1970-01", "1970-01", "1970-02"]
