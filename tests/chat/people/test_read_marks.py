"""Read marks: shared by an account's sessions, kept over restarts, never going back; and what is unread after them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from chat.people.test_conversations import ask, tell
from coming_back import after_restart, come, noticed
from fakes import MoodyEngine
from harness import Client, World, result, stored_records
from order import PASSWORD, account, guest, owner, restarted, session_of
from stepping import nobody_is_left
from twisted.internet.defer import Deferred, fail

from chatroom.chat.limits import COUNTED_BYTES, COUNTS_AT_ONCE, GUEST_MARKS, MARKS
from chatroom.chat.marks import Marks, MarksRecord
from chatroom.chat.people.mark_store import BUCKET, FEW, SAVE_AFTER, SAVE_AGAIN, SAVED_AT_ONCE, MarkStore
from chatroom.chat.people.unread_in_rooms import UnreadInRooms
from chatroom.chat.retention import EVERY
from chatroom.model.log import Change, Page, Unavailable
from chatroom.model.unread import MOST_COUNTED


@pytest.fixture
def moody(engine: MoodyEngine) -> Iterator[World]:
    """A server over an engine that can be made to wait and to fail, with the accounts alice and bob."""
    world = World(engine, engine._reactor, sessions=0, throttle=False, announce=False)
    for name in ("alice", "bob"):
        account(world, name)
    yield world
    engine.let_go()
    nobody_is_left(world)
    world.close()


def marked(client: Client) -> list[dict[str, Any]]:
    """Return what a client is told of marks."""
    return [record for record in client.records() if record["event"] == "marked"]


def say(client: Client, *texts: str) -> list[int]:
    """Say something in the room; return the seqs."""
    client.records()
    for text in texts:
        client.record(do="say", text=text)
    return [record["seq"] for record in client.records() if record["event"] == "said" and record["text"] in texts]


def enter(client: Client, room: str = "lobby", **fields: Any) -> tuple[int, int, int]:
    """Join a room; return the mark, the number of unread messages, and that of mentions."""
    entered = ask(client, "join", room=room, **fields)
    assert entered["event"] == "entered", entered
    return tuple(entered.get(key, 0) for key in ("read", "unread", "mentions"))  # type: ignore[return-value]


def again(client: Client, room: str = "lobby") -> tuple[int, int, int]:
    """Leave a room and join it again; see ``enter``."""
    client.record(do="leave", room=room)
    return enter(client, room)


# ---- in a room ---------------------------------------------------------------------------------------------------


def test_a_mark_is_told_to_the_other_sessions_at_once_and_not_to_the_one_that_set_it(moody: World) -> None:
    bob = owner(moody, "bob", "lobby")
    phone, laptop = owner(moody, "alice", "lobby"), owner(moody, "alice")
    person = moody.person()
    person.say("/login alice correct horse")
    person.take()
    first, second, third = say(bob, "one", "hello Alice", "bob speaks")
    laptop.records()
    assert ask(phone, "read", room="lobby", seq=first)["event"] == "ok"
    assert marked(phone) == []
    (told,) = marked(laptop)
    assert told == {"event": "marked", "room": "lobby", "seq": first, "unread": 2, "mentions": 1}
    assert person.take() == b""
    phone.record(do="read", room="lobby", seq=second)
    assert [(one["unread"], one.get("mentions", 0)) for one in marked(laptop)] == [(1, 0)]
    phone.record(do="read", room="lobby")
    (told,) = marked(laptop)
    assert (told["seq"], told.get("unread", 0)) == (third, 0), "without a seq everything is read"
    assert marked(bob) == []


def test_a_session_that_joins_later_finds_the_mark(moody: World) -> None:
    bob = owner(moody, "bob", "lobby")
    phone, laptop = owner(moody, "alice", "lobby"), owner(moody, "alice")
    _, second, _ = say(bob, "one", "two", "three")
    phone.record(do="read", seq=second)
    assert enter(laptop) == (second, 1, 0)


def test_what_another_session_has_read_while_one_was_cut_off_is_read_when_it_comes_back(moody: World) -> None:
    bob = owner(moody, "bob", "lobby")
    phone, laptop = owner(moody, "alice", "lobby"), owner(moody, "alice", "lobby")
    (seen,) = say(bob, "one")
    laptop.drop()
    _, third = say(bob, "two", "three")
    phone.record(do="read")
    laptop = owner(moody, "alice")
    assert enter(laptop, after=seen) == (third, 0, 0)


def test_a_mark_never_goes_back_and_never_beyond_the_last_message(moody: World) -> None:
    bob = owner(moody, "bob", "lobby")
    phone, laptop = owner(moody, "alice", "lobby"), owner(moody, "alice")
    first, second = say(bob, "one", "two")
    phone.record(do="read", seq=2**53)
    assert [told["seq"] for told in marked(laptop)] == [second]
    phone.record(do="read", seq=first)
    laptop.record(do="read", room="lobby", seq=first)
    assert (marked(laptop), marked(phone)) == ([], [])
    (third,) = say(bob, "three")
    assert again(phone) == (second, 1, 0)
    assert third > second


def test_own_words_are_not_unread(moody: World) -> None:
    phone, laptop = owner(moody, "alice", "lobby"), owner(moody, "alice", "lobby")
    (first,) = say(owner(moody, "bob", "lobby"), "one")
    phone.record(do="read", seq=first)
    say(laptop, "two", "alice here")
    assert again(phone) == (first, 0, 0)


def test_everything_before_the_first_join_is_read(moody: World) -> None:
    bob = owner(moody, "bob", "lobby")
    for number in range(5000):
        bob.record(do="say", text=f"m{number} alice")
    last = bob.records()[-1]["seq"]
    alice = owner(moody, "alice")
    read, unread, mentions = enter(alice)
    assert (unread, mentions) == (0, 0)
    assert read > last
    say(bob, "after")
    assert again(alice) == (read, 1, 0)


def test_who_makes_a_room_has_read_it(moody: World) -> None:
    alice = owner(moody, "alice")
    entered = ask(alice, "create", room="den")
    assert entered["read"] == entered["seq"]


def test_deleted_messages_do_not_count(moody: World) -> None:
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    alice.record(do="read")
    alice.record(do="leave")
    first, second, _ = say(bob, "one", "alice!", "three")
    bob.record(do="delete", seq=second)
    assert enter(alice)[1:] == (2, 0)
    bob.record(do="delete", seq=first)
    assert again(alice)[1:] == (1, 0)


def test_an_edit_changes_what_is_counted(moody: World) -> None:
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    alice.record(do="leave")
    first, second = say(bob, "alice, come", "nobody")
    assert enter(alice)[1:] == (2, 1)
    bob.record(do="edit", seq=first, text="alice, go")
    assert again(alice)[1:] == (2, 1)
    bob.record(do="edit", seq=second, text="Alice, too")
    assert again(alice)[1:] == (2, 2)


def test_messages_of_who_is_ignored_do_not_count(moody: World) -> None:
    bob, carol, alice = owner(moody, "bob", "lobby"), guest(moody, "carol", "lobby"), owner(moody, "alice", "lobby")
    alice.record(do="leave")
    alice.record(do="ignore", user="carol")
    say(bob, "one")
    say(carol, "two", "alice!")
    tell(carol, "alice", "three")
    assert enter(alice)[1:] == (1, 0)
    (line,) = ask(alice, "conversations")["conversations"]
    assert line.get("unread", 0) == 0


def test_no_more_than_so_many_are_counted(moody: World) -> None:
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    alice.record(do="leave")
    for number in range(MOST_COUNTED + 50):
        bob.record(do="say", text=f"m{number} alice")
    assert enter(alice)[1:] == (MOST_COUNTED, MOST_COUNTED)


def test_of_long_messages_only_the_newest_are_looked_at(moody: World) -> None:
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    alice.record(do="leave")
    for _ in range(400):
        bob.record(do="say", text="x" * 4000)
        bob.take()
    _, unread, _ = enter(alice)
    assert COUNTED_BYTES // 4200 <= unread < 400


def test_counting_what_is_long_leaves_the_reactor_to_others_in_between(
    moody: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    alice.record(do="leave")
    say(bob, *(f"m{number}" for number in range(40)))
    turns: list[float] = []
    seconds = moody.clock.seconds

    def later(delay: float, call: Any, *args: Any) -> Any:
        turns.append(delay)
        return schedule(delay, call, *args)

    ticks = iter(range(1, 10**9))
    schedule = moody.clock.callLater
    monkeypatch.setattr(moody.chat.unread, "_scheduler", Ticking(lambda: seconds() + 0.001 * next(ticks), later))
    assert enter(alice)[1:] == (40, 0)
    assert len(turns) >= 5


class Ticking:
    """A scheduler whose time passes whenever it is asked for."""

    def __init__(self, seconds: Any, later: Any) -> None:
        self.seconds = seconds
        self.callLater = later


def test_a_room_that_one_is_not_in_is_refused(moody: World) -> None:
    alice = owner(moody, "alice")
    assert ask(alice, "read", seq=1)["code"] == "not-in-room"
    owner(moody, "bob", "lobby")
    assert ask(alice, "read", room="lobby", seq=1)["code"] == "not-in-that-room"
    assert ask(alice, "read", user="nobody")["code"] == "no-user"
    for room in ("lobby", "den"):
        enter(alice, room, stay=True)
    assert ask(alice, "read", seq=1)["code"] == "which-room"


def test_messages_that_cannot_be_counted_keep_nobody_out(moody: World) -> None:
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    alice.record(do="leave")
    say(bob, "one")
    moody.chat.unread.count = lambda *args, **options: fail(Unavailable("disk full"))  # type: ignore[assignment,method-assign]
    assert enter(alice) == (0, 0, 0)
    say(bob, "two")
    assert [record["text"] for record in alice.records()] == ["two"]


# ---- people on a terminal ----------------------------------------------------------------------------------------


def test_a_person_who_joins_reads_the_room(moody: World) -> None:
    bob, bot = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    say(bob, "one", "two")
    bot.records()
    person = moody.person()
    person.say("/login alice correct horse", "/join lobby")
    person.take()
    (told,) = marked(bot)
    assert (told["room"], told.get("unread", 0)) == ("lobby", 0)
    assert again(bot)[1:] == (0, 0)


@pytest.mark.parametrize("how", ["leave", "quit", "drop", "join", "stop"])
def test_a_person_has_read_the_room_until_leaving_it(how: str) -> None:
    world = World(sessions=2)
    bob, bot = owner(world, "bob", "lobby"), owner(world, "alice")
    person = world.person()
    person.say("/login alice correct horse", "/join lobby")
    (seq,) = say(bob, "hello alice")
    bot.records()
    if how == "leave":
        person.say("/leave")
    elif how == "quit":
        person.say("/quit")
    elif how == "drop":
        person.drop()
    elif how == "join":
        person.say("/join den")
    if how == "stop":
        bot.drop()
        world = restarted(world)
        bot = owner(world, "alice")
    else:
        told = [one for one in marked(bot) if one["room"] == "lobby"]
        assert [one["seq"] >= seq for one in told] == [True]
    assert enter(bot)[1:] == (0, 0)
    say(owner(world, "bob", "lobby"), "after")
    assert again(bot)[1:] == (1, 0)
    world.close()


def test_private_messages_that_a_person_was_shown_are_read(moody: World) -> None:
    bob, carol, bot = owner(moody, "bob"), guest(moody, "carol"), owner(moody, "alice", "lobby")
    moody.pass_time(SAVE_AFTER)
    bot.drop()
    tell(bob, "alice", "one", "two")
    person = moody.person()
    person.say("/login alice correct horse")
    assert "one" in person.take().decode()
    bot = owner(moody, "alice")
    lines = ask(bot, "conversations")["conversations"]
    assert [line.get("unread", 0) for line in lines] == [0]
    tell(bob, "alice", "three")
    tell(carol, "alice", "four")
    assert [(one["user"], one.get("unread", 0)) for one in marked(bot)] == [("bob", 0), ("carol", 0)]
    lines = ask(bot, "conversations")["conversations"]
    assert [line.get("unread", 0) for line in lines] == [0, 0]


def test_what_is_shown_to_a_person_when_marks_cannot_be_read_is_shown_all_the_same(moody: World) -> None:
    engine: Any = moody.engine
    bob, person = owner(moody, "bob"), moody.person()
    person.say("/login alice correct horse")
    person.take()
    get, engine.get = engine.get, lambda *args: fail(Unavailable("disk full"))
    tell(bob, "alice", "psst")
    assert person.lines() == ["bob (private): psst"]
    engine.get = get


# ---- conversations -----------------------------------------------------------------------------------------------


def test_a_conversation_has_a_mark_of_its_own(moody: World) -> None:
    bob, carol = owner(moody, "bob"), guest(moody, "carol")
    phone, laptop = owner(moody, "alice"), owner(moody, "alice")
    tell(bob, "alice", "b1", "b2")
    tell(carol, "alice", "c1")
    tell(phone, "bob", "mine")
    first, second = (record["seq"] for record in laptop.records() if record.get("text") in ("b1", "b2"))
    lines = ask(phone, "conversations")["conversations"]
    assert [(line["user"], line.get("unread", 0), line.get("read", 0)) for line in lines] == [
        ("bob", 2, 0),
        ("carol", 1, 0),
    ]
    laptop.records()
    assert ask(phone, "read", user="bob", seq=first)["event"] == "ok"
    (told,) = marked(laptop)
    bob_id = lines[0]["user_id"]
    assert told == {"event": "marked", "user": "bob", "user_id": bob_id, "seq": first, "unread": 1}
    lines = ask(laptop, "conversations")["conversations"]
    assert [(line["user"], line.get("unread", 0), line.get("read", 0)) for line in lines] == [
        ("bob", 1, first),
        ("carol", 1, 0),
    ]
    phone.record(do="read", user="bob")
    (told,) = marked(laptop)
    assert told["seq"] > second, "clamped to the newest message, which is one's own"
    phone.record(do="read", user="bob", seq=2**53)
    phone.record(do="read", user="bob", seq=1)
    assert marked(laptop) == []


def test_a_mark_is_of_the_person_and_not_of_the_name(moody: World) -> None:
    alice = owner(moody, "alice")
    first = guest(moody, "dave")
    tell(first, "alice", "one")
    alice.record(do="read", user="dave")
    first.drop()
    tell(guest(moody, "dave"), "alice", "two")
    lines = ask(alice, "conversations")["conversations"]
    assert [line.get("unread", 0) for line in lines] == [1, 0]


def test_what_was_shown_before_there_were_marks_is_read(moody: World) -> None:
    bob, alice = owner(moody, "bob"), owner(moody, "alice")
    tell(bob, "alice", "old", "older")
    alice.record(do="ack", seq=alice.records()[-1]["seq"])
    tell(bob, "alice", "new")
    for user in moody.chat.users.values():
        user.marks = None  # as if they had been there before this version
    (line,) = ask(alice, "conversations")["conversations"]
    assert line["unread"] == 1


@pytest.mark.parametrize("waiting", [FEW - 5, FEW + 5])
def test_it_is_known_what_was_shown_however_much_waits(moody: World, waiting: int) -> None:
    bob, alice = owner(moody, "bob"), owner(moody, "alice")
    tell(bob, "alice", "old", "older")
    alice.record(do="ack", seq=alice.records()[-1]["seq"])
    tell(bob, "alice", *(f"m{number}" for number in range(waiting)))
    (line,) = ask(alice, "conversations")["conversations"]
    assert line["unread"] == waiting


# ---- keeping -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pause", [0.0, SAVE_AFTER])
def test_marks_last_over_a_restart(pause: float) -> None:
    world = World()
    bob, alice = owner(world, "bob", "lobby"), owner(world, "alice", "lobby")
    _, second, _ = say(bob, "one", "two", "alice")
    tell(bob, "alice", "psst")
    alice.record(do="read", seq=second)
    alice.record(do="read", user="bob")
    world.pass_time(pause)
    world = restarted(world)
    alice = owner(world, "alice")
    assert enter(alice) == (second, 1, 1)
    (line,) = ask(alice, "conversations")["conversations"]
    assert line.get("unread", 0) == 0
    world.close()


def test_what_is_marked_often_is_stored_once_a_second(moody: World) -> None:
    engine: Any = moody.engine
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    seqs = say(bob, *(f"m{number}" for number in range(100)))
    moody.pass_time(SAVE_AFTER)
    stored: list[Change] = []
    change = engine.change
    engine.change = lambda changes: (stored.extend(changes), change(changes))[1]
    for seq in seqs:
        alice.record(do="read", seq=seq)
    assert stored == []
    moody.pass_time(SAVE_AFTER)
    assert [one.bucket for one in stored] == [BUCKET]
    moody.pass_time(10 * SAVE_AFTER)
    assert len(stored) == 1
    del engine.change


def test_the_marks_of_many_are_stored_in_several_turns(moody: World) -> None:
    for number in range(SAVED_AT_ONCE + 5):
        owner(moody, f"user{number}", "lobby")
    marks: Any = moody.chat.read_marks
    turns: list[int] = []
    begin = marks._begin
    marks._begin = lambda ids: (turns.append(len(ids)), begin(ids))
    moody.pass_time(SAVE_AFTER)
    assert turns == [SAVED_AT_ONCE, 5]
    assert len([bucket for bucket, _ in stored_records(moody) if bucket == BUCKET]) == SAVED_AT_ONCE + 5


def test_marks_that_could_not_be_stored_are_stored_later(moody: World) -> None:
    engine: Any = moody.engine
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    (seq,) = say(bob, "one")
    alice.record(do="read", seq=seq)
    engine.broken = True
    moody.pass_time(SAVE_AFTER)
    engine.broken = False
    assert again(alice) == (seq, 0, 0)
    moody.pass_time(SAVE_AGAIN)
    assert seq in saved(moody, "alice").values()


def test_marks_that_are_being_stored_are_not_loaded_as_they_were_before(moody: World) -> None:
    engine: Any = moody.engine
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    moody.pass_time(SAVE_AFTER)
    (seq,) = say(bob, "one")
    alice.record(do="read", seq=seq)
    engine.slow = True
    moody.clock.advance(SAVE_AFTER)
    engine.slow = False
    alice.drop()
    alice = owner(moody, "alice")
    assert enter(alice) == (seq, 0, 0)
    (other,) = say(bob, "two")
    alice.record(do="read", seq=other)
    engine.let_go()
    moody.pass_time(SAVE_AFTER)
    assert other in saved(moody, "alice").values()


def test_two_daemons_keep_the_marks_that_are_further_on(moody: World) -> None:
    bob, alice = owner(moody, "bob", "lobby"), owner(moody, "alice", "lobby")
    moody.pass_time(SAVE_AFTER)
    (seq,) = say(bob, "one")
    alice.record(do="read", seq=seq)
    user = next(user for user in moody.chat.users.values() if user.name == "alice")
    (place,) = saved(moody, "alice")
    _, rev = stored_records(moody)[BUCKET, user.id]
    record = MarksRecord(0, {place: seq - 1, "elsewhere": 77})
    result(_change(moody, Change(BUCKET, user.id, msgspec.json.encode(record), rev)))
    moody.pass_time(SAVE_AFTER)
    assert saved(moody, "alice") == {"elsewhere": 77, place: seq}
    assert user.marks is not None
    assert user.marks.of("elsewhere") == 77


def test_a_session_on_another_daemon_does_not_set_marks_back() -> None:
    one = World(sessions=0)
    two = World(one.engine, one.clock, sessions=0, first_id=10**6)
    bob, here = owner(one, "bob", "lobby"), owner(one, "alice", "lobby")
    there = owner(two, "alice")
    for room in ("lobby", "den"):
        enter(there, room, stay=True)
    first, second = say(bob, "one", "two")
    there.records()
    here.record(do="read", room="lobby", seq=second)
    there.record(do="read", room="lobby", seq=first)
    (other,) = say(owner(two, "dave", "den"), "three")
    there.record(do="read", room="den", seq=other)
    one.pass_time(2 * SAVE_AFTER)
    marks = saved(one, "alice")
    assert sorted(marks.values()) == [second, other]
    one.close(two)


async def _change(world: World, change: Change) -> None:
    await world.engine.change((change,))


def saved(world: World, name: str) -> dict[str, int]:
    """Return the stored marks of an account."""
    user = next(user for user in world.chat.users.values() if user.name == name)
    value, _ = stored_records(world)[BUCKET, user.id]
    return msgspec.json.decode(value, type=MarksRecord).seqs


@pytest.mark.parametrize("when", ["before they are stored", "after"])
def test_the_marks_of_a_deleted_account_go_and_do_not_come_back(moody: World, when: str) -> None:
    alice, other = owner(moody, "alice", "lobby"), owner(moody, "alice")
    if when == "after":
        moody.pass_time(SAVE_AFTER)
    (seq,) = say(owner(moody, "bob", "lobby"), "one")
    alice.record(do="read", seq=seq)
    other.record(do="delete-account", password="correct horse")
    moody.pass_time(2 * SAVE_AFTER)
    owners = {key for bucket, key in stored_records(moody) if bucket == BUCKET}
    bob = next(user for user in moody.chat.users.values() if user.name == "bob")
    assert owners <= {bob.id}


def test_marks_that_could_not_be_removed_with_the_account_go_later(moody: World) -> None:
    engine: Any = moody.engine
    alice = owner(moody, "alice", "lobby")
    moody.pass_time(SAVE_AFTER)
    drop, engine.drop = engine.drop, lambda log: fail(Unavailable("disk full"))
    alice.record(do="delete-account", password="correct horse")
    engine.drop = drop
    assert [bucket for bucket, _ in stored_records(moody) if bucket == BUCKET]
    moody.pass_time(EVERY)
    assert not [bucket for bucket, _ in stored_records(moody) if bucket == BUCKET]


def test_marks_removed_by_another_daemon_are_not_stored_again(moody: World) -> None:
    alice = owner(moody, "alice", "lobby")
    moody.pass_time(SAVE_AFTER)
    user = next(user for user in moody.chat.users.values() if user.name == "alice")
    result(_change(moody, Change(BUCKET, user.id, None)))
    (seq,) = say(owner(moody, "bob", "lobby"), "one")
    alice.record(do="read", seq=seq)
    moody.pass_time(SAVE_AFTER)
    assert (BUCKET, user.id) not in stored_records(moody)


@pytest.mark.parametrize("cut", [noticed, lambda world, client: world], ids=["noticed", "ghost"])
def test_a_guest_who_comes_back_has_the_marks(moody: World, cut: Any) -> None:
    bob = owner(moody, "bob", "lobby")
    dave, secret = come(moody, name="dave")
    enter(dave)
    first, _ = say(bob, "one", "dave?")
    dave.record(do="read", seq=first)
    cut(moody, dave)
    back, _ = come(moody, name="dave", resume=secret)
    assert enter(back) == (first, 1, 1)


def test_a_guest_has_no_marks_after_a_restart() -> None:
    world = World()
    bob = owner(world, "bob", "lobby")
    dave, secret = come(world, name="dave")
    enter(dave)
    say(bob, "one")
    world = after_restart(world, dave)
    back, _ = come(world, name="dave", resume=secret)
    assert enter(back)[1:] == (0, 0)
    world.close()


def test_only_so_many_marks_are_kept_and_the_one_moved_longest_ago_goes() -> None:
    marks = Marks(3)
    for number, place in enumerate("abcab", 1):
        assert marks.move(place, number)
    assert marks.move("d", 6)
    assert [marks.of(place) for place in "abcd"] == [4, 5, None, 6]
    assert not marks.move("a", 4)
    assert 50 < GUEST_MARKS < MARKS


def test_a_store_of_marks_without_users_holds_nothing(moody: World) -> None:
    store = MarkStore(moody.chat)
    result(store.stop())


def test_few_count_at_the_same_time(moody: World) -> None:
    reads: list[Deferred[Page]] = []

    def read(log: str, **options: Any) -> Deferred[Page]:
        reads.append(Deferred())
        return reads[-1]

    counter = UnreadInRooms(moody.chat)
    counter._engine = SimpleNamespace(read=read)  # type: ignore[assignment]
    alice = session_of(owner(moody, "alice"))
    done = [Deferred.fromCoroutine(counter.count("room/x", alice, 0)) for _ in range(9)]
    assert len(reads) == COUNTS_AT_ONCE
    reads[0].callback(Page([], True))
    assert (len(reads), sum(one.called for one in done)) == (COUNTS_AT_ONCE + 1, 1)
    for number in range(1, 9):
        reads[number].callback(Page([], True))
    assert all(one.called for one in done)


def test_all_that_is_unread_is_shown_at_the_join(world: World) -> None:
    alice = owner(world, "alice", "lobby")
    alice.drop()
    bob = world.program("bob", "lobby")
    for number in range(30):
        bob.record(do="say", text=f"line {number}")
    alice = owner(world, "alice")
    alice.record(do="join", room="lobby", messages=10)
    records = alice.records()
    assert records[0]["unread"] == 30
    assert [r["text"] for r in records if r["event"] == "said"] == [f"line {number}" for number in range(30)]
    alice.record(do="leave")
    alice.record(do="join", room="lobby", messages=0)
    assert not [r for r in alice.records() if r["event"] == "said"]


def test_all_that_is_unread_is_shown_though_the_user_said_something_elsewhere_meanwhile(world: World) -> None:
    world.rules.sessions = 0
    phone, laptop = owner(world, "alice", "lobby"), owner(world, "alice", "lobby")
    phone.drop()
    bob = world.program("bob", "lobby")
    for number in range(20):
        bob.record(do="say", text=f"line {number}")
    laptop.record(do="say", text="own 1")
    laptop.record(do="say", text="own 2")
    phone = owner(world, "alice")
    phone.record(do="join", room="lobby", messages=10)
    said = [r["text"] for r in phone.records() if r["event"] == "said"]
    assert said == [*(f"line {number}" for number in range(20)), "own 1", "own 2"]


def test_a_guest_who_logs_in_within_a_room_has_a_mark_there(world: World) -> None:
    world.rules.sessions = 0
    account(world, "alice")
    guest = world.program("guest", "lobby")
    guest.record(do="login", user="alice", password=PASSWORD)
    bob = world.program("bob", "lobby")
    for number in range(3):
        bob.record(do="say", text=f"line {number}")
    other = owner(world, "alice")
    other.record(do="join", room="lobby")
    assert next(r["unread"] for r in other.records() if r["event"] == "entered") == 3
