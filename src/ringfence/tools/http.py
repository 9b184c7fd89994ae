"""`http.call`: one request to a JSON API that the manifest names, with methods and paths enforced.

The credentials of an API are `headers` of its host in the manifest: added on the way out, and in no argument, record or
result. Who sees what is sent is its `audience`: see `web`. Redirects are handed back: where they lead is another call.
What is not safe (RFC 9110 9.2.1) has the call's `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), a bare
UUID as most APIs expect it; a header of that name in the manifest wins.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ringfence import tracing
from ringfence.core.errors import ToolError, Uncertain
from ringfence.core.policy import Effect, Role
from ringfence.core.values import JSON, Action, Outcome, ordered
from ringfence.manifest.tools import BuiltinTool

from .egress import Broken, Egress, Reply, send
from .egress.names import MAX_URL
from .tool import Args, Tool, Use, parse, specify
from .web import as_json, content, reachable, untrusted
from .workshop import audience_of

TIMEOUT_S = 30.0
HEADERS = frozenset(  # what a caller may say; anything else could change what a method or a path means
    {"accept", "accept-language", "content-language", "prefer", "if-match", "if-none-match", "if-modified-since"}
    | {"if-unmodified-since"}
)
_SHOWN = ("location", "retry-after", "etag", "link")
_VALUE = re.compile(r"[!-~](?:[ -~]{0,998}[!-~])?")
_SAFE = frozenset({"GET", "HEAD"})
_KEYED = frozenset({"POST", "PATCH"})  # RFC 9110 9.2.2: what is not idempotent by itself


def _plain(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if name.lower() not in HEADERS or not _VALUE.fullmatch(value):
            raise ValueError(f"a header may be one of {', '.join(sorted(HEADERS))}, with plain text")
    return headers


def _args(methods: tuple[str, ...]) -> type[Args]:
    """The arguments, of which `method` is closed to those that some host allows."""

    def known(method: str) -> str:
        if method not in methods:
            raise ValueError(f"method may be {', '.join(methods)}")
        return method

    class CallArgs(Args):
        """Arguments of http.call."""

        method: Annotated[str, AfterValidator(known), Field(json_schema_extra={"enum": list(methods)})]
        url: Annotated[str, Field(max_length=MAX_URL, description="the address, such as https://host/v1/items?limit=5")]
        body: Annotated[dict[str, Any], Field(description="the JSON object to send; {} for none")] = {}  # noqa: RUF012
        headers: Annotated[
            dict[str, str],
            AfterValidator(_plain),
            Field(max_length=8, description="further headers; credentials are added"),
        ] = {}  # noqa: RUF012

    return CallArgs


def tools(config: BuiltinTool, *, use: Use, egress: Egress, timeout_s: float = TIMEOUT_S) -> list[Tool]:
    """The tool `http.call`. `egress` is made of the same hosts as `config` has.

    It is egress where all hosts only allow GET and HEAD, else a commit: nobody has said what a request there does.
    A catalogue entry may know better.
    """
    methods = tuple(dict.fromkeys(method for host in config.hosts for method in host.methods))
    only_asks = _SAFE.issuperset(methods)
    args = _args(methods)
    spec = specify(
        "http.call",
        f"One request to a JSON API. Reaches only: {', '.join(dict.fromkeys(host.host for host in config.hosts))}.",
        args,
        use=untrusted(use),
        effect=Effect.EGRESS if only_asks else Effect.COMMIT,
        idempotent=_KEYED.isdisjoint(methods),
        roles=dict.fromkeys(args.model_fields, Role.CONTROL),
        types={"url": "url"},
        audience=audience_of(config.hosts),
        repeats=2 if only_asks else 1,
    )
    return [Tool(replace(spec, check=reachable(spec.check, egress, "GET")), _Call(egress, args, timeout_s))]


class _Call:
    def __init__(self, egress: Egress, args: type[Args], timeout_s: float) -> None:
        self._egress = egress
        self._args = args
        self._timeout_s = timeout_s

    async def perform(self, action: Action) -> Outcome:
        args: Any = parse(self._args, action.args)
        if args.body and args.method not in ("POST", "PUT", "PATCH"):
            raise ToolError(f"a {args.method} request has no body", todo="put what it asks for into the url")
        headers = {"Accept": "application/json", **tracing.outward(), **args.headers}
        body = b""
        if args.method in ("POST", "PUT", "PATCH"):
            body = ordered(args.body)
            headers["Content-Type"] = "application/json"
        if args.method not in _SAFE:
            headers["Idempotency-Key"] = action.key
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await send(self._egress, args.method, args.url, headers=headers, body=body, run=action.run)
                return Outcome(await asyncio.to_thread(_result, reply))
        except (TimeoutError, Broken) as error:
            what = error.what if isinstance(error, Broken) else f"no answer within {self._timeout_s:g} s"
            raise (ToolError if args.method in _SAFE else Uncertain)(what) from None  # RFC 9110 9.2.1


def _result(reply: Reply) -> JSON:
    """The answer as JSON. An error of the API is an answer: its body says what is wrong."""
    result: dict[str, JSON] = {"status": reply.status}
    result |= {name: said[:MAX_URL] for name in _SHOWN if (said := reply.header(name))}
    if not reply.body:
        return result
    try:
        kind, text = content(reply)
    except ToolError as no_text:  # it was done all the same
        return {**result, "body": no_text.what}
    value = as_json(text) if kind.endswith("json") and not reply.cut else None
    result |= {"text": text} if value is None else {"json": value}
    return {**result, "cut": f"only its first {len(reply.body)} bytes"} if reply.cut else result
