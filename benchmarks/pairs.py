"""This checkout against another server, in interleaved pairs.

    python benchmarks/pairs.py OTHER [--rounds 5] [--mode full] [--mode memory] [--only W2 ...]

OTHER is the folder of another checkout, which must run with this Python; or the name of one of Twisted's reactors, such
as ``epoll``, for this checkout on that reactor; or the path of the program ``inspircd`` (version 3). The servers run in
turn on processor 0, the load of ``chatload.c`` on processor 1, as in ``ratios.py``.
Prints a table in Markdown: the median CPU per delivery of both, and of the ratios (OTHER over this checkout; above 1
this one is cheaper) the median, the range, and each single ratio. InspIRCd runs without limits on clients, and echoes
messages to their senders as chatroom does, so that both deliver the same; not so with ``--no-echo``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ports import free_port
from ratios import WORKLOADS, measure, ours

HERE = Path(__file__).resolve().parent
INSPIRCD = """
<server name="irc.example" description="benchmark" network="benchmark">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="60" pingfreq="300" hardsendq="64M" softsendq="16M" recvq="64K" threshold="1000000"
 commandrate="1000000000" fakelag="no" localmax="100000" globalmax="100000" maxconnwarn="no" useident="no"
 resolvehostnames="no" usednsbl="no" useconnflood="no">
<performance somaxconn="4096" softlimit="20000">
<path moduledir="{modules}" configdir="{folder}" datadir="{folder}" logdir="{folder}" runtimedir="{folder}">
<module name="cap">
<module name="ircv3_echomessage">
"""
REACTORS = ("epoll", "poll", "select")
IRC = ["--proto", "irc"]
ECHOING = [*IRC, "--echo=1", "--hello", "CAP REQ echo-message\nCAP END\nNICK %n\nUSER %n 0 * :%n"]


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="another checkout, a reactor, or the program inspircd")
    parser.add_argument("--modules", default="/usr/lib/x86_64-linux-gnu/inspircd/modules", help="InspIRCd's modules")
    parser.add_argument("--no-echo", action="store_true", help="InspIRCd echoes no messages, as is usual on IRC")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", action="append", choices=["full", "memory"])
    parser.add_argument("--only", action="append", choices=list(WORKLOADS))
    args = parser.parse_args()
    other = other_server(args)
    with tempfile.TemporaryDirectory() as folder:
        chatload = Path(folder) / "chatload"
        subprocess.run(["cc", "-O2", "-o", str(chatload), str(HERE / "chatload.c")], check=True)
        print("| workload | engine | other µs | this µs | ratio (range) | ratios |")
        print("|---|---|---|---|---|---|")
        for mode in args.mode or ["full"]:
            for name in args.only or WORKLOADS:
                print(row(name, mode, pairs(args.rounds, other, chatload, name, mode)), flush=True)


def other_server(args: argparse.Namespace) -> Callable[..., dict]:
    """Return the function that measures the other server."""
    if str(args.other) in REACTORS:
        return partial(checkout, HERE.parent, options=("--reactor", str(args.other)))
    if args.other.is_dir():
        return partial(checkout, args.other)
    return partial(inspircd, args.other, args.modules, IRC if args.no_echo else ECHOING)


def pairs(rounds: int, other: Callable[..., dict], chatload: Path, name: str, mode: str) -> list[tuple[float, float]]:
    """Return the CPU per delivery of the other server and of this checkout, for each round."""
    found = []
    for _ in range(rounds):
        both = other(chatload, name, mode), checkout(HERE.parent, chatload, name, mode)
        found.append((both[0]["cpu_us_per_delivery"], both[1]["cpu_us_per_delivery"]))
    return found


def row(name: str, mode: str, found: list[tuple[float, float]]) -> str:
    """Return a line of the table."""
    ratios = [other / this for other, this in found]
    cost = [statistics.median(pair[i] for pair in found) for i in (0, 1)]
    ratio = f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})"
    each = " ".join(f"{ratio:.3f}" for ratio in ratios)
    return f"| {name} | {mode} | {cost[0]:.3f} | {cost[1]:.3f} | {ratio} | {each} |"


def checkout(top: Path, chatload: Path, name: str, mode: str, options: tuple[str, ...] = ()) -> dict:
    """Measure the daemon of a checkout, with options of twistd."""
    return ours(chatload, name, mode, {**os.environ, "PYTHONPATH": str(top.resolve())}, options)


def inspircd(program: Path, modules: str, words: list[str], chatload: Path, name: str, mode: str) -> dict:
    """Measure InspIRCd, which keeps nothing, whatever the mode."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "inspircd.conf"
        config.write_text(INSPIRCD.format(port=port, modules=modules, folder=folder))
        command = [str(program), "--nofork", "--nopid", "--nolog", f"--config={config}"]
        if os.geteuid() == 0:
            command.append("--runasroot")
        return measure(chatload, name, port, command, words)


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    main()
