"""Structured logs: a line of JSON for each record, each request, our own warnings and those of the libraries we use.

A line says codes and counts and where it belongs (run, trace_id, span_id, principal), never what was said or read:
`_SHOWN` names what may pass of a record's view, and all else stays behind. Nothing is configured by an import: a
program that embeds Ringfence has its own logging, which gets our lines from the loggers `ringfence`,
`ringfence.record` and `ringfence.access`; the command line calls `configure`.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import cache, cached_property
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, Literal

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import ManifestError
from ringfence.core.values import JSON
from ringfence.tracing import current, current_span, span_id

Level = Literal["debug", "info", "warning", "error"]
Redact = Callable[[str], str]
MAX_CHARS = 2_000  # of one text in a line: a library may quote what a server sent
_SHOWN = frozenset(  # of a view: codes, counts, and names that the operator gave
    {"sink", "rule", "code", "verdict", "of", "ok", "ms", "status", "policy", "profile", "chars", "steps", "left_out"}
    | {"endorsed", "by", "usage", "bytes", "sent", "signals", "effects"}
)
_EGRESS = frozenset({"state", "method", "host", "port", "sent", "received"})  # the path may hold anything
_PLACE = frozenset({"time", "level", "run", "seq", "trace_id", "span_id", "principal"})  # made by us; never redacted
_OURS = "ringfence"
_records, _requests = logging.getLogger("ringfence.record"), logging.getLogger("ringfence.access")
_Line = MutableMapping[str, Any]


def observe(record: Record) -> None:
    """An observer of records: one line for each at level info. Costs a look at the level where nobody listens."""
    if _records.isEnabledFor(logging.INFO):
        _emitter(_records).info(str(record.kind), **_about(record))


def access(**line: Any) -> None:
    """One line for one request that was answered: what it was by our own names, and nothing that a client wrote."""
    if _requests.isEnabledFor(logging.INFO):
        _emitter(_requests).info("request", **{key: value for key, value in line.items() if value != ""})


def _about(record: Record) -> dict[str, Any]:
    view: Mapping[str, JSON] = record.view
    line: dict[str, Any] = {"run": record.run, "seq": record.seq, "principal": record.principal}
    following = current()
    if trace := view.get("trace") or (following.trace.trace_id if following is not None else ""):
        line["trace_id"] = trace
    call = record.seq if record.kind is Kind.INTENT else view["of"] if record.kind is Kind.OUTCOME else 0
    line["span_id"] = span_id(record.run, call)
    line |= {key: value for key, value in view.items() if key in _SHOWN}
    if tried := view.get("egress"):
        line["egress"] = {key: value for key, value in tried.items() if key in _EGRESS}
    return line


@cache
def _emitter(logger: logging.Logger) -> Any:
    """structlog on top of the standard library's logger, without a word to structlog's own global configuration."""
    import structlog

    processors = [structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
    return structlog.wrap_logger(logger, processors=processors, wrapper_class=structlog.stdlib.BoundLogger)


def configure(level: Level = "warning", *, file: Path | None = None, redact: Redact | None = None) -> None:
    """Write lines to `file`, or to stderr; again to change it. For the one who owns the process: the command line.

    redact  is applied to every text of a line, tracebacks included
    file    is made 0600, appended to, and opened anew when it was moved away (logrotate)

    Where nobody asked for a log (`warning`, no file) only our own warnings are written: a terminal stays quiet. A
    library's lines are taken from warning upwards, whatever the level: below, they may quote what a model is told.
    Raises ManifestError for a file that cannot be written.
    """
    close()
    handler: logging.Handler = _Stderr() if file is None else _Private(file)
    handler.setFormatter(_Lines(redact))
    handler.addFilter(_ours_or_grave)
    handler.set_name(_OURS)
    asked = file is not None or level != "warning"
    logging.getLogger("" if asked else _OURS).addHandler(handler)
    logging.getLogger(_OURS).setLevel(level.upper())


def close() -> None:
    """Take back what `configure` did."""
    for logger in (logging.getLogger(), logging.getLogger(_OURS)):
        for handler in [known for known in logger.handlers if known.get_name() == _OURS]:
            logger.removeHandler(handler)
            handler.close()
    logging.getLogger(_OURS).setLevel(logging.NOTSET)


def _ours_or_grave(line: logging.LogRecord) -> bool:
    return line.levelno >= logging.WARNING or line.name.partition(".")[0] == _OURS


class _Stderr(logging.StreamHandler[Any]):
    """Whatever stderr is when a line comes."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        self.stream = sys.stderr  # `setStream` would flush the one before, which may be closed
        super().emit(record)


class _Unbuffered(io.FileIO):
    """A file that takes text: what a full disk refused is gone, and piles up nowhere."""

    def write(self, text: Any) -> int:
        """Append it."""
        return super().write(text.encode("ascii"))


class _Private(WatchedFileHandler):
    """A file for its owner alone; what cannot be written is said once, and stops nothing."""

    def __init__(self, file: Path) -> None:
        self._failed = False
        try:
            super().__init__(file, encoding="utf-8")
        except OSError as fault:
            raise ManifestError(
                f"the log {file} cannot be written: {fault.strerror}",
                todo="correct RINGFENCE_LOG or runtime.log_file, or make its folder",
            ) from fault

    def _open(self) -> Any:
        return _Unbuffered(os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")

    def handleError(self, record: logging.LogRecord) -> None:
        """Logging never stops a run."""
        if not self._failed:
            self._failed = True
            print(f"warning: the log {self.baseFilename} cannot be written: {sys.exc_info()[1]}", file=sys.stderr)


class _Lines(logging.Formatter):
    """One line of JSON for each record of the standard library's logging, from structlog or not."""

    def __init__(self, redact: Redact | None) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The line. ASCII alone: what a server sent can move no cursor and begin no line of its own."""
        return self._structured.format(record)

    @cached_property
    def _structured(self) -> logging.Formatter:
        import structlog

        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_named],
            processors=[
                _correlated,
                structlog.processors.format_exc_info,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                self._redacted,
                structlog.processors.JSONRenderer(),
            ],
        )

    def _redacted(self, logger: Any, method: str, line: _Line) -> _Line:
        return {key: value if key in _PLACE else self._clean(value) for key, value in line.items()}

    def _clean(self, value: Any) -> Any:
        match value:
            case str():
                return (self._redact(value) if self._redact is not None else value)[:MAX_CHARS]
            case Mapping():
                return {str(key): self._clean(item) for key, item in value.items()}
            case list() | tuple():
                return [self._clean(item) for item in value]
            case None | bool() | int() | float():
                return value
            case _:
                return self._clean(repr(value))


def _named(logger: Any, method: str, line: _Line) -> _Line:
    """A library's line says whose it is."""
    line["logger"] = line["_record"].name
    return line


def _correlated(logger: Any, method: str, line: _Line) -> _Line:
    """Time and level first, and where the line belongs: to the run at work, unless it says so itself."""
    stamp: logging.LogRecord = line["_record"]
    when = datetime.fromtimestamp(stamp.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    where: dict[str, Any] = {}
    if "run" not in line and (following := current()) is not None:
        where = {"run": following.run, "principal": following.principal, "trace_id": following.trace.trace_id}
        where["span_id"] = current_span()
    return {"time": when, "level": stamp.levelname.lower(), "event": line.pop("event"), **where, **line}
