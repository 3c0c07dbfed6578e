"""Seats: one kept for each account that the operator made, the others for whoever comes; and who may stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from harness import Client, World, result
from hypothesis import given, settings
from stepping import HeldPasswords, all_is_one, nobody_is_left
from twisted.internet.defer import Deferred

from chatroom.chat.limits import SHORTEST_SECRET, STANDING
from chatroom.chat.people.accounts_file import AccountLine
from chatroom.model.names import user_name
from chatroom.wire.seat_wait import SEAT_WAIT

FULL = "Error: the chat is full (max users 4)."
KEPT = "Seats are kept for some: if one is yours, log in now with /login <user> <password>."
OWNERS = ("alice", "bob", "carol")


def four(**rules: Any) -> World:
    """Return a server with four seats, three of them kept."""
    world = World(most_users=4, **rules)
    entries = [AccountLine(user_name(name), "secret", False) for name in OWNERS]
    imported = Deferred.fromCoroutine(world.chat.account_changes.take_in(entries, world.chat.authenticator.hash))
    world.settle()
    assert imported.called
    return world


@pytest.fixture
def full() -> Iterator[World]:
    """The same, with its one free seat taken."""
    world = four()
    world.person("guest1")
    yield world
    nobody_is_left(world)
    assert world.chat.seats.free
    world.close()


def come(world: World) -> Client:
    """Return somebody who has connected and been greeted in some way, which is still to be heard."""
    client = world.connect()
    world.pass_time(0.3)
    return client


def counted(world: World) -> tuple[int, int, int]:
    """Return how many sit on shared seats, on their own, and stand."""
    seats = world.chat.seats
    return seats._shared, seats._own, seats._standing


def test_whom_there_is_no_seat_for_may_only_log_in(full: World) -> None:
    standing = come(full)
    assert standing.lines() == [FULL, KEPT]
    standing.say("/login alice secret")
    lines = standing.lines()
    assert lines[0] == "You are logged in as alice."
    assert lines[1] == "Users online (2): alice, guest1"
    full.pass_time(SEAT_WAIT + 1)
    assert standing.open
    assert counted(full) == (1, 1, 0)
    all_is_one(full)


def test_the_two_line_login_works_for_who_stands(full: World) -> None:
    standing = come(full)
    standing.take()
    standing.say("login")
    standing.say("alice,secret")
    assert standing.lines()[:2] == ["user,password:", "You are logged in as alice."]


@pytest.mark.parametrize("line", ["/who", "/register dave secret", "/join lobby", "/name dave"])
def test_who_stands_and_does_anything_else_goes(full: World, line: str) -> None:
    standing = come(full)
    standing.take()
    standing.say(line)
    lines = standing.lines()
    assert lines[0].startswith("Error: ")
    assert not standing.open
    assert result(full.chat.accounts.all())[3:] == []


def test_who_stands_and_does_nothing_goes_after_a_moment(full: World) -> None:
    standing = come(full)
    full.pass_time(SEAT_WAIT - 0.4)
    assert standing.open
    full.pass_time(0.5)
    assert not standing.open


def test_who_stands_goes_once_no_kept_seat_is_free(full: World) -> None:
    standing = come(full)
    standing.take()
    for name in OWNERS:
        come(full).say(f"/login {name} secret")
    assert standing.open
    standing.say("/login alice wrong")
    assert not standing.open


def test_who_stands_is_online_for_nobody(full: World) -> None:
    come(full)
    looker = full.clients[0]
    looker.take()
    looker.say("/who")
    assert looker.lines() == ["Users online (1):", "  guest1"]


def test_an_account_without_a_seat_of_its_own_is_a_guest_to_the_seats(full: World) -> None:
    maker = full.clients[0]
    maker.say("/register dave secret", "/logout")
    standing = come(full)
    standing.take()
    standing.say("/login dave secret")
    assert standing.lines() == [FULL]
    assert counted(full) == (1, 0, 1)
    assert full.chat.names.get("dave") is None
    all_is_one(full)


def test_with_all_seats_taken_nobody_comes_in_even_to_stand(full: World) -> None:
    for name in OWNERS:
        owner = come(full)
        owner.say(f"/login {name} secret")
    assert counted(full) == (1, 3, 0)
    late = come(full)
    assert late.lines()[-1] == FULL
    assert late.transport.write_closed


def test_only_so_many_stand(full: World) -> None:
    people = [come(full) for _ in range(STANDING)]
    late = come(full)
    assert late.lines() == [FULL]
    assert late.transport.write_closed
    people[0].drop()
    assert come(full).lines() == [FULL, KEPT]


def test_an_owner_gives_the_seat_that_everybody_may_have_back(full: World) -> None:
    guest = full.clients[0]
    guest.say("/login alice secret")
    assert counted(full) == (0, 1, 0)
    assert come(full).lines()[0].startswith("Welcome to chatroom.")


def test_who_logs_out_when_it_is_full_has_to_go(full: World) -> None:
    alice = come(full)
    alice.say("/login alice secret")
    alice.take()
    alice.say("/logout")
    assert alice.lines() == [FULL]
    assert not alice.open
    assert counted(full) == (1, 0, 0)


def test_who_logs_out_when_there_is_room_stays() -> None:
    world = four()
    alice = world.person()
    alice.say("/login alice secret", "/logout")
    assert alice.open
    assert counted(world) == (1, 0, 0)
    nobody_is_left(world)
    world.close()


def test_whose_account_is_deleted_when_it_is_full_stays_on_its_seat_which_is_nobodys_now(full: World) -> None:
    alice = come(full)
    alice.say("/login alice secret", "/account delete secret")
    assert full.chat.seats.reserved == 2
    assert alice.open
    assert counted(full) == (2, 0, 0)
    all_is_one(full)


def test_whose_account_is_deleted_while_the_seat_is_taken_has_to_go(full: World) -> None:
    """Somebody comes between the end of the account and the news of it."""
    alice = come(full)
    alice.say("/login alice secret")
    alice.take()
    tell = full.chat.tell_all_surely

    def meanwhile(event: Any) -> Any:
        full.chat.tell_all_surely = tell  # type: ignore[method-assign]
        come(full)
        return tell(event)

    full.chat.tell_all_surely = meanwhile  # type: ignore[method-assign]
    alice.say("/account delete secret")
    assert FULL in alice.lines()
    assert not alice.open
    assert counted(full) == (2, 0, 0)
    all_is_one(full)


def test_all_sessions_of_an_account_share_its_seat() -> None:
    world = four(sessions=2)
    one, two, three = world.person(), come(world), come(world)
    one.say("/login alice secret")
    two.say("/login alice secret")
    assert "You are logged in as alice." in two.lines()
    assert counted(world) == (0, 1, 1), "the seat that everybody may have is free"
    assert come(world).lines()[0].startswith("Welcome to chatroom.")
    one.drop()
    assert counted(world) == (1, 1, 1)
    two.drop()
    assert counted(world) == (1, 0, 1)
    three.say("/login bob secret")
    assert counted(world) == (1, 1, 0)
    all_is_one(world)
    nobody_is_left(world)
    world.close()


def test_who_leaves_an_account_that_is_still_in_use_needs_a_seat(full: World) -> None:
    full.rules.sessions = 2
    full.clients[0].say("/register dave secret")
    two = come(full)
    two.say("/login dave secret")
    assert "You are logged in as dave." in two.lines()
    assert counted(full) == (1, 0, 0)
    two.say("/logout")
    assert two.lines() == [FULL]
    assert not two.open
    assert counted(full) == (1, 0, 0)
    full.clients[0].say("/logout")
    assert full.clients[0].open, "the last session keeps the seat"
    assert counted(full) == (1, 0, 0)
    all_is_one(full)


def test_an_account_that_is_here_may_have_another_device_when_all_seats_are_taken() -> None:
    """--max-users counts people."""
    world = World(most_users=1)
    one = world.program()
    one.record(do="register", user="alice", password="secret")
    two = world.connect()
    two.record(do="hello", version=1, device="phone")
    assert [(r["event"], r.get("code")) for r in two.records()] == [("error", "chat-full"), ("welcome", None)]
    two.record(do="login", user="alice", password="secret")
    assert two.records()[0]["name"] == "alice"
    world.pass_time(SEAT_WAIT + 1)
    assert two.open
    assert counted(world) == (1, 0, 0)
    all_is_one(world)
    nobody_is_left(world)
    world.close()


def test_a_program_that_names_no_device_or_is_no_owner_gets_no_seat_of_others() -> None:
    world = World(most_users=1)
    one = world.program()
    one.record(do="register", user="alice", password="secret")
    old, guest = world.connect(), world.connect()
    old.record(do="hello", version=1)
    assert [(r["event"], r.get("code")) for r in old.records()] == [("error", "chat-full")]
    assert not old.open
    guest.record(do="hello", version=1, device="phone")
    guest.record(do="join", room="lobby", ref=1)
    assert guest.records()[-1]["code"] == "chat-full"
    assert not guest.open
    person = come(world)
    assert person.lines() == ["Error: the chat is full (max users 1)."]
    assert person.transport.write_closed
    nobody_is_left(world)
    world.close()


def test_a_program_is_told_that_it_is_full_and_may_log_in(full: World) -> None:
    bot = full.connect()
    bot.record(do="hello", version=1)
    assert [(r["event"], r.get("code")) for r in bot.records()] == [("error", "chat-full"), ("welcome", None)]
    bot.record(do="login", user="bob", password="secret")
    assert bot.records()[0]["name"] == "bob"


def test_who_goes_while_the_password_is_looked_at_gives_everything_back() -> None:
    passwords = HeldPasswords()
    world = four(passwords=passwords)
    world.person("guest1")
    standing = come(world)
    passwords.holding = True
    standing.say("/login alice secret")
    world.pass_time(SEAT_WAIT + 1)
    assert not standing.open, "it has taken too long"
    standing.drop()
    passwords.let_go()
    world.settle()
    assert counted(world) == (1, 0, 0)
    nobody_is_left(world)
    world.close()


# ---- any order -----------------------------------------------------------------------------------------------------

NAMES = ("alice", "bob", "dave")  # the last one has no reserved seat
DEVICES = ("", "phone", "laptop")
ACTS = st.one_of(
    st.tuples(st.just("come"), st.sampled_from(DEVICES), st.integers(0, 2)),
    st.tuples(st.just("login"), st.integers(0, 9), st.sampled_from(NAMES)),
    st.tuples(st.just("takeover"), st.integers(0, 9), st.none()),
    st.tuples(st.just("logout"), st.integers(0, 9), st.none()),
    st.tuples(st.just("drop"), st.integers(0, 9), st.none()),
    st.tuples(st.just("end-session"), st.integers(0, 9), st.integers(1, 4)),
    st.tuples(st.just("delete"), st.integers(0, 9), st.none()),
    st.tuples(st.just("pass"), st.integers(0, 9), st.none()),
)


def act(world: World, do: str, which: Any, what: Any) -> None:
    """Do one thing: a new program comes, or one that is here does something."""
    if do == "come":
        secret = {"resume": f"the secret of program {what}"} if what else {}
        world.connect().record(do="hello", version=1, device=which, tab=str(what), **secret)
    elif do == "pass":
        world.pass_time(which)
    here = [client for client in world.clients if client.open]
    if not here or do in ("come", "pass"):
        return
    client = here[which % len(here)]
    if do == "drop":
        client.drop()
    elif do == "login":
        client.record(do="login", user=what, password="secret")
    elif do == "end-session":
        client.record(do="end-session", number=what)
    elif do == "delete":
        client.record(do="delete-account", password="secret")
    else:
        client.record(do=do)


def check_counts(world: World) -> None:
    """Assert that the seats taken are as many as the different users who have one."""
    seats, sessions = world.chat.seats, list(world.chat.sessions.values())
    seated = {session.user for session in sessions if session.seated}
    own, shared, standing = seats._own, seats._shared, seats._standing
    assert min(own, shared, standing) >= 0
    assert own + shared == len(seated)
    assert own == len({user for user in seated if user.account is not None and user.account.reserved})
    assert standing == sum(not session.seated for session in sessions)
    assert shared <= world.rules.most_users - seats.reserved
    assert sum(seat.sessions for seat in seats._accounts.values()) == sum(
        session.seated and session.user.account is not None for session in sessions
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTS, min_size=15, max_size=40), st.integers(0, 2))
def test_whatever_happens_in_whatever_order_the_seats_are_counted_right(acts: list[Any], sessions: int) -> None:
    world = four(sessions=sessions, devices=2, throttle=False)
    maker = world.person()
    maker.say("/register dave secret", "/logout")
    world.rules.most_users = 5
    for device in DEVICES:
        act(world, "come", device, 0)
    for each in acts:
        act(world, *each)
        check_counts(world)
        all_is_one(world)
    nobody_is_left(world)
    world.close()


# ---- one session an account --------------------------------------------------------------------------------------


def test_a_second_login_of_the_account_is_refused() -> None:
    world = four()
    one = world.person()
    one.say("/login alice secret")
    two = come(world)
    two.take()
    two.say("/login alice secret")
    assert two.lines()[-2:] == [
        "Error: alice is already logged in.",
        "Type /takeover to end that session and log in here.",
    ]
    assert len(world.chat.users[one.transport.protocol._session.user_id].sessions) == 1
    nobody_is_left(world)
    world.close()


@pytest.mark.parametrize(("sessions", "most"), [(1, 1), (2, 2), (0, 5)])
def test_so_many_sessions_an_account(sessions: int, most: int) -> None:
    world = World(sessions=sessions, throttle=False)
    maker = world.person()
    maker.say("/register alice secret", "/logout")
    people = [world.person() for _ in range(5)]
    for person in people:
        person.say("/login alice secret")
    assert sum("You are logged in as alice." in person.lines() for person in people) == most
    nobody_is_left(world)
    world.close()


def test_the_others_hear_of_the_first_login_and_the_last_logout_alone() -> None:
    world = World(sessions=2)
    bob, one, two = world.person("bob"), world.person(), world.person()
    one.say("/register alice secret")
    two.say("/login alice secret")
    assert bob.lines() == ["alice has entered the chat."]
    one.drop()
    assert bob.lines() == []
    two.say("/logout")
    assert bob.lines() == ["alice has left the chat."]
    nobody_is_left(world)
    world.close()


def test_logins_and_logouts_are_announced_unless_turned_off() -> None:
    world = World(announce=False)
    bob, alice = world.person("bob"), world.person()
    alice.say("/register alice secret", "/logout", "/login alice secret")
    alice.drop()
    assert bob.lines() == []
    world.close()


def ghost(world: World, user: str) -> tuple[Client, str]:
    """Return a program of the account's, and the secret by which it is resumed."""
    bot = world.connect()
    bot.record(do="hello", version=1)
    (secret,) = [r["resume"] for r in bot.records() if r["event"] == "welcome"]
    bot.record(do="login", user=user, password="secret")
    assert bot.records()[0]["name"] == user
    return bot, secret


def test_a_program_that_resumes_replaces_its_own_ghost() -> None:
    world = four()
    old, secret = ghost(world, "alice")
    new = world.connect()
    new.record(do="hello", version=1, resume=secret)
    new.record(do="login", user="alice", password="secret")
    assert not old.open
    assert {"welcome", "account"} <= {r["event"] for r in new.records()}
    assert world.chat.names.get("alice") is new.transport.protocol._session.user
    all_is_one(world)
    nobody_is_left(world)
    world.close()


def test_a_wrong_secret_ends_nobodys_connection() -> None:
    world = four()
    old, secret = ghost(world, "alice")
    new = world.connect()
    new.record(do="hello", version=1, resume=secret + "x")
    new.record(do="login", user="alice", password="secret")
    assert old.open
    assert new.records()[-1]["code"] == "already-logged-in"
    world.close()


def test_a_program_ends_a_ghost_whose_welcome_it_never_had() -> None:
    world = World()
    mine = "a secret of my own"
    lost = world.connect()
    lost.record(do="hello", version=1, name="bot", resume=mine)
    new = world.connect()
    new.record(do="hello", version=1, name="bot", resume=mine)
    (welcome,) = [r for r in new.records() if r["event"] == "welcome"]
    assert welcome["you"] == "bot"
    assert not lost.open
    for secret in (mine, welcome["resume"]):
        new.record(do="hello", version=1, resume=secret, ref=2)  # it is no ghost of itself
        assert new.records()[-1]["event"] == "welcome"
    newest = world.connect()
    newest.record(do="hello", version=1, name="bot", resume=welcome["resume"])
    (again,) = [r for r in newest.records() if r["event"] == "welcome"]
    assert (again["you"], again["resume"]) == ("bot", welcome["resume"]), "both are the same guest's"
    assert not new.open
    nobody_is_left(world)
    world.close()


def test_a_secret_that_could_be_guessed_is_not_taken() -> None:
    world = World()
    old = world.connect()
    old.record(do="hello", version=1, resume="15 characters..")
    (secret,) = [r["resume"] for r in old.records() if r["event"] == "welcome"]
    assert len(secret) >= SHORTEST_SECRET
    world.connect().record(do="hello", version=1, resume="15 characters..")
    assert old.open
    world.close()


def test_a_second_secret_of_a_connection_counts_for_nothing() -> None:
    world = World()
    old = world.connect()
    for secret in ("the first secret of mine", "the second secret of mine"):
        old.record(do="hello", version=1, resume=secret)
    world.connect().record(do="hello", version=1, resume="the second secret of mine")
    assert old.open
    world.connect().record(do="hello", version=1, resume="the first secret of mine")
    assert not old.open
    world.close()


def test_a_program_resumes_its_ghost_when_all_seats_are_taken(full: World) -> None:
    """The ghost's own seat is what it comes for."""
    old, secret = ghost(full, "alice")
    for name in ("bob", "carol"):
        come(full).say(f"/login {name} secret")
    new = full.connect()
    new.record(do="hello", version=1, resume=secret)
    new.record(do="login", user="alice", password="secret")
    events = [json.loads(line)["event"] for line in new.take().decode().splitlines()]
    assert "account" in events
    assert not old.open
    assert counted(full) == (1, 3, 0)
    all_is_one(full)


def test_a_guests_program_resumes_its_ghost_when_the_seats_are_taken() -> None:
    world = World(most_users=1)
    old = world.connect()
    old.record(do="hello", version=1)
    secret = old.records()[0]["resume"]
    new = world.connect()
    new.record(do="hello", version=1, resume=secret)
    new.record(do="join", room="lobby", ref=1)
    assert [r["event"] for r in new.records()][1:] == ["welcome", "entered"]
    assert not old.open
    assert counted(world) == (1, 0, 0)
    all_is_one(world)
    nobody_is_left(world)
    world.close()


def test_who_has_logged_in_stays_however_silent_and_however_long_the_password_took() -> None:
    """Nothing is typed after the login that could make the connection look whether it has a seat by now."""
    passwords = HeldPasswords()
    world = four(passwords=passwords)
    world.person("guest1")
    standing = come(world)
    passwords.holding = True
    standing.say("/login alice secret")
    world.pass_time(1)
    passwords.let_go()
    world.settle()
    assert "You are logged in as alice." in standing.lines()
    world.pass_time(SEAT_WAIT + 1)
    assert standing.open
    nobody_is_left(world)
    world.close()
