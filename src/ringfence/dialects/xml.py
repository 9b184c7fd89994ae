"""Calls as elements: Qwen3-Coder and its kin, Claude-like `invoke` (MiniMax-M2, DeepSeek V3.2), and GLM 4.5 to 4.7.

    <function=files.read><parameter=path>a.txt</parameter></function>
    <invoke name="files.read"><parameter name="path">a.txt</parameter></invoke>
    <tool_call>files.read<arg_key>path</arg_key><arg_value>a.txt</arg_value></tool_call>

Values are text, less one line break at each end, as the templates write them; `repaired` gives them their types. The
tags around several calls (`<function_calls>`, `<seed:tool_call>`) say nothing more and are passed over.
"""

from __future__ import annotations

import re

from .named import NAME, named
from .reading import Form, Found, Page, Raw, Reader
from .tolerant import JSON, Truncated, loads

_SPACE = re.compile(r"\s*+")
_DSML = "(?:｜DSML｜|antml:)?"


def _elements(parameter: str, value: str, ends: str) -> Reader:
    """Reads parameters up to the end of the call.

    parameter  regular expression of what opens one, with the group `key`
    value      of what ends its value
    ends       of what ends the call
    """
    opens, closes, last = re.compile(parameter), re.compile(value), re.compile(ends)

    def read(page: Page, opened: re.Match[str]) -> Found:
        text, args, at = page.text, dict[str, JSON](), opened.end()
        while True:
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            if begun := opens.match(text, at):
                ended = closes.search(text, begun.end())
                if ended is None:
                    raise Truncated(args, lost=True)
                if (key := begun["key"].strip()) in args:
                    raise ValueError(f"expected each parameter once, found another {key!r}")
                args[key] = _value(text[begun.end() : ended.start()], begun)
                at = ended.end()
            elif done := last.match(text, at):
                return Found(done.end(), (Raw(opened["name"], args, text[opened.start() : done.end()]),))
            elif at < len(text):
                raise ValueError(f"expected a parameter or the end of the call, found {text[at : at + 20]!r}")
            elif page.cut or not args:
                raise Truncated(args, lost=False)
            else:
                return Found(at, (Raw(opened["name"], args, text[opened.start() : at]),))

    return read


def _value(text: str, begun: re.Match[str]) -> JSON:
    if begun.groupdict().get("json"):
        return loads(text)
    return text.removeprefix("\n").removesuffix("\n")


FORMS = (
    Form("xml", rf"<function\s{{1,8}}name=[\"']{NAME}[\"']\s{{0,8}}>\s{{0,64}}(?=\{{)", named("</function>")),
    Form(
        "xml",
        rf"<function={NAME}\s{{0,4}}>(?=\s{{0,64}}<)",
        _elements(
            r"<parameter\s{0,4}=(?P<key>[^>\n]{1,128})>", r"</parameter>|(?=<parameter=|</function>)", "</function>"
        ),
    ),
    Form(
        "xml",
        rf"<{_DSML}(?:invoke|function)\s{{1,8}}name=[\"']{NAME}[\"']\s{{0,8}}>(?=\s{{0,64}}<)",
        _elements(
            rf"<{_DSML}parameter\s{{1,8}}name=[\"'](?P<key>[^\"'\n]{{1,128}})[\"']"
            r"(?:\s{1,8}string=\"(?:true|(?P<json>false))\")?\s{0,8}>",
            rf"</{_DSML}parameter>",
            rf"</{_DSML}(?:invoke|function)>",
        ),
    ),
    Form("glm", rf"<tool_call>\s{{0,8}}{NAME}\s{{0,8}}(?=\{{)", named("</tool_call>")),  # GLM 4's within 4.5's tags
    Form(
        "glm",
        rf"<tool_call>\s{{0,8}}{NAME}(?=\s{{0,8}}</?(?:arg_key|tool_call)>)",
        _elements(r"<arg_key>(?P<key>[^<\n]{1,128})</arg_key>\s{0,8}<arg_value>", "</arg_value>", "</tool_call>"),
    ),
)
