"""A hostile server and a client in a real terminal: nothing of it acts there, and the client stays small."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blackbox.escapes import ALIEN, COLOURS, OWN
from blackbox.hostile import EVIL, HostileServer, evil_records
from blackbox.windows import CTRL_D, TAB, Window

MOST_MEMORY = 52 * 1024  # kB resident, without TLS
FLOOD = 20_000  # messages


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """A hostile server."""
    running = HostileServer()
    yield running
    running.close()


def come(window: Window, server: HostileServer, name: str = "evil") -> None:
    """Let a client come to the server and be in the room. It never rings, so that no BEL can be its own."""
    config = window.folder / "silent.toml"
    config.write_text('bell = "off"\n')
    window.start(server.port, "--name", "ann", "--room", "lobby", "--config", str(config))
    server.let_in(name)
    window.until(lambda rows: "| ann |" in rows[-1])


def sees(window: Window, server: HostileServer, last: str) -> None:
    """Wait until all that the server has sent is on the screen: these words come last."""
    server.said(last)
    window.until(lambda rows: any(row.endswith(last) for row in rows))


def is_untouched(window: Window, last: str) -> None:
    """Nothing but what the client itself makes has reached the terminal, or stands on it; and it has no fault."""
    assert not list(window.folder.rglob("faults.log"))
    shown = window.do("capture-pane", "-peJ", "-S", "-", "-t", window.name)
    for text, own in ((window.written(last).decode(), OWN), (shown, COLOURS)):
        left = own.sub("", text)
        found = ALIEN.search(left)
        assert not found, repr(left[max(0, found.start() - 60) : found.end() + 60])
        assert "38;5;201" not in text
        assert "\u0301" * 5 not in text
    flags = (
        "#{alternate_on}#{mouse_any_flag}#{cursor_flag}#{scroll_region_upper}-#{scroll_region_lower}#{window_bell_flag}"
    )
    assert window.ask(flags) == "1010-230"
    assert "evil" not in window.ask("#{pane_title}")
    assert window.do("list-buffers") == ""


def resident(window: Window) -> int:
    """Return how much memory the client holds, in kB."""
    status = Path(f"/proc/{window.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])  # type: ignore[index]


def test_every_string_of_every_record(server: HostileServer, window: Callable[[str], Window]) -> None:
    """Also among what can be completed, and in the bar."""
    ann = window("ann")
    come(ann, server, "".join(EVIL))
    for evil in EVIL:
        for record in evil_records(f"/zz{evil}z"):
            server.record(**record)
    sees(ann, server, "so much")
    ann.type("/zz")
    ann.until(lambda rows: sum("/zz" in row for row in rows[-9:]) > 2)
    ann.press(*[TAB] * len(EVIL))
    ann.press("C-u")
    ann.type("/join /z")
    ann.press(*[TAB] * len(EVIL))
    sees(ann, server, "that was all")
    is_untouched(ann, "that was all")
    ann.press("C-u", CTRL_D)
    ann.is_over()


def test_what_is_no_record_is_shown_harmless_and_left(server: HostileServer, window: Callable[[str], Window]) -> None:
    ann = window("ann")
    come(ann, server)
    for line in ["no record " + evil.replace("\n", "") for evil in EVIL[::3]] + ['{"event":' + "[" * 500_000]:
        server.send(line.encode() + b"\n")
        ann.until(lambda rows: " not connected, trying " in rows[-1])
        server.let_in()
        ann.until(lambda rows: "| ann |" in rows[-1])
    sees(ann, server, "that was all")
    is_untouched(ann, "that was all")
    ann.press(CTRL_D)
    ann.is_over()


def test_what_is_not_as_it_should_be_is_passed_over(server: HostileServer, window: Callable[[str], Window]) -> None:
    """Wrong types, numbers out of bounds, lists without end: the next record is heard."""
    ann = window("ann")
    come(ann, server)
    for wrong in (None, True, -1, 2**70, 1e308, "x", [], {}, [[]] * 3, {"text": "x"}):
        for record in evil_records("x"):
            server.record(**{key: value if key == "event" else wrong for key, value in record.items()})
    ann.enter("/join lobby")
    room = {"room": "lobby", "room_id": "", "topic": "", "seq": 1, "complete": True}
    server.answer("join", event="entered", users=[f"u{number}" for number in range(50_000)], **room)
    sees(ann, server, "that was all")
    assert " lobby (10000 users) " in ann.rows[-1]
    is_untouched(ann, "that was all")
    ann.press(CTRL_D)
    ann.is_over()


def test_plain_text_loads_no_library_for_tls(server: HostileServer, window: Callable[[str], Window]) -> None:
    ann = window("ann")
    come(ann, server)
    loaded = Path(f"/proc/{ann.pid}/maps").read_text()
    assert "/msgspec/" in loaded
    assert "/cryptography/" not in loaded
    ann.press(CTRL_D)
    ann.is_over()


def test_a_flood_fits_into_little_memory(server: HostileServer, window: Callable[[str], Window]) -> None:
    """Also of long lines, and of one that never ends."""
    ann = window("ann")
    come(ann, server)
    ann.type("half a sentence")
    ann.see("[lobby] half a sentence")
    for number in range(FLOOD):
        server.said(f"{number} " + "x" * 500, by=f"user{number}", seq=number + 2)
    sees(ann, server, "so much")
    for number in range(100):
        server.said("x" * 100_000, seq=FLOOD + number + 2)
    sees(ann, server, "more")
    ann.see("bob: more", "[lobby] half a sentence")
    assert resident(ann) < MOST_MEMORY
    server.send(b'{"event":"said","text":"' + b"x" * (1 << 20))
    ann.until(lambda rows: " not connected, trying " in rows[-1])
    server.let_in()
    sees(ann, server, "that was all")
    assert resident(ann) < MOST_MEMORY
    ann.press("C-u", CTRL_D)
    ann.is_over()
