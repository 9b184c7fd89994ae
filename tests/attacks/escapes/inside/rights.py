"""More rights than a tool has."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import time

from kit import (
    HOME,
    LIBC,
    TOKEN,
    call,
    say,
)


def be_root():
    time.sleep(0.3)


def run_a_setuid_program():
    asks = subprocess.Popen(["/usr/bin/su", "root", "-c", f": {TOKEN}"], stdin=subprocess.PIPE)
    time.sleep(0.5)
    asks.kill()


def become_root_by_su():
    subprocess.run(["/usr/bin/su", "root", "-c", f"cat {HOME}/secret"], check=False)


def make_a_user_namespace():
    if LIBC.unshare(0x10000000) == 0:
        say()


def make_a_mount_namespace():
    if LIBC.unshare(0x00020000) == 0:
        say()


def clone_into_a_namespace():
    if call(56, 220, 0x10000000 | signal.SIGCHLD, None, None, None, None) == 0:
        say()
        os._exit(0)
    os.wait()


def load_a_bpf_map():
    call(321, 280, 0, struct.pack("IIII", 2, 4, 8, 1) + bytes(96), 112)
    say()


def count_events():
    attributes = struct.pack("IIQ", 1, 120, 0) + bytes(24) + struct.pack("Q", 0b1100000) + bytes(72)
    call(298, 241, attributes, 0, -1, -1, 0)
    say()


def open_an_io_ring():
    call(425, 425, 4, bytes(120))
    say()


def catch_page_faults():
    call(323, 282, 1)
    say()


def load_a_module():
    try:
        call(175, 105, b"no module", 9, b"")
    except OSError as fault:
        if fault.errno not in (1, 38):  # looked at, so allowed
            say()


def name_the_machine():
    call(171, 162, TOKEN.encode(), len(TOKEN))
