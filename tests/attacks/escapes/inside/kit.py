"""What every attempt is told and needs. It says the token when a call went through that leaves no trace outside."""

from __future__ import annotations

import ctypes
import json
import os
import sys

ARGS = json.loads(sys.argv[2])
TOKEN, HOME, WORK, GIVEN, VICTIM = (ARGS[name] for name in ("token", "home", "work", "given", "victim"))
LIBC = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"
MIB = 1 << 20


def call(x86, arm, *args):
    """A system call that has to go through; OSError otherwise."""
    longs = (ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args)
    result = LIBC.syscall(ctypes.c_long(x86 if X86 else arm), *longs)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def say(what=TOKEN):
    """To whoever reads the tool's output."""
    print(what, flush=True)


def show(path):
    """Say what a file holds."""
    with open(path, "rb") as file:
        say(file.read(65536).replace(b"\0", b" ").decode(errors="replace"))


def write(path, flags=os.O_WRONLY | os.O_CREAT):
    """Put the token into a file."""
    os.write(os.open(path, flags), TOKEN.encode())
