"""The public names are these, each resolves, and none costs anything before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ringfence

PUBLIC = [
    "Agent",
    "BackendError",
    "Event",
    "InternalError",
    "JournalError",
    "ManifestError",
    "Result",
    "RingfenceError",
    "ToolError",
    "load",
    "tool",
]


def test_the_public_names_are_pinned() -> None:
    assert ringfence.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(ringfence))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves_to_a_documented_class_or_function(name: str) -> None:
    value = getattr(ringfence, name)
    assert callable(value)
    assert value.__doc__
    assert getattr(ringfence, name) is value


def test_the_errors_are_one_family() -> None:
    family = [getattr(ringfence, name) for name in PUBLIC if name.endswith("Error")]
    assert all(issubclass(error, ringfence.RingfenceError) for error in family)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = ringfence.nonsense


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import ringfence; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["ringfence"]
