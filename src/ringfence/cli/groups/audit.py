"""`ringfence audit` and `ringfence witness`: names, options and help; what a command needs is imported when called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    as_json: Json = False,
) -> None:
    """Recompute the log: exit 0 if it is what was written, 1 if not, 3 if somebody should look."""
    from .. import verify as command

    wanted = command.Wanted(manifest, log, tuple(key or ()), tuple(anchor or ()), since, not no_bodies, as_json)
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
