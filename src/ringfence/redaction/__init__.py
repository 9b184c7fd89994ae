"""Redaction before storage: placeholders for personal data and secrets (DESIGN 8)."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.manifest.record import Privacy

from .redactor import NameFinder, Redactor
from .spans import Kind, Span

__all__ = ["Kind", "NameFinder", "Redactor", "Span", "from_manifest"]


def from_manifest(privacy: Privacy, secrets: Iterable[str]) -> Redactor:
    """The redactor that a manifest asks for; raises ManifestError where names are to be found and nothing can."""
    if privacy.names == "off":
        return Redactor(secrets=secrets)
    from .presidio import Presidio

    return Redactor(secrets=secrets, names=Presidio(privacy.language))
