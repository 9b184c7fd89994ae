"""Messages (RFC 5322, MIME): headers and body are one document, each attachment another one by the same parsers."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message

from ringfence.knowledge.errors import Unreadable

from ..clean import line, shown
from ..draft import Draft, Full, Over, Reading
from . import html, plain
from .archive import MEMBER, Read, safe, skip

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_HEADER_CHARS = 2_000
_PARTS_DEPTH = 20


def read(reading: Reading, draft: Draft, data: bytes, member: str, depth: int, read_member: Read) -> None:
    """Deliver the message and its attachments; the latter as members of it."""
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    attachments: list[Message] = []
    try:
        draft.title = _header(message, "Subject")
        draft.text("\n".join(f"{name}: {words}" for name in _HEADERS if (words := _header(message, name))))
        bodies: list[Message] = []
        for part in _parts(message, 0):
            (attachments if _attached(part) else bodies).append(part)
        _body(draft, bodies)
    except Full:
        pass
    if not draft.blocks and not attachments:
        raise Unreadable("holds no text")
    reading.deliver(member, draft)
    prefix = f"{member}{MEMBER}" if member else ""
    for number, part in enumerate(attachments, 1):
        name = _name(part, number)
        if prefix + name in reading.names:
            name = f"{number}-{name}"
        reading.member()
        try:
            if depth >= reading.bounds.depth:
                raise Unreadable(f"attached more than {reading.bounds.depth} deep")
            content = _content(part)
            reading.unpack(len(content))
            if not content:
                raise Unreadable("empty")
            read_member(reading, content, name, prefix + name, depth + 1)
        except Over:
            raise
        except Unreadable as fault:
            skip(reading, prefix + name, fault.what)


def _parts(message: Message, depth: int) -> Iterator[Message]:
    """Its leaves; a message within it is one, for it is attached."""
    if depth > _PARTS_DEPTH:
        raise Unreadable("nested too deep")
    payload = message.get_payload()
    if isinstance(payload, list) and message.get_content_maintype() == "multipart":
        for part in payload:
            if isinstance(part, Message):
                yield from _parts(part, depth + 1)
    else:
        yield message


def _attached(part: Message) -> bool:
    if part.get_content_maintype() == "message" or part.get_filename():
        return True
    return part.get_content_type() not in ("text/plain", "text/html") or part.get_content_disposition() == "attachment"


def _body(draft: Draft, bodies: list[Message]) -> None:
    """Plain text where there is any, else HTML."""
    written = [part for part in bodies if part.get_content_type() == "text/plain" and _content(part).strip()]
    for part in written or bodies:
        content = _content(part)
        charset = str(part.get_content_charset() or "")
        if part.get_content_type() == "text/html":
            html.into(draft, content, charset)
        elif content.strip():
            plain.paragraphs(draft, plain.text_of(draft, content, charset))


def _content(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):  # a message within this one
        return b"\n".join(inner.as_bytes() for inner in payload if isinstance(inner, Message))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _header(message: Message, name: str) -> str:
    """Its words (RFC 2047) as one line."""
    raw = str(message.get(name, ""))[:_HEADER_CHARS]
    try:
        return line(str(make_header(decode_header(raw))), chars=_HEADER_CHARS)
    except Exception:  # the standard library raises many a thing over hostile headers
        return line(raw, chars=_HEADER_CHARS)


def _name(part: Message, number: int) -> str:
    """What it is called, without folders."""
    try:
        given = str(make_header(decode_header(str(part.get_filename() or ""))))
    except Exception:  # as above
        given = ""
    last = safe(shown(given)).rpartition("/")[2].strip()[-200:]
    if last and last not in (".", "?", "(up)"):
        return last
    suffix = {"message/rfc822": ".eml", "text/html": ".html", "text/plain": ".txt"}.get(part.get_content_type(), "")
    return f"attachment-{number}{suffix}"
