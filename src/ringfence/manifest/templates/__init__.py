"""Manifests to begin with, each short and commented: `ringfence init --template NAME`."""

from __future__ import annotations

from importlib.resources import files

from ringfence.core.errors import ManifestError


def templates() -> list[str]:
    """The names of all templates, sorted."""
    return sorted(entry.name[: -len(".yaml")] for entry in files(__name__).iterdir() if entry.name.endswith(".yaml"))


def template(name: str) -> str:
    """The text of a template. Raises ManifestError for an unknown name."""
    if name not in templates():
        raise ManifestError(
            f"expected a template, got {name!r}",
            todo=f"use one of {', '.join(templates())}: ringfence init --template NAME",
        )
    return (files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
