"""What is remembered: saved once, merged, superseded, held in quarantine, recalled with the rights of whoever asks.

Nothing here asks a model. What is saved, merged or superseded is decided by rules, under a lock that all writers of one
store share; what may be recalled is decided inside the index's query, by its labels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ringfence.core.labels import Label, Member, Trust
from ringfence.core.ports import Clock

from ..errors import KnowledgeError
from ..ports import Embedder, Hit, Index, Query
from .items import KINDS, MAX_TEXT, Item, Kind, Saying, id_of, slot_tag, tag_of
from .scopes import AGENT, COLLECTION, Scope, collections, remembered
from .wording import normal, same, shared, slot

HALF_LIFE_DAYS: Final = 30.0  # after so long without being said again an item counts for three quarters, at last half
FAINT: Final = 0.3  # cosine to the question below which an item that shares no word with it is noise
DAY_MS: Final = 86_400_000
_NEAR = 8  # items that a new one is compared with
_AMONG = 4  # times as many are looked at as are recalled
_NOBODYS = f"{COLLECTION}:"  # a collection that no agent has
HELD: Final = frozenset({"quarantined", "superseded"})  # what is never recalled

Lock = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of it. `how`: new, again (it was known), quarantined; `superseded`: the older items that it ended."""

    item: Item
    how: str
    superseded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recalled:
    """An item that was found; `score` is 1.0 for the best one that is new."""

    item: Item
    score: float


class Memories:
    """The memory of one agent, in an index that others may share.

    redact     takes personal data and secrets out of what is kept; it is given every text before anything is stored
    may_embed  whether a text with this label may be shown to what makes vectors; one that may not is kept without
    lock       held while one is saved or changed, by one writer of the store at a time
    """

    def __init__(
        self,
        index: Index,
        embedder: Embedder | None,
        redact: Callable[[str], str],
        clock: Clock,
        *,
        agent: str = AGENT,
        expires_days: int = 365,
        may_embed: Callable[[Label], bool] = lambda label: True,
        lock: Lock = nullcontext,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._redact = redact
        self._clock = clock
        self.agent = agent
        self._lasts_ms = expires_days * DAY_MS
        self._may_embed = may_embed
        self._lock = lock

    async def save(
        self,
        text: str,
        kind: Kind,
        scope: Scope,
        *,
        label: Label,
        member: Member,
        saying: Saying,
        subjects: Sequence[str] = (),
    ) -> Saved:
        """Keep a text for those of the scope who may read all that it was made from (`label`).

        UNTRUSTED goes into quarantine. What is known is counted, not kept twice; the older value of the same thing is
        superseded. Raises ValueError, in words for a model, for an empty or long text and a scope that is not theirs.
        """
        if not scope.open_to(member):
            raise ValueError(f"{scope.name} is not yours; scope is me, agent, or a role or team of the user")
        shown = await self._redacted(text)
        now = self._clock()
        kept = scope.label(label, min(label.trust, Trust.USER))  # nobody becomes the operator by being remembered
        item = Item(
            id_of(shown, scope, kept), shown, kind, scope, kept, (saying,),
            "quarantined" if kept.trust is Trust.UNTRUSTED else "kept",
            slot=slot(shown), expires=now + self._lasts_ms, subjects=tuple(sorted(set(subjects))),
        )  # fmt: skip
        async with self._lock():
            return await self._keep(item, member, saying)

    async def _redacted(self, text: str) -> str:
        shown = await asyncio.to_thread(self._redact, " ".join(text.split()))  # names are found by a model
        if not normal(shown):
            raise ValueError("text is what to remember, in a sentence")
        if len(shown) > MAX_TEXT:
            raise ValueError(f"text is at most {MAX_TEXT} characters; say what matters of it")
        return shown

    async def _keep(self, item: Item, member: Member, saying: Saying) -> Saved:
        vector = await self._vector(item)
        known = await self._known(item, member, vector)
        if known is not None and known.state != "quarantined" and item.state == "quarantined":
            return Saved(known, "again")  # what nobody vouches for changes nothing that is known
        if known is not None and known.state == item.state:
            again = known.said_again(saying, expires=item.expires, subjects=item.subjects)
            if item.label.trust > known.label.trust:  # the user's own words in place of a model's
                again = replace(again, text=item.text, label=item.label, slot=item.slot)
                await self._put(again, vector)
            else:
                await self._put(again, await self._vector(again))
            return Saved(again, "again", await self._supersede(again, member))
        if known is not None:
            item = replace(item, id=known.id)
        await self._put(item, vector)
        if item.state == "quarantined":
            return Saved(item, "quarantined")
        return Saved(item, "new", await self._supersede(item, member))

    async def _known(self, item: Item, member: Member, vector: np.ndarray | None) -> Item | None:
        """The item that says the same to the same readers, whatever its state; one that was superseded says it anew."""
        if (own := await self.read(item.id, member, item.scope.collection)) is not None:
            return own
        query = Query(
            item.text, vector, frozenset({item.scope.collection}), tags=frozenset({tag_of(item.scope)}),
            without=frozenset({"superseded"}), limit=_NEAR, now=self._clock(),
        )  # fmt: skip
        for hit in await self._search(query, member):
            if hit.document.label.readers == item.label.readers and same(
                item.text, hit.text, similarity=hit.similarity if vector is not None else 0.0
            ):
                return Item.of(hit.document, hit.text)
        return None

    async def _supersede(self, item: Item, member: Member) -> tuple[str, ...]:
        """End the older values of the same thing; who could read one of these has to be able to read the new one."""
        if not item.slot:
            return ()
        ended = []
        for document in await self._index.documents(
            member, collections=frozenset({item.scope.collection}),
            tags=frozenset({slot_tag(item.slot), tag_of(item.scope)}), without=HELD,
        ):  # fmt: skip
            wider = document.label.join(item.label).readers == document.label.readers
            if document.path == item.id or not wider:
                continue
            older = await self.read(document.path, member, document.collection)
            if older is not None and older.last.at <= item.last.at:
                await self._put(replace(older, state="superseded", by=item.id), await self._vector(older))
                ended.append(older.id)
        return tuple(ended)

    async def _search(self, query: Query, member: Member) -> Sequence[Hit]:
        """What the index finds; by words alone where its vectors are of another model, with which none is compared."""
        try:
            return await self._index.search(query, member)
        except KnowledgeError:
            if query.vector is None:
                raise
            return await self._index.search(replace(query, vector=None), member)

    async def _vector(self, item: Item) -> np.ndarray | None:
        if self._embedder is None or not self._may_embed(item.label):
            return None
        vector: np.ndarray = (await self._embedder.embed([item.text]))[0]
        return vector

    async def _put(self, item: Item, vector: np.ndarray | None) -> None:
        tokens = self._embedder.count(item.text) if self._embedder is not None else 0
        model = self._embedder.model if self._embedder is not None else ""
        document, chunks = item.document(), [item.chunk(tokens)]
        if vector is not None:
            with suppress(KnowledgeError):  # the index holds vectors of another model: by words it is found as well
                await self._index.put(document, chunks, vector.reshape(1, -1), model=model)
                return
        await self._index.put(document, chunks, None, model="")

    async def recall(
        self,
        question: str,
        member: Member,
        *,
        label: Label,
        limit: int,
        kinds: Iterable[str] = (),
        standing: int = 0,
        fits: Callable[[Label], bool] = lambda label: True,
    ) -> list[Recalled]:
        """At most `limit` items that the member may read, the best first: none from quarantine, none that has ended.

        By words and by meaning (reciprocal ranks), times what recency is worth (`HALF_LIFE_DAYS`). `label` is that of
        the question, which may not go to everything that makes vectors. `standing`: so many of the newest preferences
        come in whatever the question is, for they hold always. `fits` says whether one with this label is wanted.
        """
        wanted = frozenset(kinds) or frozenset(KINDS)
        now, found = self._clock(), dict[str, Recalled]()
        vector = None
        if self._embedder is not None and self._may_embed(label) and question.strip():
            vector = await self._embedder.embed_query(question)
        among = min(100, max(limit, 1) * _AMONG)
        query = Query(question, vector, collections(self.agent), without=HELD, limit=among, now=now)
        hits = [hit for hit in await self._search(query, member) if _near(hit, question, vector)]
        best = max((hit.score for hit in hits), default=1.0)
        for hit in hits:
            item = Item.of(hit.document, hit.text)
            if item.kind in wanted and fits(item.label):
                found[item.id] = Recalled(item, hit.score / best * recency(now - item.last.at))
        if standing and "preference" in wanted:
            for item in await self._standing(member, now, fits, standing):
                found.setdefault(item.id, Recalled(item, recency(now - item.last.at)))
        return sorted(_current(found.values()), key=lambda one: (-one.score, one.item.id))[:limit]

    async def _standing(self, member: Member, now: int, fits: Callable[[Label], bool], limit: int) -> list[Item]:
        """The newest preferences."""
        documents = await self._index.documents(
            member, collections=collections(self.agent), tags=frozenset({"preference"}), without=HELD, now=now
        )
        items = [Item.of(document, "") for document in documents if fits(document.label)]
        newest = sorted(items, key=lambda item: (-item.last.at, item.id))[:limit]
        read = [await self.read(item.id, member, item.scope.collection) for item in newest]
        return [item for item in read if item is not None]

    async def read(self, ident: str, member: Member, collection: str = "") -> Item | None:
        """One item by its id, whatever its state; None where the member may read none of that name."""
        for name in (collection,) if collection else sorted(collections(self.agent)):
            if (document := await self._index.read(member, name, ident)) is not None:
                return Item.of(document, document.text)
        return None

    async def items(self, member: Member, *, tags: Iterable[str] = (), without: Iterable[str] = ()) -> list[Item]:
        """All that a member may read, expired ones too, the newest first."""
        documents = await self._index.documents(
            member, collections=collections(self.agent), tags=frozenset(tags), without=frozenset(without)
        )
        read = [await self.read(document.path, member, document.collection) for document in documents]
        return sorted((item for item in read if item is not None), key=lambda item: (-item.last.at, item.id))

    async def forget(self, ids: Iterable[str], member: Member, *, whose: str = "") -> list[Item]:
        """Destroy items that the member may read, and with `whose` those alone that this one said; what is gone."""
        gone = []
        async with self._lock():
            for ident in dict.fromkeys(ids):
                item = await self.read(ident, member)
                if item is None or (whose and any(saying.by != whose for saying in item.sayings)):
                    continue
                await self._index.remove(item.scope.collection, [item.id])
                gone.append(item)
        return gone

    async def edit(self, ident: str, text: str, member: Member, *, saying: Saying) -> Item | None:
        """Other words for an item, by a person, who vouches for them; None where there is no such item."""
        shown = await self._redacted(text)
        async with self._lock():
            if (item := await self.read(ident, member)) is None:
                return None
            label = Label(Trust.USER, item.label.readers)
            edited = replace(
                item.said_again(saying, expires=self._clock() + self._lasts_ms, subjects=()),
                text=shown, label=label, state="kept", slot=slot(shown), by="",
            )  # fmt: skip
            await self._put(edited, await self._vector(edited))
            await self._supersede(edited, member)
            return edited

    async def promote(self, ident: str, member: Member, *, saying: Saying) -> Item | None:
        """Out of quarantine, because a person vouches for it; None where there is no such item there."""
        async with self._lock():
            item = await self.read(ident, member)
            if item is None or item.state != "quarantined":
                return None
            promoted = replace(
                item.said_again(saying, expires=self._clock() + self._lasts_ms, subjects=()),
                label=Label(Trust.USER, item.label.readers),
                state="kept",
                promoted={"by": saying.by, "at": saying.at, "run": saying.run},
            )
            await self._put(promoted, await self._vector(promoted))
            await self._supersede(promoted, member)
            return promoted

    async def wipe(self, member: Member) -> list[Item]:
        """Destroy all that the member may read; what is gone."""
        return await self.forget([item.id for item in await self.items(member)], member)

    async def drop(self) -> None:
        """Destroy everybody's, whoever may read it."""
        async with self._lock():
            for name in sorted(collections(self.agent)):
                await self._index.drop(name)

    async def bare(self) -> None:
        """Take the vectors of all memory in the store away, whoever's it is, so that another model may make them."""
        async with self._lock():
            for document, chunks in await self._index.whole(remembered, vectors=True):
                await self._index.put(document, chunks, None, model="")
            await self._index.drop(_NOBODYS)  # whatever is dropped, an index looks whether its model has vectors left

    async def embed(self) -> int:
        """Make the vectors that memory in the store has not, as far as the model may see it; how many were made."""
        made = 0
        async with self._lock():
            for document, chunks in await self._index.whole(remembered, vectors=False):
                if self._embedder is not None and self._may_embed(document.label) and chunks:
                    vectors = await self._embedder.embed([document.text] * len(chunks))
                    await self._index.put(document, chunks, vectors, model=self._embedder.model)
                    made += 1
        return made

    async def aclose(self) -> None:
        """Free the index and the model."""
        await self._index.aclose()
        if self._embedder is not None:
            await self._embedder.aclose()


def recency(age_ms: int) -> float:
    """What an item counts for by its age: 1.0 when it was just said, 0.75 after a half-life, 0.5 in the end."""
    return float(0.5 + 0.5 * 0.5 ** (max(0, age_ms) / DAY_MS / HALF_LIFE_DAYS))


def _near(hit: Hit, question: str, vector: np.ndarray | None) -> bool:
    """Whether it has to do with the question: an index gives its best ones, however far they are."""
    return shared(question, hit.text) or (vector is not None and hit.similarity >= FAINT)


def _current(found: Iterable[Recalled]) -> list[Recalled]:
    """Of the values of one thing in one scope the newest: a writer may have died before it ended the older one."""
    newest: dict[tuple[str, str], Recalled] = {}
    others = []
    for one in found:
        if not one.item.slot:
            others.append(one)
            continue
        place = (one.item.scope.name, one.item.slot)
        if place not in newest or one.item.last.at > newest[place].item.last.at:
            newest[place] = one
    return [*others, *newest.values()]
