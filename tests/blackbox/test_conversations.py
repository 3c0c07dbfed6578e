"""One account on two devices: both halves of a conversation, and read marks, with the real daemon and over its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blackbox.daemon import Daemon, Peer
from blackbox.test_devices import on


def joined(peer: Peer, room: str = "lobby", **fields: Any) -> dict[str, Any]:
    """Join a room; return the answer, all events before which are passed over."""
    peer.record(do="join", room=room, ref="join", **fields)
    return answer(peer, "join")


def answer(peer: Peer, ref: str) -> dict[str, Any]:
    """Return the answer to the command with a ref."""
    record = peer.event()
    while record.get("re") != ref:
        record = peer.event()
    return record


def ask(peer: Peer, do: str, **fields: Any) -> dict[str, Any]:
    """Give a command; return its answer."""
    peer.record(do=do, ref=do, **fields)
    return answer(peer, do)


def accounts(daemon: Daemon) -> None:
    """Register alice and bob."""
    for name in ("alice", "bob"):
        peer = on(daemon, "maker", user=name, do="register")
        peer.event(event="account", re=2)
        peer.close()


def counts(record: dict[str, Any]) -> tuple[int, int, int]:
    """Return the mark, and what is unread."""
    return record.get("read", 0), record.get("unread", 0), record.get("mentions", 0)


def test_a_mark_set_on_one_device_empties_the_counts_of_another_at_once_and_after_a_restart(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--no-announce") as daemon:
        accounts(daemon)
        phone, laptop, bob = on(daemon, "phone"), on(daemon, "laptop"), on(daemon, "desk", user="bob")
        for peer in (bob, phone, laptop):
            joined(peer)
        bob.record(do="say", text="one")
        bob.record(do="say", text="hello, Alice!", ref="last")
        seqs = [phone.event(event="said")["seq"] for _ in range(2)]
        laptop.record(do="leave", ref="leave")
        answer(laptop, "leave")
        assert counts(joined(laptop))[1:] == (2, 1)
        phone.record(do="read", room="lobby", seq=seqs[1])
        laptop.event(event="marked", room="lobby", seq=seqs[1])
        bob.record(do="message", user="alice", text="psst", ref="sent")
        seq = phone.event(event="private", text="psst")["seq"]
        laptop.event(event="private", text="psst")
        assert [line["unread"] for line in ask(phone, "conversations")["conversations"]] == [1]
        assert ask(phone, "read", user="bob", seq=seq)["event"] == "ok"
        laptop.event(event="marked", user="bob", seq=seq)
    with Daemon(tmp_path, "--no-announce") as daemon:
        laptop = on(daemon, "laptop")
        assert counts(joined(laptop)) == (seqs[1], 0, 0)
        assert [line.get("unread", 0) for line in ask(laptop, "conversations")["conversations"]] == [0]


def test_both_sides_read_the_conversation_also_after_kill_9(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--no-announce") as daemon:
        accounts(daemon)
        phone, laptop, bob = on(daemon, "phone"), on(daemon, "laptop"), on(daemon, "desk", user="bob")
        for peer in (bob, phone, laptop):
            ask(peer, "account")
        phone.record(do="message", user="bob", text="lunch?", id="m1", ref=3)
        laptop.event(event="private", by="alice", to="bob", text="lunch?", id="m1")
        bob.event(event="private", by="alice", text="lunch?")
        bob.record(do="message", user="alice", text="at noon")
        phone.event(event="sent", re=3)
        for peer in (phone, laptop):
            peer.event(event="private", by="bob", text="at noon")
        daemon.kill()
    with Daemon(tmp_path, "--no-announce") as daemon:
        for name, other in (("alice", "bob"), ("bob", "alice")):
            peer = on(daemon, "phone", user=name)
            history = ask(peer, "history", user=other)
            said = [(event["by"], event["text"]) for event in history["events"]]
            assert said == [("alice", "lunch?"), ("bob", "at noon")]
            found = ask(peer, "search", words="lunch", user=other)
            assert [event["text"] for event in found["events"]] == ["lunch?"]
        person = daemon.person("carol")
        person.ask("/history", "No private messages.")
