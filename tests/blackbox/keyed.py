"""Real clients in pipes that stay, with keys: lines go in, and what they write is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from blackbox.daemon import DEADLINE, Log
from blackbox.piped import Folder


class Client:
    """A client in a pipe.

    Args:
        folder: The folder in which it keeps what it remembers; clients of one folder are one device.
        server: The address that it connects to.
        port: The port there.
        arguments: More of them.
        name: Of the files with what it writes, in the folder; another one for each start.
    """

    def __init__(self, folder: Folder, server: str, port: int, *arguments: object, name: str = "client") -> None:
        self.process = folder.start(server, port, *arguments)
        self.out = Log(self.process.stdout, folder.path / f"{name}.out")
        self.err = Log(self.process.stderr, folder.path / f"{name}.err")

    def type(self, *lines: str) -> None:
        """Give it lines."""
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.process.stdin.flush()

    def end(self) -> str:
        """End its input; return what it has said on stderr. It must end well."""
        self.process.stdin.close()
        status = self.process.wait(DEADLINE)
        self.out.finish()
        self.err.finish()
        assert status == 0, f"exit status {status}:\n{self.err.text}"
        return self.err.text

    def kill(self) -> None:
        """Let it end at once, as a crash would."""
        self.process.kill()
        self.process.wait()
        self.out.finish()
        self.err.finish()


class Person(Folder):
    """Somebody's computer.

    Args:
        path: Its folder; it is made.
        within: What commands on it begin with, if it is another machine; see ``Machines.within``.
        server: The address by which it reaches the server.
    """

    def __init__(self, path: Path, within: Sequence[str] = (), server: str = "127.0.0.1") -> None:
        path.mkdir()
        super().__init__(path, within)
        self._server = server
        self._starts = 0

    def client(self, port: int, *arguments: object) -> Client:
        """Start a client."""
        self._starts += 1
        return Client(self, self._server, port, *arguments, name=f"client-{self._starts}")

    def __enter__(self) -> Person:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
