"""What the tests of heads share: a log in memory whose heads are signed, and a witness as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.core.chain import Frontier, leaf
from ringfence.proof import merkle
from ringfence.proof.keys import KeySigner
from ringfence.proof.note import ORIGIN, Signer, Verifier, head

ID = "0123456789abcdef0123456789abcdef"
OURS = KeySigner(ORIGIN + ID, b"1" * 32)
NEXT = KeySigner(ORIGIN + ID, b"2" * 32)
THIEF = KeySigner(ORIGIN + ID, b"3" * 32)
OTHER = KeySigner(ORIGIN + "another", b"4" * 32)


@dataclass
class Growing:
    """A log as its owner has it: leaves, and heads over any number of them."""

    leaves: list[bytes] = field(default_factory=lambda: [leaf(b"record %d" % n) for n in range(2000)])
    id: str = ID
    asked: int = 0

    def root(self, size: int) -> bytes:
        frontier = Frontier()
        for each in self.leaves[:size]:
            frontier.append(each)
        return frontier.root()

    def head(self, size: int, *signers: Signer, next_key: Verifier | None = None, time: int = 1_760_000_000_000) -> str:
        return head(self.id, size, self.root(size), time, *(signers or (OURS,)), next_key=next_key)

    def prove(self, old: int, new: int) -> list[bytes]:
        self.asked += 1
        return merkle.consistency(self.leaves, old, new)


def forked(at: int) -> Growing:
    """The same log with one record that was rewritten."""
    log = Growing()
    log.leaves[at] = leaf(b"rewritten")
    return log


@dataclass
class Process:
    """A witness that listens."""

    process: subprocess.Popen[str]
    url: str
    key: Verifier
    folder: Path

    def said(self) -> str:
        """What it told its operator so far."""
        return (self.folder / "said").read_text()


@contextmanager
def witness(folder: Path, *logs: Verifier, **more: Any) -> Iterator[Process]:
    """`ringfence witness serve` on loopback, until the block ends."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "ringfence.cli", "witness", "serve", "--listen", "127.0.0.1:0"]
    command += ["--key", str(folder / "witness.key"), "--state", str(folder / "state"), "--name", "witness.example/w1"]
    for log in logs or (OURS.verifier,):
        command += ["--log", str(log)]
    with (folder / "said").open("a") as said:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, **more)
    assert process.stdout is not None
    try:
        key, url = process.stdout.readline().split(), process.stdout.readline().split()
        assert (key[:1], url[:2]) == (["key"], ["listening", "on"]), (folder / "said").read_text()
        yield Process(process, url[2], Verifier.parse(key[1]), folder)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
