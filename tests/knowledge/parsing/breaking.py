"""Files made to break what reads them."""

from __future__ import annotations

import zlib

from . import making

ZEROS = b"0" * (8 << 20)
ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]>"
)


def nested_bomb() -> bytes:
    """As 42.zip: archives in archives in archives, zeros in the innermost."""
    data = making.zipped({"0.txt": ZEROS}, packed=True)
    for _ in range(5):
        data = making.zipped({f"{n}.zip": data for n in range(4)}, packed=True)
    return data


def laughs() -> bytes:
    """A document whose XML is ten characters to the eleventh power."""
    return making.replaced(making.word(), "word/document.xml", ENTITIES + b"<w:document>&a11;</w:document>")


def encrypted(data: bytes) -> bytes:
    """A zip whose members say that they are encrypted."""
    made = bytearray(data)
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found = made.find(magic)
        while found >= 0:
            made[found + at] |= 1
            found = made.find(magic, found + 4)
    return bytes(made)


def lying_zip(size: int) -> bytes:
    """A zip whose directory claims that its member is smaller than it unpacks to."""
    made = bytearray(making.zipped({"a.txt": ZEROS}, packed=True))
    for magic, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        found = made.find(magic)
        made[found + at : found + at + 4] = size.to_bytes(4, "little")
    return bytes(made)


def pdf_bomb(layers: int = 2) -> bytes:
    """A page whose content is packed twice: 600 MB from a few kilobytes."""
    packer = zlib.compressobj(1)
    piece = b"BT (boom) Tj ET " * (1 << 16)
    data = b"".join(packer.compress(piece) for _ in range(600)) + packer.flush()
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    filters = b" ".join([b"/FlateDecode"] * layers)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R >>",
        b"<< /Length %d /Filter [%s] >>\nstream\n%s\nendstream" % (len(data), filters, data),
    ]
    out = bytearray(b"%PDF-1.5\n")
    for n, body in enumerate(objects, 1):
        out += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    return bytes(out + b"trailer << /Root 1 0 R /Size 5 >>\n%%EOF")


def object_stream_bomb() -> bytes:
    """Objects in a stream that claims millions of them, each nested as deep as it goes."""
    inner = zlib.compress(b" ".join(b"%d 0" % n for n in range(5, 200_000)) + b"[" * 20_000_000, 9)
    out = b"%PDF-1.5\n1 0 obj\n<< /Type /Catalog /Pages 5 0 R >>\nendobj\n"
    head = b"<< /Type /ObjStm /N 9999999 /First 99 /Length %d /Filter /FlateDecode >>" % len(inner)
    out += b"4 0 obj\n%s\nstream\n%s\nendstream\nendobj\n" % (head, inner)
    return out + b"trailer << /Root 1 0 R /Size 9999999 >>\n%%EOF"
