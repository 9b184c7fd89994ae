"""`ringfence audit export`, `tail`, `forward` and `stats`: the log for readers who hold no key."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import FrameType

from ..audit.events import Event, Runs, events, warmed, within
from ..audit.formats import encode, instant, jsonl
from ..audit.forward import Cursor, Forwarder, Options, target
from ..audit.stats import count
from ..core.chain import Kind
from ..core.errors import ManifestError
from ..core.values import JSON
from .exits import Interrupted
from .runs import JOURNAL, open_log
from .text import one_line, plain, size

_POLL_S = 0.25


class Watched:
    """A log that is opened anew when another file takes its name: a rollback by a copy is not slept through."""

    def __init__(self, manifest: Path) -> None:
        self._manifest = manifest
        self._open()

    def size(self) -> int:
        """Durable records."""
        if self._identity() != self._file:
            self._log.close()
            self._open()
        return self._log.size()

    def headers(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The canonical bytes of the headers from index `start` to before `stop`."""
        return self._log.headers(start, stop)

    def close(self) -> None:
        """Let go of the file."""
        self._log.close()

    def _open(self) -> None:
        self._log = open_log(self._manifest)
        self._file = self._identity()
        self.id = self._log.id

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = (self._manifest.parent / JOURNAL).stat()
        except FileNotFoundError:
            return None
        return (found.st_dev, found.st_ino)


def export(
    manifest: Path, *, form: str, run_id: str = "", since: str = "", until: str = "", out: Path | None = None
) -> None:
    """Records in a form, to a file that appears when it is whole, or to stdout."""
    first, last = moment(since), moment(until)
    with open_log(manifest) as log:
        run = log.find(run_id) if run_id else ""
        lines = encode(within(events(log, run=run), first, last), form)
        if out is not None:
            written = _write(out, lines)
            print(f"wrote {out} ({size(written)})", file=sys.stderr)
            return
        with _quiet_pipe():
            for line in lines:
                sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def tail(manifest: Path, *, last: int, follow: bool, as_json: bool) -> None:
    """The newest records, one a line, and with `follow` those that come, whoever writes them."""
    log = Watched(manifest)
    try:
        place = max(0, log.size() - last)
        runs = warmed(log, place)
        with _quiet_pipe():
            place = _print(events(log, place, runs=runs), place, as_json)
            while follow:
                now = log.size()
                if now < place:
                    print(f"the log has {now} records, and had {place}: it was cut or replaced", file=sys.stderr)
                    place, runs = now, Runs()
                if now == place:
                    time.sleep(_POLL_S)
                    continue
                place = _print(events(log, place, now, runs=runs), place, as_json)
    finally:
        log.close()


def forward(
    manifest: Path,
    address: str,
    options: Options,
    *,
    start: int | None = None,
    state: Path | None = None,
    once: bool = False,
    patience_s: float | None = None,
) -> None:
    """Records to a target, at least once each; ends cleanly by a signal."""
    to = target(address, options)
    log = Watched(manifest)
    place = state or _state(manifest, address)
    if address.startswith("syslog+udp:"):
        _say("syslog over UDP loses records without a sign; syslog+tls:// does not")

    def stop(signum: int, _: FrameType | None) -> None:
        raise Interrupted(signum)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with Cursor(place, log, start=start).held() as cursor:
            _say(f"forwarding log {log.id} to {address} from record {cursor.next}")
            done = Forwarder(log, to, cursor, notice=_say, patience_s=patience_s).run(once=once)
            _say(f"everything before record {done} has arrived")
    finally:
        signal.signal(signal.SIGTERM, before)
        log.close()


def stats(manifest: Path, *, as_json: bool) -> None:
    """What the log holds, in one pass."""
    with open_log(manifest) as log:
        found = count(events(log)).to_json()
    if as_json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        if not isinstance(value, dict):
            print(f"{name.replace('_', ' '):<16} {'-' if value is None else value}")
    for name, table in found.items():
        if isinstance(table, dict) and table:
            print(f"{name}:")
            for key, number in table.items():
                print(f"  {one_line(str(key) or '(none)', limit=60):<32} {number:>12}")


def headers_of(file: Path | None) -> dict[str, str]:
    """HTTP header fields from a file, `Name: value` a line: a token does not belong on a command line."""
    if file is None:
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        name, colon, value = line.partition(":")
        if not line.strip():
            continue
        if not colon or not name.strip().replace("-", "").isalnum() or not value.strip().isprintable():
            raise ManifestError(f"{file}, line {number}: expected `Name: value`", todo="one header field a line")
        found[name.strip()] = value.strip()
    return found


def moment(text: str) -> int | None:
    """Milliseconds since 1970 UTC, from themselves or from ISO 8601 (local time if it names no zone)."""
    if not text:
        return None
    if text.isdecimal():
        return int(text)
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ManifestError(
            f"expected a time such as 2026-01-31T12:00:00Z or milliseconds since 1970, got {text!r}",
            todo="write it so; a date alone is its midnight here",
        ) from None


def line(event: Event) -> str:
    """One record for people; whatever it holds, it cannot drive the terminal."""
    head, view = event.head, event.view
    facts: list[str] = [event.sink]
    match head["kind"]:
        case Kind.STARTED:
            facts = (
                ["may also call " + ", ".join(map(str, may))]
                if isinstance(may := view.get("effects"), list) and may
                else []
            )
        case Kind.DECISION:
            facts += [event.text("verdict"), event.text("rule"), event.text("code")]
        case Kind.OUTCOME:
            facts += ["ok" if view.get("ok") else "failed", f"{event.number('ms') or 0} ms"]
        case Kind.FINISHED:
            facts = [event.text("status")]
        case Kind.CHECKPOINT if isinstance(tried := view.get("egress"), dict):
            facts = ["egress", str(tried.get("host")), str(tried.get("port")), str(tried.get("state"))]
    if event.uncertain:
        facts = ["nobody knows whether it was done: record", ", ".join(map(str, event.uncertain))]
    if event.copied:
        facts.append("(a copy)")
    if "shown" in view:
        facts.append(_short(view["shown"]))
    when, kind = instant(int(head["time"])), one_line(head["kind"], limit=12)
    who = f"{one_line(str(head['run']), limit=20)} {head['seq']:>4}  {one_line(str(head['principal']), limit=24)}"
    return f"{event.index:>8}  {when}  {who}  {kind:<12}  {one_line(' '.join(filter(None, facts)))}".rstrip()


def _short(shown: JSON) -> str:
    return json.dumps(shown, ensure_ascii=False)[:400]


def _print(found: Iterable[Event], place: int, as_json: bool) -> int:
    """Print events; returns the place after the last."""
    for event in found:
        print(jsonl(event).decode() if as_json else plain(line(event)))
        place = event.index + 1
    sys.stdout.flush()
    return place


def _write(out: Path, lines: Iterable[bytes]) -> int:
    """Write beside, then rename: what has the name is whole. For its owner alone. Returns bytes."""
    beside = out.with_name(out.name + ".part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise ManifestError(
            f"{beside} is there: another export writes it, or one was cut off",
            todo="wait for the other one, or remove that file",
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(lines)
            written = file.tell()
            file.flush()
            os.fsync(file.fileno())
        beside.replace(out)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    return written


def _state(manifest: Path, address: str) -> Path:
    """A cursor for each target, beside the journal."""
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    return manifest.parent / ".ringfence" / "forward" / f"{name}.json"


def _say(words: str) -> None:
    print(plain(words), file=sys.stderr, flush=True)


@contextmanager
def _quiet_pipe() -> Iterator[None]:
    """A reader that has had enough, as `head` has, is no error."""
    try:
        yield
    except BrokenPipeError:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
