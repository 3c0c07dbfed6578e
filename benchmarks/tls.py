"""What TLS costs: processor time per delivery of a room's fan-out, to members inside TLS and in the clear, in one run.

    python benchmarks/tls.py [--members 200] [--messages 500] [--rounds 5] [--mode memory] [--mode full]

Server on processor 0, load on processor 1, plain and TLS in turn. One member speaks, and says the next message when it
has heard the last; CPU by the server's own account. Prints a table in Markdown. Nothing is a result unless every member
heard every message once and in order.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ports import wait_for

PATIENCE = 60.0  # seconds


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", action="append", choices=["memory", "full"])
    args = parser.parse_args()
    os.sched_setaffinity(0, {1})
    print("| members | engine | plain µs | TLS µs | ratio (range) |")
    print("|---|---|---|---|---|")
    for mode in args.mode or ["memory", "full"]:
        rounds = [(measure(args, mode, False), measure(args, mode, True)) for _ in range(args.rounds)]
        ratios = [tls / plain for plain, tls in rounds]
        cost = [statistics.median(pair[i] for pair in rounds) for i in (0, 1)]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        print(f"| {args.members} | {mode} | {cost[0]:.2f} | {cost[1]:.2f} | {ratio} |", flush=True)


def measure(args: argparse.Namespace, mode: str, secure: bool) -> float:
    """Return µs per delivery of a server of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        keeps = ["--ephemeral"] if mode == "memory" else ["--data", data]
        twistd = ["taskset", "-c", "0", str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "chatroom"]
        options = ["--port", str(port), "--interface", "127.0.0.1", "--rate", "0", "--replay", "0"]
        server = subprocess.Popen([*twistd, *options, *keeps], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            return load(args, port, server.pid, secure)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def load(args: argparse.Namespace, port: int, pid: int, secure: bool) -> float:
    """Return µs per delivery: let people join, one of them speak, and all of them listen."""
    members = [join(port, f"m{number}", secure) for number in range(args.members)]
    heard = quiet(members, args.members)
    spent = processor_time(pid)
    talk(members, heard, args.messages)
    spent = processor_time(pid) - spent
    for member in members:
        member.close()
    return spent / (args.members * args.messages) / 1000


def join(port: int, name: str, secure: bool) -> socket.socket:
    """Return a member of the room that has asked for everything."""
    member = socket.create_connection(("127.0.0.1", port), PATIENCE)
    member.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        member = context.wrap_socket(member)
    member.sendall(f"/name {name}\r\n/join lobby\r\n".encode())
    data = b""
    while b"Current users:" not in data:
        data += member.recv(65536)
    member.setblocking(False)
    return member


def quiet(members: list[socket.socket], number: int) -> list[bytearray]:
    """Return where each member's messages go, when all have heard the last joiner."""
    heard = [bytearray() for _ in members]
    listen(members[:-1], heard, lambda i: f"m{number - 1} has joined the room.\r\n".encode() in heard[i])
    for data in heard:
        data.clear()
    return heard


def talk(members: list[socket.socket], heard: list[bytearray], messages: int) -> None:
    """Say the messages one by one, and see that all heard them."""
    expected = b"".join(b"m0: message %06d\r\n" % number for number in range(messages))
    line = len(b"m0: message 000000\r\n")
    said = 0

    def whole(i: int) -> bool:
        nonlocal said
        if i == 0 and len(heard[0]) == said * line and said < messages:
            members[0].sendall(b"message %06d\r\n" % said)
            said += 1
        return len(heard[i]) >= len(expected)

    whole(0)
    listen(members, heard, whole)
    wrong = [i for i, data in enumerate(heard) if data != expected]
    if wrong:
        raise SystemExit(f"{len(wrong)} members did not hear everything once and in order")


def listen(members: list[socket.socket], heard: list[bytearray], whole: Callable[[int], bool]) -> None:
    """Read until everybody has heard the whole of it."""
    waiting = {member.fileno(): i for i, member in enumerate(members)}
    end = time.monotonic() + PATIENCE
    with select.epoll() as poll:
        for number in waiting:
            poll.register(number, select.EPOLLIN)
        while waiting:
            if time.monotonic() > end:
                raise SystemExit(f"{len(waiting)} members still wait")
            for number, _ in poll.poll(1.0):
                i = waiting[number]
                read(members[i], heard[i])
                if whole(i):
                    poll.unregister(number)
                    del waiting[number]


def read(member: socket.socket, heard: bytearray) -> None:
    """Take all that is there; TLS holds what was read of the socket and not yet taken."""
    try:
        while True:
            data = member.recv(65536)
            if not data:
                raise SystemExit("the server has closed a connection")
            heard += data
            if not isinstance(member, ssl.SSLSocket) or not member.pending():
                return
    except (BlockingIOError, ssl.SSLWantReadError):
        return


def processor_time(pid: int) -> int:
    """Return the nanoseconds that a process and its threads have had a processor."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))


if __name__ == "__main__":
    main()
