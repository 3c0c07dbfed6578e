"""Ports of this machine, for servers that are measured."""

from __future__ import annotations

import socket
import time


def wait_for(port: int) -> None:
    """Return when something listens there."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(0.4)  # let it settle, so that its start is not measured
                return
        time.sleep(0.02)
    raise SystemExit(f"nothing listens on {port}")


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
