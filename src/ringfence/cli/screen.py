"""What a command shows on stderr while it works: the timeline as it grows, a download, a spinner if somebody looks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status
from rich.text import Text

from ..core.chain import Kind, Record
from ..engine.result import Result
from ..engine.servants import BEFORE
from .text import one_line
from .timeline import Line, Timeline, call_of, text

if TYPE_CHECKING:
    from ..app import Event

_PIPE_WIDTH = 100_000
_TAIL = 60  # characters of the model's text that the spinner shows


def console(*, stderr: bool = False) -> Console:
    """A console that takes nothing for markup; NO_COLOR is respected, and lines in a pipe stay whole."""
    out = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not out.is_terminal:
        out.width = _PIPE_WIDTH
    return out


class Live:
    """Shows the events of a run as they come. Without a terminal: plain lines, no spinner. `quiet` shows nothing."""

    def __init__(self, out: Console, *, quiet: bool = False) -> None:
        self._out = out
        self._quiet = quiet
        self._timeline = Timeline()
        self._shown: dict[str, int] = {}  # the last record of each run
        self._typed = ""
        moving = out.is_terminal and not out.is_dumb_terminal and not quiet
        self._status = Status("looks for the model", console=out) if moving else None

    def __enter__(self) -> Live:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def recall(self, records: Iterable[Record]) -> None:
        """Take in what a resumed run did before, of which only the first line is shown."""
        lines = [line for record in records for line in self._lines(record)]
        for line in lines[:1]:
            self._print(line)

    def catch_up(self, records: Iterable[Record]) -> None:
        """Show those of a run's records that others made, while we were looking elsewhere."""
        for line in [line for record in records for line in self._lines(record)]:
            self._print(line)

    async def follow(self, events: AsyncGenerator[Event | Result, None], seen: list[str]) -> Result:
        """Show a stream to its end and return its result; `seen` gets the run's id as soon as there is one.

        Where it cannot be shown any more, the run is interrupted, and can be resumed.
        """
        result: Result | None = None
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Result):
                    result = event
                    continue
                if event.run_id and not seen and not event.run_id.startswith(BEFORE):
                    seen.append(event.run_id)
                self.show(event)
        assert result is not None
        return result

    def show(self, event: Event) -> None:
        """Take one event in."""
        if event.record is None:
            self._typed = (self._typed + event.text)[-8 * _TAIL :]
            self._spin("writes: " + one_line(self._typed, limit=10 * _TAIL)[-_TAIL:])
            return
        record = event.record
        if record.kind is Kind.INTENT:
            self._typed = ""
            self._spin(call_of(record) if "args" in record.body else "thinks")
        for line in self._lines(record):
            self._print(line)

    def _lines(self, record: Record) -> Iterator[Line]:
        if record.seq > self._shown.get(record.run, -1):
            self._shown[record.run] = record.seq
            yield from self._timeline.lines(record)

    def _spin(self, words: str) -> None:
        if self._status is not None:
            self._status.update(Text(one_line(words, limit=max(20, self._out.width - 4)), style="dim"))

    def _print(self, line: Line) -> None:
        if self._quiet:
            return
        shown = text(line)
        shown.pad_left(2 * line.depth)
        self._out.print(shown, no_wrap=True, overflow="ellipsis")
