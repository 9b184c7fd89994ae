"""Intervals of shares, at 95 %, that hold for few cases, for shares of 0 and 1, and for several runs of one case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959963984540054  # of the standard normal distribution, at 97.5 %
Cluster = Sequence[bool]  # the runs of one case: right or not


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(right: float, count: float) -> Interval:
    """Wilson's score interval (J. Am. Stat. Assoc. 22, 1927) of a share; `count` may be an effective one."""
    if count <= 0:
        return Interval(0.0, 0.0, 1.0)
    share, square = right / count, Z * Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(share, 0.0 if share == 0 else low, 1.0 if share == 1 else high)


def clustered(cases: Sequence[Cluster]) -> Interval:
    """The share of right runs, whose interval knows that runs of one case are alike.

    Wilson's interval for the effective number of runs, n / deff (Franco, Little, Louis and Slud, J. Surv. Stat.
    Methodol. 7, 2019). The design effect is the linearised variance between cases over that of independent runs; the
    effective number is never above the runs, nor below the cases, which it is where all runs agree.
    """
    cases = [case for case in cases if case]
    runs, right = sum(map(len, cases)), sum(map(sum, cases))
    if not cases:
        return wilson(0, 0)
    share = right / runs
    effective = float(len(cases))
    if 0 < share < 1 and len(cases) > 1:
        between = len(cases) / (len(cases) - 1) * sum((sum(case) - len(case) * share) ** 2 for case in cases) / runs**2
        effective = share * (1 - share) / between if between else runs
    effective = min(max(effective, len(cases)), runs)
    return wilson(share * effective, effective)


def paired(cases: Sequence[tuple[Cluster, Cluster]]) -> Interval:
    """The difference of two shares of the same cases, first less second.

    Newcombe's square-and-add of two score intervals with the correlation of the pairs, his method 10 (Stat. Med. 17,
    1998, 2635-2650), over the clustered intervals of both.
    """
    cases = [(one, other) for one, other in cases if one and other]
    first, second = clustered([one for one, _ in cases]), clustered([other for _, other in cases])
    phi = _phi([(sum(one) / len(one), sum(other) / len(other)) for one, other in cases])
    difference = first.value - second.value
    low = difference - _root(first.value - first.low, second.high - second.value, phi)
    high = difference + _root(first.high - first.value, second.value - second.low, phi)
    return Interval(difference, max(-1.0, low), min(1.0, high))


def _root(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _phi(pairs: Sequence[tuple[float, float]]) -> float:
    """The correlation of pairs; a positive one with Newcombe's correction for continuity, n/2 of n * n."""
    count = len(pairs)
    if not count:
        return 0.0
    mean, other_mean = sum(one for one, _ in pairs) / count, sum(other for _, other in pairs) / count
    together = sum((one - mean) * (other - other_mean) for one, other in pairs) / count
    spread = (
        math.sqrt(sum((one - mean) ** 2 for one, _ in pairs) * sum((other - other_mean) ** 2 for _, other in pairs))
        / count
    )
    if together > 0:
        together = max(0.0, together - 1 / (2 * count))
    return together / spread if spread else 0.0
