"""Errors say what to do next."""

from __future__ import annotations

from ringfence.core.errors import BackendError, ContextOverflow, ManifestError, RingfenceError


def test_an_error_shows_what_happened_and_then_what_to_do() -> None:
    assert str(ManifestError("it is wrong", todo="mend it")) == "it is wrong\n  -> mend it"
    assert str(RingfenceError("it is wrong")) == "it is wrong"


def test_a_prompt_that_does_not_fit_is_a_matter_of_the_backend() -> None:
    assert issubclass(ContextOverflow, BackendError)
