"""What a model printed, rewritten as RFC 8259 piece by piece, so that the decoder in C can read it.

One split finds what JSON does not have: quotation marks of other kinds, comments, Python's words, bare keys, a comma
too many, numbers such as `.5`. What stands between is left as it is, so a place behind the rewriting has one place
before it. Nothing is guessed here: what is not known stays, and the decoder refuses it. Linear in the text.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from itertools import accumulate

QUOTES = "\"'“‘"
WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
COMMENT = r"//[^\n]*+|\#[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/"
SPACE = rf"(?:[\s\ufeff]++|{COMMENT})*+"
_COMMA = rf"""(?<=,)(?:(?={SPACE}[\]}}])(?<=[\w"'”’}}\].\0\3],))"""  # a comma too many stands behind a value
_OTHER = (
    r"""|(?<=[^\W\d])(?<![\w.+$-].)[\w$.-]*+(?:\s*+:)?"""
    r"""|(?<=\d\.)(?!\d)|(?<=\.)(?<![\w.$]\.)\d"""  # 5. and .5
    r"""|(?<=\+)(?<![\w.+$-]\+)(?=[.\d])"""
    r"""|(?<=/)(?:/[^\n]*+|\*(?:[^*]|\*(?!/))*+(?:\*/|\Z))|(?<=\#)[^\n]*+|(?<=\ufeff)"""
    r"""|(?<=\$)(?<![\w.+$-]\$)[\w$]++(?:\s*+:)?"""
)
_STRINGS = (
    r"""|(?<=')(?:[^'\\]|\\.)*+(?:'|\Z)"""  # what is never closed goes on to the end
    r"""|(?<=")(?:""(?:[^"\\]|\\.|"(?!""))*+\"""|(?:[^"\\]|\\.)*+(?:"|\Z))"""
    r"""|(?<=“)(?:[^”\\]|\\.)*+(?:”|\Z)|(?<=‘)(?:[^’\\]|\\.)*+(?:’|\Z)"""
)
_FIRST = r"[^\s\d{}\[\]:\0\1\2\3\4\5-]"  # in front, so that the search is as fast as one for a character
_TOKEN = re.compile(rf"({_FIRST}(?:{_COMMA}{_STRINGS}{_OTHER}))", re.DOTALL)
_AROUND = re.compile(rf"({_FIRST}(?:{_COMMA}{_OTHER}))", re.DOTALL)  # where a zero byte stands for each string
_BEFORE_END = re.compile(rf",{SPACE}[\]}}]")
_AROUND_KEPT = re.compile(rf"({_FIRST.replace('^', '^,')}(?:{_OTHER[1:]}))", re.DOTALL)  # no comma is too many
_APART_NOT = ("\\", '"""', "“", "‘", *map(chr, range(7)))  # strings that have to be looked at one by one; our own marks
_AS_LONG = (("True", "\1\2\2\3", "true"), ("False", "\1\4\4\4\3", "false"), ("None", "\1\5\5\3", "null"))
_UNMIXED = re.compile(r"""(?:[^"']*+(?:"[^"']*+(?:"|\Z)|'[^"']*+(?:'|\Z)))*+[^"']*+""")
_BEFORE_WORD = ("[\1", " \1", ",\1", ":\1")
_BEHIND_WORD = ("\3,", "\3]", "\3}")
_CLOSES = {'"': '"', "'": "'", "“": "”", "‘": "’"}
_PLAINLY = {"'": (0,), '"': (2,)}  # marks in a string that needs no escape
_WRITTEN = {word: json.dumps(value) for word, value in WORDS.items()}
_PLAIN = re.compile(r'(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_FALLING = re.compile(r"\\\n|\\(?=['`’”])")  # a line that goes on; a quotation mark that JSON does not escape
_HEX = re.compile(r"\\x(?=[0-9a-fA-F]{2})")
_LONG = re.compile(r"\\U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})")
_UNKNOWN = re.compile(r'\\(?!["/bfnrt]|u[0-9a-fA-F]{4})')
_BARE = re.compile(r'(?<!\\)"')


class Rewritten:
    """A stretch of a text as JSON; `text` is what it became, `origin` says where a place in it comes from."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._start, stretch = start, text[start:end]
        self._pieces: list[str] = []
        if self._apart(stretch):
            return
        self._before = _TOKEN.split(stretch)
        self._after = list(self._before)
        self._after[1::2] = map(_Written().__getitem__, self._before[1::2])
        self.text = "".join(self._after)

    def _apart(self, stretch: str) -> bool:
        """Rewrite what lies around the strings alone, where no string needs any: a lot fewer pieces. Whether it did."""
        if any(mark in stretch for mark in _APART_NOT):
            return False
        if "'" in stretch and '"' in stretch and not _UNMIXED.fullmatch(stretch):
            return False
        pieces = stretch.replace("'", '"').split('"')
        whole = len(pieces) % 2 == 1
        self._before = _around("\0".join(pieces[::2] if whole else [*pieces[::2], ""]))
        tokens = self._before[1::2]
        if "\0" in "".join(tokens) or ("/*" in stretch and any("/*" in part for part in self._before[::2])):
            return False  # a comment holds a quotation mark: the strings are others
        self._after = list(self._before)
        self._after[1::2] = map(_Written().__getitem__, tokens)
        around = _worded("".join(self._after)).split("\0")
        pieces[::2] = around if whole else around[:-1]
        self.text = '"'.join(pieces)
        if not whole:  # what is never closed keeps its mark
            opened = len(self.text) - len(pieces[-1]) - 1
            self.text = self.text[:opened] + stretch[-len(pieces[-1]) - 1 :]
        self._pieces = pieces
        return True

    def origin(self, at: int) -> int:
        """The index in the text that was given, of a place that is not inside of something rewritten."""
        moved = 0  # by the strings before it
        if self._pieces:
            behind = [end + i for i, end in enumerate(accumulate(map(len, self._pieces)))]
            strings, inside = divmod(bisect_left(behind, at), 2)
            if inside:
                opened = behind[2 * strings]
                return self.origin(opened) + at - opened
            moved = sum(map(len, self._pieces[1 : 2 * strings : 2])) + strings
        at -= moved
        ends = list(accumulate(map(len, self._after)))
        piece = bisect_left(ends, at)
        if ends[piece] == at:
            return self._start + moved + sum(map(len, self._before[: piece + 1]))
        return self._start + moved + sum(map(len, self._before[:piece])) + at - (ends[piece - 1] if piece else 0)


def _around(text: str) -> list[str]:
    """What stands around the strings, split at its tokens. Python's words are marks as long as they, where they stand
    alone: there may be thousands.
    """
    marked = text
    for word, mark, _ in _AS_LONG:
        marked = marked.replace(word, mark)
    count = marked.count("\1")
    begun, ended = (sum(map(marked.count, around)) for around in (_BEFORE_WORD, _BEHIND_WORD))
    text = marked if count == begun == ended else text
    return (_AROUND if _BEFORE_END.search(text) else _AROUND_KEPT).split(text)


def _worded(text: str) -> str:
    """With JSON's words where the marks are."""
    if "\1" in text:
        for _, mark, word in _AS_LONG:
            text = text.replace(mark, word)
    return text


class _Written(dict[str, str]):
    """Each token's JSON, made once."""

    def __missing__(self, token: str) -> str:
        quote = token[0]
        if quote in "'\"" and token[-1] == quote and "\\" not in token and token.count('"') in _PLAINLY[quote]:
            return f'"{token[1:-1]}"' if len(token) > 1 else token  # by far the most
        if token[-1] == ":" and quote.isidentifier():
            return f'"{token[:-1].rstrip()}":'
        made = self[token] = _written(token)
        return made


def _written(token: str) -> str:
    first = token[0]
    if closing := _CLOSES.get(first):
        if len(token) > 5 and token.startswith('"""') and token.endswith('"""'):
            return f'"{body(token[3:-3])}"'
        if len(token) > 1 and token[-1] == closing and _ended(token):
            return token if first == '"' and "\\" not in token else f'"{body(token[1:-1])}"'
        return token
    if first == ".":
        return f"0{token}" if len(token) > 1 else ".0"
    if first == "+":
        return ""
    if token.startswith("/*") and (len(token) < 4 or not token.endswith("*/")):
        return token  # never closed, so no comment; matched to the end, since each of many would look for its end
    if first in ",/#\ufeff":
        return " "
    if token[-1] == ":":
        return f'"{token[:-1].rstrip()}":'
    return _WRITTEN.get(token, token)


def _ended(token: str) -> bool:
    """Whether the mark at the end closes it: an odd number of backslashes before would make it a letter."""
    inner = token[1:-1]
    return (len(inner) - len(inner.rstrip("\\"))) % 2 == 0 and not token.startswith('"""')


def body(text: str) -> str:
    """The inside of a string as JSON's; an escape that JSON does not know stands for itself."""
    if "\\" not in text:
        return text.replace('"', '\\"')
    if _PLAIN.fullmatch(text):
        return text
    mask = next(chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)  # a text has at most 262,144
    text = _FALLING.sub("", text.replace("\\\\", mask))  # what is left of backslashes begins an escape each
    text = _LONG.sub(lambda found: json.dumps(chr(int(found[1], 16)))[1:-1], _HEX.sub(r"\\u00", text))
    return _BARE.sub(r"\\" + '"', _UNKNOWN.sub(r"\\\\", text)).replace(mask, "\\\\")
