"""Searching: by words (BM25), by meaning (cosine), both fused, in one snapshot and as one member.

The policies of the tables leave the rows that the member may read, and nothing here adds any. Where the member's rings
are few, a statement that would look at all rows names them, so that an index of them is used. How many chunks there
are, how long they are and how many have a word is counted among those alone that may be read and that the filters
leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import KnowledgeError
from ..ports import Hit, Query
from ..ranking import DEPTH, K1, MAX_LIMIT, B, Ranked, fuse
from .rows import Rings, chunk_of, decoded, document_of, kept, patterns

if TYPE_CHECKING:
    from psycopg import AsyncConnection

Key = tuple[str, str, int, int]  # collection, path, a document's number, and a chunk's in it: the order of equals
# BM25 with an idf that is never negative, as the index on SQLite reckons it. A hit is a chunk's number, how often it
# has the word and how many words it has: 24, 16 and 24 bits. Scores are added as whole numbers, so that the sum is the
# same in whatever order they come.
_WORDS = """
with total as materialized (
    select coalesce(sum(chunks), 0)::float8 as chunks, greatest(coalesce(sum(words), 0), 1)::float8 as words
    from documents d where {seen}
), found as materialized (
    select term, document, hits from postings p where term = any (%(terms)s::bigint[]) and {within}
), weighed as materialized (
    select term, (%(k1)s::float8 + 1) * ln(1 + (chunks - n + 0.5) / (n + 0.5)) as weight,
        %(k1)s::float8 * (1 - %(b)s::float8) as flat, %(k1)s::float8 * %(b)s::float8 * chunks / words as slope
    from (select term, sum(cardinality(hits))::float8 as n from found group by term) t, total
), best as (
    select document, (hit >> 40)::int as n, sum((weight * tf / (tf + flat + slope * (hit & 16777215)) * 1e9)::bigint)
        as score
    from found join weighed using (term),
        lateral (select hit, ((hit >> 24) & 65535)::float8 as tf from unnest(hits) hit) h
    group by 1, 2 order by score desc, document, n limit %(depth)s
) select d.collection, d.path, best.document, best.n, best.score
from best join documents d on d.id = best.document
"""
_MEANING = """
select d.collection, d.path, w.document, w.n, w.distance from (
    select document, n, v <#> %(vector)s as distance from chunks p where v is not null and {within}
    order by distance, document, n limit %(depth)s
) w join documents d on d.id = w.document
"""
_HITS = """
select c.document, c.n, d.rest, d.trust, d.expires, c.facts, substring(b.body from (c.start + 1)::int for c.size::int),
    case when %(vector)s::vector is null or c.v is null then 0 else -(c.v <#> %(vector)s::vector) end
from unnest(%(documents)s::bigint[], %(numbers)s::int[]) k (document, n)
join chunks c on c.document = k.document and c.n = k.n
join documents d on d.id = c.document join bodies b on b.document = c.document
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What may be seen of documents `d`: an SQL condition and its values. `never`: nothing, whatever is there."""

    sql: str
    values: dict[str, Any] = field(default_factory=dict)
    filtered: bool = False
    never: bool = False

    @property
    def within(self) -> str:
        """The same condition of the rows `p` that belong to documents."""
        ring = "p.ring = any (%(rings)s)" if "rings" in self.values else "true"
        return f"{ring} and p.document in (select d.id from documents d where {self.sql})" if self.filtered else ring


def seen(rings: Rings, query: Query) -> Seen:
    """What the owner of these rings may see, as far as the filters of a query leave it."""
    named, never = rings.named, not rings
    parts, values = ["true"], dict[str, Any]()
    if named is not None:
        parts, values = ["d.ring = any (%(rings)s)"], dict[str, Any](rings=named)
    if query.collections:
        values["collections"] = [name for name in query.collections if kept(name)]
        parts.append("d.collection = any (%(collections)s::text[])")
    if query.paths:
        likes, regexes = patterns(query.paths)
        values |= {"likes": likes, "regexes": regexes}
        never = never or not (likes or regexes)
        parts.append("(d.path like any (%(likes)s::text[]) or d.path ~ any (%(regexes)s::text[]))")
    if query.tags:
        values["tags"] = sorted(query.tags)
        never = never or not kept(*query.tags)
        parts.append("d.tags @> %(tags)s::text[]")
    if query.without:
        values["without"] = [tag for tag in query.without if kept(tag)]
        parts.append("not d.tags && %(without)s::text[]")
    if query.now:
        values["now"] = query.now
        parts.append("(d.expires = 0 or d.expires > %(now)s)")
    return Seen(" and ".join(parts), values, len(parts) > 1, never)


async def search(db: AsyncConnection[Any], rings: Rings, query: Query, terms: Sequence[int]) -> list[Hit]:
    """The best chunks of a query whose words are `terms`. Raises KnowledgeError for a vector of another size."""
    may = seen(rings, query)
    if may.never:
        return []
    vector = _unit(query.vector)
    words = await _by_words(db, may, terms) if terms else []
    meaning: list[Key] = []
    if vector is not None:
        values = {**may.values, "vector": vector, "depth": DEPTH}
        found = await _all(db, _MEANING.replace("{within}", may.within), values)
        meaning = [tuple(row[:4]) for row in sorted(found, key=lambda row: (row[4], *row[:4]))]
    limit = min(max(query.limit, 1), MAX_LIMIT)
    ranked = fuse(words, meaning, order=lambda key: key, limit=limit)
    if not ranked:
        return []
    values = {
        "vector": vector if meaning else None,
        "documents": [one.key[2] for one in ranked], "numbers": [one.key[3] for one in ranked],
    }  # fmt: skip
    rows = {(row[0], row[1]): row[2:] for row in await _all(db, _HITS, values)}
    return [_hit(one, *rows[one.key[2:]]) for one in ranked]


def _hit(one: Ranked[Key], rest: str, trust: int, expires: int, facts: str, text: bytes, similarity: float) -> Hit:
    ranks = one.score, one.words, one.meaning
    return Hit(document_of(rest, trust, expires), chunk_of(facts), decoded(text), *ranks, float(similarity))


async def _by_words(db: AsyncConnection[Any], may: Seen, terms: Sequence[int]) -> list[Key]:
    values = {**may.values, "terms": list(terms), "k1": K1, "b": B, "depth": DEPTH}
    found = await _all(db, _WORDS.replace("{seen}", may.sql).replace("{within}", may.within), values)
    return [tuple(row[:4]) for row in sorted(found, key=lambda row: (-row[4], *row[:4]))]


def _unit(vector: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """The question's vector, of length 1; None for one without a direction."""
    if vector is None:
        return None
    given = np.asarray(vector, np.float64)
    if given.ndim != 1 or not np.isfinite(given).all():
        raise KnowledgeError(f"the question's vector is of shape {given.shape}", todo="embed the question anew")
    length = float(np.linalg.norm(given))
    return np.asarray(given / length, np.float32) if length else None


async def _all(db: AsyncConnection[Any], sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return await (await db.execute(sql.encode(), values)).fetchall()
