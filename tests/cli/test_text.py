"""What a model or a file says cannot drive the terminal it is printed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.cli.text import duration, one_line, plain, size

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


def test_an_escape_sequence_is_shown_and_not_obeyed() -> None:
    assert plain("a\x1b[2J\x1b]0;owned\x07b") == r"a\x1b[2J\x1b]0;owned\x07b"


def test_a_bidi_override_is_shown_and_not_obeyed() -> None:
    assert plain("invoice\u202egpj.exe") == r"invoice\u202egpj.exe"


@given(st.text())
def test_no_control_bidi_or_surrogate_character_gets_through(text: str) -> None:
    shown = plain(text)
    assert not any(c < " " and c not in "\n\t" for c in shown)
    assert not any("\x7f" <= c <= "\x9f" or c in BIDI or "\ud800" <= c <= "\udfff" for c in shown)
    shown.encode()


ORDINARY = ["Größe 12 µm", "日本語\u3000です", "می\u200cخواهم", "क्\u200dष", "👩\u200d💻", "a\n\tb", "10\u00a0kg"]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_of_any_language_is_left_alone(text: str) -> None:
    assert plain(text) == text


def test_a_carriage_return_cannot_hide_the_start_of_a_line() -> None:
    assert plain("rm -rf /\rls") == r"rm -rf /\rls"
    assert plain("two\r\nlines") == "two\nlines"


@given(st.text(max_size=400), st.integers(min_value=2, max_value=50))
def test_one_line_is_one_line_of_bounded_length(text: str, limit: int) -> None:
    line = one_line(text, limit=limit)
    assert "\n" not in line
    assert len(line) <= limit


def test_times_and_sizes_are_said_as_a_person_says_them() -> None:
    times = [duration(ms) for ms in (0, 999, 1_000, 59_949, 125_000)]
    assert times == ["0 ms", "999 ms", "1.0 s", "59.9 s", "2 min 5 s"]
    assert [size(n) for n in (0, 999, 1_000, 1_117_320_768)] == ["0 B", "999 B", "1.0 kB", "1.1 GB"]
