"""RFC 8785 by its own vectors and against a naive canonicaliser; digests; principals."""

from __future__ import annotations

import json
import math
import struct
from collections import UserDict
from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Outcome, Principal, Prompt, canonical, digest, ordered

APPENDIX_B = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), APPENDIX_B.items())
def test_a_number_is_written_as_appendix_b_says(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value) == text.encode()


def test_keys_are_sorted_by_utf_16_as_in_3_2_3() -> None:
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert list(json.loads(canonical(value)).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_the_example_of_3_2_2() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert (
        canonical(value)
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )


def _naive(value: Any) -> str:
    """RFC 8785 as its text reads, one sentence after the other."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
        return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _ecma(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_naive, value)) + "]"
    keys = sorted(value, key=lambda key: list(struct.unpack(f">{len(k := key.encode('utf-16-be')) // 2}H", k)))
    return "{" + ",".join(f"{_naive(key)}:{_naive(value[key])}" for key in keys) + "}"


def _ecma(value: float) -> str:
    """Number::toString of ECMA-262, steps 5 to 10, over the shortest digits."""
    if value == 0:
        return "0"
    if value < 0:
        return "-" + _ecma(-value)
    _, numbers, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    s, k = "".join(map(str, numbers)), len(numbers)
    n = k + exponent
    if k <= n <= 21:
        return s + "0" * (n - k)
    if 0 < n <= 21:
        return s[:n] + "." + s[n:]
    if -6 < n <= 0:
        return "0." + "0" * -n + s
    sign = "-" if n - 1 < 0 else "+"
    return f"{s[0]}{'.' if k > 1 else ''}{s[1:]}e{sign}{abs(n - 1)}"


STRINGS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_it_agrees_with_a_naive_canonicaliser(value: Any) -> None:
    assert canonical(value) == _naive(value).encode()


@given(VALUES)
def test_canonical_bytes_are_json_of_the_same_value_and_stay_as_they_are(value: Any) -> None:
    again = json.loads(canonical(value))
    assert again == value or any(isinstance(part, float) for part in _leaves(value))
    assert canonical(again if not _has_wide(again) else value) == canonical(value)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [leaf for item in value.values() for leaf in _leaves(item)] if isinstance(value, dict) else [value]


def _has_wide(value: Any) -> bool:
    """A float such as 1e20 is written without a point and read as an integer that is too wide."""
    return any(isinstance(leaf, int) and abs(leaf) >= 2**53 for leaf in _leaves(value))


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**53,
        -(2**53),
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        {"a": [math.nan]},
        [2**60],
        {None: 1},
    ],
)
def test_what_json_cannot_carry_exactly_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


@pytest.mark.parametrize("value", [b"x", {1, 2}, object(), [b"x"], {"a": b"x"}])
def test_other_types_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="not a JSON value"):
        canonical(value)


def test_other_mappings_sequences_and_enums_are_what_they_stand_for() -> None:
    text, number = StrEnum("text", ["A"]), IntEnum("number", ["ONE"])
    assert (
        canonical(UserDict({"b": (1, 2.5), "a": {"𐀀": 1, "\ue000": 2}}))
        == '{"a":{"𐀀":1,"\ue000":2},"b":[1,2.5]}'.encode()
    )
    assert canonical([text.A, number.ONE, (), {}]) == b'["a",1,[],{}]'  # type: ignore[attr-defined]
    assert canonical({"": 1, "ÿ": True}) == '{"":1,"ÿ":true}'.encode()


def test_a_digest_is_the_sha_256_of_the_canonical_bytes() -> None:
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


def test_a_principal_shows_its_subject_and_roles() -> None:
    alice = Principal("user:alice", frozenset({"role:ops"}), "acme")
    assert alice.member == {"user:alice", "role:ops"}


def test_the_digest_of_an_action_is_its_sink_and_what_goes_in_alone() -> None:
    one = Action("tool:a", {"x": 1}, IDENTITY, call=1, run="r", progress=print)
    assert one.digest == Action("tool:a", {"x": 1}, IDENTITY, call=2).digest
    assert one.digest != Action("tool:b", {"x": 1}, IDENTITY).digest
    assert one.digest != Action("tool:a", {"x": 2}, IDENTITY).digest
    prompt = Prompt((b"{}",), schema=b"{}")
    asked = Action("model:a", {}, IDENTITY, prompt=prompt)
    assert asked.digest == digest(["model:a", prompt.digest])


def test_the_digest_of_a_prompt_tells_messages_and_grammar_apart() -> None:
    prompts = [Prompt((b"1", b"2")), Prompt((b"1,2", b"")), Prompt((b"1",), schema=b"2"), Prompt((b"1",))]
    assert len({prompt.digest for prompt in prompts}) == len(prompts)


def test_an_outcome_of_a_sink_restricts_nothing_by_default() -> None:
    assert Outcome(1).label == IDENTITY
    assert Outcome(1).ok


def test_ordered_bytes_keep_the_order_of_keys_and_refuse_what_cannot_be_carried() -> None:
    assert ordered({"b": 1, "a": [1.5, "\u00e9"]}) == '{"b":1,"a":[1.5,"\u00e9"]}'.encode()
    for value in (float("nan"), 2**53, "\ud800", {"a": 1e999}):
        with pytest.raises(ValueError):  # noqa: PT011 - each with words of its own, as `canonical`
            ordered(value)


@pytest.mark.parametrize("leaf", [1, "a", None, [], {}])
@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"k": value}])
def test_64_levels_can_be_written_and_not_one_more(wrap: Callable[[Any], Any], leaf: Any) -> None:
    value, levels = leaf, 64 - isinstance(leaf, list | dict)
    for _ in range(levels):
        value = wrap(value)
    assert json.loads(canonical(value)) == json.loads(ordered(value)) == value
    for write in (canonical, ordered):
        with pytest.raises(ValueError, match="levels"):
            write(wrap(value) if leaf not in ([], {}) else wrap(wrap(value)))


@pytest.mark.parametrize("wrong", [{1: "a"}, {None: "a"}, {"a": {True: 1}}, [{"b": {2.0: 1}}]])
def test_keys_are_strings(wrong: Any) -> None:
    for write in (canonical, ordered):
        with pytest.raises(ValueError, match="keys"):
            write(wrong)
