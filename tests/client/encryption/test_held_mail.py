"""Mail of people whose key has changed: so much is kept, and no more."""

from __future__ import annotations

import pytest

from chatroom.client.crypto.rows import MemoryRows
from chatroom.client.encryption import held_mail
from chatroom.client.encryption.held_mail import HeldMail
from chatroom.model.key_events import E2eFrom


class Held:
    """The mail, and the names of those whose mail was dropped."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.rows = MemoryRows()
        self.mail = HeldMail(self.rows, self.lost.append)

    def hold(self, user: str, seq: int) -> None:
        """Hold a message."""
        event = E2eFrom(f"m{seq}", 0, user.title(), user, device="ABCDE23456", kind=1, body="x", seq=seq)
        self.mail.hold(event)


def seqs(held: Held, user: str) -> list[int]:
    """Return the numbers of what is held of a user."""
    return [event.seq for event in held.mail.of(user)]


def test_mail_is_kept_in_order_and_apart_by_user_and_over_a_restart() -> None:
    held = Held()
    for user, seq in (("bob", 10), ("carol", 3), ("bob", 9), ("bob2", 4)):
        held.hold(user, seq)
    assert (seqs(held, "bob"), held.mail.count("bob")) == ([9, 10], 2)
    held.mail = HeldMail(held.rows, held.lost.append)
    held.mail.remove(held.mail.of("bob")[0])
    assert (seqs(held, "bob"), seqs(held, "carol"), seqs(held, "bob2")) == ([10], [3], [4])


def test_one_sender_fills_only_a_part_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_mail, "MOST_OF_ONE", 2)
    held = Held()
    for seq in range(3):
        held.hold("bob", seq)
    held.hold("carol", 5)
    assert (held.mail.count("bob"), held.mail.count("carol"), held.lost) == (2, 1, ["Bob"])


def test_all_senders_together_fill_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_mail, "MOST", 2)
    held = Held()
    for user in ("alice", "bob", "carol"):
        held.hold(user, 1)
    assert (held.mail.count("alice"), held.mail.count("carol"), held.lost) == (1, 0, ["Carol"])


def test_what_is_dropped_of_one_sender_is_told_once_until_something_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_mail, "MOST_OF_ONE", 1)
    held = Held()
    for seq in range(4):
        held.hold("bob", seq)
    assert held.lost == ["Bob"]
    held.mail.remove(held.mail.of("bob")[0])
    for seq in range(4, 7):
        held.hold("bob", seq)
    assert held.lost == ["Bob", "Bob"]
