"""One thing that is remembered, and how an index keeps it: a document of one chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast, get_args

from ringfence.core.labels import Label
from ringfence.core.values import JSON, canonical

from ..ports import Chunk, Document
from .scopes import Scope
from .wording import normal

Kind = Literal["fact", "preference", "episode", "procedure"]
State = Literal["kept", "quarantined", "superseded"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
MAX_TEXT: Final = 1_000  # characters of one item
MAX_SAYINGS: Final = 20  # of one item: the first, and the newest ones
_FORM = "1"  # of what `meta` holds


@dataclass(frozen=True, slots=True)
class Saying:
    """Where an item comes from: the record (`run`, `seq`) by which it was saved.

    by     the principal for whom the run was; `at` is milliseconds since 1970
    key    the call's idempotency key: a call that is made again after a crash is the same saying
    trust  of what it was made from
    """

    run: str
    seq: int
    key: str
    by: str
    agent: str
    at: int
    trust: str

    def to_json(self) -> dict[str, JSON]:
        """As it is kept."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Item:
    """What is remembered. `text` is redacted; `label` is who may read it, and how far it is trusted.

    count     how often it was said
    slot      what it is a value of ("alice manager"), or "": a newer value of the same slot supersedes it
    by        who or what ended it: the item that superseded it
    promoted  who vouched for it, and when, if it was in quarantine
    """

    id: str
    text: str
    kind: Kind
    scope: Scope
    label: Label
    sayings: tuple[Saying, ...]
    state: State = "kept"
    count: int = 1
    slot: str = ""
    by: str = ""
    promoted: Mapping[str, JSON] | None = None
    expires: int = 0
    subjects: tuple[str, ...] = ()

    @property
    def first(self) -> Saying:
        """Who said it first."""
        return self.sayings[0]

    @property
    def last(self) -> Saying:
        """Who said it last."""
        return self.sayings[-1]

    def said_again(self, saying: Saying, *, expires: int, subjects: Sequence[str]) -> Item:
        """The same, said once more; the very same saying changes nothing."""
        about = tuple(sorted({*self.subjects, *subjects}))
        if any(saying.key and saying.key == known.key for known in self.sayings):
            return replace(self, subjects=about)
        kept = (self.sayings[0], *self.sayings[1:][-(MAX_SAYINGS - 2) :], saying)
        return replace(self, sayings=kept, count=self.count + 1, expires=expires, subjects=about)

    def document(self) -> Document:
        """As an index keeps it."""
        meta: dict[str, JSON] = {
            "form": _FORM,
            "kind": self.kind,
            "scope": self.scope.name,
            "state": self.state,
            "count": self.count,
            "slot": self.slot,
            "by": self.by,
            "sayings": [saying.to_json() for saying in self.sayings],
        }
        if self.promoted is not None:
            meta["promoted"] = dict(self.promoted)
        tags = {self.kind, tag_of(self.scope), *((slot_tag(self.slot),) if self.slot else ())}
        if self.state != "kept":
            tags.add(self.state)
        text = self.text.encode()
        version = hashlib.sha256(canonical(meta) + b"\0" + text).hexdigest()
        return Document(
            self.scope.collection, self.id, self.text, self.label, version, title=self.kind, tags=frozenset(tags),
            expires=self.expires, subjects=self.subjects, meta=meta,
        )  # fmt: skip

    def shown(self) -> dict[str, JSON]:
        """All of it, as people are shown it: with where it comes from, and who may read it."""
        return {
            "id": self.id,
            "text": self.text,
            "kind": self.kind,
            "scope": self.scope.name,
            "state": self.state,
            "count": self.count,
            "label": self.label.to_json(),
            "expires_ms": self.expires,
            "subjects": list(self.subjects),
            "superseded_by": self.by,
            "promoted": dict(self.promoted) if self.promoted else None,
            "sayings": [saying.to_json() for saying in self.sayings],
        }

    def chunk(self, tokens: int) -> Chunk:
        """All of it."""
        return Chunk(0, len(self.text), tokens=tokens)

    @classmethod
    def of(cls, document: Document, text: str) -> Item:
        """Inverse of `document`; raises ValueError for one that is no item."""
        meta: Mapping[str, Any] = document.meta
        try:
            if meta["form"] != _FORM or meta["kind"] not in KINDS or meta["state"] not in get_args(State):
                raise ValueError(meta["form"])
            return cls(
                document.path, text, cast(Kind, meta["kind"]), Scope(meta["scope"]), document.label,
                tuple(Saying(**one) for one in meta["sayings"]), cast(State, meta["state"]), int(meta["count"]),
                meta["slot"], meta["by"], meta.get("promoted"), document.expires, document.subjects,
            )  # fmt: skip
        except (KeyError, TypeError) as error:
            raise ValueError(f"no item of memory: {document.path} ({error})") from None


def id_of(text: str, scope: Scope, label: Label) -> str:
    """The name of an item: the same words, for the same readers, are the same item, whoever saves them first."""
    readers = label.to_json()["readers"]
    return "m-" + hashlib.sha256(canonical([normal(text), scope.name, readers])).hexdigest()[:16]


def tag_of(scope: Scope) -> str:
    """The tag of all that is in a scope."""
    return f"scope {scope.name}"


def slot_tag(slot: str) -> str:
    """The tag of all that are values of one slot; it holds none of its words."""
    return "slot " + hashlib.sha256(slot.encode()).hexdigest()[:16]
