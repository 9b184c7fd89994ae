"""Sockets and other ways to talk to the host."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import time

from kit import (
    ARGS,
    GIVEN,
    HOME,
    LIBC,
    TOKEN,
    WORK,
    call,
    say,
    show,
)


def send(family, kind, address):
    """Send the token to a server of the host."""
    with socket.socket(family, kind) as sock:
        sock.settimeout(1)
        sock.connect(address)
        sock.send(TOKEN.encode())


def connect_by_tcp():
    send(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", ARGS["tcp"]))


def connect_by_tcp_6():
    send(socket.AF_INET6, socket.SOCK_STREAM, ("::1", ARGS["tcp6"]))


def connect_to_the_hosts_address():
    send(socket.AF_INET, socket.SOCK_STREAM, (ARGS["address4"], ARGS["tcp"]))


def connect_without_connect():
    with socket.socket() as sock:
        sock.sendto(TOKEN.encode(), 0x20000000, ("127.0.0.1", ARGS["tcp"]))  # MSG_FASTOPEN


def send_by_udp():
    send(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", ARGS["udp"]))


def ask_a_name_server():
    query = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + bytes([len(TOKEN)]) + TOKEN.encode() + b"\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(query, (ARGS["address4"], ARGS["udp"]))


def listen_for_the_host():
    with socket.create_server(("", ARGS["free"])):
        time.sleep(1.0)


def open_a_raw_socket():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
    say()


def open_a_packet_socket():
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    say()


def open_a_netlink_socket():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0))
    say()


def open_a_crypto_socket():
    socket.socket(38, socket.SOCK_SEQPACKET, 0)  # AF_ALG
    say()


def open_a_socket_of_the_virtual_machine():
    socket.socket(40, socket.SOCK_STREAM, 0)  # AF_VSOCK
    say()


def connect_to_a_path():
    send(socket.AF_UNIX, socket.SOCK_STREAM, f"{HOME}/socket")


def connect_to_a_path_that_is_declared():
    send(socket.AF_UNIX, socket.SOCK_STREAM, f"{WORK}/socket")


def connect_to_a_path_that_is_read_only():
    send(socket.AF_UNIX, socket.SOCK_STREAM, f"{GIVEN}/socket")


def write_to_a_path_by_a_pair():
    ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.sendto(TOKEN.encode(), f"{WORK}/datagrams")


def connect_to_an_abstract_name():
    send(socket.AF_UNIX, socket.SOCK_STREAM, f"\0ringfence-{TOKEN}")


def read_shared_memory():
    show(f"/dev/shm/{TOKEN}")


def read_system_v_memory():
    segment = call(29, 194, ARGS["shm"], 0, 0)
    LIBC.shmat.restype = ctypes.c_void_p
    say(ctypes.string_at(LIBC.shmat(segment, None, 0o10000), 64).decode(errors="replace"))


def read_a_message_queue():
    queue = call(240, 180, TOKEN.encode(), os.O_RDONLY, 0, None)
    buffer = ctypes.create_string_buffer(8192)
    call(243, 183, queue, buffer, 8192, None, None)
    say(buffer.value.decode())


def read_a_key():
    key = call(250, 219, 10, -4, b"user", TOKEN.encode(), 0)  # KEYCTL_SEARCH in the keyring of the user
    buffer = ctypes.create_string_buffer(256)
    call(250, 219, 11, key, buffer, 256)  # KEYCTL_READ
    say(buffer.value.decode())


def type_into_the_terminal():
    fd = os.open(ARGS["terminal"], os.O_RDWR)
    for char in (TOKEN + "\n").encode():
        fcntl.ioctl(fd, 0x5412, bytes([char]))  # TIOCSTI


def type_into_its_own_terminal():
    fd = os.open("/dev/tty", os.O_RDWR)
    fcntl.ioctl(fd, 0x5412, b"\n")
    say()
