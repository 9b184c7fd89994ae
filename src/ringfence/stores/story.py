"""What the headers of a log tell, run by run: dense, decided before done, answered, in time. It takes no key."""

from __future__ import annotations

from ..core.values import JSON
from .log import Finding

MAX_ALIKE = 100  # findings of one kind that are told
_BACK_MS = 60_000  # writers overlap, and clocks are set right; beyond this somebody should look


class Wrong(Exception):
    """What is surely wrong."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.finding = Finding(code, text)


class Story:
    """Follows the runs of a log, in memory for those that are open at once.

    due       records up to the last end of a run
    about     whom each open run is about, beside its principal
    subjects  how often a run came to be about somebody, and a sum of the hashes of these (run, subject)
    """

    def __init__(self) -> None:
        self.runs = self.due = 0
        self.about: dict[str, set[str]] = {}
        self.subjects = (0, 0)
        self.findings: list[Finding] = []
        self._next: dict[str, int] = {}
        self._open: dict[str, dict[int, tuple[str, str]]] = {}  # intents that nothing answered yet: sink and key
        self._time = 0

    def follow(self, head: dict[str, JSON], *, midway: bool = False) -> None:
        """Take in the next header; `midway`: what came before was not looked at. Raises Wrong."""
        run, seq, kind, view = head["run"], head["seq"], head["kind"], head["view"]
        expected = self._next.get(run)
        if expected is None:
            expected = seq if midway and seq else 0
            self._open[run] = {}
            self.runs += seq == 0
        if seq != expected:
            raise Wrong(
                "duplicate" if seq < expected else "deleted",
                f"{named(head)}: record {expected} of this run should be here",
            )
        self._next[run] = seq + 1
        if head["time"] < self._time - _BACK_MS:
            back = (self._time - head["time"]) // 1000
            self._tell("clock", f"{named(head)}: the clock went back by {back:,} s")
        self._time = head["time"]
        if "subjects" in view:
            about = self.about.setdefault(run, set())
            for subject in view["subjects"]:
                if subject not in about:
                    about.add(subject)
                    self.subjects = self.subjects[0] + 1, self.subjects[1] + hash((run, subject))
        if kind == "intent":
            self._intent(head, run, seq, view)
        elif kind == "outcome":
            if self._open[run].pop(view["of"], None) is None and not midway:
                self._tell("undecided", f"{named(head)}: it is the outcome of something that was not decided before")
        elif kind == "run.finished":
            self.due = head["index"] + 1
            self._end(head, run, view)

    def _intent(self, head: dict[str, JSON], run: str, seq: int, view: JSON) -> None:
        if not view.get("rule"):
            self._tell("undecided", f"{named(head)}: no rule has allowed it")
        opened, sink, key = self._open[run], view["sink"], view.get("key", "")
        for earlier, (other, its) in opened.items():
            if other == sink and its == key and (key or sink.startswith("model:")):
                del opened[earlier]  # a crash cut it off, and this is the same call again
                break
        opened[seq] = sink, key

    def _end(self, head: dict[str, JSON], run: str, view: JSON) -> None:
        if self._open[run] and view.get("status") != "cancelled":
            sinks = ", ".join(sorted({sink for sink, _ in self._open[run].values()}))
            self._tell("unanswered", f"{named(head)}: the run has ended, and no outcome says what became of {sinks}")
        del self._next[run], self._open[run]
        self.about.pop(run, None)

    def _tell(self, code: str, text: str) -> None:
        """A finding that says nothing against the records behind it: they are looked at all the same."""
        if sum(finding.code == code for finding in self.findings) < MAX_ALIKE:
            self.findings.append(Finding(code, text, sure=code == "undecided"))


def named(head: dict[str, JSON]) -> str:
    """A record in words."""
    return f"record {head['index']} (run {head['run']}, seq {head['seq']}, {head['kind']})"


def misplaced(indices: list[int], start: int, heads: list[bytes]) -> Wrong:
    """Why the records of a chunk that begins at `start` do not say that they stand where they do."""
    expected = list(range(start, start + len(indices)))
    at = next(n for n, (index, place) in enumerate(zip(indices, expected, strict=True)) if index != place)
    where = f"at place {expected[at]} of the log stands a record that says {indices[at]}"
    if sorted(indices) == expected:
        return Wrong("reordered", f"{where}: records were put in another order")
    if (first := indices.index(indices[at])) != at or indices.count(indices[at]) > 1:
        twin = first if first != at else indices.index(indices[at], at + 1)
        same = heads[twin] == heads[at]
        return Wrong(
            "duplicate" if same else "inserted",
            f"{where}: it is {'a copy of' if same else 'not the one that is'} record {indices[at]}",
        )
    if indices[at] > expected[at]:
        return Wrong("deleted", f"{where}: {indices[at] - expected[at]} records before it are missing")
    return Wrong("duplicate", f"{where}: it was copied or moved there")
