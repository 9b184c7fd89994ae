"""`${NAME}` and `${NAME:-default}` from the environment and from a `.env` beside the manifest; the environment wins."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from .problems import Problem, Spot, invalid

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)")
_QUOTED = re.compile(r"""(?:'(?P<literal>[^']*)'|"(?P<escaped>(?:[^"\\]|\\.)*)")(?:\s+\#.*|\s*)""")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<inner>[^}]*)(?P<end>\}?)")
_INNER = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)
_SECRET = re.compile(r"(KEYS?|TOKEN|SECRETS?|PASSWORDS?|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE)


def parse_env(text: str, name: str = ".env") -> dict[str, str]:
    """The variables of a `.env` file: `KEY=VALUE`, quotes, comments, `export`. Raises ManifestError, values unsaid."""
    found: dict[str, str] = {}
    problems = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        value = _value(match["value"]) if match else None
        if match is None or value is None:
            what = "expected NAME=VALUE, NAME='VALUE' or NAME=\"VALUE\", got something else"
            problems.append(Problem(Spot(number), "", what))
        else:
            found[match["name"]] = value
    if problems:
        raise invalid(name, problems, todo="put a value with quotes or # in it in quotes; one variable in a line")
    return found


def _value(text: str) -> str | None:
    """A value as it was written, without quotes and comment; None for quotes that do not close."""
    if not text.startswith(("'", '"')):
        return "" if text.startswith("#") else re.split(r"\s#", text, maxsplit=1)[0].rstrip()
    match = _QUOTED.fullmatch(text)
    if match is None or match["literal"] is not None:
        return match and match["literal"]
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), match["escaped"])


class Variables:
    """What a name stands for. Knows no text of its own: a value is looked up when it is asked for."""

    __slots__ = ("_file",)

    def __init__(self, file: Mapping[str, str] | None = None) -> None:
        self._file = dict(file or {})

    def __call__(self, name: str) -> str | None:
        """The value of `name`, or None."""
        value = os.environ.get(name)
        return self._file.get(name) if value is None else value


def looks_secret(name: str) -> bool:
    """Whether a name says that its value is a secret. MAX_TOKENS is none, API_TOKEN is one."""
    return _SECRET.search(name) is not None


def interpolate(text: str, variables: Variables) -> str:
    """`text` with every reference replaced; `$${` stands for `${`. Raises ValueError with the words of a Problem."""

    def replaced(match: re.Match[str]) -> str:
        if match["inner"] is None:
            return "${"
        inner = _INNER.fullmatch(match["inner"])
        if inner is None or not match["end"]:
            raise ValueError("expected ${NAME} or ${NAME:-default}, got another '${'; write $${ for a plain '${'")
        name, default = inner["name"], inner["default"]
        if looks_secret(name):
            raise ValueError(
                f"expected a value that may be seen, got ${{{name}}}, which is named like a secret: this field is shown"
                " in dumps and logs; keep secrets in api_key, secrets or headers, or rename the variable"
            )
        value = variables(name)
        if value is None and default is None:
            raise ValueError(
                f"expected the variable {name} to be set, got none; set it in the environment or in .env, or write"
                f" ${{{name}:-default}}"
            )
        return default if default is not None and not value else value or ""

    return _REFERENCE.sub(replaced, text)
