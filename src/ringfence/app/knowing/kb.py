"""`kb.search` and `kb.read`: passages of documents, with the rights of whoever the run is for.

What comes back carries the documents' own labels, so the gate governs what happens with it next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from ringfence.core.errors import ToolError
from ringfence.core.labels import IDENTITY, NOBODY, Audience, Label, join_all
from ringfence.core.policy import Effect, Role
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Outcome
from ringfence.engine.passages import parsed
from ringfence.engine.rerank import Ranker
from ringfence.engine.unanswered import UNKNOWN
from ringfence.tools.tool import Args, Tool, Use, parse, specify

if TYPE_CHECKING:
    from ringfence.knowledge.library import Library, Passage
    from ringfence.knowledge.ports import Hit

SEARCH, READ = "kb.search", "kb.read"
_HEAD = 90  # characters of a passage's heading
NOTHING = "No passage fits. If no other tool can tell, the answer is: not in the documents."
_MORE = {"x-from": {"key": "document"}}  # closed to documents that results have shown


class SearchArgs(Args):
    """Arguments of kb.search."""

    question: Annotated[str, Field(description="what to look for: a question, or some words", min_length=1)]
    collection: Annotated[str, Field(description="one collection alone; empty: all", max_length=63)] = ""
    k: Annotated[int, Field(ge=0, le=20, description="how many passages; 0: as usual")] = 0


class ReadArgs(Args):
    """Arguments of kb.read."""

    document: Annotated[str, Field(description="a document that a search has shown", json_schema_extra=_MORE)]
    offset: Annotated[int, Field(ge=0, description="the character to begin at")] = 0


class Desk:
    """Where passages are handed out: under whose rights, and by which number of the run.

    live    the runs under way, by id: without one nobody asks, and nothing is found
    ranker  puts `rerank` passages of a search in order, where the manifest wants that
    """

    def __init__(
        self, library: Library, live: Mapping[str, Turn], ranker: Ranker, *, room: int, passages: int, rerank: int
    ) -> None:
        self.library = library
        self._ranker = ranker
        self._rerank = rerank
        self._live = live
        self.room = room
        self.passages = passages
        self._numbers: dict[str, dict[str, int]] = {}

    def turn(self, action: Action) -> Turn:
        """The run that asks; raises ToolError: without a run there is nobody whose rights count."""
        turn = self._live.get(action.run)
        if turn is None:
            raise ToolError("nobody asks: documents are read for a run alone", todo="ask in a run")
        return turn

    async def ranked(self, turn: Turn, question: str, hits: Sequence[Hit], limit: int) -> tuple[Sequence[Hit], int]:
        """The best `limit` of these as the model sees it, where it is asked, and the tokens that it took."""
        if not self._rerank:
            return hits[:limit], 0
        told = [(f"{' > '.join(hit.chunk.headings)}: {hit.text}", hit.document.label) for hit in hits]
        ranked = await self._ranker.rank(turn, question, told)
        return [hits[n] for n in ranked.order][:limit], ranked.tokens

    def wanted(self, limit: int) -> int:
        """How many hits are searched for, where `limit` are shown."""
        return max(limit, self._rerank)

    def numbered(self, turn: Turn, passages: Sequence[Passage]) -> list[int]:
        """The number of each in this run, from 1: what was shown before keeps its own, after a crash too."""
        for run in self._numbers.keys() - self._live.keys():
            del self._numbers[run]
        known = self._numbers.setdefault(turn.run, {})
        if not known:
            known |= shown_by(turn)
        return [
            known.setdefault(key(passage.document, passage.start, passage.end), len(known) + 1) for passage in passages
        ]


def key(document: str, start: int, end: int) -> str:
    """What names a passage in a run."""
    return f"{document} {start}-{end}"


def shown_by(turn: Turn) -> dict[str, int]:
    """The passages that the record of a run shows, with their numbers, in the order of these."""
    found: dict[str, int] = {}
    for record, intent in turn.items:
        if intent is None or intent.view["sink"] not in (f"tool:{SEARCH}", f"tool:{READ}") or not record.view["ok"]:
            continue
        found |= {key(one.document, one.start, one.end): one.n for one in parsed(record.body["value"])}
    return dict(sorted(found.items(), key=lambda item: item[1]))


class _Search:
    def __init__(self, desk: Desk, clock: Callable[[], int]) -> None:
        self._desk = desk
        self._clock = clock

    async def perform(self, action: Action) -> Outcome:
        from ringfence.knowledge.excerpt import closest

        desk, args = self._desk, parse(SearchArgs, action.args)
        turn = desk.turn(action)
        member, library = turn.principal.member, desk.library
        named = frozenset({args.collection}) if args.collection else frozenset[str]()
        if named and named.isdisjoint(known := [one.collection for one in await library.status(member)]):
            raise ToolError(  # of those that they may read: the others are not there for them
                f"there is no collection {args.collection!r}", todo=f"there are: {', '.join(known) or 'none'}"
            )
        limit = args.k or desk.passages
        found = await library.search(
            args.question, member, collections=named, limit=desk.wanted(limit), now=self._clock()
        )
        hits, tokens = await desk.ranked(turn, args.question, found, limit)
        passages = await library.passages(hits, args.question, room=desk.room - _HEAD * len(hits))
        numbers = desk.numbered(turn, passages)
        value: dict[str, JSON] = {"passages": [_shown(n, one) for n, one in zip(numbers, passages, strict=True)]}
        shown = [(n, one.text, one.about) for n, one in zip(numbers, passages, strict=True)]
        if lines := closest(shown, args.question):
            value["closest lines"] = lines
        if not passages:
            value["note"] = NOTHING
        elif gone := await library.unknown(args.question, member, passages):
            value[UNKNOWN] = gone
        if tokens:
            value["tokens"] = tokens
        judged = found if tokens else hits  # what was judged has had a say in what is shown
        return Outcome(value, join_all(hit.document.label for hit in judged))


class _Read:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def perform(self, action: Action) -> Outcome:
        desk, args = self._desk, parse(ReadArgs, action.args)
        turn = desk.turn(action)
        found = await desk.library.read(
            args.document, turn.principal.member, start=args.offset, length=desk.room - _HEAD
        )
        if found is None:
            raise ToolError(f"there is no document {args.document!r}", todo="use the name that a search has shown")
        [number] = desk.numbered(turn, [found])
        return Outcome({**_shown(number, found), "of": found.of}, found.label)


def _shown(number: int, passage: Passage) -> dict[str, JSON]:
    value: dict[str, JSON] = {"n": number, "document": passage.document}
    if passage.title and passage.title != passage.path.rpartition("/")[2]:
        value["title"] = passage.title[:_HEAD]
    if passage.page:
        value["page"] = passage.page
    if passage.outdated:
        value["outdated"] = passage.outdated[:_HEAD]
    if passage.headings:
        value["headings"] = " > ".join(passage.headings)[:_HEAD]
    return {**value, "chars": f"{passage.start}-{passage.end}", "text": passage.text}


def tools_of(
    library: Library,
    live: Mapping[str, Turn],
    ranker: Ranker,
    *,
    clock: Callable[[], int],
    audience: Audience | None,
    room: int,
    passages: int,
    rerank: int = 0,
) -> list[Tool]:
    """The two tools. `audience`: who sees a question that is embedded elsewhere; None: nobody.

    room  in characters of one result
    """
    desk = Desk(library, live, ranker, room=room, passages=passages, rerank=rerank)
    use = Use(output=Label(IDENTITY.trust))
    search = specify(
        SEARCH, "passages of the documents that answer a question", SearchArgs, use=use, effect=Effect.READ,
        confined=audience is None, audience=NOBODY if audience is None else audience, repeats=1, opens="question",
        roles={"question": Role.TEXT if audience is not None else Role.LOW, "collection": Role.LOW, "k": Role.LOW},
    )  # fmt: skip
    read = specify(
        READ, "more of a document that a search has shown", ReadArgs, use=use, effect=Effect.READ, confined=True,
        audience=NOBODY, repeats=1, roles={"document": Role.LOW, "offset": Role.LOW},
    )  # fmt: skip
    return [Tool(search, _Search(desk, clock)), Tool(read, _Read(desk))]
