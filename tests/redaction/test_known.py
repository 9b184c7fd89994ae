"""No secret value of this process survives, in any encoding."""

from __future__ import annotations

import base64
import json
import re
import textwrap
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringfence.redaction import Redactor
from ringfence.redaction.known import ENCODED, SHORTEST

SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("Cs", "Cc", "Zs")),
    min_size=12,
    max_size=60,
)
AROUND = st.text(st.sampled_from("the quick brown fox, (or) dogs: 12 .\n"), max_size=40)
PATIENT = settings(deadline=None)  # the expression of a value is made when it is found first
CHUNKS = st.lists(st.integers(1, 9), min_size=1, max_size=60)


def shown(secret: str, text: str) -> str:
    return Redactor(secrets=[secret]).text("r", text)


def parts_of(text: str, secret: str, encoded: str) -> bool:
    """Whether a telling part of what was hidden is still there: half of it, or eight characters in a row."""
    size = max(8, len(encoded) // 2)
    return any(encoded[at : at + size] in text for at in range(len(encoded) - size + 1))


@PATIENT
@given(SECRETS, AROUND, AROUND)
def test_a_secret_is_replaced_as_it_is(secret: str, before: str, after: str) -> None:
    assert secret not in shown(secret, f"{before} {secret} {after}")


@PATIENT
@given(SECRETS, st.binary(max_size=5), st.binary(max_size=5), st.booleans())
def test_a_secret_in_base64_is_replaced_at_every_alignment(
    secret: str, before: bytes, after: bytes, safe: bool
) -> None:
    code = base64.urlsafe_b64encode if safe else base64.b64encode
    text = code(before + secret.encode() + after).decode()
    left = shown(secret, f"see {text} there").replace("<SECRET_1>", " ").split()
    for word in left:
        padded = word.rstrip("=")
        for shift in range(4):
            data = base64.urlsafe_b64decode(
                "A" * shift + padded.translate({43: "-", 47: "_"}) + "A" * (-(len(padded) + shift) % 4)
            )
            assert secret.encode() not in data


@PATIENT
@given(SECRETS, st.binary(max_size=200), st.sampled_from([64, 76]), st.sampled_from(["\n", "\r\n", "\n  "]))
def test_a_secret_in_wrapped_base64_is_replaced(secret: str, before: bytes, width: int, end: str) -> None:
    whole = base64.b64encode(before + secret.encode() + b"tail").decode()
    text = end.join(textwrap.wrap(whole, width))
    start = -(-8 * len(before) // 6)
    core = whole[start : 8 * (len(before) + len(secret.encode())) // 6]
    assert not parts_of("".join(shown(secret, text).split()), secret, core)


@PATIENT
@given(SECRETS, st.booleans())
def test_a_secret_in_percent_encoding_is_replaced(secret: str, plus: bool) -> None:
    text = (quote_plus if plus else quote)(secret, safe="")
    assert text not in shown(secret, f"GET /x?key={text}&n=1")
    small = re.sub("%..", lambda found: found[0].lower(), text)
    assert small not in shown(secret, f"GET /x?key={small}&n=1")
    every = "".join(f"%{byte:02X}" for byte in secret.encode())
    assert every not in shown(secret, f"GET /x?key={every}&n=1")


@PATIENT
@given(SECRETS, st.booleans(), st.integers(1, 3))
@example('00000\\n0000"', False, 1)  # a backslash and an n, which are no line end
def test_a_secret_in_json_is_replaced_however_often_it_is_quoted(secret: str, ascii_: bool, times: int) -> None:
    text = secret
    for _ in range(times):
        text = json.dumps(text, ensure_ascii=ascii_)
    out = shown(secret, f'{{"said": {text}}}')
    assert text not in out
    for _ in range(times):
        out = out.replace("\\\\", "\\")
    assert "<SECRET_1>" in out


@PATIENT
@given(SECRETS, st.sampled_from([str.lower, str.upper]), st.sampled_from(["", " ", ":"]))
def test_a_secret_in_hex_is_replaced(secret: str, case: object, between: str) -> None:
    text = case(between.join(f"{byte:02x}" for byte in secret.encode()))  # type: ignore[operator]
    if between == "":
        assert text not in shown(secret, f"dump {text}.")
    else:
        assert text not in shown(secret, f"dump {text}; {text.replace(between, '')}")


@PATIENT
@given(SECRETS, CHUNKS, st.sampled_from(["\n", "\r\n", "\n    ", " \n"]))
def test_a_secret_split_over_lines_is_replaced(secret: str, sizes: list[int], end: str) -> None:
    parts, at = [], 0
    for size in (*sizes, len(secret)):
        parts.append(secret[at : at + size])
        at += size
    text = end.join(filter(None, parts))
    assert text not in shown(secret, f"it is {text} ok")
    whole = Redactor(secrets=[secret]).view("r", ["it is", *filter(None, parts), "ok"])
    assert secret not in "".join(whole)


def test_every_line_of_a_key_file_is_a_secret_of_its_own() -> None:
    lines = ["-----BEGIN THING-----", "Zm9vYmFyYmF6cXV4Zm9vYmFy", "cXV4YmFyYmF6Zm9vcXV4YmFy"]
    redactor = Redactor(secrets=["\n".join(lines)])
    assert redactor.text("r", f"it had {lines[2]} in it") == "it had <SECRET_1> in it"


def test_a_short_secret_is_replaced_as_a_word_and_a_shorter_one_is_not_looked_for() -> None:
    redactor = Redactor(secrets=["tiger7", "abc", ""])
    assert len("tiger7") < ENCODED
    assert len("abc") < SHORTEST
    assert redactor.text("r", "tiger7, tiger77 and abc") == "<SECRET_1>, tiger77 and abc"


def test_a_secret_that_is_learnt_later_is_replaced_from_then_on() -> None:
    redactor = Redactor()
    assert redactor.text("r", "s3cretvalue!") == "s3cretvalue!"
    redactor.know(["s3cretvalue!"])
    assert redactor.text("r", "s3cretvalue!") == "<SECRET_1>"


def test_all_spellings_of_a_secret_have_one_placeholder() -> None:
    secret = "correct-horse/battery+1"
    encoded = base64.b64encode(secret.encode()).decode()
    out = shown(secret, f"{secret} {quote(secret, safe='')} {secret.encode().hex()} {encoded}")
    assert set(out.split()) == {"<SECRET_1>"}


@pytest.mark.parametrize("text", ["correct", "correct horse", "Y29ycmVjdA==", "636f7272656374"])
def test_part_of_a_secret_is_no_secret(text: str) -> None:
    assert shown("correct horse battery staple", text) == text
