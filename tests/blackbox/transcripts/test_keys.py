"""Two programs with keys: what they publish, claim, send and fetch, and what a person on telnet sees of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import ANY

from blackbox.daemon import Daemon, Peer
from devices_with_keys import Device

SEALED = "c2VhbGVkLWJvZHktdGhhdC1ub2JvZHktcmVhZHM"


class Program:
    """A program of an account, on a device that has keys.

    Args:
        daemon: The server.
        name: The account, which is made if there is none.
        do: How it logs in.
    """

    def __init__(self, daemon: Daemon, name: str, do: str = "register") -> None:
        self.peer: Peer = daemon.connect()
        self.peer.record(do="hello", version=1, device=name, ref="hello")
        welcome = self.peer.event(event="welcome", re="hello")
        self.peer.record(do=do, user=name, password="secret-1", ref="login")
        self.id = self.answer("login", event="account", name=name)["id"]
        self.device, self.nonce = Device(name, welcome["server_id"], self.id), welcome["nonce"]

    def answer(self, ref: str, **fields: Any) -> dict[str, Any]:
        """Return the answer with the ref; other events before it are passed over."""
        found = self.peer.event()
        while found.get("re") != ref:
            found = self.peer.event()
        assert found.items() >= fields.items(), found
        return found

    def publish(self, *words: str) -> dict[str, Any]:
        """Publish the keys of the device, with one-time keys that the words stand for."""
        keys = {**self.device.shown(self.nonce), "one_time": self.device.one_time(*words)}
        self.peer.record(do="keys-publish", **keys, ref="publish")
        return self.answer("publish", event="keys-published")

    def list_devices(self) -> None:
        """Make the first list of devices."""
        self.peer.record(do="keys-list", list=self.device.listing(1, self.device), ref="list")
        self.answer("list", event="ok")

    def send(self, id: str, to: Device, **more: Any) -> dict[str, Any]:
        """Send a sealed message to a device."""
        envelope = to.envelope(SEALED, kind=0)
        self.peer.record(do="e2e-send", id=id, envelopes=[envelope], revs={to.user_id: 1}, ref="send", **more)
        return self.answer("send", event="e2e-sent", id=id)


def test_keys_are_published_asked_for_and_claimed_and_a_sealed_message_is_sent(daemon: Daemon) -> None:
    """And it comes again until it is acknowledged."""
    alice, bob = Program(daemon, "alice"), Program(daemon, "bob")
    assert alice.publish("1")["pending"] is True
    alice.list_devices()
    bob.publish("1", "2")
    bob.list_devices()
    assert bob.publish()["pending"] is False
    alice.peer.record(do="keys-query", users=["bob"], ref="query")
    (found,) = alice.answer("query", event="keys", pending=[])["users"]
    assert (found["name"], found["user_id"], found["rev"]) == ("bob", bob.id, 1)
    assert found["list"] == bob.device.listing(1, bob.device)
    alice.peer.record(do="keys-claim", user_id=bob.id, devices=[bob.device.id], ref="claim")
    (claimed,) = alice.answer("claim", event="claimed")["keys"]
    assert claimed == {"user_id": bob.id, "device": bob.device.id, "key": bob.device.key("1")}
    bob.peer.event(event="keys-low", count=1)
    assert alice.send("m1", bob.device)["waits"] == ""
    about = {"by": "alice", "by_id": alice.id, "device": alice.device.id, "kind": 0, "body": SEALED}
    mail = bob.peer.event(event="e2e-from", id="m1", at=ANY, seq=ANY, **about)
    bob.peer.close()
    alice.peer.event(event="departed", by="bob")
    assert alice.send("m2", bob.device)["waits"] == "account"
    bob = Program(daemon, "bob", do="login")
    assert bob.publish()["count"] == 1
    assert [bob.peer.event(event="e2e-from")["id"] for _ in range(2)] == ["m1", "m2"]
    bob.peer.record(do="e2e-ack", seq=mail["seq"], ref="ack")
    bob.peer.event(event="ok", re="ack")


def test_a_person_on_telnet_is_told_that_there_is_something_to_read(daemon: Daemon) -> None:
    """In words that name the program that can read it, and without what it says."""
    alice, bob = Program(daemon, "alice"), Program(daemon, "bob")
    for each in (alice, bob):
        each.publish()
        each.list_devices()
    bob.peer.close()
    alice.peer.event(event="departed", by="bob")
    telnet = daemon.connect()
    telnet.say("/login bob secret-1")
    telnet.until(lambda line: line.startswith("Users online"))
    assert alice.send("m1", bob.device, notice="message", user="bob")["waits"] == "keys"
    telnet.expect("alice sent you an encrypted message; read it in chatroom-client.")
    telnet.close()
    assert SEALED not in daemon.log.text


def test_after_a_crash_nothing_is_lost_and_what_is_sent_again_is_there_once(tmp_path: Path) -> None:
    """The author has not heard that the message is stored, and sends it again to the daemon that comes up."""
    with Daemon(tmp_path, "--no-announce") as daemon:
        alice, bob = Program(daemon, "alice"), Program(daemon, "bob")
        for each in (alice, bob):
            each.publish("1", "2")
            each.list_devices()
        bob.peer.close()
        for number in range(20):
            alice.send(f"m{number}", bob.device)
        daemon.kill()
    with Daemon(tmp_path, "--no-announce") as daemon:
        alice = Program(daemon, "alice", do="login")
        assert alice.publish()["count"] == 2
        for number in range(15, 25):
            alice.send(f"m{number}", bob.device)
        bob = Program(daemon, "bob", do="login")
        bob.publish()
        assert [bob.peer.event(event="e2e-from")["id"] for _ in range(25)] == [f"m{number}" for number in range(25)]
        alice.send("last", bob.device)
        assert bob.peer.event(event="e2e-from")["id"] == "last"
