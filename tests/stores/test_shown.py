"""What readers without a key see of a record: cut and redacted the same, whether or not it had to be copied."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.chain import Kind, Record
from ringfence.core.labels import IDENTITY
from ringfence.core.values import JSON
from ringfence.redaction.redactor import Redactor
from ringfence.stores.shown import ALL_CHARS, ITEMS, TEXT_CHARS, Shown, _content, _cut, _small

_lengths = st.sampled_from([0, 1, 40, TEXT_CHARS - 1, TEXT_CHARS, TEXT_CHARS + 1, ALL_CHARS, ALL_CHARS + 5000])
_texts = st.builds(lambda size, tail: "x" * size + tail, _lengths, st.sampled_from(["", " ann@example.org", "é"]))
_sizes = st.sampled_from([0, 1, ITEMS - 1, ITEMS, ITEMS + 1])
_many = st.builds(lambda size: list(range(size)), _sizes) | st.builds(
    lambda n: {f"k{i}": None for i in range(n)}, _sizes
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | _texts | _many,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=4),
    max_leaves=12,
)


@given(_values)
def test_what_is_called_small_is_what_no_cut_would_change(value: JSON) -> None:
    assert _small(value) == (_cut(value, [ALL_CHARS], 0) == value)


@given(st.dictionaries(st.sampled_from(["text", "value", "args", "prompt"]), _values, max_size=3))
def test_a_record_is_shown_as_if_it_were_copied_and_cut_at_each_step(body: dict[str, JSON]) -> None:
    record = Record("run1", 0, 0, Kind.STARTED, "user:ann", IDENTITY, {}, body)
    expected = _cut(Redactor().view("run1", _content(body)), [ALL_CHARS], 0)
    before = repr(body)
    assert Shown(Redactor(), lambda _: ()).of(record) == expected
    assert repr(body) == before


def test_what_is_longer_for_its_placeholders_is_cut_as_well() -> None:
    body = {"value": [f"{'x' * 1990} a@b.co {n}"[:TEXT_CHARS] for n in range(4)]}
    assert _small(_content(body))
    record = Record("run1", 0, 0, Kind.MESSAGE, "user:ann", IDENTITY, {}, body)
    shown = Shown(Redactor(), lambda _: ()).of(record)
    assert "more characters" in str(shown)
    assert "a@b.co" not in str(shown)
