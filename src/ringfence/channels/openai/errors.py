"""Errors as clients of OpenAI's API read them: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ringfence.core.errors import InternalError, RingfenceError
from ringfence.core.values import JSON

from ..http import problems
from ..http.bodies import Checked
from ..http.problems import Problem

_log = logging.getLogger("ringfence")
NO_RETRY: Final = {"x-should-retry": "false"}  # clients send a failed request again by themselves: a run would be two
_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error", 403: "permission_error", 409: "conflict_error", 429: "rate_limit_error",
}  # fmt: skip
_CODES: Final[Mapping[str, str]] = {"unauthenticated": "invalid_api_key"}


def refused(what: str, *, param: str = "", code: str = "unsupported", todo: str = "", status: int = 400) -> Problem:
    """A request that cannot be done here, and why."""
    return Problem(status, code, what, todo=todo, more={"param": param or None})


def body_of(problem: Problem) -> dict[str, JSON]:
    """A problem in their words."""
    kind = _TYPES.get(problem.status, "server_error" if problem.status >= 500 else "invalid_request_error")
    message = f"{problem.what}; {problem.todo}" if problem.todo else problem.what
    code = _CODES.get(problem.code, problem.code)
    return {"error": {"message": message, "type": kind, "param": problem.more.get("param"), "code": code}}


def response_of(problem: Problem) -> JSONResponse:
    """The answer that an error is."""
    retry = {} if problem.status in (429, 503) else NO_RETRY
    return JSONResponse(body_of(problem), problem.status, {**retry, **problem.headers})


class Route(Checked):
    """A route whose every error, of the caller's identity and of the body's form too, is said in their words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As theirs, with errors turned into answers."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                return response_of(problem)
            except RingfenceError as error:
                return response_of(problems.of(error))
            except RequestValidationError as error:
                return response_of(_invalid(error))
            except HTTPException as error:
                return response_of(Problem(error.status_code, "http", str(error.detail), headers=error.headers))
            except Exception as error:  # told in their words: without `x-should-retry` the run might be begun twice
                _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
                return response_of(problems.of(InternalError(repr(error))))

        return told


def _invalid(error: RequestValidationError) -> Problem:
    first = error.errors()[0]
    at = ".".join(map(str, first["loc"][1:]))
    what = f"{at}: {first['msg']}" if at else str(first["msg"])
    return refused(what, param=at, code="invalid", todo="correct it")


def declared(**example: JSON) -> dict[int | str, dict[str, Any]]:
    """What an operation declares of its answers: an example of what it gives, and errors in their words."""
    error = {"message": "n is 2; ...", "type": "invalid_request_error", "param": "n", "code": "unsupported"}
    content = {"application/json": {"schema": {"type": "object"}, "example": {"error": error}}}
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": meant, "content": content} for status, meant in _MEANT.items()
    }
    given: dict[str, dict[str, Any]] = {"application/json": {"schema": {"type": "object"}, "example": example}}
    if "object" in example and example["object"] in ("chat.completion", "response"):
        given["text/event-stream"] = {"schema": {"type": "string"}, "example": "data: ..."}
    return found | {200: {"description": "as OpenAI's API has it", "content": given}}


_MEANT: Final[Mapping[int, str]] = {
    400: "what cannot be meant, or cannot be done here; `param` says which", 401: "no key, or none that holds",
    403: "a key without the scope", 404: "no such model, or no such thing of the caller's",
    409: "not as things stand", 413: "too large", 415: "not JSON", 422: "a key of a request that was another one",
    429: "too much at once: `Retry-After` says when to come again", 500: "our fault", 502: "the model failed",
    503: "no room, or about to stop",
}  # fmt: skip
