"""How much one file may be, say and cost. What goes over is a note or the reason why it is skipped, never silence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one file; those of an archive count for all of its members together, where they do not say `each`.

    file_mb       the file itself; a larger one is skipped
    chars         of each document; the rest is left out, and said to be
    all_chars     of all documents of a file; then the file is skipped
    blocks        of each document, as `chars`
    pages         of a PDF, sheets, slides, as `chars`
    members       of an archive and the archives in it; with more it is skipped, as with the following
    unpacked_mb   of all of them
    ratio         of what is unpacked to what is packed, of each member beyond a megabyte
    depth         of archives within archives and messages within messages
    wall_s, cpu_s seconds that a file may take
    ocr_share     of wall_s, that tesseract may take; then the scans that are left stay scans
    memory_mb     of the process that reads it, beside the file itself
    """

    file_mb: int = 64
    chars: int = 5_000_000
    all_chars: int = 20_000_000
    blocks: int = 200_000
    pages: int = 5_000
    members: int = 2_000
    unpacked_mb: int = 256
    ratio: int = 300
    depth: int = 2
    wall_s: float = 120.0
    cpu_s: float = 60.0
    ocr_share: float = 0.6
    memory_mb: int = 768
