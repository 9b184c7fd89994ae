"""More than its share."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import tempfile
import threading
import time

from kit import (
    ARGS,
    LIBC,
    MIB,
    TOKEN,
    WORK,
    call,
    say,
)


def start(count, what):
    """Start children that do `what` and wait; how many there are."""
    made = 0
    for _ in range(count):
        try:
            pid = os.fork()
        except OSError:
            break
        if pid == 0:
            what()
            os._exit(0)
        made += 1
    return made


def fork_without_end():
    if start(ARGS["processes"] * 3, lambda: time.sleep(2)) > ARGS["processes"]:
        time.sleep(1.0)
        say()


def start_threads_without_end():
    for _ in range(ARGS["processes"] * 3):
        threading.Thread(target=time.sleep, args=(1.5,), daemon=True).start()
    time.sleep(1.0)
    say()


def fill(memory, mib):
    """Touch every page."""
    for at in range(0, mib * MIB, 4096):
        memory[at] = 1


def eat_memory():
    kept = bytearray(ARGS["memory"] * 2 * MIB)
    fill(kept, ARGS["memory"] * 2)
    say()


def eat_shared_memory():
    shared = mmap.mmap(-1, ARGS["memory"] * 2 * MIB)
    fill(shared, ARGS["memory"] * 2)
    time.sleep(1.5)
    say()


def eat_memory_by_children():
    part = ARGS["memory"] // 2
    start(4, lambda: (kept := bytearray(part * MIB), fill(kept, part), time.sleep(2.5)))
    time.sleep(2.0)
    say()


def eat_memory_by_files():
    for _ in range(4):
        fd = call(319, 279, b"x", 0)
        for _ in range(ARGS["memory"] // 2):
            os.write(fd, bytes(MIB))
    time.sleep(1.0)
    say()


def eat_system_v_memory():
    size = ARGS["memory"] * 2 * MIB
    segment = call(29, 194, 0, size, 0o1600)
    LIBC.shmat.restype = ctypes.c_void_p
    where = LIBC.shmat(segment, None, 0)
    ctypes.memset(where, 1, size)
    LIBC.shmdt(ctypes.c_void_p(where))
    LIBC.shmctl(segment, 0, None)
    say()


def burn(cpu_s):
    """Use up CPU time."""
    until = time.process_time() + cpu_s
    while time.process_time() < until:
        sum(range(1000))


def eat_cpu():
    burn(ARGS["cpu"] * 2.5)
    say()


def eat_cpu_by_children():
    start(6, lambda: burn(ARGS["cpu"] * 0.7))
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    say()


def write_a_large_file():
    fd = os.open(f"{WORK}/large", os.O_CREAT | os.O_WRONLY)
    for _ in range(ARGS["file"] * 2):
        os.write(fd, bytes(MIB))


def write_many(folder):
    """Files that are small one by one."""
    for at in range(8):
        with open(f"{folder}/{TOKEN}-{at}", "wb") as file:
            for _ in range(ARGS["file"] // 2):
                file.write(bytes(MIB))
    time.sleep(1.0)
    say()


def fill_the_temporary_folder():
    write_many(tempfile.gettempdir())


def fill_shared_memory():
    write_many("/dev/shm")


def open_files_without_end():
    kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(ARGS["open"] * 2)]
    say(f"{TOKEN} {len(kept)}")


def dump_core():
    os.chdir(WORK)
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    os.abort()


def outlive_the_wall():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
    time.sleep(60)


def live_on_alone():
    """Fork twice, in a session of its own, and wait for better times."""
    if os.fork() == 0:
        try:
            os.setsid()
        except OSError:
            pass
        if os.fork() == 0:
            for fd in range(3):
                os.close(fd)
            time.sleep(30)
        os._exit(0)
    time.sleep(0.1)


def breed_and_die():
    """Every child has a child and dies: whoever lists processes comes too late."""
    start(4, lambda: [os.fork() and os._exit(0) for _ in iter(int, 1)])
