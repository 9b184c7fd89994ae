"""A public set of abstracts with topics that people gave them, out of the source package of `cherche`, read as data.

cherche 2.2.1 (MIT) ships 314 abstracts of arXiv papers from a reader's bookmarks (semanlink.net), each under the topics
that the reader put it. A topic with two to twenty papers is a query, its papers are what it should find.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
from collections import defaultdict
from pathlib import Path
from typing import Any

VERSION = "2.2.1"
ARCHIVE = f"cherche-{VERSION}.tar.gz"
SHA256 = "7984a88f0bf9349cd08907baefc2527deaacea95d3acf5f4a1692896c507fe34"
FEWEST, MOST = 2, 20


def fetch(folder: Path) -> Path:
    """The archive, fetched by pip if it is not in the folder; raises OSError if it is another one."""
    place = folder / ARCHIVE
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--no-build-isolation", "-d", str(folder), f"cherche=={VERSION}"], check=False)
    if not place.exists() or hashlib.sha256(place.read_bytes()).hexdigest() != SHA256:
        raise OSError(
            f"expected {ARCHIVE} with SHA-256 {SHA256} in {folder}; fetch it with pip download cherche=={VERSION}"
        )
    return place


def load(archive: Path) -> tuple[dict[str, tuple[str, str]], list[tuple[str, frozenset[str]]]]:
    """Documents as {name: (title, abstract)}, and queries as (topic, names of its documents)."""
    with tarfile.open(archive) as source:
        papers, topics = (_json(source, name) for name in ("arxiv", "tags"))
    documents: dict[str, tuple[str, str]] = {}
    under: defaultdict[str, set[str]] = defaultdict(set)
    for paper in papers:
        name = paper["document"].rpartition("/")[2]
        documents[name] = (" ".join(paper["arxiv_title"].split()), " ".join(paper["arxiv_summary"].split()))
        for topic in paper["tag"]:
            under[topic].add(name)
    named = {topic: about["prefLabel"][0] for topic, about in topics.items() if about.get("prefLabel")}
    queries = [
        (named[topic], frozenset(names))
        for topic, names in sorted(under.items())
        if topic in named and FEWEST <= len(names) <= MOST
    ]
    return documents, queries


def _json(source: tarfile.TarFile, name: str) -> Any:
    found = source.extractfile(f"cherche-{VERSION}/cherche/data/semanlink/{name}.json")
    assert found is not None
    return json.load(found)
