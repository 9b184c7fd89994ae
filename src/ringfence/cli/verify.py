"""`ringfence audit verify`: whether a log is what was written, offline, on a copy, with the public key alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ..app import record
from ..audit import anchors, signing
from ..core.errors import JournalError, ManifestError, RingfenceError
from ..manifest.loader import load
from ..proof import note as notes
from ..proof.note import Verifier
from ..stores import open_log
from ..stores.log import Finding, VerifyReport
from ..stores.reader import SqliteLog
from ..stores.signed import Heads
from ..stores.vault import Sealed
from ..stores.verify import Against
from .exits import Exit
from .text import one_line

TODO = {
    "rollback": "restore the newer log; whoever could put an old one in place could also have changed it",
    "fork": "find out which log the anchor followed: the other one was made beside it",
    "stolen-key": "treat the key as stolen: keep both, rotate (`ringfence audit rotate`), and look who had access",
    "unknown-key": "give the public key that you trust with --key; `ringfence audit key` prints that of this manifest",
    "expired-key": "a key that was handed over may not sign any more: treat it as stolen",
    "cut-tail": "restore the log from a backup or a forwarded copy; records at its end are gone",
    "clock": "compare with the machine's own log: was its clock set?",
    "unanswered": "look at the run: ringfence runs show RUN",
    "unsigned": "give the public key that you trust with --key (`ringfence audit key` prints it), and what an anchor"
    " has kept with --anchor: without signed heads a rewritten log looks like this one",
    "half-written": "nothing, if it is the last one: whoever wrote it was interrupted; else look at who writes there",
    "no-head": "name what an anchor of this log has kept; heads from before a rotation are checked with --key OLD",
}
_SAID = 600  # characters of one finding: whatever a log holds, it begins no line of its own
TAMPERED = "keep the file as it is, and compare it with a backup or with what was forwarded (docs/security/audit.md)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for."""

    manifest: Path
    log: Path | None
    keys: tuple[str, ...]
    anchors: tuple[Path, ...]
    since: str
    bodies: bool
    as_json: bool
    states: bool = False


def execute(wanted: Wanted) -> Exit:
    """Verify, and say what was found: exit 0 if nothing, 1 if the log was tampered with, 3 if somebody should look."""
    with _log(wanted) as log:
        trusted = _trusted(wanted)
        heads, since = Heads(log.id, trusted, _witnesses(wanted)), _since(wanted, log)
        kept = [head.note for head in log.heads()]
        if trusted:
            heads.own(kept)
        for anchor in wanted.anchors if trusted else ():
            found = anchors.read(anchor)
            heads.elsewhere(found.notes, str(anchor), torn=len(found.torn))
        if (
            trusted and since is not None and not wanted.since.isdecimal()
        ):  # one of the log's own says no more than it did
            heads.elsewhere([since[1]], "--since")
        report = log.verify(Against(heads, since[0] if since else 0), bodies=wanted.bodies)
        states = _states(log) if wanted.states and report.ok else ()
        findings = [*report.findings, *states, *_unsigned(report, trusted, kept)]
        name = log.id
    if wanted.as_json:
        print(json.dumps({"log": name, "ok": not findings, **asdict(report), "findings": list(map(asdict, findings))}))
    else:
        _tell(name, report, findings, trusted)
    if any(finding.sure for finding in findings):
        return Exit.UNANSWERED
    return Exit.PARTIAL if findings else Exit.DONE


def _log(wanted: Wanted) -> SqliteLog:
    """The log that is meant: a copy, or the manifest's; with the keys, if they are there."""
    if wanted.log is not None:
        return open_log(wanted.log)
    try:
        return record.open_log(load(wanted.manifest))
    except ManifestError:
        return open_log(wanted.manifest.parent / record.FOLDER / "journal.db")


def _trusted(wanted: Wanted) -> list[Verifier]:
    """The keys that are trusted: those given, or the manifest's own."""
    if wanted.keys:
        return [verifier for verifier in map(_verifier, wanted.keys) if verifier.algorithm == notes.ED25519]
    if wanted.log is not None:
        return []
    try:
        manifest = load(wanted.manifest)
        return [signing.verifier_of(manifest.audit.key, manifest.root)]
    except RingfenceError:
        return []


def _states(log: SqliteLog) -> Iterator[Finding]:
    """Checkpoints whose snapshot is not what the records before them make."""
    from ..engine.snapshot import mismatches

    before: int | None = None
    while page := log.runs(100, before=before):
        for summary in page:
            try:
                wrong = mismatches(log.read(summary.run))
            except Sealed:  # what was erased can be folded no more
                continue
            except (JournalError, LookupError, TypeError, AttributeError, ValueError) as error:
                yield Finding("state", f"run {summary.run}: its records make no state ({error!r})")
                continue
            for seq in wrong:
                text = f"run {summary.run}, seq {seq}: its snapshot is not what the records before it make"
                yield Finding("state", text)
        before = page[-1].index


def _witnesses(wanted: Wanted) -> list[Verifier]:
    """The witnesses of the manifest, and those given with --key."""
    given = [verifier for verifier in map(_verifier, wanted.keys) if verifier.algorithm == notes.COSIGNATURE]
    if wanted.log is not None:
        return given
    try:
        return [*given, *(Verifier.parse(witness.key) for witness in load(wanted.manifest).audit.witnesses)]
    except ManifestError:
        return given


def _verifier(key: str) -> Verifier:
    return Verifier.parse(Path(key).read_text().strip() if Path(key).is_file() else key)


def _since(wanted: Wanted, log: SqliteLog) -> tuple[int, str] | None:
    """The size of the head that is trusted, and the head: a file that holds one, or the size of one that is kept."""
    if not wanted.since:
        return None
    if Path(wanted.since).is_file():
        found = list(anchors.read(Path(wanted.since)).notes)
    elif wanted.since.isdecimal():
        found = [head.note for head in log.heads() if head.size == int(wanted.since)]
    else:
        found = []
    if not found:
        raise JournalError(f"expected a head at --since {wanted.since}, got none", todo="name a file that holds one")
    return notes.Checkpoint.parse(notes.unverified(found[-1])).size, found[-1]


def _unsigned(report: VerifyReport, trusted: list[Verifier], kept: list[str]) -> list[Finding]:
    """That nobody stands behind the log, or behind its end."""
    if report.problem or report.signed >= report.due:
        return []
    if report.signed:
        left = report.due - report.signed
        return [Finding("unsigned", f"runs ended in the last {left} records, and no head is over them", sure=False)]
    if kept and trusted:
        return [Finding("unknown-key", f"none of the {len(kept)} heads was signed with a key that is trusted here")]
    why = "no key was given to check its heads with" if kept else "it has no signed heads"
    return [Finding("unsigned", f"nobody vouches for the log: {why}", sure=False)]


def _tell(name: str, report: VerifyReport, findings: list[Finding], trusted: list[Verifier]) -> None:
    by = f" by {', '.join(map(str, trusted))}" if trusted else ""
    print(f"log {one_line(name)}: {report.records:,} records in {report.runs:,} runs, root {report.root}")
    print(f"  signed    {report.signed:,} of {report.records:,}{by}")
    print(f"  anchored  {report.anchored:,}")
    checked = report.records - report.sealed - report.destroyed
    print(f"  contents  {checked:,} checked, {report.sealed:,} without their key, {report.destroyed:,} destroyed")
    for finding in findings:
        print(f"{'WRONG' if finding.sure else 'look at'} {finding.code}: {one_line(finding.text, limit=_SAID)}")
        print(f"  -> {TODO.get(finding.code, TAMPERED)}")
    if not findings:
        print("nothing is wrong")
