"""Search by regular expressions in bounded time.

Python's `re` backtracks and cannot be interrupted, so only patterns without anything to repeat or to group run in this
process; the others run in a worker process that is killed when its time is over.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.core.errors import ToolError

from . import lines

MAX_PATTERN = 500
MAX_WAYS = 8  # alternatives are tried one after the other
SEARCH_S = 5.0
_WORDS = re.compile(r"[^\W_](?:[\w./:=@#,' -]*\w)?|[\w./:-]+")  # as they stand, in a text
_FIELD = re.compile(r"([^\W\d][\w.-]*)=([\w./:@-]+)")
_WORKER = (  # this folder as a package of its own: its __init__ would import all of Ringfence
    "import sys, types; tools = types.ModuleType('tools'); tools.__path__ = [sys.argv[1]]; "
    "sys.modules['tools'] = tools; from tools.lines import main; main()"
)
_COSTLY = re.compile(r"[*+?{(]|\[\[|--|&&|~~|\|\|")  # the doubled ones: sets that a later `re` may read otherwise


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as it will be searched. `note` says how it was read, where that is not how it was written."""

    text: str
    regex: str
    ignore_case: bool
    note: str = ""

    @classmethod
    def read(cls, text: str) -> Pattern:
        """Smart case, as ripgrep's -S: capital letters are meant. A whole `/pattern/` loses its slashes."""
        if len(text) > MAX_PATTERN:
            raise ToolError(f"pattern is longer than {MAX_PATTERN} characters", todo="search for one or two words")
        bare = text[1:-1] if len(text) > 2 and text[0] == text[-1] == "/" else text
        letters = re.sub(r"\\.", "", bare)  # the capital of \S or \W is no letter of the text
        return cls(text, bare, ignore_case=letters == letters.lower())

    def literally(self) -> Pattern:
        """The same characters, with no meaning but themselves."""
        return Pattern(self.text, re.escape(self.text), self.ignore_case, "pattern is no valid regex; searched as text")

    def any_case(self) -> Pattern:
        """Capital letters are not meant."""
        return Pattern(self.text, self.regex, ignore_case=True, note=self.note)

    def plainly(self, text: str) -> Pattern:
        """As a search for this text: which fields hold it is told."""
        return Pattern(text, self.regex, self.ignore_case, self.note)

    @property
    def value(self) -> str:
        """Of the field that it names (`user=ann`) the value, else all of it."""
        field = _FIELD.fullmatch(self.text)
        return field[2] if field else self.text

    @property
    def is_quick(self) -> bool:
        """Whether it takes time linear in the text, whatever the text."""
        return bool(self.note) or (_COSTLY.search(self.regex) is None and self.regex.count("|") <= MAX_WAYS)


def scan(
    pattern: Pattern,
    texts: Iterable[tuple[str, str | bytes]],
    *,
    by: str = "",
    hits: int = 0,
    top: int = 0,
    width: int = 240,
    seconds: float = SEARCH_S,
) -> tuple[Pattern, dict[str, Any]]:
    """The pattern as it was read in the end, and the result of `lines.scan`.

    `texts` are iterated once for each try; how long that may take in all is theirs to bound. Raises ToolError if the
    search stands still for `seconds`. Blocks; a pattern that is not quick takes a process.
    """
    word = pattern.text.lower() if _WORDS.fullmatch(pattern.text) else ""
    field = _FIELD.fullmatch(word)
    job = {
        "pattern": pattern.regex,
        "ignore_case": pattern.ignore_case,
        "by": by,
        "hits": hits,
        "top": top,
        "width": width,
        "word": word,
        "key": field[1] if field else "",
        "value": field[2] if field else word,
    }
    if pattern.is_quick:
        try:
            return pattern, lines.scan(job, _encoded(texts))
        except re.error:
            return scan(pattern.literally(), texts, by=by, hits=hits, top=top, width=width, seconds=seconds)
    result = _work(job, texts, seconds)
    if "error" in result:
        return scan(pattern.literally(), texts, by=by, hits=hits, top=top, width=width, seconds=seconds)
    return pattern, result


def _encoded(texts: Iterable[tuple[str, str | bytes]]) -> Iterator[tuple[str, bytes]]:
    return ((name, text if isinstance(text, bytes) else text.encode()) for name, text in texts)


def _work(job: dict[str, Any], texts: Iterable[tuple[str, str | bytes]], seconds: float) -> dict[str, Any]:
    """`lines.scan` in a process that is killed when it stands still."""
    program = [sys.executable, "-I", "-S", "-W", "ignore", "-c", _WORKER, str(Path(lines.__file__).parent)]
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env={}) as process:
            try:
                _feed(process, job, texts, seconds)
                said, _ = process.communicate(timeout=seconds)
            except BaseException:
                process.kill()
                raise
    except (subprocess.TimeoutExpired, TimeoutError):
        todo = "use plain words, or a simpler pattern without nested repeats such as (a+)+"
        raise ToolError(f"the search for {job['pattern']!r} did not end within {seconds:g} s", todo=todo) from None
    except OSError as error:
        raise ToolError(
            f"no worker for the search could be started: {error.strerror}", todo="use plain words"
        ) from None
    if process.returncode:  # out of memory, most likely; its words would name our paths
        raise ToolError(f"the search for {job['pattern']!r} broke off", todo="use plain words")
    result: dict[str, Any] = json.loads(said)
    return result


def _feed(
    process: subprocess.Popen[bytes], job: dict[str, Any], texts: Iterable[tuple[str, str | bytes]], seconds: float
) -> None:
    """Send everything; TimeoutError if not a byte is taken for `seconds`. One that ended early is told by its end."""
    assert process.stdin is not None
    pipe = process.stdin.fileno()
    os.set_blocking(pipe, False)
    with contextlib.suppress(BrokenPipeError):
        _send(pipe, json.dumps(job).encode() + b"\n", seconds)
        for name, block in _encoded(texts):
            _send(pipe, json.dumps([name, len(block)]).encode() + b"\n" + block, seconds)


def _send(pipe: int, data: bytes, seconds: float) -> None:
    ready = select.poll()
    ready.register(pipe, select.POLLOUT)
    left = memoryview(data)
    while left:
        if not ready.poll(seconds * 1000):
            raise TimeoutError
        with contextlib.suppress(BlockingIOError):
            left = left[os.write(pipe, left) :]
