"""A program that becomes another user and then is a recorder, or an agent beside one. Imports come first: after that
the interpreter's own files may be out of reach.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401
import encodings.idna  # noqa: F401
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from ringfence.cli import recorder as command
from ringfence.cli.exits import Interrupted
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.labels import Label, Trust
from ringfence.stores import file, reader, remote, sqlite  # noqa: F401  what is imported late elsewhere

LABEL = Label(Trust.USER)


def record(run: str, seq: int, text: str = "") -> Record:
    kind = Kind.MESSAGE if seq else Kind.STARTED
    return Record(run, seq, 1000 + seq, kind, "user:a", LABEL, {"n": seq}, {"task": text or f"task of {run}"})


def agent(sock: str, journal: str) -> None:
    """Do what each line of stdin says, and answer with a line of JSON."""
    far = remote.SocketJournal(Path(sock))
    for line in sys.stdin:
        verb, *words = json.loads(line)
        try:
            answer: Any = _do(far, journal, verb, words)
        except (JournalError, OSError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


def _do(far: remote.SocketJournal, journal: str, verb: str, words: list[Any]) -> Any:
    match verb:
        case "append":
            run, start, stop = words

            async def write() -> None:
                for seq in range(start, stop):
                    far.append(record(run, seq))
                    await far.flush()

            asyncio.run(write())
            return "ok"
        case "read":
            return [[each.seq, each.body["task"]] for each in far.log.read(words[0])]
        case "runs":
            return [each.run for each in far.log.runs()]
        case "headers":
            return len(list(far.log.headers()))
        case "verify":
            return far.log.verify().problem
        case "open":
            with open(journal, "rb"):  # noqa: PTH123
                return "opened"
        case "write":
            with open(journal, "ab"):  # noqa: PTH123
                return "opened"
        case "unlink":
            os.unlink(words[0])  # noqa: PTH108
            return "gone"
        case "rename":
            os.rename(words[0], words[0] + ".old")  # noqa: PTH104
            return "gone"
    raise ValueError(verb)


def main() -> None:
    uid, gid, role, sock, journal = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
    if len(sys.argv) > 6:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[6]), int(sys.argv[6])))
    if uid:
        os.setgroups([gid])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    if role == "agent":
        agent(sock, journal)
        return
    try:
        command.serve(Path(sock), Path(journal), None, str(gid))
    except Interrupted as stopped:
        sys.exit(stopped.code)
    except JournalError as error:
        print(error, file=sys.stderr)
        sys.exit(6)


if __name__ == "__main__":
    main()
