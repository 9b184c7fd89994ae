"""Text without anything personal in it: prose, code, logs, and what only looks personal."""

from __future__ import annotations

import random
import re
import string
import sysconfig
import uuid
from pathlib import Path

from redaction_corpus import LOCALES, Corpus


def hard(rnd: random.Random) -> str:
    """Something that looks personal and is not."""
    digits = "".join(rnd.choices(string.digits, k=20))
    stamp = f"20{rnd.randint(10, 29)}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}"
    isbn = f"978-{digits[0]}-{digits[1:4]}-{digits[4:9]}-{digits[9]}"
    return rnd.choice(
        (
            f"version {rnd.randint(0, 20)}.{rnd.randint(0, 20)}.{rnd.randint(0, 20)}.{rnd.randint(0, 200)}",
            f"v{rnd.randint(0, 9)}.{rnd.randint(0, 40)}.{rnd.randint(0, 40)}",
            f"Chrome/{rnd.randint(90, 130)}.0.{rnd.randint(1000, 6000)}.{rnd.randint(10, 200)}",
            f"{stamp}T{rnd.randint(0, 23):02}:{rnd.randint(0, 59):02}:{rnd.randint(0, 59):02}.{digits[:6]}+00:00",
            f"{stamp} {rnd.randint(0, 23):02}:{rnd.randint(0, 59):02}:{rnd.randint(0, 59):02},{digits[:3]}",
            f"[{rnd.randint(1, 28):02}/Oct/20{rnd.randint(10, 29)}:13:55:{rnd.randint(10, 59)} +0200]",
            str(uuid.UUID(int=rnd.getrandbits(128), version=4)),
            rnd.randbytes(20).hex(),
            rnd.randbytes(4).hex()[:7],
            f"sha256:{rnd.randbytes(32).hex()}",
            f"order {digits[:9]}",
            f"order number {digits[:10]}",
            f"invoice INV-20{digits[:2]}-{digits[2:8]}",
            f"ISBN {isbn}",
            f"ISBN-10 {rnd.randint(0, 9)}-{digits[:3]}-{digits[3:8]}-{digits[8]}",
            f"{rnd.uniform(-180, 180):.6f}, {rnd.uniform(-90, 90):.8f}",
            f"ts={rnd.randrange(16 * 10**8, 18 * 10**8)}",
            f"epoch_ms {rnd.randrange(16 * 10**11, 18 * 10**11)}",
            f"{rnd.randrange(1, 9)} {rnd.randrange(100, 999)} {rnd.randrange(100, 999)} EUR",
            f"{rnd.randrange(10, 999)},{rnd.randrange(100, 999)},{rnd.randrange(100, 999)}",
            " ".join(rnd.randbytes(1).hex() for _ in range(16)),
            f"{rnd.randrange(16**8):08x}: " + " ".join(rnd.randbytes(2).hex() for _ in range(8)),
            f"1.3.6.1.4.1.{digits[:5]}.{rnd.randint(1, 20)}.{rnd.randint(1, 20)}",
            " ".join(str(rnd.randrange(1000)) for _ in range(8)),
            " ".join(f"{rnd.random() * 100:.3f}" for _ in range(5)),
            f"bytes={digits[:7]} offset={digits[7:15].lstrip('0') or '0'}",
            f"0x{rnd.randrange(16**12):012x}",
            f"pid {rnd.randrange(10**6)} tid {rnd.randrange(10**6)} port {rnd.randrange(65536)}",
            f"127.0.0.1:{rnd.randrange(65536)}",
            "git@github.com:acme/tool.git",
            f"image@{rnd.randint(2, 3)}x.png",
            "std::vector<int>::size",
            f"std::pair<a::b, c::d{rnd.randint(1, 9)}>",
            f"ratio {rnd.randint(1, 20)}:{rnd.randint(1, 20)} at 12:{rnd.randint(10, 59)}:{rnd.randint(10, 59)}",
            "token = get_token(request)",
            'password = os.environ["DB_PASSWORD"]',
            "password: str | None = None",
            "if secret is None: raise ValueError(secret)",
            f"released on {stamp} by the team",
            f"pages {rnd.randint(10, 99)}-{rnd.randint(100, 199)}, line {rnd.randint(1, 9999)}",
        )
    )


def clean(seed: int, size: int = 1_000_000) -> tuple[str, list[str]]:
    """Prose, code and logs without anything personal, and the hard ones among them.

    Prose is Python's own language reference and Faker's texts, code its standard library; lines with an at sign or
    with four numbers between dots are left out of both, for they may hold a true address.
    """
    rnd, corpus = random.Random(f"clean/{seed}"), Corpus(seed)
    library = Path(sysconfig.get_paths()["stdlib"])
    topics = _without_addresses((library / "pydoc_data" / "topics.py").read_text("utf-8"))
    files = (
        sorted(library.glob("*.py"))
        + sorted((library / "asyncio").glob("*.py"))
        + sorted((library / "http").glob("*.py"))
    )
    rnd.shuffle(files)
    code = ""
    for path in files:
        if len(code) >= size * 3 // 10:
            break
        code += _without_addresses(path.read_text("utf-8", "replace"))
    begin = rnd.randrange(max(1, len(topics) - size * 3 // 10))
    prose, words = topics[begin : begin + size * 3 // 10], []
    while sum(map(len, words)) < size // 10:
        words.append(corpus.fakers[rnd.choice(LOCALES)].paragraph(8) + "\n")
    hards, lines = [], []
    left = size - len(prose) - len(code[: size * 3 // 10]) - sum(map(len, words))
    while left > 0:
        items = [hard(rnd) for _ in range(rnd.randint(1, 3))]
        hards += items
        lines.append(
            f"{rnd.choice(('INFO', 'WARN', 'DEBUG'))} [worker-{rnd.randint(1, 9)}]"
            f" {' | '.join(items)} took {rnd.random() * 99:.2f} ms\n"
        )
        left -= len(lines[-1])
    return prose + "\n" + code[: size * 3 // 10] + "\n" + "".join(words) + "".join(lines), hards


def _without_addresses(text: str) -> str:
    four = re.compile(r"\d+\.\d+\.\d+\.\d+|::")
    return "".join(line for line in text.splitlines(keepends=True) if "@" not in line and not four.search(line))
