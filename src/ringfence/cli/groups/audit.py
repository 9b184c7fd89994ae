"""`ringfence audit` and `ringfence witness`: names, options and help; what a command needs is imported when called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..options import HERE, Json, Manifest, group

audit = group("How the log proves itself: verify, prove, export, forward.")
witness = group("Sign the heads of other hosts' logs, if they only grow.")

Keys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="KEY", help="the public key that counts, instead of the manifest's; may be repeated"),
]


@audit.command("verify")
def audit_verify(
    manifest: Manifest = HERE,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a copy of a journal, instead of the manifest's")
    ] = None,
    key: Keys = None,
    anchor: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="heads that were kept elsewhere: a file or a folder")
    ] = None,
    since: Annotated[str, typer.Option(metavar="HEAD", help="a head that is trusted: a file, or the size of one")] = "",
    no_bodies: Annotated[
        bool, typer.Option("--no-bodies", help="look at what is signed alone, though keys are here")
    ] = False,
    states: Annotated[
        bool, typer.Option("--states", help="fold every run too, and compare its snapshots; takes longer")
    ] = False,
    as_json: Json = False,
) -> None:
    """Recompute the log: exit 0 if it is what was written, 1 if not, 3 if somebody should look."""
    from .. import verify as command

    wanted = command.Wanted(manifest, log, tuple(key or ()), tuple(anchor or ()), since, not no_bodies, as_json, states)
    raise typer.Exit(command.execute(wanted))


@audit.command("prove")
def audit_prove(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="RUN:SEQ, or the record's index in the log")],
    manifest: Manifest = HERE,
    head: Annotated[
        Path | None, typer.Option(metavar="FILE", help="prove it to the newest head of this file or folder")
    ] = None,
    key: Keys = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write to a file instead of stdout")] = None,
) -> None:
    """Prove that a record is in the log under a signed head; docs/security/verify_proof.py checks it."""
    from .. import proofs as command

    command.prove(manifest, record, head=head, given=key or (), out=out)


@audit.command("consistency")
def audit_consistency(
    old: Annotated[str, typer.Argument(metavar="HEAD1", help="a file with a head, or a number of records")],
    new: Annotated[str, typer.Argument(metavar="HEAD2", help="the later one")],
    manifest: Manifest = HERE,
    key: Keys = None,
) -> None:
    """Prove that the log under one head is the beginning of the log under another one; exit 1 if it is not."""
    from .. import proofs as command

    raise typer.Exit(command.consistency(manifest, old, new, given=key or ()))


@audit.command("key")
def audit_key(manifest: Manifest = HERE) -> None:
    """Print the public key that the heads of the log are checked with."""
    from .. import proofs as command

    command.key(manifest)


@audit.command("rotate")
def audit_rotate(manifest: Manifest = HERE) -> None:
    """Hand the log over to a new key: a head that both keys sign; the old one is destroyed."""
    from .. import proofs as command

    command.rotate(manifest)


@witness.command("serve")
def witness_serve(
    key: Annotated[Path, typer.Option(metavar="FILE", help="the key of this witness; made if it is not there")],
    state: Annotated[Path, typer.Option(metavar="DIR", help="where what was signed is remembered")],
    log: Annotated[
        list[str], typer.Option(metavar="KEY", help="the public key of a log, from `audit key`; may be repeated")
    ],
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="the address to listen on")] = "127.0.0.1:8791",
    name: Annotated[str, typer.Option(metavar="NAME", help="of a new key, such as witness.example.org")] = "witness",
) -> None:
    """Sign each head that continues the last one of its log, and say aloud if one does not."""
    from .. import witness as command

    command.run(listen, key, state, log, name=name)


Format = Literal["jsonl", "ocsf", "csv"]


@audit.command("export")
def audit_export(
    manifest: Manifest = HERE,
    form: Annotated[Format, typer.Option("--format", help="jsonl: what was hashed; ocsf: events 1.8.0; csv")] = "jsonl",
    run_id: Annotated[str, typer.Option("--run", metavar="ID", help="of one run alone")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="not before: ISO 8601, or milliseconds since 1970")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="before this time")] = "",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write to a file (0600) instead of stdout")] = None,
) -> None:
    """The headers of the records, without their bodies: for readers who hold no key."""
    from .. import exporting as command

    command.export(manifest, form=form, run_id=run_id, since=since, until=until, out=out)


@audit.command("tail")
def audit_tail(
    manifest: Manifest = HERE,
    last: Annotated[int, typer.Option("--lines", "-n", min=0, help="how many of the newest records")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on with what is written next")] = False,
    as_json: Json = False,
) -> None:
    """The newest records, one a line."""
    from .. import exporting as command

    command.tail(manifest, last=last, follow=follow, as_json=as_json)


@audit.command("forward")
def audit_forward(
    address: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="syslog+tls://HOST, syslog+tcp://, syslog+udp://, http(s):// or file://"),
    ],
    manifest: Manifest = HERE,
    form: Annotated[Literal["jsonl", "ocsf"], typer.Option("--format", help="jsonl or ocsf")] = "jsonl",
    start: Annotated[int | None, typer.Option("--from", min=0, metavar="INDEX", help="begin with this record")] = None,
    state: Annotated[Path | None, typer.Option(metavar="FILE", help="where the place is kept that was reached")] = None,
    once: Annotated[bool, typer.Option("--once", help="end when there is nothing new, after 30 s of failures")] = False,
    array: Annotated[bool, typer.Option("--array", help="http: a JSON array instead of a line each")] = False,
    headers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="http: header fields, `Name: value` a line")
    ] = None,
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help="the authority to trust, PEM")] = None,
    cert: Annotated[Path | None, typer.Option(metavar="FILE", help="our certificate, PEM")] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="its private key, PEM")] = None,
    enterprise: Annotated[
        int, typer.Option(min=1, metavar="PEN", help="syslog: your private enterprise number, for the SD-ID")
    ] = 32473,
) -> None:
    """Send records to a SIEM, continuously and at least once."""
    from ...audit.forward import Options
    from .. import exporting as command

    options = Options(form, ca, cert, key, command.headers_of(headers), array, enterprise)
    patience_s = 30.0 if once else None
    command.forward(manifest, address, options, start=start, state=state, once=once, patience_s=patience_s)


@audit.command("stats")
def audit_stats(manifest: Manifest = HERE, as_json: Json = False) -> None:
    """How many records, runs, calls, refusals and tokens; by kind, principal, rule and tool."""
    from .. import exporting as command

    command.stats(manifest, as_json=as_json)


@audit.command("recorder")
def audit_recorder(
    socket: Annotated[Path, typer.Option(metavar="PATH", help="the socket that agents append to (0660)")],
    journal: Annotated[Path | None, typer.Option(metavar="PATH", help="the journal file, without signed heads")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", "-m", metavar="FILE", help="the journal beside it, with all that it says"),
    ] = None,
    group: Annotated[str, typer.Option(metavar="GROUP", help="the group that may open the socket")] = "",
) -> None:
    """Own the log as a user of your own: agents can append to it, and do nothing else."""
    from .. import recorder as command

    command.serve(socket, journal, manifest, group)
