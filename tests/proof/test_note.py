"""Notes and heads: the vectors of C2SP and of Go's `sumdb/note`, and every way in which a note can be wrong."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.proof import note as notes
from ringfence.proof.keys import Cosigner, KeySigner
from ringfence.proof.note import (
    BadSignature,
    Checkpoint,
    HalfWritten,
    NoteError,
    UnknownKey,
    Verifier,
    add,
    head,
    next_key_of,
    opened,
    sign,
    signature_line,
    split,
    successor,
    time_of,
)

ROOT = bytes(range(32))
OURS = KeySigner("ringfence/abc", b"1" * 32)
NEXT = KeySigner("ringfence/abc", b"2" * 32)
OTHER = KeySigner("ringfence/other", b"3" * 32)
WITNESS = Cosigner(KeySigner("witness.example/w1", b"4" * 32), clock=lambda: 1_679_315_147.9)
HEAD = head("abc", 41, ROOT, 1_760_000_000_000, OURS)

SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SECOND_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
GO_SECOND_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)


def test_the_example_of_the_specification_is_verified_by_its_key() -> None:
    key = Verifier.parse(SPEC_KEY)
    assert str(key) == SPEC_KEY
    assert opened(SPEC_NOTE, [key]) == ("This is an example message.\n", [key])


def test_the_vectors_of_the_go_package_are_made_byte_for_byte() -> None:
    signer = KeySigner.parse(GO_SECRET)
    assert str(signer.verifier) == GO_KEY
    assert signer.text == GO_SECRET + "\n"
    assert sign(GO_TEXT, signer) == GO_TEXT + "\n" + GO_LINE
    both = add(GO_TEXT + "\n" + GO_LINE, GO_SECOND_LINE)
    keys = [Verifier.parse(GO_KEY), Verifier.parse(GO_SECOND_KEY)]
    assert opened(both, keys) == (GO_TEXT, keys)
    assert opened(both, keys[1:]) == (GO_TEXT, keys[1:])


@given(st.integers(0, len(GO_KEY) - 1), st.characters(codec="utf-8"))
def test_a_verifier_key_with_one_character_changed_is_refused_or_is_another_key(at: int, other: str) -> None:
    changed = GO_KEY[:at] + other + GO_KEY[at + 1 :]
    if changed != GO_KEY:
        with pytest.raises(NoteError):
            Verifier.parse(changed)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        GO_KEY[:-1],
        GO_KEY + "\n",
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        GO_SECRET,
    ],
)
def test_what_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(vkey)


def test_a_head_is_a_checkpoint_with_its_time_signed_by_the_log() -> None:
    text, signed = opened(HEAD, [OURS.verifier])
    assert signed == [OURS.verifier]
    assert text == f"ringfence/abc\n41\n{base64.b64encode(ROOT).decode()}\ntime 1760000000000\n"
    checkpoint = Checkpoint.parse(text)
    assert checkpoint == Checkpoint("ringfence/abc", 41, ROOT, ("time 1760000000000",))
    assert checkpoint.text == text
    assert time_of(checkpoint) == 1_760_000_000_000
    assert next_key_of(checkpoint) is None


def test_the_checkpoint_of_the_specification_is_read_and_written_as_it_is() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    read = Checkpoint.parse(text)
    assert (read.origin, read.size, read.text, time_of(read)) == ("example.com/behind-the-sofa", 20852163, text, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n41\n", "\n041\n"),
        ("\n41\n", "\n-1\n"),
        ("\n41\n", "\n+41\n"),
        ("\n41\n", "\n٤١\n"),
        ("\n41\n", "\n4 1\n"),
        ("\n41\n", f"\n{10**30}\n"),
        ("ringfence/abc\n", "\n"),
        ("AAECAwQ", "AAECAw"),
        ("Hh8=", "Hh9="),
        ("time 1760000000000\n", "\n"),
        ("time 1760000000000\n", "time 1760000000000"),
        ("time ", "time\t"),
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(old: str, new: str) -> None:
    text = opened(HEAD, [OURS.verifier])[0]
    assert old in text
    with pytest.raises(NoteError):
        Checkpoint.parse(text.replace(old, new))


def test_a_witness_signs_the_checkpoint_with_its_time_in_the_way_of_the_specification() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    text = opened(HEAD, [OURS.verifier])[0]
    both = add(HEAD, signature_line(text, WITNESS))
    assert opened(both, [OURS.verifier, WITNESS.verifier]) == (text, [OURS.verifier, WITNESS.verifier])
    assert notes.cosignature_time(both, WITNESS.verifier) == 1_679_315_147
    blob = base64.b64decode(both.splitlines()[-1].rpartition(" ")[2])
    assert blob[:4] == WITNESS.verifier.id
    assert int.from_bytes(blob[4:12]) == 1_679_315_147
    message = f"cosignature/v1\ntime 1679315147\n{text}".encode()
    Ed25519PublicKey.from_public_bytes(WITNESS.verifier.key).verify(blob[12:], message)
    assert str(WITNESS.verifier).startswith("witness.example/w1+")


def test_a_cosignature_with_another_time_is_a_bad_signature() -> None:
    line = signature_line(opened(HEAD, [OURS.verifier])[0], WITNESS)
    name, _, data = line.rstrip("\n").rpartition(" ")
    blob = bytearray(base64.b64decode(data))
    blob[11] += 1
    with pytest.raises(BadSignature, match="witness"):
        opened(add(HEAD, f"{name} {base64.b64encode(blob).decode()}"), [OURS.verifier, WITNESS.verifier])


@pytest.mark.parametrize("length", [68, 71, 75])
def test_a_cosignature_that_ends_too_early_is_half_written(length: int) -> None:
    name, _, data = signature_line(opened(HEAD, [OURS.verifier])[0], WITNESS).rstrip("\n").rpartition(" ")
    line = f"{name} {base64.b64encode(base64.b64decode(data)[:length]).decode()}"
    with pytest.raises(HalfWritten, match="ends too early"):
        opened(add(HEAD, line), [WITNESS.verifier])


def test_a_note_that_none_of_the_keys_signed_says_who_did_and_who_counts() -> None:
    with pytest.raises(UnknownKey) as caught:
        opened(HEAD, [OTHER.verifier])
    assert f"ringfence/abc ({OURS.verifier.id.hex()})" in caught.value.what
    assert f"ringfence/other ({OTHER.verifier.id.hex()})" in caught.value.what
    with pytest.raises(UnknownKey, match="count here are none"):
        opened(HEAD, [])


def test_one_bad_signature_of_a_known_key_spoils_a_note_that_another_one_signed_well() -> None:
    wrong = signature_line("another text\n", OTHER)
    with pytest.raises(BadSignature, match="ringfence/other"):
        opened(add(HEAD, wrong), [OURS.verifier, OTHER.verifier])
    assert opened(add(HEAD, wrong), [OURS.verifier])[1] == [OURS.verifier]


def test_a_key_that_signed_twice_is_told_once() -> None:
    line = HEAD.splitlines()[-1]
    assert opened(add(HEAD, line), [OURS.verifier])[1] == [OURS.verifier]


def test_the_same_key_under_another_type_is_another_key() -> None:
    as_witness = Verifier(OURS.verifier.name, notes.COSIGNATURE, OURS.verifier.key)
    assert as_witness.id != OURS.verifier.id
    with pytest.raises(UnknownKey):
        opened(HEAD, [as_witness])


@given(st.data())
def test_no_change_of_one_character_leaves_a_head_that_counts(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(HEAD) - 1))
    how = data.draw(st.sampled_from(["change", "drop", "insert"]))
    other = data.draw(st.characters(codec="utf-8"))
    rest = {"change": other + HEAD[at + 1 :], "drop": HEAD[at + 1 :], "insert": other + HEAD[at:]}[how]
    if (changed := HEAD[:at] + rest) != HEAD:
        with pytest.raises(NoteError):
            opened(changed, [OURS.verifier])


@pytest.mark.parametrize("cut", range(1, len(HEAD)))
def test_a_head_that_was_cut_anywhere_is_half_written_and_nothing_worse(cut: int) -> None:
    with pytest.raises(HalfWritten):
        opened(HEAD[:cut], [OURS.verifier])
    whole, torn = split(HEAD + HEAD[:cut])
    assert whole[0] == HEAD
    for piece in [*whole[1:], *torn]:
        with pytest.raises(HalfWritten):
            opened(piece, [OURS.verifier])


def test_a_text_that_is_no_note_is_told_apart() -> None:
    with pytest.raises(NoteError) as caught:
        opened("a\n\nno signature\n", [OURS.verifier])
    assert type(caught.value) is NoteError
    with pytest.raises(NoteError, match="at most 65536 bytes"):
        opened("x" * 70_000 + HEAD, [OURS.verifier])
    with pytest.raises(NoteError, match="something else"):
        opened(HEAD.replace("time", "ti\x07me"), [OURS.verifier])


def test_notes_one_after_another_are_told_apart() -> None:
    second = add(head("abc", 42, ROOT, 1_760_000_000_001, OURS), signature_line("x\n", OTHER))
    assert split("") == ([], [])
    assert split(HEAD + second + HEAD) == ([HEAD, second, HEAD], [])
    assert split(f"\n{HEAD}\n\n{second}\n") == ([HEAD, second], [])


@given(st.lists(st.integers(0, len(HEAD)), max_size=6))
def test_pieces_that_a_crash_left_between_notes_are_told_and_no_note_is_lost(cuts: list[int]) -> None:
    text = "".join(f"{HEAD[:cut]}\n\n{HEAD}" for cut in cuts)
    whole, torn = split(text)
    good = [each for each in whole if each == HEAD]
    assert len(good) == len(cuts) + sum(cut >= len(HEAD) - 1 for cut in cuts)  # the line feed is made up for
    assert set(torn) <= {HEAD[:cut].strip("\n") for cut in range(len(HEAD))} | {
        HEAD[:cut] + "\n" for cut in range(len(HEAD))
    }
    for each in whole:
        if each != HEAD:  # cut within the base64 of its signature, at a place where it can still be read
            with pytest.raises(HalfWritten):
                opened(each, [OURS.verifier])


def test_a_file_of_garbage_is_read_in_time_that_grows_with_its_size() -> None:
    import time

    def took_s(lines: int) -> float:
        begin = time.process_time()
        assert split("garbage\n" * lines)[0] == []
        return time.process_time() - begin

    took_s(1_000)
    assert took_s(100_000) < 40 * max(took_s(10_000), 0.001)  # were it quadratic, 100


def test_a_hand_over_is_signed_by_both_keys() -> None:
    both = head("abc", 41, ROOT, 1, OURS, NEXT, next_key=NEXT.verifier)
    assert successor(both, [OURS.verifier]) == NEXT.verifier
    assert next_key_of(Checkpoint.parse(opened(both, [OURS.verifier])[0])) == NEXT.verifier
    assert successor(HEAD, [OURS.verifier]) is None
    with pytest.raises(UnknownKey):
        successor(head("abc", 41, ROOT, 1, OURS, next_key=NEXT.verifier), [OURS.verifier])
    with pytest.raises(UnknownKey):
        successor(head("abc", 41, ROOT, 1, NEXT, next_key=NEXT.verifier), [OURS.verifier])
    with pytest.raises(NoteError, match="expected a verifier key"):
        next_key_of(Checkpoint("ringfence/abc", 1, ROOT, ("next-key nonsense",)))


def test_a_line_that_is_said_twice_says_nothing() -> None:
    assert time_of(Checkpoint("ringfence/abc", 1, ROOT, ("time 1", "time 2"))) is None


@pytest.mark.parametrize("text", ["no line feed", "a\rb\n"])
def test_a_text_that_can_be_no_note_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        sign(text, OURS)


@pytest.mark.parametrize("line", ["", "— a", "- a b", "— a b c", f"— a {base64.b64encode(b'x' * 70).decode()}\n— b c"])
def test_what_is_no_line_of_a_signature_is_not_added(line: str) -> None:
    with pytest.raises(NoteError, match="expected a line of a signature"):
        add(HEAD, line)


def test_a_name_with_a_space_or_a_plus_is_no_name_of_a_key() -> None:
    for name in ("", "a b", "a+b", "a\u2003b", "a\nb"):
        with pytest.raises(NoteError, match="expected a name"):
            Verifier(name, notes.ED25519, b"1" * 32)
