"""Ctrl-Z in a real terminal, and whatever else stops the client: the shell can be used, ``fg`` brings it all back."""

from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon, Peer
from blackbox.windows import CLIENT, CTRL_D, CTRL_Z, ENTER, Window


def tells_focus(written: bytes) -> bool:
    """Whether the terminal tells when it gets or loses the focus, after all that was written to it."""
    return written.rfind(b"\x1b[?1004h") > written.rfind(b"\x1b[?1004l")


def modes(window: Window, when: str) -> str:
    """Return how the terminal is, which the shell is asked for."""
    window.enter(f"stty -a > {when}; echo asked {when}")
    window.until(lambda rows: f"asked {when}" in rows)
    return re.sub(r"rows \d+; columns \d+;", "", (window.folder / when).read_text())


def come(window: Window, port: int) -> None:
    """Start the client by hand, as a job of the shell, and wait until it is in the room."""
    client = shlex.join([*CLIENT, "127.0.0.1", str(port), "--name", "ann", "--room", "lobby"])
    (window.folder / "client").write_text(f"echo $$ > pid\nexec {client}\n")
    window.enter("bash ./client")
    window.until(lambda rows: "lobby (" in rows[-1] and "| ann | TLS 1.3 |" in rows[-1])


def is_stopped(window: Window, times: int = 1) -> None:
    """Wait for the shell, which says so, and for its prompt."""
    window.until(lambda rows: sum("Stopped" in row for row in rows) == times and rows[-1].startswith("$"))


def stop(window: Window, how: signal.Signals | str) -> None:
    """Press a key, or send a signal."""
    if isinstance(how, str):
        window.press(how)
    else:
        os.kill(window.pid, how)


@pytest.mark.parametrize("how", [CTRL_Z, signal.SIGTSTP, signal.SIGSTOP])
def test_a_stopped_client_is_brought_back(
    tmp_path: Path, window: Callable[[str], Window], how: signal.Signals | str
) -> None:
    """What was said meanwhile is there, what was typed is still typed; and so a second time."""
    with Daemon(tmp_path) as daemon:
        bob = daemon.person("bob", "lobby")
        ann = window("ann")
        before = modes(ann, "before")
        come(ann, daemon.port)
        bob.expect("ann has joined the room.")
        ann.type("half a sen")
        ann.see("[lobby] half a sen")
        for times in (1, 2):
            stop(ann, how)
            is_stopped(ann, 1 if how == signal.SIGSTOP else times)  # it stands on the client's screen, which is redrawn
            assert modes(ann, f"stopped{times}") == before
            assert ann.ask("#{cursor_flag}") == "1"
            if how != signal.SIGSTOP:  # of which nobody is told
                assert not tells_focus(ann.written(f"asked stopped{times}"))
            if times == 1:
                bob.ask("while away", "bob: while away")
            ann.enter("fg")
            ann.until(lambda rows: rows[-2] == "[lobby] half a sen" and " lobby (2 users) | ann |" in rows[-1])
            bob.ask(f"there again {times}", f"bob: there again {times}")
            ann.see(*(["bob: while away"] if times == 1 else []), f"bob: there again {times}", "[lobby] half a sen")
            ann.until_written(tells_focus)
        ann.type("tence")
        ann.press(ENTER)
        bob.expect("ann: half a sentence")
        ann.see("ann: half a sentence", "[lobby]")
        ann.press(CTRL_D)
        ann.until(lambda rows: rows[-1] == "$")
        assert modes(ann, "after") == before
        bob.expect("ann has disconnected.")


def test_a_client_that_is_stopped_while_the_server_restarts_misses_nothing(
    tmp_path: Path, window: Callable[[str], Window]
) -> None:
    ann = window("ann")
    with Daemon(tmp_path) as daemon:
        come(ann, daemon.port)
        bob = daemon.person("bob", "lobby")
        ann.see("bob has joined the room.", "[lobby]")
        ann.enter("one")
        bob.expect("ann: one")
        ann.press(CTRL_Z)
        is_stopped(ann)
        bob.ask("two", "bob: two")
        daemon.kill()
    with Daemon(tmp_path, "--port", str(daemon.port)) as again:
        bob = again.person("bob", "lobby")
        bob.say("three")
        hears(bob, "bob: three")
        ann.enter("fg")
        ann.enter("four")
        hears(bob, "ann: four")
        ann.until(lambda rows: any(row.endswith("ann: four") for row in rows), 3 * DEADLINE)
        said = [line for line in ann.lines if line.startswith(("ann: ", "bob: "))]
        assert said == ["ann: one", "bob: two", "bob: three", "ann: four"]


def hears(peer: Peer, wanted: str) -> None:
    """Wait until somebody hears that."""
    peer.until(lambda line: line == wanted)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_client_can_be_ended(tmp_path: Path, window: Callable[[str], Window], number: signal.Signals) -> None:
    with Daemon(tmp_path) as daemon:
        bob = daemon.person("bob", "lobby")
        ann = window("ann")
        before = modes(ann, "before")
        come(ann, daemon.port)
        bob.expect("ann has joined the room.")
        ann.press(CTRL_Z)
        is_stopped(ann)
        ann.enter(f"kill -{number} %1")
        bob.expect("ann has disconnected.")
        assert modes(ann, "after") == before
        assert not tells_focus(ann.written("asked after"))
