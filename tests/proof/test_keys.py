"""Keys in files and behind commands: who may read them, what is refused, what is never shown."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringfence.core.errors import JournalError, ManifestError
from ringfence.proof import keys
from ringfence.proof.keys import CommandSigner, KeySigner, SignerError
from ringfence.proof.note import Checkpoint, head, next_key_of, opened, sign, unverified

NAME = "ringfence/abc"
SIGN = """\
import base64, sys
from ringfence.proof.keys import KeySigner
key = KeySigner.parse(open(sys.argv[1]).read())
print(base64.b64encode(key.sign(sys.stdin.buffer.read())).decode())
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "audit.key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_for_its_owner_alone_and_signs_after_it_was_read_again(file: Path) -> None:
    made = keys.make(file, name=NAME)
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert [each.name for each in file.parent.iterdir()] == ["audit.key"]
    read = keys.load(file)
    assert read.verifier == made.verifier
    assert read.verifier.name == NAME
    assert opened(sign("text\n", read), [made.verifier])[1] == [made.verifier]


def test_no_two_keys_are_the_same(tmp_path: Path) -> None:
    assert keys.make(tmp_path / "a", name=NAME).verifier != keys.make(tmp_path / "b", name=NAME).verifier


def test_a_key_is_never_written_over(file: Path) -> None:
    keys.make(file, name=NAME)
    before = file.read_bytes()
    with pytest.raises(ManifestError, match="never written over"):
        keys.make(file, name=NAME)
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == ["audit.key"]


def test_a_place_where_no_key_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ManifestError, match="no key can be made at"):
        keys.make(tmp_path / "file" / "audit.key", name=NAME)


@pytest.mark.parametrize("wrong", [0o644, 0o640, 0o666, 0o604, 0o700])
def test_a_key_that_others_may_read_is_refused_and_the_next_step_is_named(file: Path, wrong: int) -> None:
    keys.make(file, name=NAME)
    file.chmod(wrong)
    with pytest.raises(ManifestError, match=f"got mode {wrong:04o}") as caught:
        keys.load(file)
    assert f"chmod 600 {file}" in caught.value.todo
    file.chmod(0o400)
    assert keys.load(file).verifier.name == NAME


def test_a_key_that_is_not_there_is_told(file: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read: No such file"):
        keys.load(file)


@pytest.mark.parametrize("content", ["", "nonsense", "PRIVATE+KEY+a+00000000+", "CUT", "CHANGED", "COSIGNER"])
def test_a_file_with_another_content_is_refused_and_its_content_is_never_shown(file: Path, content: str) -> None:
    whole = keys.make(file, name=NAME).text
    text = {"CUT": whole[:-9], "CHANGED": whole.replace("abc", "abd"), "COSIGNER": whole.replace("+A", "+B")}
    file.write_text(text.get(content, content))
    with pytest.raises(ManifestError) as caught:
        keys.load(file)
    secret = whole.split("+", 4)[4].strip()
    assert not any(secret[at : at + 8] in str(caught.value) for at in range(len(secret) - 8))


def test_a_folder_or_a_pipe_is_no_key_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ManifestError, match="to be a file of yours"):
            keys.load(path)


def test_nothing_that_shows_a_signer_shows_its_secret(file: Path) -> None:
    signer = keys.make(file, name=NAME)
    secret = file.read_text().split("+", 4)[4].strip()
    assert secret not in repr(signer) + str(signer) + str(signer.verifier)


def hand_over(old: KeySigner, new: KeySigner) -> str:
    return head("abc", 1, bytes(32), 1, old, new, next_key=new.verifier)


def names(file: Path) -> list[str]:
    return sorted(each.name for each in file.parent.glob("[a-z]*") if each.suffix != ".lock")


def test_the_key_that_signed_the_newest_head_goes_on_and_no_other_one(file: Path) -> None:
    made = keys.make(file, name=NAME)
    assert keys.load(file, newest=head("abc", 1, bytes(32), 1, made)).verifier == made.verifier
    with pytest.raises(ManifestError, match="expected the key that goes on after the newest head"):
        keys.load(file, newest=head("abc", 1, bytes(32), 1, KeySigner(NAME, b"1" * 32)))
    assert keys.load(file).verifier == made.verifier


def test_a_rotation_puts_a_new_key_in_the_place_of_the_old_one_and_destroys_it(file: Path) -> None:
    made = keys.make(file, name=NAME)
    with keys.rotating(file) as (old, new):
        assert (old.verifier, keys.load(file).verifier) == (made.verifier, new.verifier)
        note = hand_over(old, new)
    assert names(file) == ["audit.key"]
    assert mode(file) == 0o600
    assert keys.load(file, newest=note).verifier == new.verifier != old.verifier


def test_a_key_that_has_handed_the_log_over_does_not_go_on(file: Path) -> None:
    before = keys.make(file, name=NAME).text
    with keys.rotating(file) as (old, new):
        note = hand_over(old, new)
    file.write_text(before)
    with pytest.raises(ManifestError, match="expected the key that goes on after the newest head"):
        keys.load(file, newest=note)


def test_a_rotation_whose_head_is_not_made_leaves_the_old_key(file: Path) -> None:
    made = keys.make(file, name=NAME)
    with pytest.raises(RuntimeError, match="disk"), keys.rotating(file):
        raise RuntimeError("the disk is full")
    assert keys.load(file).verifier == made.verifier
    assert names(file) == ["audit.key"]


CRASH = """\
import os, sys
from pathlib import Path
from ringfence.proof import keys
from ringfence.proof.note import head
file, at = Path(sys.argv[1]), int(sys.argv[2])
count, fsync = [0], os.fsync
def die(fd):
    count[0] += 1
    if count[0] == at:
        os._exit(9)
    fsync(fd)
os.fsync = die
with keys.rotating(file) as (old, new):
    note = head("abc", 1, bytes(32), 1, old, new, next_key=new.verifier)
    Path(sys.argv[3]).write_text(note)
"""


@pytest.mark.parametrize("at", range(1, 7))
def test_a_process_that_dies_anywhere_in_a_rotation_leaves_the_key_that_goes_on(
    file: Path, tmp_path: Path, at: int
) -> None:
    made = keys.make(file, name=NAME)
    durable = tmp_path / "head"
    died = subprocess.run([sys.executable, "-c", CRASH, str(file), str(at), str(durable)], timeout=60, check=False)
    assert died.returncode == (9 if at <= 5 else 0)
    newest = durable.read_text() if durable.exists() else head("abc", 1, bytes(32), 1, made)
    found = keys.load(file, newest=newest)
    expected = next_key_of(Checkpoint.parse(unverified(newest))) or made.verifier
    assert found.verifier == expected
    assert (expected == made.verifier) == (at <= 4)
    with keys.rotating(file):
        pass
    assert names(file) == ["audit.key"]


def test_a_process_that_runs_on_signs_with_the_new_key_after_a_rotation(file: Path) -> None:
    keys.make(file, name=NAME)
    running = keys.load(file)
    with keys.rotating(file) as (_, new):
        assert running.verifier == new.verifier
    assert opened(sign("text\n", running), [new.verifier])[1] == [new.verifier]
    file.unlink()
    with pytest.raises(SignerError, match="cannot be read"):
        running.sign(b"text\n")


def command(file: Path, *argv: str, timeout_s: float = 30.0) -> CommandSigner:
    return CommandSigner(argv, keys.load(file).verifier, timeout_s)


def test_a_command_signs_and_its_signature_counts(file: Path, tmp_path: Path) -> None:
    keys.make(file, name=NAME)
    (tmp_path / "sign.py").write_text(SIGN)
    signer = command(file, sys.executable, str(tmp_path / "sign.py"), str(file))
    assert opened(sign("text\n", signer), [signer.verifier]) == ("text\n", [signer.verifier])


def test_a_command_that_signs_with_another_key_is_refused(file: Path, tmp_path: Path) -> None:
    keys.make(file, name=NAME)
    keys.make(tmp_path / "other", name=NAME)
    (tmp_path / "sign.py").write_text(SIGN)
    with pytest.raises(SignerError, match="signs with another key than"):
        command(file, sys.executable, str(tmp_path / "sign.py"), str(tmp_path / "other")).sign(b"text\n")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "left with exit code 3"),
        ("echo no such key >&2; exit 1", "exit code 1: no such key"),
        ("echo nonsense", "expected 64 bytes of base64"),
        ("head -c 63 /dev/zero | base64 -w0", "expected 64 bytes of base64"),
        ("true", "expected 64 bytes of base64"),
        ("yes", "printed more than 65536 bytes"),
        ("yes >&2", "gave no answer within 1 s"),
        ("sleep 60", "gave no answer within 1 s"),
        ("exec >&- 2>&-; sleep 60", "gave no answer within 1 s"),
        ("kill -9 $$", "left with exit code -9"),
    ],
)
def test_a_command_that_fails_hangs_or_floods_is_told_in_time(file: Path, script: str, said: str) -> None:
    keys.make(file, name=NAME)
    begin = time.monotonic()
    with pytest.raises(JournalError) as caught:
        command(file, "sh", "-c", script, timeout_s=1).sign(b"text\n")
    assert said in caught.value.what
    assert caught.value.todo
    assert time.monotonic() - begin < 20


def test_a_command_that_hangs_is_ended_with_what_it_has_started(file: Path, tmp_path: Path) -> None:
    keys.make(file, name=NAME)
    note = tmp_path / "pid"
    with pytest.raises(JournalError, match="gave no answer"):
        command(file, "sh", "-c", f"sleep 60 & echo $! > {note}; wait", timeout_s=1).sign(b"text\n")
    child = Path("/proc", note.read_text().strip(), "stat")
    deadline = time.monotonic() + 20
    while child.exists() and child.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        pass
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_a_command_that_is_not_there_is_told(file: Path) -> None:
    keys.make(file, name=NAME)
    with pytest.raises(JournalError, match="/no/such cannot be run: No such file"):
        command(file, "/no/such").sign(b"text\n")
