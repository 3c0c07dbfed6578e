"""Edits, reactions and answers to one message on the real daemon, also across a kill -9."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import ANY

from blackbox.daemon import Daemon, Peer
from blackbox.transcripts.texts import said

THUMB = "\U0001f44d"


def events_of(peer: Peer) -> list[dict[str, Any]]:
    """Return the messages of the room as they are now."""
    peer.record(do="history", messages=50, ref="history")
    events: list[dict[str, Any]] = peer.event(event="history", re="history")["events"]
    return events


def test_people_correct_react_and_answer(daemon: Daemon) -> None:
    """All of one packet is done in its order; people read words, and programs records."""
    ann, pam = daemon.person("ann", "lobby"), daemon.program("pam", "lobby")
    ann.expect("pam has joined the room.")
    ann.say("first", "secnd", "/edit second")
    ann.expect("ann: first", "ann: secnd", "ann corrected: second")
    pam.event(**said("first", by="ann"))
    seq = pam.event(**said("secnd", by="ann"))["seq"]
    pam.event(**{**said("second", by="ann", event="edited"), "message": seq})
    pam.record(do="react", emoji=THUMB, ref=1)
    reacted = {"message": seq, "emoji": THUMB, "on": True, "user": "ann"}
    pam.event(**{**said("second", event="reacted"), **reacted})
    pam.event(event="ok", re=1)
    ann.expect(f'pam reacted {THUMB} to "second"')
    ann.ask(f"/react -2 {THUMB}", f'ann reacted {THUMB} to "first"')
    ann.ask(f"/react -2 {THUMB} off", f'ann took back {THUMB} from "first"')
    ann.ask("/quote -1 indeed", 'ann (to ann: "second"): indeed')
    ann.say("/history")
    ann.expect_dated("ann: first")
    ann.expect_dated(f"ann: second (edited)  [{THUMB} 1]")
    ann.expect_dated('ann (to ann: "second"): indeed')
    ann.ask("/set reactions off", "Reactions are off.")
    pam.record(do="react", seq=seq, emoji=THUMB, on=False)
    pam.record(do="say", text="bye")
    ann.expect("pam: bye")


def test_what_may_not_be_done_is_refused(daemon: Daemon) -> None:
    """Each refusal says what is wrong."""
    ann, bob = daemon.person("ann", "lobby"), daemon.person("bob", "lobby")
    ann.expect("bob has joined the room.")
    ann.ask("/edit nothing yet", "Error: there is no such message in lobby any more; see /history.")
    ann.ask("hello", "ann: hello")
    bob.expect("ann: hello")
    bob.ask("/edit -1 hallo", "Error: there is no such message in lobby any more; see /history.")
    bob.ask("/react a b", "Error: usage: /react [-n] <emoji> [on|off].")
    bob.ask("/react \u200b", "Error: a reaction is one emoji, or one short word.")
    bob.ask("/quote hello", "Error: usage: /quote <-n> <text>.")
    bob.ask("/react -999 +1", "Error: -n must be at most 200.")
    ann.nothing_more()


def test_after_kill_9_what_was_edited_away_or_deleted_is_nowhere(tmp_path: Path) -> None:
    """The edit is there, once, also for its author, who does not know that it was stored."""
    with Daemon(tmp_path) as daemon:
        pam = daemon.connect()
        pam.record(do="hello", version=1, name="pam")
        secret = pam.event(event="welcome")["resume"]
        pam.record(do="join", room="lobby")
        pam.event(event="entered")
        for text, id in (("aardvark", "m1"), ("buffalo", "m2")):
            pam.record(do="say", text=text, id=id)
        first = pam.event(**said("aardvark"))["seq"]
        second = pam.event(**said("buffalo"))["seq"]
        for text, id in (("crocodile", "e1"), ("dromedary", "e2")):
            pam.record(do="edit", seq=first, text=text, id=id)
            pam.event(event="edited", id=id, text=text, message=first)
        pam.record(do="react", seq=second, emoji=THUMB, ref=1)
        pam.event(event="reacted", message=second)
        pam.event(event="ok", re=1)
        daemon.kill()
    with Daemon(tmp_path) as daemon:
        pam = daemon.connect()
        pam.record(do="hello", version=1, name="pam", resume=secret)
        pam.event(event="welcome", you="pam")
        pam.record(do="join", room="lobby", after=second)
        pam.event(event="entered", complete=True)
        pam.event(event="edited", id="e2", text="dromedary")
        pam.event(event="reacted", message=second)
        pam.record(do="pong", ref="over")
        while pam.event().get("re") != "over":  # who came and went
            pass
        pam.record(do="edit", seq=first, text="crocodile", id="e1")
        pam.event(event="edited", id="e1", text="dromedary", message=first, at=ANY)
        assert [event["text"] for event in events_of(pam)] == ["dromedary", "buffalo"]
        assert [reaction[0] for reaction in events_of(pam)[1]["reactions"]] == [THUMB]
        pam.record(do="delete", seq=second, ref=2)
        pam.event(event="deleted", message=second)
        pam.event(event="ok", re=2)
        assert daemon.stop() == 0
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".log")
    assert {word for word in ("aardvark", "buffalo", "crocodile", "dromedary") if word.encode() in kept} == {
        "dromedary"
    }
