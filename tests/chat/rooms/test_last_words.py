"""Whoever is put out or silenced has said the last word before that: what is under way just then is neither shown nor
kept, whether the message comes from this daemon or from another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World, stored_records
from order import ask, found, guest, history, members, owner, record_of, session_of
from sharing import begin, chunk, hear
from twisted.internet.defer import fail
from twisted.internet.task import Clock

from chatroom.model.events import (
    Acted,
    Banned,
    Closed,
    Edited,
    Joined,
    Kicked,
    Muted,
    Opped,
    Reacted,
    Said,
    Shared,
    Unmuted,
)
from chatroom.model.log import Unavailable


@pytest.fixture
def world() -> Iterator[World]:
    clock = Clock()
    with closing(World(MoodyEngine(clock), clock)) as made:
        yield made


def engine_of(world: World) -> Any:
    return world.engine


def told(client: Client, event: str) -> list[Any]:
    """Return texts or codes of the events of that kind that have come; the others are forgotten."""
    return [r.get("code", r.get("text")) for r in client.records() if r["event"] == event]


ACTS = [
    {"do": "kick", "user": "bob"},
    {"do": "ban", "user": "bob"},
    {"do": "close"},
]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act["do"])
def test_what_is_said_while_the_act_is_being_stored_is_not_said(world: World, act: dict[str, str]) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    guest(world, "carol", "den")
    bob.records()
    bob.record(do="say", text="before")
    engine_of(world).holding = True
    alice.record(**act)
    for number in range(5):
        bob.record(do="say", text=f"late {number}", ref=number)
    bob.record(do="me", text="is late", ref="me")
    engine_of(world).let_go()
    world.settle()
    heard = bob.records()
    assert [record["text"] for record in heard if record["event"] == "said"] == ["before"]
    refused = [(record["code"], record["re"], record["text"]) for record in heard if record["event"] == "error"]
    assert refused == [("not-said", ref, "the message was not said.") for ref in [*range(5), "me"]]
    kept = [row[4] for log in engine_of(world)._logs.values() for row in log.rows]
    assert not any(b"late" in body for body in kept)


def test_who_is_kicked_may_come_back_and_speak(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    assert ask(alice, "kick", user="bob") == "ok"
    assert ask(bob, "join", room="den") == "ok"
    bob.record(do="say", text="sorry")
    assert told(bob, "said") == ["sorry"]
    assert "sorry" in told(alice, "said")


def test_whoever_else_is_in_the_room_goes_on_meanwhile(world: World) -> None:
    alice, bob, carol = owner(world, "alice", "den"), guest(world, "bob", "den"), guest(world, "carol", "den")
    carol.records()
    engine_of(world).holding = True
    alice.record(do="kick", user="bob")
    carol.record(do="say", text="what happens?")
    engine_of(world).let_go()
    world.settle()
    assert told(carol, "said") == ["what happens?"]
    assert bob.records()[-1]["event"] == "kicked"


def test_an_act_that_cannot_be_stored_silences_nobody(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    engine_of(world).broken = True
    alice.record(do="kick", user="bob")
    world.settle()
    assert session_of(bob).room.silenced == {}


def test_an_operator_silences_at_once_too(world: World) -> None:
    oscar = owner(world, "oscar", "den", operator=True)
    bob = guest(world, "bob", "den")
    engine_of(world).holding = True
    oscar.record(do="kick", user="bob", everywhere=True)
    bob.record(do="say", text="late")
    engine_of(world).let_go()
    world.settle()
    assert "not-said" in told(bob, "error")
    assert history(oscar) == []


# ---- another daemon of the same log ------------------------------------------------------------------------------


def far(world: World) -> tuple[str, int, str, str]:
    """Return id, time and author of what another daemon appends."""
    engine = engine_of(world)
    engine.numbers = getattr(engine, "numbers", 0) + 1
    return f"far:{engine.numbers}", world.chat.now(), "frida", "far-away"


def happen(world: World, *events: Any) -> None:
    """Append events as another daemon does, all in one batch."""
    log = f"room/{record_of(world, 'den').id}"
    for event in events:
        world.engine.append(log, event)
    world.settle()


def speaks(world: World, kind: type = Said, text: str = "too late apple", **more: Any) -> Any:
    """Return what bob, who is on the other daemon, says."""
    return kind(f"bob:{far(world)[0]}", world.chat.now(), "bob", "bob-id", text=text, **more)


def puts_out(world: World, kind: type, **more: Any) -> Any:
    return kind(*far(world), user="bob", user_id="bob-id", **more)


@pytest.mark.parametrize("kind", [Kicked, Banned, Muted])
@pytest.mark.parametrize("said", [Said, Acted])
def test_what_another_daemon_stores_too_late_is_neither_shown_nor_kept(world: World, kind: type, said: type) -> None:
    alice = owner(world, "alice", "den")
    happen(world, speaks(world, said, "in time"), puts_out(world, kind), speaks(world, said))
    happen(world, speaks(world, said, "later still apple"))
    happen(world, Said(*far(world), text="others go on"))
    heard = [record.get("text") for record in alice.records() if record["event"] in ("said", "acted")]
    assert heard == ["in time", "others go on"]
    assert [text for text in history(alice) if text] == ["in time", "others go on"]
    assert found(alice, "apple") == []
    assert b"apple" not in repr(engine_of(world)._logs["room/" + record_of(world, "den").id].rows).encode()


def test_nothing_is_said_in_a_room_after_its_end(world: World) -> None:
    alice = owner(world, "alice", "den")
    log = "room/" + record_of(world, "den").id
    happen(world, Closed(*far(world)), Said(*far(world), text="anybody apple?"))
    assert told(alice, "said") == []
    assert "apple" not in repr(engine_of(world)._logs[log].rows)


def test_whoever_is_in_again_is_heard_again(world: World) -> None:
    alice = owner(world, "alice", "den")
    back = Joined("j", world.chat.now(), "bob", "bob-id", session="far")
    happen(world, puts_out(world, Kicked), speaks(world), back, speaks(world, text="back"))
    assert told(alice, "said") == ["back"]


def test_whoever_is_not_muted_any_more_is_heard_again(world: World) -> None:
    alice = owner(world, "alice", "den")
    happen(world, puts_out(world, Muted, until=world.chat.now() + 1000), speaks(world))
    world.clock.advance(1)
    happen(world, speaks(world, text="over"))
    happen(world, puts_out(world, Muted), speaks(world), puts_out(world, Unmuted), speaks(world, text="unmuted"))
    assert told(alice, "said") == ["over", "unmuted"]


def test_a_moderator_whom_the_owner_mutes_is_not_heard(world: World) -> None:
    alice = owner(world, "alice", "den")
    mona = owner(world, "mona", "den")
    assert ask(alice, "op", user="mona") == "ok"
    assert ask(alice, "mute", user="mona") == "ok"
    mona.record(do="say", text="still here")
    happen(world, Said("s", world.chat.now(), "mona", session_of(mona).user_id, text="from afar"))
    assert told(alice, "said") == []


def test_the_author_is_told_when_another_daemon_was_first(world: World) -> None:
    owner(world, "alice", "den")
    bob = guest(world, "bob", "den")
    bob.records()
    log, user = session_of(bob).room.log, session_of(bob).user_id
    world.engine.append(log, Kicked(*far(world), user="bob", user_id=user))
    bob.record(do="say", text="apple", ref=1)
    world.settle()
    assert [(r["event"], r.get("re"), r.get("code")) for r in bob.records()] == [
        ("kicked", None, None),
        ("error", 1, "not-said"),
    ]
    assert members(world, "den") == ["alice"]
    assert "apple" not in repr(engine_of(world)._logs[log].rows)


def test_a_room_that_nobody_follows_any_more_keeps_no_late_message(world: World) -> None:
    """Another daemon closes the room; what its only member said meanwhile is stored in a later batch."""
    bob = guest(world, "bob", "den")
    log, engine = session_of(bob).room.log, engine_of(world)
    engine.holding = True
    bob.record(do="say", text="apple", ref=1)
    engine.holding = False
    world.engine.append(log, Closed(*far(world)))
    world.settle()
    bob.records()
    engine.let_go()
    world.settle()
    assert told(bob, "error") == ["not-said"]
    assert "apple" not in repr(engine._logs[log].rows)


def test_what_was_said_before_a_cut_stays_although_its_author_was_kicked_before(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    assert ask(alice, "kick", user="bob") == "ok"
    assert ask(bob, "join", room="den") == "ok"
    engine_of(world).holding = True
    bob.record(do="say", text="good bye")
    bob.drop()
    engine_of(world).let_go()
    world.settle()
    assert history(alice) == ["good bye"]


def test_what_cannot_be_blanked_now_is_blanked_later(world: World) -> None:
    alice = owner(world, "alice", "den")
    erase, engine = world.engine.erase, engine_of(world)
    engine.erase = lambda *_: fail(Unavailable("the disk is full"))
    happen(world, puts_out(world, Kicked), speaks(world))
    assert "too late apple" in history(alice)
    engine.erase = erase
    world.pass_time(5)
    assert "too late apple" not in history(alice)


def test_a_file_that_comes_too_late_goes(world: World) -> None:
    owner(world, "alice", "den")
    bob = guest(world, "bob", "den")
    file = begin(bob, b"x")
    log, user = session_of(bob).room.log, session_of(bob).user_id
    bob.send(chunk(file, 0, b"x"))
    assert hear(bob)[-1]["event"] == "shared"
    late = Shared("late", world.chat.now(), "bob", user, file=file, number=9, name="n", size=1, sha256="0")
    world.engine.append(log, Kicked(*far(world), user="bob", user_id=user))
    world.engine.append(log, late)
    world.settle()
    assert ("file", file) not in stored_records(world)


def test_to_be_opped_changes_nothing_for_who_is_out(world: World) -> None:
    alice = owner(world, "alice", "den")
    happen(world, puts_out(world, Kicked), puts_out(world, Opped), speaks(world))
    assert told(alice, "said") == []


# ---- late edits and reactions ------------------------------------------------------------------------------------


def bobs_message(world: World, *, at: str = "in time") -> int:
    """Let bob, who is on the other daemon, say something; return its seq."""
    happen(world, speaks(world, Said, at))
    log = engine_of(world)._logs["room/" + record_of(world, "den").id]
    seq: int = log.rows[-1][0]
    return seq


def edits(world: World, seq: int) -> Edited:
    return Edited(f"bob:{far(world)[0]}", world.chat.now(), "bob", "bob-id", message=seq, text="too late apple")


def reacts(world: World, seq: int, *, on: bool = True) -> Reacted:
    return Reacted(f"bob:{far(world)[0]}", world.chat.now(), "bob", "bob-id", message=seq, emoji="+", on=on)


@pytest.mark.parametrize("kind", [Kicked, Banned, Muted])
def test_an_edit_that_is_stored_too_late_is_not_shown_and_deletes_the_message(world: World, kind: type) -> None:
    """The text of before is gone already, and the new one must not be shown."""
    alice, ann = owner(world, "alice", "den"), world.person("ann", "den")
    seq = bobs_message(world)
    alice.records()
    ann.lines()
    happen(world, puts_out(world, kind), edits(world, seq))
    told_of = [(r["event"], r.get("message")) for r in alice.records() if r["event"] in ("edited", "deleted")]
    assert told_of == [("deleted", seq)]
    assert ann.lines()[1:] == ["bob deleted a message."]
    assert history(alice) == [""]
    assert found(alice, "apple") == []
    kept = [row[4] for log in engine_of(world)._logs.values() for row in log.rows]
    assert not any(b"apple" in body for body in kept)


def test_an_edit_in_time_is_shown(world: World) -> None:
    alice = owner(world, "alice", "den")
    seq = bobs_message(world)
    happen(world, edits(world, seq), puts_out(world, Muted))
    assert history(alice) == ["too late apple"]


@pytest.mark.parametrize("kind", [Kicked, Banned, Muted])
def test_a_reaction_that_is_stored_too_late_is_taken_back(world: World, kind: type) -> None:
    alice = owner(world, "alice", "den")
    seq = bobs_message(world)
    alice.records()
    happen(world, puts_out(world, kind), reacts(world, seq))
    assert [record["on"] for record in alice.records() if record["event"] == "reacted"] == [False]
    alice.record(do="history")
    (message,) = alice.records()[-1]["events"]
    assert "reactions" not in message


def test_who_is_put_out_may_still_have_taken_back_a_reaction(world: World) -> None:
    alice = owner(world, "alice", "den")
    seq = bobs_message(world)
    happen(world, reacts(world, seq), puts_out(world, Kicked), reacts(world, seq, on=False))
    assert [record["on"] for record in alice.records() if record["event"] == "reacted"] == [True, False]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act["do"])
def test_what_is_edited_while_the_act_is_being_stored_is_refused(world: World, act: dict[str, str]) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    bob.record(do="say", text="before")
    seq = next(record["seq"] for record in bob.records() if record["event"] == "said")
    engine_of(world).holding = True
    alice.record(**act)
    bob.record(do="edit", seq=seq, text="late", ref=1)
    bob.record(do="react", seq=seq, emoji="+", ref=2)
    engine_of(world).let_go()
    world.settle()
    heard = bob.records()
    assert [(record["code"], record["re"]) for record in heard if record["event"] == "error"] == [
        ("not-said", 1),
        ("not-said", 2),
    ]
    kept = [row[4] for log in engine_of(world)._logs.values() for row in log.rows]
    assert not any(b"late" in body for body in kept)


def test_the_author_of_an_edit_is_told_when_another_daemon_was_first(world: World) -> None:
    alice = owner(world, "alice", "den")
    bob = guest(world, "bob", "den")
    bob.record(do="say", text="before")
    seq = next(record["seq"] for record in bob.records() if record["event"] == "said")
    log, user = session_of(bob).room.log, session_of(bob).user_id
    alice.records()
    world.engine.append(log, Kicked(*far(world), user="bob", user_id=user))
    bob.record(do="edit", seq=seq, text="apple", ref=1)
    world.settle()
    assert told(bob, "error") == ["not-said"]
    assert [r["event"] for r in alice.records() if r["event"] in ("edited", "deleted")] == ["deleted"], "once"
    assert "apple" not in repr(engine_of(world)._logs[log].rows)
