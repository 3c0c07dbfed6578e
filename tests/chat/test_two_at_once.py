"""Two who keep order at the same time: the record decides who was first, and nobody's act is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from fakes import MoodyEngine
from harness import Client, World
from msgspec.structs import replace
from order import FAR, ask, guest, members, owner, record_of, session_of, settled
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.chat.bans_and_mutes import Sanction
from chatroom.chat.rooms.loaded_rooms import LoadedRooms
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room_changes import RoomChanges
from chatroom.chat.rooms.room_quotas import RoomQuotas
from chatroom.chat.rooms.room_records import RoomRecords
from chatroom.model.events import Closed, Kicked, LogEvent, Muted, Topic
from chatroom.model.log import Conflict


class Slow(MoodyEngine):
    """An engine whose compare-and-set waits until it is told to go on, each by itself.

    Attributes:
        waiting: Those that wait, in the order in which they were asked for.
        conflicts: How often somebody else was first.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.patient = False
        self.waiting: list[Callable[[], None]] = []
        self.conflicts = 0

    def change(self, *args: Any) -> Deferred[Any]:
        if not self.patient:
            return super().change(*args)
        later: Deferred[Any] = Deferred()
        self.waiting.append(lambda: self._change(args, later))
        return later

    def _change(self, args: Any, later: Deferred[Any]) -> None:
        def counted(failure: Any) -> Any:
            self.conflicts += bool(failure.check(Conflict))
            return failure

        super().change(*args).addErrback(counted).chainDeferred(later)


class Two:
    """A world in which two act at once: both have read the record before either changes it."""

    def __init__(self) -> None:
        clock = Clock()
        self.engine = Slow(clock)
        self.world = World(self.engine, clock)

    def at_once(self, *acts: tuple[Client, dict[str, Any]], order: tuple[int, ...] = (0, 1)) -> list[str]:
        """Return the answers: ``ok`` or the code; the compare-and-sets happen in the order given."""
        for client, _ in acts:
            client.records()
        self.engine.patient = True
        for client, record in acts:
            client.record(**record, ref="asked")
        assert len(self.engine.waiting) == len(acts), "they are not at it at once"
        waiting, self.engine.waiting = self.engine.waiting, []
        self.engine.patient = False
        for i in order:
            waiting[i]()
            self.world.settle()
        answers = []
        for client, _ in acts:
            (answer,) = [record for record in client.records() if record.get("re") == "asked"]
            answers.append(answer.get("code", "ok"))
        return answers


@pytest.fixture
def two() -> Iterator[Two]:
    """A world in which two act at once."""
    made = Two()
    yield made
    made.world.close()


def moderated(two: Two) -> tuple[Client, Client, Client]:
    """Return the owner and two moderators of a room."""
    alice, mona, max_ = (owner(two.world, name, "den") for name in ("alice", "mona", "max"))
    assert (ask(alice, "op", user="mona"), ask(alice, "op", user="max")) == ("ok", "ok")
    return alice, mona, max_


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_moderators_who_depose_each_other_are_both_refused(two: Two, order: tuple[int, ...]) -> None:
    """That is the owner's to do, so there is nothing to be first at."""
    _, mona, max_ = moderated(two)
    assert [ask(mona, "deop", user="max"), ask(max_, "deop", user="mona")] == ["not-owner", "not-owner"]
    assert sorted(record_of(two.world, "den").moderators.values()) == ["max", "mona"]


@pytest.mark.parametrize(
    ("order", "answers", "moderators"), [((0, 1), ["ok", "not-moderator"], []), ((1, 0), ["ok", "ok"], ["gus"])]
)
def test_who_is_deposed_while_acting_has_acted_or_is_refused_as_the_record_decides(
    two: Two, order: tuple[int, ...], answers: list[str], moderators: list[str]
) -> None:
    alice, mona, max_ = moderated(two)
    guest(two.world, "gus", "den")
    assert ask(alice, "deop", user="max") == "ok"
    max_.records()
    found = two.at_once((alice, {"do": "deop", "user": "mona"}), (mona, {"do": "op", "user": "gus"}), order=order)
    assert found == answers
    assert list(record_of(two.world, "den").moderators.values()) == moderators
    assert two.engine.conflicts == 1
    seen = [record["event"] for record in max_.records()]
    assert sorted(seen) == (["deopped"] if not moderators else ["deopped", "opped"])


def test_two_operators_who_depose_a_moderator_do_it_once(two: Two) -> None:
    alice, mona, _ = moderated(two)
    oscar = owner(two.world, "oscar", "den", operator=True)
    act = {"do": "deop", "user": "mona"}
    mona.records()
    assert two.at_once((oscar, act), (alice, act)) == ["ok", "no-such-ban"]
    assert [record["event"] for record in mona.records()].count("deopped") == 1


def test_a_moderator_who_resigns_while_the_owner_deposes_goes_once(two: Two) -> None:
    alice, mona, _ = moderated(two)
    act = {"do": "deop", "user": "mona"}
    assert two.at_once((alice, act), (mona, act)) == ["ok", "not-moderator"]


def test_bans_at_the_same_moment_are_all_kept(two: Two) -> None:
    alice, mona, max_ = moderated(two)
    acts = [(client, {"do": "ban", "user": name}) for client, name in ((alice, "b0"), (mona, "b1"), (max_, "b2"))]
    assert two.at_once(*acts, order=(2, 0, 1)) == ["ok"] * 3
    assert {ban.shown for ban in record_of(two.world, "den").bans} == {"b0", "b1", "b2"}
    assert two.engine.conflicts == 2
    assert [ask(guest(two.world, name), "join", room="den") for name in ("b0", "b1", "b2")] == ["banned"] * 3


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_acts_about_different_things_do_not_undo_each_other(two: Two, order: tuple[int, ...]) -> None:
    alice, mona, _ = moderated(two)
    assert two.at_once((alice, {"do": "topic", "text": "cats"}), (mona, {"do": "lock"}), order=order) == ["ok", "ok"]
    kept = record_of(two.world, "den")
    assert (kept.topic, kept.locked) == ("cats", True)
    assert session_of(alice).room.record == kept


@pytest.mark.parametrize(("order", "answers"), [((0, 1), ["ok", "no-room"]), ((1, 0), ["ok", "ok"])])
def test_an_act_in_a_room_that_is_being_closed(two: Two, order: tuple[int, ...], answers: list[str]) -> None:
    alice, mona, _ = moderated(two)
    assert two.at_once((alice, {"do": "close"}), (mona, {"do": "lock"}), order=order) == answers
    assert settled(two.world, two.world.chat.room_records.all()) == []


def test_two_who_close_it_close_it_once(two: Two) -> None:
    alice, mona, _ = moderated(two)
    oscar = owner(two.world, "oscar", "den", operator=True)
    mona.records()
    assert two.at_once((alice, {"do": "close"}), (oscar, {"do": "close"})) == ["ok", "no-room"]
    assert [record["event"] for record in mona.records()] == ["closed"]


def test_two_operators_who_ban_the_same_from_the_server_do_it_both(two: Two) -> None:
    """The second takes the place of the first; neither is told that something went wrong."""
    one, other = (owner(two.world, name, operator=True) for name in ("one", "other"))
    acts = [
        (one, {"do": "ban", "user": "mallory", "reason": "spam"}),
        (other, {"do": "ban", "user": "mallory", "reason": "more spam"}),
    ]
    assert two.at_once(*acts) == ["ok", "ok"]
    assert [ban.reason for ban in two.world.chat.bans.all] == ["more spam"]
    both = {"do": "unban", "user": "mallory"}
    assert two.at_once((one, both), (other, both)) == ["ok", "ok"]
    assert two.world.chat.bans.all == ()
    settled(two.world, two.world.chat.bans.load())
    assert two.world.chat.bans.all == ()


# ---- another server of the same log ------------------------------------------------------------------------------


def elsewhere(world: World, change: Callable[[RoomRecord], RoomRecord | None], event: LogEvent) -> None:
    """Act as another server does: change the record, then let the log tell."""
    record = amend_elsewhere(world, change)
    world.engine.append(f"room/{record.id}", event)
    world.settle()


def amend_elsewhere(world: World, change: Callable[[RoomRecord], RoomRecord | None]) -> RoomRecord:
    """Change the record as another server does, whose directory has not loaded the room."""
    loaded = LoadedRooms()
    records = RoomRecords(world.engine, loaded)
    quotas = RoomQuotas(world.engine, world.rules, world.chat.now, records.is_owned)
    other = RoomChanges(world.engine, loaded, records, quotas)
    return settled(world, other.amend(record_of(world, "den"), change))


async def awaited(deferred: Deferred[Any]) -> Any:
    """Return what it fires with."""
    return await deferred


def by_far(world: World) -> tuple[str, int, str, str]:
    """Return id, time and author of an event that another server made."""
    return (f"far:{world.chat.now()}", world.chat.now(), "frida", "far-away")


def test_a_loaded_room_takes_over_what_another_server_changed(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    elsewhere(world, lambda now: replace(now, topic="far"), Topic(*by_far(world), text="far"))
    assert [record["text"] for record in alice.records() if record["event"] == "topic"] == ["far"]
    assert session_of(alice).room.record.topic == "far"
    mute = Sanction("name:bob", "bob", "frida", world.chat.now())
    elsewhere(world, lambda now: replace(now, mutes=(mute,)), Muted(*by_far(world), user="bob"))
    assert ask(bob, "say", text="hello") == "muted"
    assert ask(alice, "lock") == "ok", "it goes on from what the other left"
    kept = record_of(world, "den")
    assert (kept.topic, kept.locked, kept.mutes) == ("far", True, (mute,))


def test_what_another_server_changed_is_seen_before_the_log_tells(world: World) -> None:
    """The record decides: whoever is no moderator any more is refused though the room does not know it yet."""
    alice, mona = owner(world, "alice", "den"), owner(world, "mona", "den")
    assert ask(alice, "op", user="mona") == "ok"
    amend_elsewhere(world, lambda now: replace(now, moderators={}))
    assert ask(mona, "lock") == "not-moderator"
    assert not record_of(world, "den").locked


def test_who_is_kicked_on_another_server_is_out(world: World) -> None:
    owner(world, "alice", "den")
    bob = guest(world, "bob", "den")
    user = session_of(bob).user_id
    elsewhere(world, lambda now: now, Kicked(*by_far(world), user="bob", user_id=user, reason="spam"))
    assert members(world, "den") == ["alice"]
    assert [(record["event"], record["by"]) for record in bob.records()] == [("kicked", "frida")]


def test_a_room_that_another_server_closed_is_left_and_its_namesake_is_new(world: World) -> None:
    alice = owner(world, "alice", "den")
    old = record_of(world, "den").id
    elsewhere(world, lambda now: None, Closed(*by_far(world)))
    assert session_of(alice).room is None
    assert ask(guest(world, "bob"), "join", room="den") == "ok"
    assert record_of(world, "den").id != old


def test_a_ban_of_another_server_holds_here(world: World) -> None:
    """The log of the server tells that the list has changed."""
    from chatroom.model.events import BansChanged
    from chatroom.model.log_names import SERVER_LOG

    ban = Sanction(f"address:{FAR}1", FAR + "1", "frida", world.chat.now())
    settled(world, awaited(world.engine.put("ban", ban.key, msgspec.json.encode(ban), 0)))
    world.engine.append(SERVER_LOG, BansChanged(*by_far(world)))
    world.settle()
    client = world.connect(FAR + "1")
    client.record(do="hello", version=1)
    assert [record["code"] for record in client.records()] == ["server-banned"]
