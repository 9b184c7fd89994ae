"""How answers are sent: with a tag, so that who asks again is told when nothing has changed."""

from __future__ import annotations

import hashlib
import re

from fastapi import Request, Response
from pydantic import BaseModel

PLACE = (1 << 53) - 1  # the largest number that every JSON reader has exactly
_TAG = re.compile(r'(?:W/)?("[^"]*")')


def tag_of(data: bytes) -> str:
    """The ETag of an answer."""
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def tagged(request: Request, body: BaseModel) -> Response:
    """A body as JSON with its ETag; 304 without it for who has it already (`If-None-Match`)."""
    text = body.model_dump_json().encode()
    tag = tag_of(text)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    given = request.headers.get("if-none-match", "")
    if given.strip() == "*" or tag in _TAG.findall(given):
        return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type="application/json")
