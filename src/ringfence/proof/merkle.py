"""Inclusion and consistency proofs of the Merkle tree over the log's headers (RFC 9162 2.1.3 and 2.1.4).

The log keeps no tree. A proof is a list of roots of subtrees, each over a contiguous range of leaves, so it is made in
one pass over the leaves: each goes into the `Frontier` of its range. Memory and proof are O(log n) hashes. The pass may
begin at a frontier that was kept, and then costs what came after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ringfence.core.chain import EMPTY_ROOT, Frontier, node

_HASH_BYTES = 32
_Range = tuple[int, int]  # leaves from the first to before the second


def inclusion(leaves: Iterable[bytes], index: int, size: int, *, start: Frontier | None = None) -> list[bytes]:
    """RFC 9162 2.1.3.1: the path from the leaf at `index` to the root of the first `size` leaves, from below.

    `leaves` are leaf hashes, from the first one on or, with `start`, from `start.size` (at most `index`) on. Raises
    ValueError for an index or a start outside of the tree, and if there are fewer leaves than `size`.
    """
    if not 0 <= index < size:
        raise ValueError(f"expected an index from 0 to before the size {size}, got {index}")
    ranges: list[_Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    return _roots(leaves, ranges[::-1], start or Frontier(), latest=index)


def consistency(leaves: Iterable[bytes], old: int, new: int, *, start: Frontier | None = None) -> list[bytes]:
    """RFC 9162 2.1.4.1: the proof that the first `old` of `new` leaves are what they were.

    Empty if `old` is 0 or `new`. `leaves` and `start` (at most `old`) are as in `inclusion`. Raises ValueError for
    sizes that are not in order, and if there are fewer leaves than `new`.
    """
    if not 0 <= old <= new:
        raise ValueError(f"expected sizes in order, got {old} and {new}")
    if old in (0, new):
        return []
    ranges: list[_Range] = []
    begin, end = 0, new
    while end > old:
        middle = begin + _split(end - begin)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    if begin:  # else the old tree is a subtree of the new one, and whoever checks knows its root
        ranges.append((begin, end))
    return _roots(leaves, ranges[::-1], start or Frontier(), latest=old)


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 2.1.3.2: whether `path` leads from the leaf hash at `index` to the root of a tree of `size` leaves."""
    if not 0 <= index < size or not _hashes(leaf, root, *path):
        return False
    at, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(sibling, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """RFC 9162 2.1.4.2: whether the tree with `new_root` is the one with `old_root`, and more.

    With C2SP tlog-witness the empty tree is consistent with every tree, by an empty proof.
    """
    if not 0 <= old <= new or not _hashes(old_root, new_root, *path):
        return False
    if old == new or old == 0:
        known = EMPTY_ROOT if old == 0 else new_root
        return not path and old_root == known and (new > 0 or new_root == EMPTY_ROOT)
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not path:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node(sibling, before), node(sibling, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = node(after, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _split(leaves: int) -> int:
    """RFC 9162 2.1.1: the largest power of two that is smaller than the number of leaves."""
    return int(1 << (leaves - 1).bit_length() - 1)


def _roots(leaves: Iterable[bytes], ranges: Sequence[_Range], start: Frontier, *, latest: int) -> list[bytes]:
    """The root of each range. None of them straddles `latest`, which `start` is not beyond."""
    if start.size > latest:
        raise ValueError(f"expected a frontier of at most {latest} leaves, got one of {start.size}")
    found: dict[_Range, bytes] = {}
    stream, at = iter(leaves), start.size
    for begin, end in sorted(ranges):
        frontier = _part(start, begin, end)
        while at < end:
            leaf = next(stream, None)
            if leaf is None:
                raise ValueError(f"expected {max(end for _, end in ranges)} leaves, got {at}")
            if at >= begin:
                frontier.append(leaf)
            at += 1
        found[begin, end] = frontier.root()
    return [found[each] for each in ranges]


def _part(start: Frontier, begin: int, end: int) -> Frontier:
    """What `start` knows of the leaves of a range: those of its peaks that lie in it.

    A range that begins before `start.size` is a perfect subtree that the binary digits of a larger size name from the
    left. So the peaks of `start` to the left of it are whole ranges of their own, and none reaches over its border.
    """
    widths = [1 << bit for bit in reversed(range(start.size.bit_length())) if start.size >> bit & 1]
    at, peaks = 0, []
    for width, peak in zip(widths, start.peaks, strict=True):
        if begin <= at < end:
            peaks.append(peak)
        at += width
    return Frontier(max(0, min(start.size, end) - begin), tuple(peaks))


def _hashes(*values: bytes) -> bool:
    return all(len(value) == _HASH_BYTES for value in values)
