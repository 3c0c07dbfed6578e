"""How events read in a pipe: as on telnet."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from chatroom.client.opened import Opened, OpenedActed, OpenedOwn, OpenedSaid
from chatroom.client.plain_text import lines_of, recalled
from chatroom.model import events as e
from chatroom.model import replies as a

STAMP = r"\[\d{4}-\d\d-\d\d \d\d:\d\d\] "
MADE: dict[str, Any] = {"id": "x", "at": 1_790_000_000_000, "by": "ann", "by_id": "a", "seq": 1}
FILE: dict[str, Any] = {"file": "f", "number": 3, "size": 12, "sha256": "0"}
OF_BEFORE = [
    (e.Said(**MADE, text="hello"), "ann: hello"),
    (e.Acted(**MADE, text="waves"), "* ann waves"),
    (e.Private(**MADE, to="me", text="psst"), "ann (private): psst"),
    (e.Shared(**MADE, **FILE, name="notes.txt"), "ann shares notes.txt (12 B): /get 3"),
    (e.SealedMessage(**MADE, device="d", sid="s", ct="c"), "ann: [encrypted message]"),
    (e.SealedMessage(**MADE, device="d", sid="s", ct=""), "ann: (deleted)"),
    (e.Said(**MADE, text=""), "ann: (deleted)"),
    (e.Private(**MADE, to="me", text=""), "ann (private): (deleted)"),
    (e.Shared(**MADE, **FILE, name=""), "ann shared a file (deleted)"),
]


@pytest.mark.parametrize(("event", "text"), OF_BEFORE, ids=lambda it: it if isinstance(it, str) else "")
def test_what_is_of_before_says_when_it_was(event: Any, text: str) -> None:
    assert re.fullmatch(STAMP + re.escape(text), recalled("lobby", event))
    *_, line = lines_of(a.History(room="lobby", events=[event], complete=True))
    assert re.fullmatch(STAMP + re.escape(text), line)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("linked", ["ann has linked a device; it reads what is said from now on."]),
        ("removed", ["ann has removed a device; it reads nothing that is said from now on."]),
        ("key", ["ann has a new user key."]),
        ("other", []),
    ],
)
def test_changed_devices_say_what_has_changed_and_a_new_name_says_nothing(change: Any, told: list[str]) -> None:
    assert lines_of(e.DevicesChanged(**MADE, rev=4, change=change)) == told


def test_every_message_can_be_of_before() -> None:
    assert {type(event) for event, _ in OF_BEFORE} == set(e.MESSAGES) == set(get_args(e.Message))


def test_only_whoever_was_given_a_file_is_told_its_number() -> None:
    given = e.Shared(**MADE, **FILE, name="notes.txt", to="bob")
    assert lines_of(given, "bob") == ["ann shares notes.txt with you (12 B): /get @3"]
    assert lines_of(given, "ann") == ["ann shares notes.txt with bob (12 B)."]
    (line,) = lines_of(a.History(room="", events=[given], complete=True), "bob")
    assert line.endswith("] ann shares notes.txt with you (12 B): /get @3")
    taken_back = e.Shared(**MADE, **FILE, name="", to="bob")
    assert lines_of(taken_back, "bob") == ["ann shared a file (deleted)"]


def test_a_sealed_file_is_called_by_its_real_name_or_an_encrypted_file() -> None:
    unknown = e.Shared(**MADE, **FILE, name="0f" * 16, sealed=True)
    assert lines_of(unknown) == ["ann shares an encrypted file (12 B): /get 3"]
    known = e.Shared(**MADE, **FILE, name="notes.txt", sealed=True)
    assert lines_of(known) == ["ann shares notes.txt (12 B, encrypted): /get 3"]
    given = e.Shared(**MADE, **FILE, name="0f" * 16, sealed=True, to="bob")
    assert lines_of(given, "bob") == ["ann shares an encrypted file with you (12 B): /get @3"]
    line = a.FileLine("f", 3, "0f" * 16, 12, "ann", 1000, sealed=True)
    assert "  3  an encrypted file  12 B  ann" in lines_of(a.Files("den", [line]))[1]


def test_what_came_encrypted_reads_like_what_came_plain() -> None:
    for kind, opened in ((e.Said, OpenedSaid), (e.Acted, OpenedActed), (e.Private, Opened), (a.OwnPrivate, OpenedOwn)):
        fields = {**MADE, "text": "hello", **({"to": "me"} if issubclass(kind, e.Private) else {"room": "lobby"})}
        assert lines_of(opened(**fields), "me") == lines_of(kind(**fields), "me") != []
        assert recalled("lobby", opened(**fields), "me") == recalled("lobby", kind(**fields), "me")
