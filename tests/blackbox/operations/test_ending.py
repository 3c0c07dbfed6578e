"""The end of the daemon, by signals: at once, in order, and with all that was acknowledged."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from blackbox.daemon import DEADLINE, Daemon, Peer, ignored
from blackbox.operations.running import SHUTDOWN


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_everybody_is_told_when_it_ends_by_a_signal(daemon: Daemon, number: int) -> None:
    """In a room or in none, in words or by a record; that is the last they hear, and the status is 0."""
    al, bob, pam = daemon.person("al", "lobby"), daemon.person("bob"), daemon.program("pam", "lobby")
    silent = daemon.connect()
    silent.greeted()
    al.expect("pam has joined the room.")
    assert daemon.stop(number) == 0
    for person in (al, bob, silent):
        person.expect(SHUTDOWN)
        person.eof()
    pam.event(event="shutdown")
    pam.eof()


def test_in_the_background_of_a_script_it_does_not_end_by_the_scripts_ctrl_c(tmp_path: Path) -> None:
    """The shell has it started with that signal ignored; SIGTERM ends it as ever."""
    with ignored(signal.SIGINT), Daemon(tmp_path) as daemon:
        al = daemon.person("al", "lobby")
        daemon.send_signal(signal.SIGINT)
        al.ask("still here", "al: still here")
        assert daemon.stop() == 0


def test_it_ends_well_when_asked_to_as_soon_as_it_listens(daemon: Daemon) -> None:
    """Once it says that it listens it is in charge of its signals."""
    assert daemon.stop() == 0


def test_a_second_signal_does_not_disturb_the_end(daemon: Daemon) -> None:
    """As when an operator is impatient."""
    al = daemon.person("al")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        daemon.send_signal(number)
    assert daemon.wait() == 0
    al.expect(SHUTDOWN)
    al.eof()


def test_it_ends_although_somebody_does_not_read(tmp_path: Path) -> None:
    """Megabytes wait for one who never takes them; the others are told, and the process ends."""
    flood = 4000
    with Daemon(tmp_path, "--sendq", "0") as daemon:
        idler = daemon.connect(receive_buffer=4096)
        idler.say("/name idler", "/join lobby")
        idler.until(lambda line: line == "Current users: idler")
        pam = daemon.program("pam", "lobby")
        pam.record(do="echo", on=False, ref=0)
        pam.event(re=0, echo=False)
        pam.send(b"".join(b'{"do":"say","text":"%s"}\n' % (b"x" * 4000) for _ in range(flood)))
        pam.record(do="say", text="the last", ref=1)
        pam.event(event="ok", re=1)
        assert daemon.stop() == 0
        pam.event(event="shutdown")
        pam.eof()
        assert len(idler.rest()) < flood * 4000 / 2, "not enough was waiting for this to show anything"


def whole_history(program: Peer) -> list[str]:
    """Return the ids of all messages of the program's room, the oldest first."""
    ids: list[str] = []
    page: dict[str, Any] = {"complete": False}
    while not page["complete"]:
        before = {"before": page["events"][0]["seq"]} if ids else {}
        program.record(do="history", messages=200, ref="page", **before)
        page = program.event(event="history", re="page")
        ids[:0] = [event["id"] for event in page["events"]]
    return ids


def send_what_is_taken(peer: Peer, data: bytes) -> None:
    """Send, until the daemon takes no more."""
    with contextlib.suppress(OSError):
        peer.send(data)


def test_what_was_acknowledged_is_there_after_an_end_by_signal(tmp_path: Path) -> None:
    """The signal comes in the middle of a stream of messages; their author is told of the end as well."""
    stream = b"".join(b'{"do":"say","text":"hi","id":"m%d"}\n' % i for i in range(10_000))
    with Daemon(tmp_path, "--sendq", "0") as daemon:
        pam = daemon.program("pam", "lobby")
        sender = threading.Thread(target=send_what_is_taken, args=(pam, stream))  # it may have to wait until we read
        sender.start()
        seen = [pam.event(event="said")["id"] for _ in range(50)]
        daemon.send_signal(signal.SIGTERM)
        records = [json.loads(line) for line in pam.rest().splitlines()]
        sender.join(DEADLINE)
        assert daemon.wait() == 0
    assert {"event": "shutdown"} in records
    seen += [record["id"] for record in records if record["event"] == "said"]
    assert len(seen) == len(records) - 1 + 50, "nothing but messages and the end was to come"
    with Daemon(tmp_path) as daemon:
        stored = whole_history(daemon.program("otto", "lobby"))
    assert stored[: len(seen)] == seen
