"""The record as a manifest wants it: where it lies, its keys, who signs its heads, what is taken out of it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ringfence import stores
from ringfence.audit import signing
from ringfence.core.chain import leaf
from ringfence.core.errors import JournalError, RingfenceError
from ringfence.manifest.fields import SecretText
from ringfence.manifest.record import OperatorKey
from ringfence.manifest.types import Manifest
from ringfence.proof import merkle
from ringfence.proof.note import Signer

from .notary import Notary, Publish

if TYPE_CHECKING:
    from ringfence.redaction import Redactor
    from ringfence.stores.reader import SqliteLog
    from ringfence.stores.sqlite import SqliteJournal
    from ringfence.stores.vault import Vault

FOLDER = ".ringfence"  # beside the manifest
COMMAND_S = 30.0
_SECRET = re.compile(r"(?:^|_)(?:key|token|secret|password|passwd|pwd|credentials?)(?:_|$)", re.I)


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


def open_journal(manifest: Manifest) -> SqliteJournal:
    """The journal of a manifest, made if it is not there, with everything that the manifest says about it."""
    path, audit = journal_path(manifest), manifest.audit
    notary = Notary(
        lambda: signer_of(manifest, journal),
        required=audit.required,
        every_s=audit.every_s,
        publish=_publisher(manifest, path),
    )
    redactor = redactor_of(manifest) if audit.views == "redacted" else None
    vault = vault_of(manifest, write=True)
    journal = stores.open_journal(path, vault=vault, redactor=redactor, notary=notary)
    notary.cosigned = journal.cosigned
    return journal


def signer_of(manifest: Manifest, journal: SqliteJournal) -> Signer:
    """The key that signs the heads of a journal, made if there is none and it has no heads yet."""
    return signing.signer_of(manifest.audit.key, manifest.root, name=manifest.runtime.name, newest=journal.newest_head)


def redactor_of(manifest: Manifest) -> Redactor:
    """What takes personal data and every secret that we know out of texts."""
    from ringfence.redaction import from_manifest

    return from_manifest(manifest.privacy, secrets_of(manifest))


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


def secrets_of(manifest: Manifest) -> set[str]:
    """Every secret value that we know: those that the manifest refers to, and variables that are named like one."""
    found = {value for text in _texts(manifest) for value in text.values()}
    found |= {value for name, value in os.environ.items() if _SECRET.search(name)}
    return {value for value in found if value}


def _texts(value: Any) -> Iterator[SecretText]:
    match value:
        case SecretText():
            yield value
        case BaseModel():
            for name in type(value).model_fields:
                yield from _texts(getattr(value, name))
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)


def _operator(config: OperatorKey, root: Path) -> Callable[[], bytes]:
    """How the operator's key is had; raises JournalError when it cannot be."""
    from ringfence.stores.vault import decoded_key, read_key

    def asked() -> bytes:
        assert config.command is not None
        try:
            done = subprocess.run(
                config.command, cwd=root, capture_output=True, timeout=COMMAND_S, check=True, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise JournalError(
                f"privacy.key: {config.command[0]} gave no key: {error}", todo="run it by hand and see what it says"
            ) from None
        return decoded_key(done.stdout, config.command[0])

    return asked if config.command is not None else lambda: read_key(root / str(config.file))


def _publisher(manifest: Manifest, path: Path) -> Publish | None:
    audit = manifest.audit
    if not (audit.anchors or audit.witnesses):
        return None
    from ringfence.audit import anchors, publish, witness

    def prove(old: int, new: int) -> list[bytes]:
        with stores.open_log(path) as log:
            return merkle.consistency(map(leaf, log.headers(0, new)), old, new)

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
        return done.note, [f"{failure.name}: {failure.error.what}" for failure in done.failures]

    return hand_on
