"""The header, byte for byte, and Merkle roots against RFC 9162 as its text reads."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from ringfence.core.chain import EMPTY_ROOT, VERSION, Frontier, Kind, Record, commitment, header, leaf, node
from ringfence.core.labels import Label, Trust


def _mth(data: list[bytes]) -> bytes:
    """RFC 9162 2.1.1: the Merkle Tree Hash."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return hashlib.sha256(b"\x01" + _mth(data[:k]) + _mth(data[k:])).digest()


def test_the_root_of_every_size_is_that_of_the_rfc() -> None:
    frontier, data = Frontier(), []
    assert frontier.root() == EMPTY_ROOT == _mth([])
    for n in range(130):
        data.append(f"leaf {n}".encode())
        frontier.append(leaf(data[-1]))
        assert frontier.size == len(data)
        assert frontier.root() == _mth(data)


def test_a_frontier_goes_on_from_its_size_and_peaks() -> None:
    whole = Frontier()
    for n in range(130):
        resumed = Frontier(whole.size, tuple(whole.peaks))
        whole.append(leaf(bytes([n])))
        resumed.append(leaf(bytes([n])))
        assert (resumed.size, resumed.peaks, resumed.root()) == (whole.size, whole.peaks, whole.root())
        assert len(whole.peaks) == whole.size.bit_count()


def test_peaks_that_do_not_fit_the_size_are_refused() -> None:
    with pytest.raises(ValueError, match="a tree of 3 leaves has 2 peaks, got 1"):
        Frontier(3, (b"",))


def test_known_roots_of_the_certificate_transparency_test_vectors() -> None:
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    frontier = Frontier()
    for text in inputs:
        frontier.append(leaf(bytes.fromhex(text)))
    assert frontier.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_a_leaf_is_never_a_node() -> None:
    left, right = b"l" * 32, b"r" * 32
    assert leaf(b"x") == hashlib.sha256(b"\x00x").digest()
    assert node(left, right) == hashlib.sha256(b"\x01" + left + right).digest()
    assert leaf(left + right) != node(left, right)


def test_a_commitment_is_keyed() -> None:
    assert commitment(b"k", b"body") == hmac.new(b"k", b"body", "sha256").digest()
    assert commitment(b"k", b"body") != commitment(b"j", b"body")


def test_the_header_is_final_byte_for_byte() -> None:
    label = Label(Trust.UNTRUSTED, frozenset({frozenset({"role:ops", "user:alice"})}))
    view = {"of": 6, "ok": True, "ms": 12}
    record = Record("r1", 7, 1760000000000, Kind.OUTCOME, "user:alice", label, view, {"never": "in the header"})
    made = header(record, log="main", index=41, body=commitment(b"key", b"{}"))
    assert VERSION == 1
    assert made == (
        b'{"body":"' + hmac.new(b"key", b"{}", "sha256").hexdigest().encode() + b'","index":41,"kind":"outcome",'
        b'"label":{"readers":[["role:ops","user:alice"]],"trust":"untrusted"},"log":"main","principal":"user:alice",'
        b'"run":"r1","seq":7,"time":1760000000000,"v":1,"view":{"ms":12,"of":6,"ok":true}}'
    )
    assert leaf(made).hex() == "1cffcfb8829976afb766d659beccb123216c1ef3af7bf825bd7edb51387722de"


def test_the_kinds_of_records_keep_their_names() -> None:
    assert [str(kind) for kind in Kind] == [
        "run.started", "message", "intent", "decision", "approval", "outcome", "checkpoint", "run.finished",
    ]  # fmt: skip
