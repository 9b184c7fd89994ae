"""W3C Trace Context: the cases of the W3C's own test suite, and laws about what is passed on."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action
from ringfence.tracing import Trace, bounded, calling, current_span, following, headers, outward, span_id

ID, PARENT = "12345678901234567890123456789012", "1234567890123456"
GOOD = f"00-{ID}-{PARENT}-01"


@pytest.mark.parametrize(
    "header",
    [
        GOOD,
        f" \t{GOOD}\t ",
        f"00-{ID}-{PARENT}-00",
        f"cc-{ID}-{PARENT}-01",
        f"cc-{ID}-{PARENT}-01-what-the-future-will-be-like",
        f"01-{ID}-{PARENT}-01-",
    ],
)
def test_a_header_of_this_version_or_a_later_one_is_read(header: str) -> None:
    trace = Trace.parse(header)
    assert (trace.trace_id, trace.parent_id) == (ID, PARENT)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"ff-{ID}-{PARENT}-01",
        f"00-{ID}-{PARENT}-01-what-the-future-will-be-like",
        f"00-{ID}-{PARENT}-01.",
        f"cc-{ID}-{PARENT}-01.what-the-future-will-not-be-like",
        f".0-{ID}-{PARENT}-01",
        f"0.-{ID}-{PARENT}-01",
        f"000-{ID}-{PARENT}-01",
        f"0-{ID}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-.{ID[1:]}-{PARENT}-01",
        f"00-{ID[:-1]}.-{PARENT}-01",
        f"00-{ID}3-{PARENT}-01",
        f"00-{ID[:-1]}-{PARENT}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID}-.{PARENT[1:]}-01",
        f"00-{ID}-{PARENT}7-01",
        f"00-{ID}-{PARENT[:-1]}-01",
        f"00-{ID}-{PARENT}-.0",
        f"00-{ID}-{PARENT}-0.",
        f"00-{ID}-{PARENT}-001",
        f"00-{ID}-{PARENT}-1",
        f"00-{'ABCDEF' + ID[6:]}-{PARENT}-01",
        f"00-{ID}-{'ABCDEF' + PARENT[6:]}-01",
        f"00-{ID}-{PARENT}-01\n",
        f"00-{'١' * 32}-{PARENT}-01",
        f"{GOOD},{GOOD}",
    ],
)
def test_a_header_that_is_none_is_refused_and_none_of_it_is_repeated(header: str) -> None:
    with pytest.raises(ValueError, match=r"expected|version|zeroes") as refused:
        Trace.parse(header)
    assert not header or header not in str(refused.value)


@pytest.mark.parametrize(("flags", "kept"), [("00", 0), ("01", 1), ("02", 2), ("03", 3), ("ff", 3), ("fc", 0)])
def test_flags_that_nobody_knows_are_set_to_zero(flags: str, kept: int) -> None:
    assert Trace.parse(f"00-{ID}-{PARENT}-{flags}").flags == kept


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ("foo=1,bar=2", "foo=1,bar=2"),
        ("foo=1 \t , \t bar=2, \t baz=3", "foo=1,bar=2,baz=3"),
        ("foo=1,,bar=2", "foo=1,bar=2"),
        ("", ""),
        (",", ""),
        ("foo@=1,foo@@bar=2,1a-_*/=3", "foo@=1,foo@@bar=2,1a-_*/=3"),  # Level 2
        ("@foo=1", ""),
        ("foo =1", ""),
        ("FOO=1", ""),
        ("foo.bar=1", ""),
        ("foo=bar=baz", ""),
        ("foo=,bar=3", ""),
        ("foo=\x7f", ""),
        ("foo=grün", ""),
        ("foo=1\r\nX-Evil: 1", ""),
        ("foo=1,foo=1", ""),
        ("foo=1,foo=2", ""),
        ("z" * 256 + "=1", "z" * 256 + "=1"),
        ("z" * 257 + "=1", ""),
        ("foo=" + "v" * 256, "foo=" + "v" * 256),
        ("foo=" + "v" * 257, ""),
        (",".join(f"b{n}=1" for n in range(32)), ",".join(f"b{n}=1" for n in range(32))),
        (",".join(f"b{n}=1" for n in range(33)), ""),
    ],
)
def test_tracestate_is_passed_on_in_whole_or_dropped(given: str, passed: str) -> None:
    assert Trace.parse(GOOD, given).state == passed


def test_of_a_long_tracestate_long_members_go_first_then_those_at_the_end() -> None:
    short = [f"k{n}={'v' * 30}" for n in range(20)]
    long = f"long={'v' * 200}"
    assert bounded(",".join([short[0], long, *short[1:9]])) == ",".join([short[0], long, *short[1:9]])
    kept = bounded(",".join([short[0], long, *short[1:]])).split(",")
    assert kept == short[: len(kept)]
    assert len(",".join(short[: len(kept) + 1])) > 512


@given(st.text(max_size=700))
def test_whatever_comes_as_tracestate_what_goes_out_is_one_line_of_512_characters(text: str) -> None:
    passed = bounded(text)
    assert len(passed) <= 512
    assert passed.isascii()
    assert passed.isprintable()
    assert bounded(passed) == passed


@given(st.text(max_size=80))
def test_whatever_comes_as_traceparent_is_refused_or_makes_a_header_that_is_read_again(text: str) -> None:
    try:
        trace = Trace.parse(text)
    except ValueError:
        return
    assert Trace.parse(f"00-{trace.trace_id}-{trace.parent_id}-{trace.flags:02x}") == trace


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8), st.integers(0, 255))
def test_every_pair_of_ids_but_zeroes_is_read_as_it_was_written(trace: bytes, parent: bytes, flags: int) -> None:
    header = f"00-{trace.hex()}-{parent.hex()}-{flags:02x}"
    if any(trace) and any(parent):
        assert Trace.parse(header) == Trace(trace.hex(), parent.hex(), flags & 3)
    else:
        with pytest.raises(ValueError, match="all zeroes"):
            Trace.parse(header)


def test_what_a_run_keeps_is_the_trace_that_it_goes_on_with() -> None:
    trace = Trace.parse(GOOD, "foo=1")
    assert Trace.of(trace.to_json(), "run1") == trace
    assert Trace.of(Trace(ID, flags=0).to_json(), "run1") == Trace(ID, flags=0)


def test_a_run_of_an_older_log_has_the_same_trace_whenever_it_is_resumed() -> None:
    assert Trace.of({}, "run1") == Trace.of({}, "run1") != Trace.of({}, "run2")
    assert Trace.new() != Trace.new()


def test_a_span_follows_from_the_record_of_the_intent() -> None:
    assert span_id("run1", 7) == hashlib.sha256(b"run1/7").hexdigest()[:16]


@pytest.mark.parametrize("near", [True, False])
def test_tracestate_goes_only_where_nobody_else_sees_it(near: bool) -> None:
    action = Action("tool:x", {}, IDENTITY, run="run1")
    with following("run1", "user:a", Trace.parse(GOOD, "vendor=alice")):
        assert (headers(), current_span()) == ({}, span_id("run1", 0))
        with calling(action, near=near):
            assert headers()["traceparent"].startswith(f"00-{ID}-")
            assert headers().get("tracestate") == ("vendor=alice" if near else None)
            assert outward() == {"traceparent": headers()["traceparent"]}
    assert (headers(), current_span()) == ({}, "")


def test_outside_of_a_run_nothing_is_sent_along() -> None:
    with calling(Action("tool:x", {}, IDENTITY), near=True):
        assert headers() == outward() == {}
