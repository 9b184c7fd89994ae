"""What is found, what is not, and that time grows with the text alone."""

from __future__ import annotations

import time

import pytest

from ringfence.redaction import Kind, Redactor

FOUND = [
    ("EMAIL", "bob@example.com"),
    ("EMAIL", "bob.o'neil+tag@sub.example.co.uk"),
    ("EMAIL", "müller@bücher.example"),
    ("EMAIL", "info@xn--bcher-kva.example"),
    ("EMAIL", "BOB@EXAMPLE.ORG"),
    ("EMAIL", "bob%40example.com"),
    ("PHONE", "+1 415-555-2671"),
    ("PHONE", "(415) 555-2671 x12"),
    ("PHONE", "415.555.2671"),
    ("PHONE", "001-415-555-2671"),
    ("PHONE", "+44 20 7946 0958"),
    ("PHONE", "+44(0)20 7946 0958"),
    ("PHONE", "020 7946 0958"),
    ("PHONE", "(020) 7946 0958"),
    ("PHONE", "+49 (0)30 1234567"),
    ("PHONE", "030/1234567"),
    ("PHONE", "0170 1234567"),
    ("PHONE", "0049301234567"),
    ("PHONE", "01 23 45 67 89"),
    ("PHONE", "01.23.45.67.89"),
    ("PHONE", "+33 1 23 45 67 89"),
    ("PHONE", "+34 912 345 678"),
    ("PHONE", "+39 06 1234 5678"),
    ("PHONE", "06 12345678"),
    ("PHONE", "+31 6 12345678"),
    ("PHONE", "+48 601 234 567"),
    ("PHONE", "+46 70 123 45 67"),
    ("PHONE", "+55 11 91234-5678"),
    ("IBAN", "DE89 3704 0044 0532 0130 00"),
    ("IBAN", "GB29NWBK60161331926819"),
    ("IBAN", "nl91abna0417164300"),
    ("CARD", "4111111111111111"),
    ("CARD", "4111 1111 1111 1111"),
    ("CARD", "5500-0000-0000-0004"),
    ("CARD", "3782 822463 10005"),
    ("CARD", "6011.1111.1111.1117"),
    ("CARD", "30569309025904"),
    ("CARD", "2223003122003222"),
    ("CARD", "4222222222222"),
    ("ID", "123-45-6789"),
    ("ID", "912-70-1234"),
    ("ID", "AB 12 34 56 C"),
    ("ID", "AB123456C"),
    ("ID", "86095742719"),
    ("ID", "86 095 742 719"),
    ("ID", "1 85 05 78 006 084 91"),
    ("ID", "185052A00608435"),
    ("ID", "12345678Z"),
    ("ID", "12.345.678-Z"),
    ("ID", "X1234567L"),
    ("ID", "X-1234567-L"),
    ("ID", "RSSMRA85T10A562S"),
    ("ID", "44051401359"),
    ("ID", "811228-9874"),
    ("ID", "529.982.247-25"),
    ("IP", "192.168.17.4"),
    ("IP", "8.8.8.8"),
    ("IP", "2001:db8::8a2e:370:7334"),
    ("IP", "fe80::1ff:fe23:4567:890a"),
    ("IP", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
    ("IP", "::ffff:192.0.2.128"),
    ("MAC", "00:1B:44:11:3A:B7"),
    ("MAC", "00-1b-44-11-3a-b7"),
    ("MAC", "001b.4411.3ab7"),
    ("TOKEN", "ghp_" + "aB3" * 12),
    ("TOKEN", "github_pat_" + "aB3" * 20),
    ("TOKEN", "sk-" + "aB3" * 16),
    ("TOKEN", "sk-ant-api03-" + "aB3-" * 20),
    ("TOKEN", "AKIAIOSFODNN7EXAMPLE"),
    ("TOKEN", "ASIAIOSFODNN7EXAMPLE"),
    ("TOKEN", "xoxb-123456789012-abcDEF"),
    ("TOKEN", "xoxp-123456789012-abcDEF"),
    ("TOKEN", "glpat-" + "aB3_" * 5),
    ("TOKEN", "rf_0123456789ab_" + "aB3_" * 10 + "aB3"),
    ("TOKEN", "AIza" + "aB3d5" * 7),
    ("TOKEN", "hf_" + "aBcD" * 9),
    ("TOKEN", "npm_" + "aB3" * 12),
    ("TOKEN", "pypi-AgEIcHlwaS5vcmc" + "aB3" * 20),
    ("TOKEN", "SG." + "aB3d" * 5 + "xy." + "aB3" * 14),
    ("TOKEN", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"),
    ("TOKEN", "hvs." + "aB3" * 8),
    ("TOKEN", "123456789:AA" + "aB3" * 11),
    ("KEY", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"),
    ("KEY", "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNz\\n-----END OPENSSH PRIVATE KEY-----"),
]

IN_CONTEXT = [
    ("born on 12 March 1984 in Rome", "born on <DOB_1> in Rome"),
    ("DOB: 03/12/1984", "DOB: <DOB_1>"),
    ("date of birth: 1984-03-12", "date of birth: <DOB_1>"),
    ("geboren am 12.03.1984", "geboren am <DOB_1>"),
    ("née le 3 mai 1984", "née le <DOB_1>"),
    ("nacido el 3 de mayo de 1984", "nacido el <DOB_1>"),
    ("nata il 3/5/84", "nata il <DOB_1>"),
    ("geboren op 3 mei 1984", "geboren op <DOB_1>"),
    ("ur. 03.05.1984", "ur. <DOB_1>"),
    ("May 3, 1984 (birthday)", "<DOB_1> (birthday)"),
    ("SSN 123456789", "SSN <ID_1>"),
    ("BSN: 111222333", "BSN: <ID_1>"),
    ("my phone is 600123456", "my phone is <PHONE_1>"),
    ("Teléfono 871 43 43 92", "Teléfono <PHONE_1>"),
    ("Authorization: Bearer abc123def456", "Authorization: Bearer <TOKEN_1>"),
    ("curl -H 'authorization: Basic dXNlcjpwYXNzMQ=='", "curl -H 'authorization: Basic <TOKEN_1>'"),
    ("postgres://app:s3cr3t@db:5432/x", "postgres://<SECRET_1>@db:5432/x"),
    ("https://u:p@ss@host/x", "https://<SECRET_1>@host/x"),
    ("password=hunter22", "password=<SECRET_1>"),
    ("PASSWORD: 'tr0ub4dor'", "PASSWORD: '<SECRET_1>'"),
    ('"client_secret": "a1b2c3d4e5"', '"client_secret": "<SECRET_1>"'),
    ("?user=x&password=letmein&n=1", "?user=x&password=<SECRET_1>&n=1"),
    ("the password is tr0ub4dor.", "the password is <SECRET_1>."),
    ("api_key = 'abcd1234efgh'", "api_key = '<SECRET_1>'"),
    ("DB_PWD=x7!kQ2", "DB_PWD=<SECRET_1>"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = <SECRET_1>"),
]

KEPT = [
    "version 1.2.3.4",
    "v10.0.0.1",
    "Chrome/120.0.0.0",
    "127.0.0.1:8080",
    "255.255.255.0",
    "0.0.0.0",
    "999.1.1.1",
    "2024-03-12T10:22:33.123456Z",
    "2024-03-12 10:22:33,123",
    "released on 2024-03-12",
    "550e8400-e29b-41d4-a716-446655440000",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "order 123456789",
    "order number 0123456789",
    "ISBN 978-3-16-148410-0",
    "ISBN 0-306-40615-2",
    "ISBN-10 0306406152",
    "3.14159265358979",
    "1 234 567 890 EUR",
    "12,345,678,901",
    "4111111111111112",
    "1700000000",
    "1700000000000",
    "de ad be ef 00 11 22 33 44 55 66 77",
    "1.3.6.1.4.1.311.21.20",
    "12:30:45",
    "std::vector",
    "a::b",
    "c::d9",
    "git@github.com:acme/tool.git",
    "icon@2x.png",
    "@decorator",
    "lodash@4.17.21",
    "password = get_password()",
    "password: str | None = None",
    "token = self.token",
    "secret=None",
    "api_key=os.environ['KEY']",
    "if token == expected:",
    "the bearer of good news",
    "sk-learn-something-else",
    "password must be at least 12 characters",
    "tokens: 4096",
    "max_tokens=4096",
    "key=value",
    "-----BEGIN CERTIFICATE-----",
    "DE89 3704 0044 0532 0130 01",
    "GB00",
    "000-12-3456",
    "pages 10-12, 345",
    "https://host/path?x=1",
    "ssh://git@host/x",
    "${PASSWORD}",
    "password=${DB_PASSWORD}",
    "password=********",
    "192.168.1",
    "bytes=1234567 offset=89012345",
    "0x7ffd12345678",
]


@pytest.mark.parametrize(("kind", "value"), FOUND, ids=[f"{k}-{v[:24]}" for k, v in FOUND])
@pytest.mark.parametrize("around", ["{}", "see {}, please", '{{"x": "{}"}}', "a;{};b", "({})"])
def test_a_value_is_found_whatever_stands_around_it(kind: str, value: str, around: str) -> None:
    assert Redactor().text("r", around.format(value)) == around.format(f"<{kind}_1>")


@pytest.mark.parametrize(("text", "redacted"), IN_CONTEXT)
def test_a_value_is_found_by_the_words_before_it(text: str, redacted: str) -> None:
    assert Redactor().text("r", text) == redacted


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_personal_is_kept(text: str) -> None:
    assert Redactor().text("r", f"see {text} there") == f"see {text} there"
    assert Redactor().text("r", text) == text


def test_a_private_key_without_an_end_goes_as_far_as_it_looks_like_one() -> None:
    text = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ"
    assert Redactor().text("r", text) == "<KEY_1>"


HOSTILE = [
    "@",
    "a@",
    "a@b",
    "a@b.",
    "1",
    "1 ",
    "1-",
    "(1",
    "((",
    "+",
    "+1",
    "1.",
    "1.1.",
    "0 1",
    "12/",
    "4111 ",
    "4111-",
    "41111111",
    ":",
    "a:",
    "::",
    "1::",
    "ab:",
    "ab-",
    "abcd.",
    "://",
    "://a",
    "://a:",
    "password=",
    "password is ",
    "password",
    "token:",
    "passwpassw",
    "eyJ",
    "eyJa.",
    "eyJaaaaaa.",
    "sk-",
    "ghp_",
    "AKIA",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----A",
    "Bearer ",
    "Bearer a",
    "Authorization:",
    "authorization ",
    "DE89",
    "DE89 ",
    "de8",
    "A1",
    "ABCDEF12",
    "X1234567",
    "12345678",
    "1234567-",
    "born 1",
    "né ",
    "a ",
    "\\",
    "\\u0041",
    "\\n",
    "%",
    "%41",
    "%4",
    "<",
    "<EMAIL_",
    "\n",
    "\0",
    " ",
    "é",
    "correct-",
    "c\n",
    "co\nrr\nec\nt",
    "63 ",
    "636f",
    "Y29y",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_with_the_text_alone(piece: str) -> None:
    redactor = Redactor(secrets=["correct-horse-battery", "cccccccccccccccccc"])

    def cost(size: int) -> float:
        text = (piece * (size // len(piece) + 1))[:size]
        began = time.process_time()
        redactor.spans(text)
        return time.process_time() - began

    def grows_with_the_text() -> bool:
        small, large = cost(10_000), cost(80_000)  # eight times the text: a quadratic scan takes 64 times as long
        return large < 2.0 and large < 24 * small + 0.02

    assert any(grows_with_the_text() for _ in range(5))  # a machine that is slow for a moment is none of its fault


def test_every_kind_is_found_in_some_test() -> None:
    covered = {kind for kind, _ in FOUND} | {"DOB", "SECRET", "TEXT", "NAME", "ADDRESS"}
    assert covered == set(Kind)
