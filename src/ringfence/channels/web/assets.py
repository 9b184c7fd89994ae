"""The page's files: read once, compressed once, named by the hash of all of them."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

TYPES: Final[Mapping[str, str]] = {  # whatever ends otherwise is not served
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
INDEX: Final = "index.html"
PLACE: Final = "{{static}}"  # in index.html: where this version of the files lies
PRELOADS: Final = "{{preloads}}"  # in index.html: the modules of the first load, so that they come at once
LEAST_GZIP: Final = 512  # bytes; below, the header costs what it saves
FIRST: Final = ("app.js", "api.js", "state.js", "router.js", "lib/", "components/", "rooms/chat.js")
LATER: Final = frozenset({"lib/marked.js"})  # with the first that needs it


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, the same compressed (None where that saves nothing), its type, and its strong ETag."""

    body: bytes
    packed: bytes | None
    media: str
    etag: str


@dataclass(frozen=True, slots=True)
class Site:
    """All files of one version; `version` names exactly these bytes, so that they may be kept for ever."""

    version: str
    files: Mapping[str, Asset]

    @property
    def index(self) -> Asset:
        """The page itself."""
        return self.files[INDEX]


@cache
def site() -> Site:
    """The files that come with the package; they are read at the first call, about 20 ms."""
    return build(dict(_walk(files(__package__) / "static")))


def build(found: Mapping[str, bytes]) -> Site:
    """A site out of files by name; its version is a hash over names and bytes, 16 hex digits."""
    whole = hashlib.sha256()
    for name in sorted(found):
        whole.update(f"{name}\0{len(found[name])}\0".encode() + found[name])
    version = whole.hexdigest()[:16]
    ready = {name: _asset(name, body) for name, body in found.items() if name != INDEX and _type(name)}
    page = found[INDEX].decode().replace(PRELOADS, _preloads(found)).replace(PLACE, f"/static/{version}")
    return Site(version, {**ready, INDEX: _asset(INDEX, page.encode())})


def _walk(folder: Traversable, above: str = "") -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        name = above + entry.name
        if entry.is_dir():
            found += _walk(entry, f"{name}/")
        elif not entry.name.startswith("."):
            found.append((name, entry.read_bytes()))
    return found


def _type(name: str) -> str:
    return TYPES.get(name[name.rfind(".") :], "") if "." in name else ""


def _asset(name: str, body: bytes) -> Asset:
    packed = None
    if len(body) >= LEAST_GZIP and not name.endswith(".woff2"):
        smaller = gzip.compress(body, 9, mtime=0)
        packed = smaller if len(smaller) < len(body) else None
    return Asset(body, packed, _type(name), f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _preloads(found: Mapping[str, bytes]) -> str:
    names = sorted(n for n in found if n.endswith(".js") and n.startswith(FIRST) and n not in LATER)
    return "\n  ".join(f'<link rel="modulepreload" href="{PLACE}/{name}">' for name in names)
