"""The real ``chatroom-client`` in pipes, as a script has it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blackbox.daemon import DEADLINE, environment

COMMAND = [sys.executable, "-m", "chatroom.client.main"]


class Folder:
    """Where clients run: they keep what they remember in it.

    Args:
        path: The test's folder.
        within: What their commands begin with, as for another machine; see ``Machines.within``.
    """

    def __init__(self, path: Path, within: Sequence[str] = ()) -> None:
        self.path = path
        self._command = [*within, *COMMAND]
        self._environment = environment({"XDG_STATE_HOME": f"{path}/state", "XDG_CONFIG_HOME": f"{path}/config"})
        self._started: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        *arguments: object,
        stdin: Any = subprocess.PIPE,
        stdout: Any = subprocess.PIPE,
        terminal: str = "xterm",
    ) -> Any:
        """Start a client."""
        client = subprocess.Popen(
            [*self._command, *map(str, arguments)],
            cwd=self.path,
            env={**self._environment, "TERM": terminal},
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        self._started.append(client)
        return client

    def run(self, text: str, *arguments: object) -> tuple[int, list[str], str]:
        """Give a client all its input; return its exit status, its lines and what it says on stderr."""
        client = self.start(*arguments)
        out, err = client.communicate(text.encode(), DEADLINE)
        return client.returncode, out.decode().splitlines(), err.decode()

    def shell(self, line: str, *arguments: object) -> tuple[int, str, str]:
        """Give bash a line in which ``CLIENT`` is the client with these arguments.

        Returns:
            The exit status of the first command of the line's pipe that failed, what comes out, and what is said on
            stderr.
        """
        client = shlex.join([*self._command, *map(str, arguments)])
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line.replace("CLIENT", client)],
            cwd=self.path,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        return done.returncode, done.stdout, done.stderr

    def close(self) -> None:
        """End what a failed test has left."""
        for client in self._started:
            if client.poll() is None:
                client.kill()
            client.wait()
            for stream in (client.stdin, client.stdout, client.stderr):
                if stream is not None:
                    stream.close()
