"""From a manifest and the catalogue that was made of it to the policy of an agent, and the digest that names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ringfence.core.labels import Label
from ringfence.core.policy import Leaf, Policy, Profile, SinkSpec
from ringfence.core.values import digest
from ringfence.manifest.types import Manifest

from .knowing.canary import Guarded, watched


def policy_of(manifest: Manifest, specs: Mapping[str, SinkSpec]) -> Policy:
    """The policy, named by all that is decided by: a yes is worth nothing once any of it has changed.

    Canaries are not in the name: they only ever deny. Raises ManifestError for a file of them that cannot be trusted.
    """
    unruly: Any = {
        "workflow": True,
        "routing": True,
        "runtime": {"log_level", "log_file"},
        "server": True,
        "approvals": {"waits_s"},
    }  # bounds are in the grant; order lets nothing in; who comes in is the principal, whose roles are decided by
    rules = manifest.model_dump(mode="json", exclude=unruly)
    named = digest([rules, [_facts(specs[name]) for name in sorted(specs)]])
    approvers = frozenset(manifest.approvals.approvers) if manifest.approvals.approvers else None
    profile, four_eyes = Profile(manifest.runtime.profile), manifest.approvals.four_eyes
    return Guarded(specs, profile, named[:16], approvers, four_eyes, watched(manifest))


def _facts(value: Any) -> Any:
    """All that is decided by, as JSON that is the same in every process."""
    match value:
        case frozenset():
            return sorted(map(_facts, value), key=repr)
        case Mapping():
            return sorted(([key, _facts(item)] for key, item in value.items()), key=repr)
        case list() | tuple():
            return [_facts(item) for item in value]
        case SinkSpec() | Leaf() | Label():
            return [
                _facts(getattr(value, f.name)) for f in fields(value) if f.name not in ("check", "schema", "summary")
            ]
        case _:
            return value
