"""Serve the pages of a world on loopback: `python bench/slm/pages.py FOLDER`.

Serves FOLDER/site and nothing else, on a free port that it writes to FOLDER/site.port. It ends by itself: after so long
without a request, or when its port's file is gone (the folder was removed).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = "site.port"
LOOK_S = 5.0  # between two looks at the clock and the folder
START_S = 20.0
KINDS = {".html": "text/html; charset=utf-8", ".json": "application/json", ".txt": "text/plain; charset=utf-8"}


class Site(ThreadingHTTPServer):
    """Pages by their address, read once: a request opens no file."""

    daemon_threads = True

    def __init__(self, pages: dict[str, tuple[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.pages = pages
        self.asked = time.monotonic()


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        """The page, or 404."""
        self.server.asked = time.monotonic()
        path = self.path.partition("?")[0].rstrip("/") or "/"
        kind, body = self.server.pages.get(path, ("", b""))
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or KINDS[".txt"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: nobody reads it."""


def pages(folder: Path) -> dict[str, tuple[str, bytes]]:
    """`index.html` is /, `prices.html` is /prices, `api/berths.json` is /api/berths.json."""
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.suffix in KINDS):
        name = file.relative_to(folder).as_posix().removesuffix(".html")
        found["/" if name == "index" else f"/{name}"] = KINDS[file.suffix], file.read_bytes()
    return found


def serve(folder: Path, idle_s: float) -> None:
    """Serve until nobody has asked for `idle_s`, or the folder is gone."""
    port = folder / PORT
    with Site(pages(folder / "site")) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        draft = port.with_suffix(".part")
        draft.write_text(f"{site.server_port}\n", "utf-8")
        draft.replace(port)
        while time.monotonic() - site.asked < idle_s and port.exists():
            time.sleep(LOOK_S)
        site.shutdown()


def start(folder: Path, idle_s: float) -> int:
    """Start a server that outlives this process; returns its port. Raises OSError if it does not come up."""
    (folder / PORT).unlink(missing_ok=True)
    child = subprocess.Popen(
        [sys.executable, __file__, str(folder), "--idle", str(idle_s)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + START_S
    while not (folder / PORT).exists():
        if child.poll() is not None or time.monotonic() > until:
            raise OSError(f"the site of {folder} did not start")
        time.sleep(0.05)
    child.returncode = 0  # it is meant to live on: nobody waits for it
    return int((folder / PORT).read_text("utf-8"))


def main() -> None:
    """The server itself."""
    parser = argparse.ArgumentParser(description="serve FOLDER/site on loopback")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--idle", type=float, default=2_700.0, help="seconds without a request after which it ends")
    given = parser.parse_args()
    serve(given.folder, given.idle)


if __name__ == "__main__":
    main()
