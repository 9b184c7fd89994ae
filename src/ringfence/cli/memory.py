"""`ringfence memory`: what an agent remembers, for people to look at and to correct."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .. import app
from ..app.knowing.people import Hand
from ..core.errors import ManifestError
from ..manifest.loader import load
from .exits import Exit
from .text import decoded, one_line, plain

if TYPE_CHECKING:
    from ..knowledge.memory import Item


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items are listed; empty: all."""

    kind: str
    scope: str
    quarantined: bool
    everything: bool

    def has(self, item: Item) -> bool:
        """Whether one of them is."""
        if self.quarantined and item.state != "quarantined":
            return False
        shown = self.everything or item.state != "superseded"
        return shown and self.kind in ("", item.kind) and self.scope in ("", item.scope.name)


def list_items(manifest: Path, wanted: Wanted, roles: Sequence[str], *, as_json: bool) -> None:
    """A line each: id, when it was said, kind, whose, and the text; with `as_json`, an object a line."""
    items = [item for item in _hand(manifest, roles).items() if wanted.has(item)]
    for item in items:
        if as_json:
            print(json.dumps(item.shown(), ensure_ascii=False))
            continue
        state = "" if item.state == "kept" else f" [{item.state}]"
        print(
            f"{item.id}  {_day(item.last.at)}  {item.kind:<10}  {plain(item.scope.name)}{state}  {one_line(item.text)}"
        )
    held = sum(item.state == "quarantined" for item in items)
    if held and not as_json:
        print(f"{held} in quarantine, never recalled: `ringfence memory promote ID` vouches for one", file=sys.stderr)
    if not items and not as_json:
        print("nothing is remembered that you may read", file=sys.stderr)


def show(manifest: Path, ident: str, roles: Sequence[str], *, as_json: bool) -> None:
    """All about one item."""
    hand = _hand(manifest, roles)
    item = hand.item(ident)
    if as_json:
        print(json.dumps(item.shown(), indent=2, ensure_ascii=False))
        return
    print("\n".join(_lines(item, hand.items())))


def edit(manifest: Path, ident: str, text: str, *, as_json: bool) -> None:
    """Other words for an item."""
    hand = _hand(manifest)
    item = hand.edit(hand.item(ident), decoded(sys.stdin.read() if text == "-" else text))
    _changed(item, "edited", as_json=as_json)


def remove(manifest: Path, idents: Sequence[str], *, yes: bool) -> Exit:
    """Destroy items."""
    hand = _hand(manifest)
    items = [hand.item(ident) for ident in idents]
    for item in items:
        print(f"{item.id}: {one_line(item.text)}", file=sys.stderr)
    if not _sure(f"Destroy {len(items)} of them, for good?", yes=yes):
        return Exit.UNANSWERED
    print(f"destroyed {hand.remove(items)}", file=sys.stderr)
    return Exit.DONE


def promote(manifest: Path, ident: str, *, yes: bool, as_json: bool) -> Exit:
    """Let an item out of quarantine."""
    hand = _hand(manifest)
    item = hand.item(ident)
    print("\n".join(_lines(item, ())), file=sys.stderr)
    if not _sure("Do you vouch for it? From now on it is recalled as your word.", yes=yes):
        return Exit.UNANSWERED
    _changed(hand.promote(item), "promoted", as_json=as_json)
    return Exit.DONE


def export(manifest: Path, out: Path, roles: Sequence[str]) -> None:
    """All that one may read, as one JSON object."""
    items = [item.shown() for item in _hand(manifest, roles).items()]
    text = json.dumps({"items": items}, indent=2, ensure_ascii=False) + "\n"
    if str(out) == "-":
        sys.stdout.write(text)
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)  # one that was there may have been for others to read
        file.write(text)
    print(f"wrote {out}: {len(items)} items", file=sys.stderr)


def wipe(manifest: Path, *, yes: bool, everybody: bool) -> Exit:
    """Destroy all that one may read, or all."""
    hand = _hand(manifest)
    count = len(hand.items())
    others = ", and all that others have and you may not read" if everybody else ""
    if not _sure(f"Destroy {count} items{others}, for good?", yes=yes, word="wipe"):
        return Exit.UNANSWERED
    print(f"destroyed {hand.wipe(everybody=everybody)}{others}", file=sys.stderr)
    return Exit.DONE


def _hand(manifest: Path, roles: Sequence[str] = ()) -> Hand:
    loaded = load(manifest)
    return Hand(loaded, app.narrowed(app.operator(loaded), roles), _warn)


def _sure(question: str, *, yes: bool, word: str = "yes") -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ManifestError("expected --yes where nobody can be asked, got none", todo="look first, then add it")
    print(f"{question} Type {word}: ", end="", file=sys.stderr, flush=True)
    if input().strip() == word:
        return True
    print("nothing was changed", file=sys.stderr)
    return False


def _changed(item: Item, how: str, *, as_json: bool) -> None:
    print(json.dumps(item.shown(), ensure_ascii=False) if as_json else f"{how} {item.id}: {one_line(item.text)}")


def _lines(item: Item, others: Sequence[Item]) -> Iterator[str]:
    readers = [" or ".join(sorted(clause)) for clause in sorted(item.label.readers, key=sorted)]
    yield f"{item.id}  {item.kind} of {plain(item.scope.name)}, {item.state}"
    yield f"  text     {plain(item.text)}"
    yield f"  readers  {'; and '.join(map(plain, readers)) or 'everybody'}"
    yield f"  trust    {item.label.trust.name.lower()}"
    yield f"  said     {item.count} times; expires {_day(item.expires)}"
    for saying in item.sayings:
        yield (
            f"  from     {_day(saying.at)} by {plain(saying.by)}, agent {plain(saying.agent)}, run {saying.run} record"
            f" {saying.seq}, trust {saying.trust}"
        )
    if item.promoted:
        when, by = _day(int(item.promoted["at"])), plain(str(item.promoted["by"]))
        yield f"  promoted {when} by {by}, run {item.promoted['run']}"
    if item.by:
        yield f"  superseded by {item.by}"
    for other in others:
        if other.by == item.id:
            yield f"  supersedes {other.id}: {one_line(other.text)}"


def _day(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000).astimezone():%Y-%m-%d}"


def _warn(text: str) -> None:
    print(plain(f"warning: {text}"), file=sys.stderr)
