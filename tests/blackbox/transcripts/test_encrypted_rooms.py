"""A room that is encrypted while people are in it: who is removed, who comes in, what is kept; on the real daemon."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import ANY

from blackbox.daemon import Daemon, Peer
from blackbox.transcripts.texts import said
from devices_with_keys import Device

DOOR = "lobby is encrypted; join with chatroom-client (telnet, nc and programs without keys cannot read it)."
OUT = "the room is encrypted now; join with chatroom-client"
ENCRYPTED = "olga encrypted the room; what was said before stays readable on the server."
CT = "AwgAEpABv3Wapple"


def hello(daemon: Daemon, name: str) -> tuple[Peer, Device]:
    """Return a program without keys, and the device whose keys it may publish."""
    peer = daemon.connect()
    peer.record(do="hello", version=1, name=name)
    welcome = peer.event(event="welcome", you=name)
    assert {"keys", "encrypted-rooms"} <= set(welcome["features"])
    peer.name = name
    return peer, Device(name, welcome["server_id"], welcome["you_id"])


def publish(peer: Peer, device: Device) -> None:
    """Let a program publish its keys, and list its device."""
    peer.record(do="hello", version=1)
    nonce = peer.event(event="welcome")["nonce"]
    peer.record(do="keys-publish", **device.shown(nonce), ref="keys")
    peer.event(event="keys-published", pending=True, re="keys")
    peer.record(do="keys-list", list=device.listing(1, device), ref="list")
    peer.event(event="keys-changed", user_id=device.user_id, rev=1)
    peer.event(event="ok", re="list")


def kicked(user: str) -> dict[str, object]:
    """Return the fields of the event that a member without keys is removed."""
    return {"event": "kicked", "room": "lobby", "user": user, "by": "", "reason": OUT}


def test_a_room_is_encrypted_for_ever(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        olga, device = hello(daemon, "olga")
        publish(olga, device)
        olga.record(do="join", room="lobby")
        assert "encrypted" not in olga.event(event="entered", room="lobby")
        tom = daemon.person("tom", "lobby")
        pam, pams = hello(daemon, "pam")
        pam.record(do="join", room="lobby")
        pam.event(event="entered", users=["olga", "tom", "pam"])
        tom.ask("hello all", "pam has joined the room.", "tom: hello all")
        for name in ("tom", "pam"):
            olga.event(event="joined", by=name)
        for peer in (olga, pam):
            peer.event(**said("hello all", by="tom"))

        olga.record(do="encrypt", ref=1)
        text = olga.event(event="ok", re=1)["text"]
        assert "There are members who cannot follow, and would be removed: tom, pam." in text.split("\n")
        olga.record(do="encrypt", yes=True, ref=2)
        for peer in (olga, pam):
            peer.event(event="encrypted", by="olga", room="lobby")
        tom.expect(ENCRYPTED, f"tom was removed: {OUT}.")
        olga.event(event="ok", re=2)
        pam.event(**kicked("tom"))
        pam.event(**kicked("pam"))
        olga.event(**kicked("tom"))
        rev = olga.event(**kicked("pam"))["seq"]

        tom.ask("/join lobby", f"Error: {DOOR}")
        tom.ask("/rooms", "Rooms (1):", "  lobby  1 user  [e2e]")
        pam.record(do="join", room="lobby", ref=3)
        pam.event(event="error", re=3, code="encrypted-room", text=DOOR)
        publish(pam, pams)
        olga.record(do="say-sealed", room="lobby", id="m1", sid="c2Vz", ct=CT, members=rev)
        sealed = {"event": "sealed", "room": "lobby", "id": "m1", "by": "olga", "device": device.id, "ct": CT}
        olga.event(**sealed, sid="c2Vz", seq=ANY, at=ANY, by_id=device.user_id)
        pam.record(do="join", room="lobby", messages=10)
        entered = pam.event(event="entered", encrypted=True, users=["olga", "pam"])
        assert entered["members_rev"] == entered["seq"]
        pam.event(**said("hello all", by="tom"))
        pam.event(**sealed)
        olga.event(event="joined", by="pam")
        olga.record(do="say-sealed", room="lobby", id="m2", sid="c2Vz", ct=CT, members=rev, ref=4)
        olga.event(event="error", re=4, code="stale-members")
        olga.record(do="say", text="plain?", ref=5)
        olga.event(event="error", re=5, code="encrypted-room")
        olga.record(do="member-ids", room="lobby", ref=6)
        members = [[device.user_id, "olga", 1], [pams.user_id, "pam", 1]]
        olga.event(event="member-ids", rev=entered["seq"], members=members, re=6)
        olga.record(do="search", words=CT, ref=7)
        olga.event(event="found", events=[], re=7)
        olga.no_more_events()
        pam.no_more_events()
        daemon.kill()

    with Daemon(tmp_path) as again:
        zoe = again.person("zoe")
        zoe.ask("/join lobby", f"Error: {DOOR}")
        zoe.nothing_more()
