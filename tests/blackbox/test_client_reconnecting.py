"""Two at terminals, by TLS, while the server goes and comes back: nothing said is lost, doubled or reordered."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon
from blackbox.windows import CTRL_D, Window

SAID = re.compile(r"(ann|bob): \1 says \d+")
PATIENCE = 3 * DEADLINE  # the client waits a little longer after each attempt in vain


def says(window: Window, *numbers: int) -> None:
    """Say numbered lines, and wait for nothing."""
    for number in numbers:
        window.enter(f"{window.name} says {number}")


def shows(window: Window, line: str) -> None:
    """Wait until that was said, and not only told to be kept until there is a connection."""
    said = f"{line.partition(' ')[0]}: {line}"
    window.until(lambda rows: any(row.endswith(said) for row in rows), PATIENCE)


def said_on(window: Window) -> list[str]:
    """Return what was said, as one sees who scrolls back."""
    return [line for line in window.lines if SAID.fullmatch(line)]


def history(daemon: Daemon) -> list[str]:
    """Return what was said, as the server has it."""
    late = daemon.program("late", "lobby")
    late.record(do="history", messages=100, ref=1)
    (answer,) = [json.loads(line) for line in late.until(lambda line: '"re":1' in line)[-1:]]
    return [f"{event['by']}: {event['text']}" for event in answer["events"]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_said_while_the_server_restarts_is_seen_once(
    tmp_path: Path, window: Callable[[str], Window], number: signal.Signals
) -> None:
    """One of them has an account, the other is a guest; both talk before, in between and after."""
    ann, bob = window("ann"), window("bob")
    with Daemon(tmp_path) as daemon:
        ann.start_as(daemon.port, "ann", "--room", "lobby", plain=False)
        ann.enter("/register ann s3cret-enough")
        ann.until(lambda rows: any("You are logged in as ann." in row for row in rows))
        bob.start_as(daemon.port, "bob", "--room", "lobby", plain=False)
        ann.until(lambda rows: any("bob has joined the room." in row for row in rows))
        says(ann, *range(1, 6))
        says(bob, *range(1, 6))
        shows(ann, "ann says 3")
        says(ann, *range(6, 9))
        if number == signal.SIGKILL:
            daemon.kill()
        else:
            assert daemon.stop(number) == 0
        says(bob, *range(6, 13))
        says(ann, *range(9, 13))
        ann.until(lambda rows: " not connected, trying " in rows[-1])
    with Daemon(tmp_path, "--port", str(daemon.port)) as again:
        says(ann, *range(13, 16))
        says(bob, *range(13, 16))
        for one in (ann, bob):
            shows(one, "ann says 15")
            shows(one, "bob says 15")
        assert sorted(said_on(ann)) == sorted(
            f"{name}: {name} says {n}" for name in ("ann", "bob") for n in range(1, 16)
        )
        assert said_on(bob) == said_on(ann)
        for name in ("ann", "bob"):
            own = [line for line in said_on(ann) if line.startswith(name)]
            assert own == [f"{name}: {name} says {n}" for n in range(1, 16)]
        assert said_on(ann) == history(again)
        for one in (ann, bob):
            one.press(CTRL_D)
            one.is_over()


def test_the_screen_by_tls_beside_telnet(tmp_path: Path, window: Callable[[str], Window]) -> None:
    """The bar says how safe it is; who is not, is in the same room."""
    with Daemon(tmp_path) as daemon:
        carl = daemon.person("carl", "lobby")
        ann, bob = window("ann"), window("bob")
        ann.start_as(daemon.port, "ann", "--room", "lobby", plain=False)
        carl.expect("ann has joined the room.")
        bob.start_as(daemon.port, "bob", "--room", "lobby", plain=False)
        carl.expect("bob has joined the room.")
        bar = f" lobby (3 users) | ann | TLS 1.3 | chatroom 127.0.0.1:{daemon.port}"
        ann.until(lambda rows: rows[-1].startswith(bar))
        carl.ask("hello from telnet", "carl: hello from telnet")
        ann.enter("hello from ann")
        bob.enter("hello from bob")
        heard = [carl.line(), carl.line()]
        for one in (ann, bob):
            one.see("carl: hello from telnet", *heard, "[lobby]")


def test_a_guests_name_is_taken_back_from_a_server_that_has_restarted(
    tmp_path: Path, window: Callable[[str], Window]
) -> None:
    """By a client that is started again and is never told the name."""
    gina = window("gina")
    with Daemon(tmp_path) as daemon:
        gina.start(daemon.port)
        gina.see("Your name (Enter: stay a guest):")
        gina.enter("gina")
        gina.see("You are now gina.", "[-]")
        gina.press(CTRL_D)
        gina.is_over()
        port = daemon.port
    with Daemon(tmp_path, "--port", str(port)):
        gina.start(port)
        gina.until(lambda rows: any(row.startswith("-- connected to chatroom as gina ") for row in rows))
        gina.press(CTRL_D)
