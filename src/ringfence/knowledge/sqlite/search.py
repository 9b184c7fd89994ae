"""Searching one state of the index: by words (BM25), by meaning (cosine), and both as one ranking.

Every number that comes out is a function of the chunks in the mask `seen` alone: how many there are, how long they are,
how many have a word, and how each ranks among them. So a member gets, bit for bit, what they would get of an index
that holds nothing else.
"""

from __future__ import annotations

import math

import apsw
import numpy as np
from numpy.typing import NDArray

from ..errors import KnowledgeError
from ..ports import Hit, Query
from ..ranking import DEPTH, K1, MAX_LIMIT, MAX_TEXT, fuse
from . import postings, rows, vectors
from .shelf import Seen, Shelf
from .vectors import Mapped
from .words import Words

_MANY = 2_000  # candidates from which on names are compared as numbers

Ranking = list[int]  # chunks, best first


def search(db: apsw.Connection, shelf: Shelf, seen: Seen, query: Query, mapped: Mapped, words: Words) -> list[Hit]:
    """The best chunks of a query among those that are seen, in the transaction that is open."""
    scores = by_words(db, seen, words.asked(query.text[:MAX_TEXT]))
    named = _best(shelf, *_positive(scores))
    question, rows_ = _question(query, shelf, seen), None
    meant: Ranking = []
    if question is not None:
        rows_ = mapped.rows(shelf.head.generation, shelf.head.dim, seen.reach)
        meant = _best(shelf, *vectors.nearest(rows_, seen.meant, question, DEPTH, mapped.pool))
    limit = min(max(query.limit, 1), MAX_LIMIT)
    ranked = fuse(named, meant, order=lambda chunk: (shelf.names[shelf.owner[chunk]], chunk), limit=limit)
    found = [one.key for one in ranked]
    cosines = np.zeros(len(found))
    if question is not None and rows_ is not None:
        which = np.array(found, np.int64)
        has = seen.meant[which]
        cosines[has] = vectors.exact(rows_, which[has], question)
    chunks = rows.chunks(db, found)
    owners = {chunk: int(shelf.ids[shelf.owner[chunk]]) for chunk in found}
    documents = rows.documents(db, set(owners.values()))
    return [
        Hit(
            documents[owners[one.key]],
            chunk := chunks[one.key],
            rows.text(db, owners[one.key], chunk.start, chunk.end),
            one.score, one.words, one.meaning, float(cosine),
        )
        for one, cosine in zip(ranked, cosines, strict=True)
    ]  # fmt: skip


def by_words(db: apsw.Connection, seen: Seen, terms: list[int]) -> NDArray[np.float64]:
    """BM25 of each chunk, by number; 0 for those without any of the words and for those that are not seen.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with an idf that is never
    negative (Lucene's).
    """
    scores = np.zeros(len(seen.chunks))
    if not seen.count:
        return scores
    within = postings.segments(db)
    for term in terms:
        chunks, times = postings.lookup(db, within, term)
        keep = seen.chunks[chunks]
        chunks, often = chunks[keep], times[keep].astype(np.float64)
        if len(chunks):
            idf = math.log1p((seen.count - len(chunks) + 0.5) / (len(chunks) + 0.5))
            scores[chunks] += idf * (K1 + 1) * often / (often + seen.norm[chunks])
    return scores


def _positive(scores: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The chunks that can be among the best: those above 0 that are no worse than the DEPTH-th."""
    kept = np.flatnonzero(scores)
    if len(kept) > DEPTH:
        found = scores[kept]
        kept = kept[found >= np.partition(found, len(found) - DEPTH)[len(found) - DEPTH]]
    return kept, scores[kept]


def _best(shelf: Shelf, chunks: NDArray[np.int64], scores: NDArray[np.float64]) -> Ranking:
    """The best DEPTH, by score; equals by collection, path and place."""
    if len(chunks) > _MANY:
        order = np.lexsort((chunks, shelf.order[shelf.owner[chunks]], -scores))
        return [int(one) for one in chunks[order[:DEPTH]]]
    pairs = zip((-scores).tolist(), chunks.tolist(), strict=True)
    ordered = sorted(pairs, key=lambda pair: (pair[0], shelf.names[shelf.owner[pair[1]]], pair[1]))
    return [chunk for _, chunk in ordered[:DEPTH]]


def _question(query: Query, shelf: Shelf, seen: Seen) -> NDArray[np.float64] | None:
    """The question's vector, of length 1; None where there is nothing to compare it with."""
    if query.vector is None or not seen.reach:
        return None
    vector = np.asarray(query.vector, np.float64)
    if vector.shape != (shelf.head.dim,) or not np.isfinite(vector).all():
        raise KnowledgeError(
            f"the question's vector is of shape {vector.shape}; the index holds vectors of {shelf.head.dim} numbers"
            f" by {shelf.head.model}",
            todo="name the model that the index was made with, or run `ringfence kb reindex`",
        )
    length = math.sqrt(float((vector * vector).sum()))
    return vector / length if length else None
