"""How records lie in the file: chunks of consecutive records, with the very bytes that were hashed.

A chunk holds up to 64 records that were committed together. `heads` are their canonical headers, one a line, deflated
with a dictionary that the log carries in `meta`. `bodies`, in JSON that keeps the order of keys, lie in sealed parcels:
those about the same subjects and of the same month together, one a line (none has a raw line feed), deflated and then
encrypted; an empty line is a body that retention has destroyed. `marks` are the first 8 bytes of each record's Merkle
leaf, so that a changed header can be named (the leaf itself is the hash of the header's bytes; the roots in `snapshots`
are whole). So a commit of a few records touches few pages, and what is verified is what was written, not what somebody
rebuilt from columns.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..core import chain
from ..core.chain import Kind, Record
from ..core.errors import JournalError
from ..core.labels import Label
from ..core.values import JSON, canonical, ordered

CHUNK_RECORDS = 64
CHUNK_BYTES = 65_536  # of bodies; one record alone may have more
MARK_BYTES = 8
_LATEST = 253_402_300_800_000  # milliseconds since 1970: the year 10000, which no calendar of ours has
SHOWN = "shown"  # in a view: the redacted content
_INFLATED_BYTES = 1 << 28  # a stored chunk that claims to be larger is damaged
_LEVEL, _WINDOW_BITS, _MEMORY = 3, -13, 6  # raw deflate; an 8 KiB window costs half the CPU of the default's 32

_DICTIONARY = """{"body":"","index":,"kind":"approval","log":"%s","principal":"user:","run":"","seq":,"time":17,"v":1,
"view":{"code":"","rule":"POL-8","sink":"tool:","verdict":"deny"}}checkpoint"decision"
{"args":{"text":"","path":"","pattern":""},"call":0,"why":""}{"value":{"error":"","kind":"ToolError","todo":""}}
{"conversation":"","grant":{"budgets":{},"sinks":["model:main","reply:cli","tool:files.read"],"version":1},
"principal":{"roles":["role:"],"subject":"user:","tenant":""},"task":""}{"role":"user","text":""}
{"answer":"","artifacts":[],"confidence":,"summary":""}{"prompt":""}{"value":{"text":"{\\"thought\\":\\"\\",\\"calls\\":
[{\\"tool\\":\\"\\",\\"args\\":{\\"\\"}}],\\"final_answer\\":{\\"answer\\":\\"\\",\\"artifacts\\":[],\\"confidence\\":","usage":
{"completion_tokens":,"prompt_tokens":}}}"kind":"message","log":"%s","kind":"run.finished","view":{"status":"done",
"steps":}}"kind":"run.started","kind":"intent","label":{"readers":[["role:","user:"]],"trust":"user"},"log":"%s",
"principal":"user:","run":"","seq":,"time":17,"v":1,"view":{"context":[0,1,3],"left_out":0,"rule":"POL-8","sink":"model:main"}}
{"body":"","index":,"kind":"outcome","label":{"readers":[["role:","user:"]],"trust":"untrusted"},"log":"%s","principal":"user:
","run":"","seq":,"time":17,"v":1,"view":{"ms":0,"of":,"ok":true,"usage":{"completion_tokens":,"prompt_tokens":}}}
""".replace("\n", "")


def dictionary(log: str) -> bytes:
    """The preset dictionary of a new log: what its headers and bodies often say. Kept in the log itself."""
    return _DICTIONARY.replace("%s", log).encode()


@dataclass(frozen=True, slots=True)
class Entry:
    """A record whose bytes were made when it was appended: what changes later is not written.

    The keys of a canonical header are sorted, so `body` and `index`, which are known at the commit alone, come first:
    `tail` is the rest. Made here in half the time of `chain.header`, to the same bytes (a test holds the two together).
    """

    record: Record
    tail: bytes
    body: bytes

    @classmethod
    def of(cls, record: Record, log: str, *, shown: JSON = None) -> Entry:
        """Raises JournalError for content that JSON cannot carry exactly. `shown`: redacted, it is kept in the view."""
        view = {**record.view, SHOWN: shown} if shown else record.view
        try:
            who = _fixed(record.kind, record.label, log, record.principal)
            tail = b'%s,"run":%s,"seq":%d,"time":%d,"v":%d,"view":%s}' % (
                who, _quoted(record.run), record.seq, record.time, chain.VERSION, canonical(view),
            )  # fmt: skip
            return cls(record, tail, ordered(record.body))
        except (ValueError, TypeError) as error:
            raise JournalError(
                f"run {record.run}: record {record.seq} ({record.kind}) cannot be written: {error}",
                todo="a tool or a model returned a value that JSON cannot carry; have it return plain JSON",
            ) from error

    def head(self, index: int, commitment: bytes) -> bytes:
        """The same bytes as `chain.header`."""
        return b'{"body":"%s","index":%d,%s' % (commitment.hex().encode(), index, self.tail)


@lru_cache(maxsize=1024)
def _fixed(kind: Kind, label: Label, log: str, principal: str) -> bytes:
    """The part of a header that many records share."""
    return canonical({"kind": str(kind), "label": label.to_json(), "log": log, "principal": principal})[1:-1]


@lru_cache(maxsize=4096)
def _quoted(run: str) -> bytes:
    return canonical(run)


class Squeeze:
    """Deflates and inflates the parts of chunks by one log's dictionary."""

    def __init__(self, preset: bytes) -> None:
        self._preset = preset

    def pack(self, lines: Sequence[bytes]) -> bytes:
        """Lines, one record each, in a few bytes."""
        deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY, zlib.Z_DEFAULT_STRATEGY, self._preset)
        return deflate.compress(b"\n".join(lines)) + deflate.flush()

    def unpack(self, data: bytes) -> list[bytes]:
        """Inverse of `pack`; raises JournalError for bytes that it did not make."""
        inflate = zlib.decompressobj(_WINDOW_BITS, self._preset)
        try:
            lines = inflate.decompress(data, _INFLATED_BYTES)
        except (zlib.error, TypeError) as error:
            raise damaged(f"its bytes cannot be inflated ({error})") from error
        if not inflate.eof or inflate.unused_data:
            raise damaged("its bytes end too early or too late")
        return lines.split(b"\n")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A row of `chunks` as it is stored.

    index   place of its first record in the log
    newest  index of the last chunk, up to this one, in which a run starts; -1 if none did
    """

    index: int
    newest: int
    marks: bytes
    heads: bytes
    bodies: bytes

    @classmethod
    def of(cls, row: Sequence[object]) -> Chunk:
        """From a row; raises JournalError if it was damaged so that its values have other types."""
        if tuple(map(type, row)) != (int, int, bytes, bytes, bytes):
            raise damaged("a chunk has values of the wrong types")
        return cls(*row)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.marks) // MARK_BYTES

    def mark(self, at: int) -> bytes:
        """The stored mark of the record at `at` in this chunk."""
        return self.marks[at * MARK_BYTES : (at + 1) * MARK_BYTES]

    def lines(self, squeeze: Squeeze) -> list[bytes]:
        """Each record's header, as it was hashed."""
        heads = squeeze.unpack(self.heads)
        if len(heads) != len(self):
            raise damaged(f"a chunk holds {len(heads)} headers and {len(self)} marks")
        return heads


def batches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Cut what is committed together into chunks."""
    begin = size = 0
    for at, entry in enumerate(entries):
        if at > begin and (at - begin == CHUNK_RECORDS or size + len(entry.body) > CHUNK_BYTES):
            yield entries[begin:at]
            begin, size = at, 0
        size += len(entry.body)
    if begin < len(entries):
        yield entries[begin:]


def marker(run: str, seq: int | None = None) -> bytes:
    """Bytes that are in the header of such a record: its keys are sorted, so `run` is followed by `seq`."""
    return b'"run":' + canonical(run) + (b',"seq":' if seq is None else b',"seq":%d,' % seq)


def record_of(head: dict[str, JSON], body: bytes) -> Record:
    """The record from its parsed header and its body's bytes; raises JournalError if they make none."""
    try:
        return _record(head, json.loads(body))
    except ValueError as error:
        raise damaged(f"it holds no record ({error!r})") from error


def redacted(head: dict[str, JSON]) -> Record:
    """The record as a reader without a key sees it: its body is the redacted content, as far as it was kept."""
    return _record(head, head["view"].get(SHOWN, {}))


def _record(head: dict[str, JSON], body: JSON) -> Record:
    try:
        view = {key: value for key, value in head["view"].items() if key != SHOWN}
        label = _label(json.dumps(head["label"]))
        return Record(head["run"], head["seq"], head["time"], Kind(head["kind"]), head["principal"], label, view, body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(f"it holds no record ({error!r})") from error


@lru_cache(maxsize=1024)
def _label(text: str) -> Label:
    return Label.from_json(json.loads(text))


def parse(head: bytes) -> dict[str, JSON]:
    """A header from its bytes; raises JournalError if they are none of this version."""
    try:
        value = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise damaged(f"a header is not JSON ({error})") from error
    if not isinstance(value, dict) or value.get("v") != chain.VERSION:
        raise damaged("a header is of no known version")
    return value


def sound(head: dict[str, JSON]) -> dict[str, JSON]:
    """A header that says in the right form whose it is and when; raises JournalError for another one."""
    run, seq, index, time = (head.get(name) for name in ("run", "seq", "index", "time"))
    if not (
        type(seq) is type(index) is type(time) is int
        and 0 <= time < _LATEST
        and isinstance(run, str)
        and run.isprintable()
        and isinstance(head.get("principal"), str)
        and isinstance(head.get("view"), dict)
    ):
        raise damaged("a header does not say in the right form whose it is and when")
    return head


def damaged(what: str) -> JournalError:
    """The error of stored bytes that no journal wrote."""
    return JournalError(f"a part of the journal is damaged: {what}", todo=DAMAGED_TODO)


DAMAGED_TODO = (
    "run `ringfence doctor` to see what is wrong; keep the file, restore a copy of it from a backup, "
    "or move it aside (with its -wal and -shm) to begin a new journal"
)
