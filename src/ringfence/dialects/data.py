"""What of a model's text is data: quoted, so never a call.

- lines that begin with `>`, after blanks at most (`>>>name` is Functionary's and no quotation);
- inline code: between two runs of one or two backticks of the same length on the same line;
- a fenced block, up to its closing fence or the end of the text, unless its language is one that calls are printed
  in (`CALLING`, no language at all among them) and the first thing in it is one: an object, a list or a tag; where it
  is a tag, JSON without one is data, as it is in any document;
- what a model wrote as the other side's part: `<tool_response>` and its like up to the closing tag; and everything
  from a token on that ends a turn, or from a line on that begins with `Observation:`.

All of it holds outside of calls only: an argument may contain fences and quotations. Indented lines are no data, since
models indent their JSON.

What this cannot tell: a call that the model copied out of a result without a quotation mark, or into an argument of a
dialect that has no escapes (XML, GLM, Gemma), where the copy may end the argument. That is why each call comes with its
`source`: whoever performs it refuses one whose source stands in a result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CALLING = frozenset(
    ["", "json", "jsonc", "json5", "xml", "tool", "tools", "tool_call", "tool_calls", "tool_use", "tool_code"]
) | frozenset(["function", "function_call", "function_calls", "action"])
_LINE_START = re.compile(r"(?:^|(?<=\n))[ \t]*+(?:[-*+]|\d{1,3}[.)])?[ \t]*+")
_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([\w+#.-]*)")
_BEGINS_A_CALL = re.compile(r"\s*+(?:[{\[<]|//|/\*)")
_TICKS = re.compile(r"`+")
_CODE = re.compile(r"(`{1,2})(?!`)[^`\n]*+\1(?!`)")  # the plain sort of inline code
_OTHER_SIDE = re.compile(
    r"<(tool_response|tool_responses|tool_result|tool_results|tool_output|function_response|function_results"
    r"|function_result|observation)\b[^>\n]{0,80}>",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"<\|(?:im_end|im_start|eot_id|eom_id|endoftext|end_of_text|start_header_id|return|end_of_turn_token|observation|user)\|>"
    r"|<(?:end|start)_of_turn>|</s>|<｜(?:end|begin)▁of▁sentence｜>|<｜User｜>",
    re.IGNORECASE,
)
_OBSERVATION = re.compile(r"Observations?:")


def ends_turn(text: str, at: int) -> bool:
    """Whether the model's own part ends at `at`: what follows is what it thinks that others would say."""
    if text[at] == "O":
        return starts_line(text, at) and _OBSERVATION.match(text, at) is not None
    return text[at] == "<" and _TURN.match(text, at) is not None


def starts_line(text: str, at: int) -> bool:
    """Whether nothing but blanks, or the mark of a list's item, stands before `at` on its line."""
    line = text.rfind("\n", max(0, at - 256), at) + 1
    start = _LINE_START.match(text, max(line, at - 256))
    return start is not None and start.end() >= at


@dataclass(slots=True)
class Quotes:
    """Walks along the text beside the reader, and knows the fence that is open, if it is one that holds calls."""

    text: str
    fence: str = ""
    tagged: bool = False  # the first thing in the fence is a tag
    _line: int = -1
    _missing: frozenset[str] = frozenset()

    def behind(self, at: int) -> int:
        """The index behind the data (or the mark) that begins at `at`; `at` itself if none does."""
        first = self.text[at]
        if first in "`~":
            code = None if self.fence else _CODE.match(self.text, at)
            return code.end() if code else self._fence(at)
        if first == ">":
            return self._end_of_line(at) if starts_line(self.text, at) else at
        if other := _OTHER_SIDE.match(self.text, at):
            closing = self.text.find(f"</{other[1]}", other.end())
            return len(self.text) if closing < 0 else closing + len(other[1]) + 2
        return at

    def _fence(self, at: int) -> int:
        found = _FENCE.match(self.text, at)
        if self.fence:
            if found and found[1].startswith(self.fence):
                self.fence, self.tagged = "", False
                return found.end(1)
            return at
        if found is None:
            return self._inline(at)
        mark, begun = found[1], _BEGINS_A_CALL.match(self.text, found.end())
        if begun and found[2].lower() in CALLING:
            self.fence, self.tagged = mark, begun[0].endswith("<")
            return found.end()
        if starts_line(self.text, at):
            closing = re.compile(rf"\n[ \t]*{re.escape(mark)}{re.escape(mark[0])}*[ \t]*(?=\n|\Z)")
            closed = closing.search(self.text, found.end())
            return closed.end() if closed else len(self.text)
        end = self.text.find(mark, found.end())
        return len(self.text) if end < 0 else end + len(mark)

    def _inline(self, at: int) -> int:
        """Behind inline code, or behind the run of backticks if nothing on the line closes it."""
        run = _TICKS.match(self.text, at)
        if run is None:  # a tilde
            return at + 1
        line = self._end_of_line(at)
        if line != self._line:
            self._line, self._missing = line, frozenset()
        if run[0] not in self._missing:
            for closing in _TICKS.finditer(self.text, run.end(), line):
                if closing[0] == run[0]:
                    return closing.end()
            self._missing |= {run[0]}
        return run.end()

    def _end_of_line(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end
