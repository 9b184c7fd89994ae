"""A form with one file, taken in piece by piece: it is never whole in memory, or where a search could find it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from ringfence.app.serving.placing import Temporary

from .problems import Problem

_FIELD_BYTES = 4_096
_HEADERS = 8_192  # bytes of one part's
_PARTS = 8


@dataclass
class Form:
    """What has arrived: fields by name, and the name that the file was sent under."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str = ""


async def received(request: Request, into: Temporary, limit: int) -> Form:
    """Read the whole form; its `file` goes into `into`. Raises Problem 400, 413, 415."""
    media, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if media != b"multipart/form-data" or not boundary or len(boundary) > 200:
        raise Problem(415, "media-type", "expected multipart/form-data with a boundary", todo="send the file in a form")
    parts = _Parts()
    parser = MultipartParser(boundary, parts.callbacks())
    try:
        async for data in request.stream():
            parser.write(data)
            if parts.file and not await asyncio.to_thread(into.write, parts.taken()):
                raise Problem(413, "too-large", f"expected a file of at most {limit >> 20} MB, got more",
                              todo="send less, or ask for a larger server.limits.upload_mb")  # fmt: skip
        parser.finalize()
    except MultipartParseError:
        raise Problem(400, "form", "expected a form, got something that breaks off or is none") from None
    if not parts.whole or parts.seen_file != 1:
        raise Problem(400, "form", "expected a form with one file, called file, got another one", todo="correct it")
    return parts.form


class _Parts:
    """The parts of a form as they come."""

    def __init__(self) -> None:
        self.form = Form()
        self.file = bytearray()
        self.seen_file = 0
        self.whole = False
        self._count = 0
        self._headers: dict[bytes, bytes] = {}
        self._key, self._value = bytearray(), bytearray()
        self._name = ""
        self._field = bytearray()

    def callbacks(self) -> Any:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin, "on_header_field": self._on_key, "on_header_value": self._on_value,
            "on_header_end": self._header, "on_headers_finished": self._headed, "on_part_data": self._data,
            "on_part_end": self._end, "on_end": self._all,
        }  # fmt: skip

    def taken(self) -> bytes:
        """What has come of the file since the last time."""
        data, self.file = bytes(self.file), bytearray()
        return data

    def _begin(self) -> None:
        self._count += 1
        if self._count > _PARTS:
            raise Problem(400, "form", f"expected at most {_PARTS} parts, got more", todo="send fewer")
        self._headers, self._name, self._field = {}, "", bytearray()

    def _on_key(self, data: bytes, start: int, end: int) -> None:
        self._key += data[start:end]
        self._bounded()

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._bounded()

    def _bounded(self) -> None:
        if len(self._key) + len(self._value) + sum(map(len, self._headers.values())) > _HEADERS:
            raise Problem(400, "form", "the headers of a part are too long", todo="send shorter ones")

    def _header(self) -> None:
        self._headers[bytes(self._key).lower()] = bytes(self._value)
        self._key, self._value = bytearray(), bytearray()

    def _headed(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        try:
            self._name = options.get(b"name", b"").decode()
            filename = options.get(b"filename", b"").decode()
        except UnicodeDecodeError:
            raise Problem(400, "encoding", "expected names in UTF-8, got others", todo="send UTF-8") from None
        if self._name == "file":
            self.seen_file += 1
            self.form.filename = filename
            if self.seen_file > 1:
                raise Problem(400, "form", "expected one file, got another one", todo="send each in a form of its own")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == "file":
            self.file += data[start:end]
            return
        self._field += data[start:end]
        if len(self._field) > _FIELD_BYTES:
            raise Problem(400, "form", f"expected fields of at most {_FIELD_BYTES} bytes, got more", todo="send less")

    def _end(self) -> None:
        if self._name and self._name != "file":
            try:
                self.form.fields[self._name] = self._field.decode()
            except UnicodeDecodeError:
                raise Problem(400, "encoding", "expected UTF-8, got something else", todo="send UTF-8") from None

    def _all(self) -> None:
        self.whole = True
