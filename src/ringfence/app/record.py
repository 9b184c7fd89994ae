"""The record as a manifest wants it: where it lies, its keys, who signs its heads, what is taken out of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence import stores
from ringfence.audit import signing
from ringfence.core.chain import leaf
from ringfence.core.errors import JournalError, RingfenceError
from ringfence.manifest.record import OperatorKey
from ringfence.manifest.types import Manifest
from ringfence.proof import merkle, programs
from ringfence.proof.note import Signer

from .notary import Notary, Publish
from .secrets import redactor_of

if TYPE_CHECKING:
    from ringfence.redaction import Redactor
    from ringfence.stores.reader import SqliteLog
    from ringfence.stores.sqlite import SqliteJournal
    from ringfence.stores.vault import Vault

FOLDER = ".ringfence"  # beside the manifest
COMMAND_S = 30.0


def journal_path(manifest: Manifest) -> Path:
    """The journal of a manifest."""
    return manifest.root / FOLDER / "journal.db"


def vault_of(manifest: Manifest, *, write: bool) -> Vault:
    """The keys of a manifest's subjects."""
    from ringfence.stores.vault import Vault

    operator = _operator(manifest.privacy.key, manifest.root) if manifest.privacy.key else None
    return Vault(manifest.root / FOLDER / "keys", operator=operator, write=write)


def open_log(manifest: Manifest) -> SqliteLog:
    """The journal of a manifest, for reading."""
    return stores.open_log(journal_path(manifest), vault=vault_of(manifest, write=False))


def open_journal(manifest: Manifest, redactor: Redactor | None = None) -> SqliteJournal:
    """The journal of a manifest, made if it is not there, with everything that the manifest says about it.

    `redactor` is the agent's, so that the log and a model that sees placeholders say the same.
    """
    path, audit = journal_path(manifest), manifest.audit
    notary = Notary(
        lambda: signer_of(manifest, journal),
        required=audit.required,
        every_s=audit.every_s,
        publish=_publisher(manifest, path),
    )
    shown = (redactor or redactor_of(manifest)) if audit.views == "redacted" else None
    vault = vault_of(manifest, write=True)
    journal = stores.open_journal(path, vault=vault, redactor=shown, notary=notary)
    notary.cosigned = journal.cosigned
    return journal


def signer_of(manifest: Manifest, journal: SqliteJournal) -> Signer:
    """The key that signs the heads of a journal, made if there is none and it has no heads yet."""
    return signing.signer_of(manifest.audit.key, manifest.root, name=manifest.runtime.name, newest=journal.newest_head)


def make_keys(manifest: Manifest) -> str:
    """Make the keys that are not there; the public key that the heads of the log are checked with."""
    path = journal_path(manifest)
    if path.exists():
        with stores.open_log(path) as log:
            newest = [head.note for head in log.heads()][-1:]
    else:
        newest = []
    signer = signing.signer_of(
        manifest.audit.key, manifest.root, name=manifest.runtime.name, newest=newest[0] if newest else None
    )
    vault_of(manifest, write=True).make()
    return str(signer.verifier)


def _operator(config: OperatorKey, root: Path) -> Callable[[], bytes]:
    """How the operator's key is had; raises JournalError when it cannot be."""
    from ringfence.stores.vault import decoded_key, read_key

    def asked() -> bytes:
        assert config.command is not None
        try:
            printed = programs.ask(config.command, b"", timeout_s=COMMAND_S, folder=root)
        except JournalError as error:
            raise JournalError(f"privacy.key: {error.what}", todo=error.todo) from None
        return decoded_key(printed, config.command[0])

    return asked if config.command is not None else lambda: read_key(root / str(config.file))


def _publisher(manifest: Manifest, path: Path) -> Publish | None:
    audit = manifest.audit
    if not (audit.anchors or audit.witnesses):
        return None
    from ringfence.audit import anchors, publish, witness

    def prove(old: int, new: int) -> list[bytes]:
        with stores.open_log(path) as log:
            start = log.frontier(old)  # a proof costs what came since, not the whole log
            return merkle.consistency(map(leaf, log.headers(start.size, new)), old, new, start=start)

    def handovers() -> list[str]:
        with stores.open_log(path) as log:
            return [head.note for head in log.heads() if "\nnext-key " in head.note]

    publisher = publish.Publisher(
        anchors.from_manifest(audit, manifest.root), witness.from_manifest(audit), prove, handovers
    )

    def hand_on(note: str) -> tuple[str, list[str]]:
        try:
            done = publisher.publish(note)
        except RingfenceError as error:
            return note, [error.what]
        return done.note, [failure.error.what for failure in done.failures]

    return hand_on
