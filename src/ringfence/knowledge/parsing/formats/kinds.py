"""Which format a file is in: by its first bytes where they say so, by its name where it is text."""

from __future__ import annotations

import re
from typing import Literal

from ringfence.knowledge.errors import Unreadable

Kind = Literal[
    "pdf", "docx", "pptx", "sheets", "zip", "mail", "html", "markdown", "csv", "json", "jsonl", "log", "code", "text"
]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_UNKNOWN = {  # what is known not to be read, so that the report can say what it is
    b"\x7fELF": "a program", b"MZ": "a program", b"\xca\xfe\xba\xbe": "a program", b"\x00asm": "a program",
    b"\x89PNG": "an image", b"\xff\xd8\xff": "an image", b"GIF8": "an image", b"BM": "an image",
    b"II*\x00": "an image", b"MM\x00*": "an image", b"\x1f\x8b": "a gzip archive", b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive", b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a rar archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive", b"SQLite format 3": "a database", b"{\\rtf": "rich text (RTF)",
    b"OggS": "sound", b"ID3": "sound", b"fLaC": "sound", b"%!PS": "PostScript",
}  # fmt: skip
_TODO = {
    "an image": "put its text beside it",
    "rich text (RTF)": "save it as DOCX",
    "PostScript": "save it as PDF",
}
_SOURCE = (
    "bash bat c cc cfg clj cmake conf cpp cs css cxx dart diff ex exs erl fs go gradle graphql groovy h hcl hpp hs ini"
    " java jl js jsx kt kts less lisp lua m make mjs ml mm nix patch php pl pm proto ps1 py pyi r rb rs sass scala scss"
    " sh sol sql swift tcl tf thrift toml ts tsx vb vim vue xml xsd xsl yaml yml zig zsh service env properties"
)
_BY_NAME: dict[str, Kind] = {
    **dict.fromkeys(("md", "markdown", "mdx", "mkd"), "markdown"),
    **dict.fromkeys(("html", "htm", "xhtml", "shtml"), "html"),
    **dict.fromkeys(("csv", "tsv", "tab", "psv"), "csv"),
    **dict.fromkeys(("jsonl", "ndjson"), "jsonl"),
    **dict.fromkeys(("log", "out", "err"), "log"),
    **dict.fromkeys(_SOURCE.split(), "code"),
    "json": "json",
    "ipynb": "json",
    "geojson": "json",
    "eml": "mail",
    "txt": "text",
}
_CODE_NAMES = ("dockerfile", "makefile", "jenkinsfile", "vagrantfile", "cmakelists.txt", ".gitignore", ".env")
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.I | re.S
)
_HEADER = re.compile(
    rb"^(?:from|to|cc|subject|date|received|message-id|mime-version|return-path|reply-to|delivered-to|content-type):",
    re.I | re.M,
)
_MAIL_HEADERS = 3  # of those, that a message has at least in its head
_HEAD_BYTES = 4_096


def kind_of(data: bytes, name: str) -> Kind:
    """The format of a file by its bytes and name; raises Unreadable for what is no text and none that is known."""
    head = data[:_HEAD_BYTES]
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(_ZIP):
        return _of_zip(data)
    if head.startswith(_OLE):
        return _of_ole(data)
    for magic, what in _UNKNOWN.items():
        if head.startswith(magic) and not (magic in (b"MZ", b"BM", b"BZh") and b"\0" not in head):
            raise Unreadable(f"{what}, which is not read", todo=_TODO.get(what, ""))
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    if last in _CODE_NAMES:
        return "code"
    return _of_text(head, last.rpartition(".")[2] if "." in last else "")


def _of_text(head: bytes, suffix: str) -> Kind:
    by_name = _BY_NAME.get(suffix)
    if by_name in (None, "text", "mail", "html"):
        head = head.removeprefix(b"\xef\xbb\xbf")
        if _PAGE.match(head):
            return "html"
        if _is_mail(head, 1 if by_name == "mail" else _MAIL_HEADERS):
            return "mail"
        if by_name is None and suffix == "" and head.lstrip()[:1] in (b"{", b"["):
            return "json"
        return "html" if by_name == "html" else "text"
    return by_name


def _is_mail(head: bytes, least: int) -> bool:
    """Whether it begins with the header of a message."""
    top = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    first = top[:1_000].split(b"\n", 1)[0]
    return bool(re.match(rb"[A-Za-z][A-Za-z0-9-]{1,60}:", first)) and len(_HEADER.findall(top)) >= least


def _of_zip(data: bytes) -> Kind:
    """What a zip is for, by the parts that it has to have; names are plain in its directory at the end."""
    tail = data[-(1 << 22) :]
    if b"[Content_Types].xml" in tail:
        if b"word/" in tail:
            return "docx"
        if b"ppt/" in tail:
            return "pptx"
        if b"xl/" in tail:
            return "sheets"
    kind = data[30:120]
    if kind.startswith(b"mimetypeapplication/vnd.oasis.opendocument."):
        if b"spreadsheet" in kind:
            return "sheets"
        raise Unreadable("an OpenDocument text or presentation, which is not read", todo="save it as DOCX or PPTX")
    if kind.startswith(b"mimetypeapplication/epub+zip"):
        raise Unreadable("an e-book (EPUB), which is not read", todo="save it as HTML or PDF")
    return "zip"


def _of_ole(data: bytes) -> Kind:
    """Office files from before 2007, and encrypted ones: the names of their parts are in UTF-16."""

    def has(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if has("EncryptedPackage"):
        raise Unreadable("encrypted", todo="save it without a password")
    if has("Workbook") or has("Book"):
        return "sheets"
    if has("WordDocument"):
        raise Unreadable("a Word document from before 2007, which is not read", todo="save it as DOCX")
    if has("PowerPoint Document"):
        raise Unreadable("slides from before 2007, which are not read", todo="save them as PPTX")
    raise Unreadable("an Office file of a kind that is not read", todo="save it as DOCX, XLSX, PPTX or PDF")
