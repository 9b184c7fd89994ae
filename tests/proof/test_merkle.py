"""Proofs against RFC 9162 as its text reads, against pymerkle, and against every single change of one."""

from __future__ import annotations

import tracemalloc

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.chain import EMPTY_ROOT, Frontier, leaf, node
from ringfence.proof import merkle

MOST = 40
LEAVES = [leaf(b"record %d" % n) for n in range(4100)]


def split(n: int) -> int:
    """RFC 9162 2.1.1: the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves: list[bytes]) -> bytes:
    """RFC 9162 2.1.1, from leaf hashes on."""
    if not leaves:
        return EMPTY_ROOT
    k = split(len(leaves))
    return leaves[0] if len(leaves) == 1 else node(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 2.1.3.1: PATH(m, D_n)."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 9162 2.1.4.1: SUBPROOF(m, D_n, b)."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def frontier(size: int) -> Frontier:
    made = Frontier()
    for each in LEAVES[:size]:
        made.append(each)
    return made


def changes(proof: list[bytes]) -> list[list[bytes]]:
    """Every proof that differs in one hash, and those that lack, repeat or swap one."""
    other = b"\xff" * 32
    found = [[*proof, other], [other, *proof]]
    for at, each in enumerate(proof):
        flipped = bytes([each[0] ^ 1]) + each[1:]
        found += [[*proof[:at], flipped, *proof[at + 1 :]], [*proof[:at], *proof[at + 1 :]]]
        found += [[*proof[:at], each, each, *proof[at + 1 :]], [*proof[:at], each[:31], *proof[at + 1 :]]]
        if at and proof[at - 1] != each:
            found.append([*proof[: at - 1], each, proof[at - 1], *proof[at + 1 :]])
    return found


@pytest.mark.parametrize("size", range(1, MOST))
def test_every_inclusion_proof_of_a_small_tree_is_that_of_the_rfc_and_no_other_counts(size: int) -> None:
    root = mth(LEAVES[:size])
    for index in range(size):
        proof = merkle.inclusion(LEAVES, index, size)
        assert proof == path(index, LEAVES[:size])
        assert merkle.included(LEAVES[index], index, size, proof, root)
        assert not any(merkle.included(LEAVES[index], index, size, other, root) for other in changes(proof))
        assert not merkle.included(LEAVES[index], index, size, proof, mth(LEAVES[: size + 1]))
        for elsewhere in range(size):
            assert merkle.included(LEAVES[elsewhere], index, size, proof, root) == (elsewhere == index)
            assert merkle.included(LEAVES[index], elsewhere, size, proof, root) == (elsewhere == index)


@pytest.mark.parametrize("new", range(MOST))
def test_every_consistency_proof_of_a_small_tree_is_that_of_the_rfc_and_no_other_counts(new: int) -> None:
    roots = [mth(LEAVES[:size]) for size in range(MOST + 1)]
    forged = mth([leaf(b"forged"), *LEAVES[1:new]])
    for old in range(new + 1):
        proof = merkle.consistency(LEAVES, old, new)
        assert proof == (subproof(old, LEAVES[:new]) if old else [])
        assert merkle.consistent(old, new, roots[old], roots[new], proof)
        assert not any(merkle.consistent(old, new, roots[old], roots[new], other) for other in changes(proof))
        if old:
            assert not merkle.consistent(old, new, roots[old], forged, proof)
            assert not merkle.consistent(old, new, roots[old - 1], roots[new], proof)
        for other in range(new + 1):
            assert merkle.consistent(other, new, roots[old], roots[new], proof) == (other == old)


@given(st.integers(1, 300), st.data())
def test_pymerkle_makes_the_same_proofs(size: int, data: st.DataObject) -> None:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for n in range(size):
        tree.append_entry(b"record %d" % n)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert tree.get_root() == frontier(size).root()
    theirs = tree.prove_inclusion(index + 1, size)
    assert theirs.path[1:] == merkle.inclusion(LEAVES, index, size)
    pymerkle.verify_inclusion(LEAVES[index], tree.get_root(), theirs)
    ours = merkle.consistency(LEAVES, old, size)
    assert merkle.consistent(old, size, tree.get_root(old), tree.get_root(), ours)


@given(st.integers(1, 4096), st.data())
def test_a_pass_that_begins_at_any_kept_frontier_makes_the_same_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    kept = data.draw(st.integers(0, index))
    start, rest = frontier(kept), LEAVES[kept:size]
    proof = merkle.inclusion(iter(rest), index, size, start=start)
    assert proof == merkle.inclusion(LEAVES, index, size)
    assert merkle.included(LEAVES[index], index, size, proof, frontier(size).root())
    between = merkle.consistency(iter(rest), index, size, start=start)
    assert between == merkle.consistency(LEAVES, index, size)
    assert merkle.consistent(index, size, frontier(index).root(), frontier(size).root(), between)


def test_a_pass_from_the_old_size_reads_only_what_is_new() -> None:
    stream = iter(LEAVES[4000:4096])
    proof = merkle.consistency(stream, 4000, 4096, start=frontier(4000))
    assert merkle.consistent(4000, 4096, frontier(4000).root(), frontier(4096).root(), proof)


@given(st.integers(1, 4096), st.data())
def test_a_proof_has_at_most_one_hash_more_than_the_tree_is_high(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    high = (size - 1).bit_length()
    assert len(merkle.inclusion(LEAVES, index, size)) <= high
    assert len(merkle.consistency(LEAVES, index, size)) <= high + 1


def test_memory_does_not_grow_with_the_tree() -> None:
    one = LEAVES[0]
    merkle.inclusion((one for _ in range(9)), 3, 9)
    peaks = []
    for size in (1_000, 100_000):
        tracemalloc.start()
        merkle.inclusion((one for _ in range(size)), size // 3, size)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 8_192


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3), (9, 3)])
def test_an_index_outside_of_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected an index from 0 to before the size"):
        merkle.inclusion(LEAVES, index, size)
    assert not merkle.included(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_sizes_that_are_not_in_order_have_no_proof(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="expected sizes in order"):
        merkle.consistency(LEAVES, old, new)
    assert not merkle.consistent(old, new, LEAVES[0], LEAVES[0], [])


def test_a_log_that_is_shorter_than_it_should_be_has_no_proof() -> None:
    with pytest.raises(ValueError, match="expected 9 leaves, got 8"):
        merkle.inclusion(LEAVES[:8], 3, 9)
    with pytest.raises(ValueError, match="expected 9 leaves, got 8"):
        merkle.consistency(LEAVES[:8], 3, 9)


def test_a_pass_cannot_begin_behind_what_is_proved() -> None:
    with pytest.raises(ValueError, match="expected a frontier of at most 3 leaves, got one of 4"):
        merkle.inclusion(LEAVES[4:], 3, 9, start=frontier(4))


def test_the_empty_tree_is_consistent_with_every_tree_and_has_one_root() -> None:
    assert merkle.consistent(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert merkle.consistent(0, 2, EMPTY_ROOT, mth(LEAVES[:2]), [])
    assert not merkle.consistent(0, 0, EMPTY_ROOT, LEAVES[0], [])
    assert not merkle.consistent(0, 2, LEAVES[0], mth(LEAVES[:2]), [])


def test_what_only_looks_like_a_proof_counts_for_nothing() -> None:
    first, second = LEAVES[:2]
    assert not merkle.included(first, 5, 1, [], first)
    assert not merkle.included(second, 0, 1, [first], node(first, second))
    assert not merkle.included(second, 1, 2, [first[:31]], node(first[:31], second))
    assert not merkle.included(first, -1, 1, [], first)
