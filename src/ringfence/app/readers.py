"""Everyone whom a manifest names: the roles that its operator holds, the teams that may share memory."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.manifest.types import Manifest

from .knowing.library import named_in_rights


def named_readers(manifest: Manifest) -> Iterable[str]:
    """Everyone whom a manifest names."""
    for tool in manifest.tools:
        yield from (
            *(tool.callers or ()),
            *(tool.readers or ()),
            *(who for host in tool.hosts for who in host.audience or ()),
        )
    for entry in manifest.catalogue.values():
        yield from entry.callers or ()
    for tier in manifest.inference.tiers:
        yield from tier.audience or ()
    for collection in manifest.knowledge.collections:
        yield from (*collection.readers, *named_in_rights(manifest, collection))
    yield from manifest.knowledge.embedding.audience or ()
    yield from manifest.approvals.approvers or ()
