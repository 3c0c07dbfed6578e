"""The product against the bare core of its architecture, as ratios in one run.

    python benchmarks/ratios.py [--rounds 5] [--mode full] [--mode memory] [--only W1s ...]

The bare core is ``bare_core.py``; ``chatload.c`` makes the load, and needs a C compiler. Server on processor 0, load on
processor 1, the two servers in turn; CPU per delivery by the server's own account.
Prints a table in Markdown: per workload the median of the rounds, the ratio of the medians and the range of the ratios.
Nothing is a result unless every message arrived once and in order: the load generator checks each delivery.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ports import free_port, wait_for

WORKLOADS = {
    "W1s": ("run --members 1000 --senders 1 --window 1", 1.3),
    "W1": ("run --members 1000 --senders 10 --window 16", 1.3),
    "W2": ("run --rooms 200 --members 5 --senders 5 --window 1", 1.5),
    "W3": ("run --members 1000 --senders 10 --rate 500", 1.3),
}
COMMON = ["--secs=2", "--warmup=0.7", "--quickack", "--setup-limit=40", "--quiet", "--core=0"]
LINES = ["--proto=line", "--echo=1", "--hello", "/name %n", "--welcome", "You are now", "--join", "/join %r"]
LINES += ["--joined", "Current users", "--say", "%t"]


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).parent
    parser.add_argument("--chatload", type=Path, default=here / "chatload.c", help="source of another load generator")
    parser.add_argument("--core", type=Path, default=here / "bare_core.py", help="another core to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", action="append", choices=["full", "memory"])
    parser.add_argument("--only", action="append", choices=list(WORKLOADS))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chatload = Path(folder) / "chatload"
        subprocess.run(["cc", "-O2", "-o", str(chatload), str(args.chatload)], check=True)
        print("| workload | engine | core µs | chatroom µs | ratio (range) | goal | core p99 ms | chatroom p99 ms |")
        print("|---|---|---|---|---|---|---|---|")
        for mode in args.mode or ["full", "memory"]:
            for name in args.only or WORKLOADS:
                pairs = [(core(args, chatload, name, mode), ours(chatload, name, mode)) for _ in range(args.rounds)]
                print(row(name, mode, pairs), flush=True)


def row(name: str, mode: str, pairs: list[tuple[dict, dict]]) -> str:
    """Return a line of the table."""
    ratios = [b["cpu_us_per_delivery"] / a["cpu_us_per_delivery"] for a, b in pairs]
    cost = [statistics.median(pair[i]["cpu_us_per_delivery"] for pair in pairs) for i in (0, 1)]
    late = [statistics.median(pair[i]["p99_us"] / 1000 for pair in pairs) for i in (0, 1)]
    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    return (
        f"| {name} | {mode} | {cost[0]:.3f} | {cost[1]:.3f} | {ratio} | {WORKLOADS[name][1]} "
        f"| {late[0]:.1f} | {late[1]:.1f} |"
    )


def core(args: argparse.Namespace, chatload: Path, name: str, mode: str) -> dict:
    """Measure the bare core."""
    port = free_port()
    return measure(chatload, name, port, [sys.executable, str(args.core), str(port), mode])


def ours(
    chatload: Path, name: str, mode: str, environment: dict[str, str] | None = None, options: tuple[str, ...] = ()
) -> dict:
    """Measure the daemon, durable or ephemeral, in this process's environment or another, with options of twistd."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        keeps = ["--ephemeral"] if mode == "memory" else ["--data", data]
        bounds = ["--rate", "0", "--per-address", "0", "--replay", "0"]
        twistd = [str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", *options]
        chatroom = ["chatroom", "--port", str(port), "--interface", "127.0.0.1", *bounds, *keeps]
        return measure(chatload, name, port, [*twistd, *chatroom], environment=environment)


def measure(
    chatload: Path,
    name: str,
    port: int,
    command: list[str],
    words: list[str] = LINES,
    environment: dict[str, str] | None = None,
) -> dict:
    """Start the server on processor 0, the load on processor 1; return what the load generator measured."""
    pinned = ["taskset", "-c", "0", *command]
    server = subprocess.Popen(pinned, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        wait_for(port)
        load = ["taskset", "-c", "1", str(chatload), *WORKLOADS[name][0].split(), *COMMON, *words]
        result = subprocess.run(
            [*load, "--port", str(port), "--pid", str(server.pid)], capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise SystemExit(f"{name}: {command}: status {result.returncode}: {result.stderr} {result.stdout}")
        measured: dict = json.loads(result.stdout)
        return measured
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    main()
