"""Which values are secrets that we know, and that no fault of ours repeats one."""

from __future__ import annotations

import pytest

from ringfence.app.blots import Blots, Blotted
from ringfence.app.secrets import secret_values
from ringfence.core.errors import InternalError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Outcome

SECRET = "k9-Tr0ub4dor-and-3"


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [
        ("SERVICE_TOKEN", SECRET, True),
        ("DB_PASSWORD", "correct horse battery staple", True),
        ("TOKEN_TYPE", "Bearer", False),
        ("KEY_SIZE", "4096", False),
        ("EDITOR", SECRET, False),
    ],
)
def test_a_variable_that_is_named_like_a_secret_is_one_unless_it_is_a_word(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, known: bool
) -> None:
    monkeypatch.setenv(name, value)
    assert (value in secret_values({})) is known


class Faulty:
    async def perform(self, action: Action) -> Outcome:
        raise ValueError(f"no such key: {action.args['key']}")


@pytest.mark.parametrize(("key", "error"), [(SECRET, InternalError), ("other", ValueError)])
async def test_a_fault_of_ours_does_not_repeat_a_secret(key: str, error: type[Exception]) -> None:
    sink = Blotted(Faulty(), Blots([SECRET]))
    with pytest.raises(error) as caught:
        await sink.perform(Action("tool:x", {"key": key}, IDENTITY))
    assert SECRET not in repr(caught.value)
    assert "no such key" in repr(caught.value)
