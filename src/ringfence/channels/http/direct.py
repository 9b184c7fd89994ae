"""Routes that are asked for all the time: called without FastAPI's solving where a request is a plain one.

What is declared is the same, and so is the answer: a request with anything to solve, or to complain of, takes the
long way.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Message

from .bodies import Checked, Strict


class Direct(Checked):
    """A route of a caller, a JSON body, headers that may be left out, and nothing else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As `Checked`'s, with a short way before it."""
        long, needs = super().get_route_handler(), self.dependant
        (asks,), (body,) = needs.dependencies, needs.body_params
        form: type[BaseModel] = body.field_info.annotation  # type: ignore[assignment]
        optional = [one.alias for one in needs.header_params]
        assert asks.call is not None
        assert not [*needs.path_params, *needs.query_params, *needs.cookie_params]
        who, new, find, call = str(asks.name), body.name, asks.call, self.endpoint
        status = self.status_code or 200

        async def direct(request: Request) -> Response:
            headers = request.headers
            if headers.get("content-type") != "application/json" or any(name in headers for name in optional):
                return await long(request)
            caller = await find(request)  # before a byte of the body is read
            strict = Strict(request.scope, request.receive)
            try:
                said = await strict.json() if await strict.body() else None
                given = form.model_validate(said)
            except ValidationError:
                return await long(Request(request.scope, _again(await strict.body())))
            except ClientDisconnect as error:
                raise HTTPException(400, "There was an error parsing the body") from error
            made = await call(**{"request": request, who: caller, new: given})
            if isinstance(made, Response):
                return made
            return Response(made.model_dump_json(), status, media_type="application/json")

        return direct


def _again(body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    """Receives a body that was read before."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
