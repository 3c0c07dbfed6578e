"""A client: what it has on the server it has again after a cut, and what it tells."""

from __future__ import annotations

from typing import Any

import pytest
from client.network import Network, Person
from harness import World
from order import ask, owner

from chatroom.client import pending, reconnecting, resume
from chatroom.client.connection import ServerConnection
from chatroom.client.errors import Failed, Rejected
from chatroom.client.login import LoginState
from chatroom.client.pending import PendingQueue
from chatroom.client.plain_text import lines_of
from chatroom.client.status import Connected, Denied, Ended, Gap, Lost, Named
from chatroom.model import events as e
from chatroom.model import replies as a


@pytest.fixture
def alice(network: Network) -> Person:
    """Alice is in the lobby with the client."""
    return Person(network, name="alice", room="lobby").come()


def cut(network: Network, *, noticed: bool = True) -> None:
    """Cut all lines."""
    for line in network.lines:
        line.end(noticed=noticed)


def register(world: World, name: str = "alice") -> None:
    """Make an account."""
    program = world.program()
    program.record(do="register", user=name, password="secret")
    program.drop()


def test_it_comes_under_its_name_into_its_room(alice: Person) -> None:
    client = alice.client
    assert client.online
    assert (client.name, client.guest, client.server, client.room) == ("alice", True, "chatroom", "lobby")
    assert client.users == ["alice"]
    assert alice.heard(Connected) == [Connected("chatroom", "alice", True, "plain")]
    assert client.lag == 0
    alice.leave()
    assert not client.online


def test_to_ask_who_one_is_does_not_read_like_a_change(alice: Person) -> None:
    assert lines_of(alice.do("account")) == ["You are alice, a guest."]
    (told,) = alice.heard(a.Unchanged)
    assert lines_of(told) == ["You are alice, a guest."]
    alice.leave()


def test_what_is_said_is_acknowledged_by_its_echo(alice: Person) -> None:
    alice.say("hello", "world")
    assert alice.said == []
    alice.network.flow()
    assert alice.said == ["hello", "world"]
    assert alice.texts == ["hello", "world"]
    alice.leave()


def test_what_is_said_without_a_connection_is_said_later(alice: Person, network: Network, world: World) -> None:
    bob = world.person("bob", "lobby")
    cut(network)
    alice.say("hello")
    bob.say("where is alice?")
    network.pass_time(2)
    assert alice.said == ["hello"]
    assert alice.texts == ["where is alice?", "hello"]
    assert alice.heard(Connected)[-1].again
    alice.leave()


def test_what_the_server_repeats_is_told_once(alice: Person) -> None:
    first = alice.do("say", text="hello", id="mine")
    assert alice.do("say", text="hello", id="mine").seq == first.seq
    assert alice.texts == ["hello"]
    alice.leave()


@pytest.mark.parametrize("packets", range(8))
def test_an_edit_is_made_once_wherever_the_line_is_cut(network: Network, world: World, packets: int) -> None:
    bob = world.person("bob", "lobby")
    alice = Person(network, name="alice", room="lobby").come()
    alice.say("one", "two")
    network.flow()
    bob.lines()
    network.cut_after = network.packets + packets
    for text in ("three", "four"):
        alice.client.do("edit", text=text)
    network.pass_time(3)
    assert [line for line in bob.lines() if "corrected" in line] == ["alice corrected: three", "alice corrected: four"]
    network.cut_after = None
    events = alice.do("history", messages=9).events
    assert [event.text for event in events] == ["one", "four"]
    alice.leave()


def test_our_own_coming_is_no_news_at_the_next_return(alice: Person, network: Network) -> None:
    for _ in range(3):
        cut(network)
        network.pass_time(2)
    assert alice.client.room == "lobby"
    assert alice.heard(e.Joined) == []
    alice.leave()


def test_a_ghost_is_replaced_at_once(alice: Person, network: Network, world: World) -> None:
    bob = world.person("bob", "lobby")
    cut(network, noticed=False)
    network.pass_time(2)
    assert alice.client.name == "alice"
    assert bob.lines() == ["alice has disconnected.", "alice has joined the room."]
    assert alice.client.users == ["bob", "alice"]
    alice.leave()


def test_a_ghost_whose_welcome_was_lost_is_replaced_at_once(network: Network, world: World) -> None:
    bob = world.person("bob", "lobby")
    network.noticed = False
    network.cut_after = 1  # after its hello
    alice = Person(network, name="alice", room="lobby").come()
    network.cut_after = network.packets + 1
    network.pass_time(0.5)  # the second comes after a quarter of a second
    assert (network.dialled, network.cut_after, alice.client.name) == (2, None, "")
    network.pass_time(3)
    assert alice.client.name == "alice"
    assert not alice.heard(Connected)[0].again
    bob.say("/who")
    assert bob.lines() == ["alice has joined the room.", "Users online (2):", "  alice  in lobby", "  bob  in lobby"]
    alice.leave()


def test_a_ghost_is_replaced_though_the_welcome_of_the_return_was_lost(
    alice: Person, network: Network, world: World
) -> None:
    network.noticed = False
    cut(network, noticed=False)
    network.cut_after = network.packets + 1
    network.pass_time(3)
    assert (network.cut_after, network.dialled) == (None, 3)
    assert alice.client.name == "alice"
    assert alice.heard(Denied) == []
    alice.leave()


def test_what_was_written_as_an_account_is_not_said_as_a_guest(network: Network, world: World) -> None:
    register(world, "olive")
    bob = world.person("bob", "lobby")
    owner = Person(network, login=("olive", "secret"), room="lobby").come()
    cut(network)
    owner.say("hello")
    owner.client.do("message", user="bob", text="psst").addErrback(
        lambda failure: owner.refused.append(failure.value.code)
    )
    other = world.program()
    other.record(do="login", user="olive", password="secret")
    other.record(do="password", old="secret", new="another")
    other.drop()
    bob.take()
    network.pass_time(5)
    assert [denied.what for denied in owner.heard(Denied)] == ["login"]
    assert (owner.client.guest, owner.refused) == (True, ["not-logged-in", "not-logged-in"])
    assert bob.lines() == [f"{owner.client.name} has joined the room."]
    owner.say("it is me")
    network.flow()
    assert bob.lines() == [f"{owner.client.name}: it is me"]
    owner.leave()


@pytest.mark.parametrize("login", [None, ("olive", "secret")])
def test_the_next_client_ends_the_ghost_of_the_one_before(
    network: Network, world: World, login: tuple[str, str] | None
) -> None:
    register(world, "olive")
    who: dict[str, Any] = {"name": "olive" if login else "alice", "login": login, "room": "lobby"}
    first = Person(network, secret="kept from one to the next", **who).come()
    cut(network, noticed=False)
    first.leave()
    stranger = Person(network, **who).come()
    assert stranger.client.name.startswith("guest-")
    second = Person(network, secret="kept from one to the next", **who).come()
    assert (second.client.name, second.client.guest, second.client.room) == (who["name"], login is None, "lobby")
    for person in (stranger, second):
        person.leave()


def restart(network: Network, world: World) -> World:
    """Put a server in the place of the former, which knows nobody; wait until the clients are there."""
    network.world = World(clock=world.clock, first_id=500)
    cut(network)
    network.pass_time(2)
    return network.world


def test_the_guests_name_of_an_earlier_start_is_taken_back_after_a_restart_of_the_server(
    network: Network, world: World
) -> None:
    kept: list[str] = []
    secret = "kept from one start to the next"
    Person(network, secret=secret, name="edna", room="lobby").come().leave()
    second = Person(network, secret=secret, room="lobby", keep_name=kept.append).come()
    assert (second.client.name, kept[-1]) == ("edna", "edna")
    new = restart(network, world)
    assert second.client.name == "edna"
    second.do("name", name="elsa")
    assert kept[-1] == "elsa"
    second.leave()
    new.end()


def test_a_name_that_the_server_made_up_is_not_wanted(network: Network, world: World) -> None:
    kept: list[str] = []
    guest = Person(network, keep_name=kept.append).come()
    assert guest.client.name.startswith("guest-")
    assert kept == []
    guest.leave()


def test_after_a_logout_no_name_is_wanted(network: Network) -> None:
    kept: list[str] = []
    gus = Person(network, name="gus", keep_name=kept.append).come()
    gus.do("register", user="gus", password="secret")
    gus.do("logout")
    cut(network)
    network.pass_time(2)
    assert gus.heard(Denied) == []
    assert gus.client.name.startswith("guest-")
    assert kept[-1] == ""
    gus.leave()


def test_a_command_fails_while_there_is_no_connection_or_when_it_goes(alice: Person, network: Network) -> None:
    codes: list[str] = []
    alice.client.do("who").addErrback(lambda failure: codes.append(failure.value.code))
    cut(network)
    assert codes == ["lost"]
    with pytest.raises(Rejected, match="no connection") as caught:
        alice.do("who")
    assert caught.value.code == "offline"
    network.pass_time(2)
    assert isinstance(alice.do("who"), a.Users)
    alice.leave()


def test_a_refusal_is_an_exception_and_not_told(alice: Person) -> None:
    with pytest.raises(Rejected, match="no user named zed") as caught:
        alice.do("message", user="zed", text="hi")
    assert caught.value.code == "no-user"
    assert alice.heard(a.Error) == []
    alice.leave()


def test_what_is_too_long_is_refused_here(alice: Person, network: Network) -> None:
    alice.say("é" * 2049)
    alice.client.do("away", text="\x00" * 3000).addErrback(lambda failure: alice.refused.append(failure.value.code))
    assert alice.refused == ["too-long", "too-long"]
    alice.say("\udcff")
    network.flow()
    assert alice.said == ["\udcff"]
    alice.leave()


def test_not_more_waits_than_a_thousand(alice: Person, network: Network) -> None:
    cut(network)
    alice.say(*map(str, range(pending.MOST + 1)))
    assert alice.refused == ["busy"]
    network.pass_time(2)
    assert len(alice.said) == pending.MOST
    alice.leave()


def test_a_name_that_is_taken_is_told_and_another_can_be_taken(network: Network, world: World) -> None:
    world.person("alice")
    person = Person(network, name="alice", room="lobby").come()
    (denied,) = person.heard(Denied)
    assert (denied.what, denied.wanted, denied.code) == ("name", "alice", "name-in-use")
    assert person.client.name.startswith("guest-")
    person.do("name", name="alicia")
    assert person.client.name == "alicia"
    assert person.heard(Named) == [Named("alicia")]
    assert person.client.users == ["alicia"]
    cut(network)
    network.pass_time(2)
    assert person.client.name == "alicia"
    person.leave()


def test_who_logs_in_is_logged_in_again(alice: Person, network: Network, world: World) -> None:
    register(world, "olive")
    alice.do("login", user="olive", password="secret")
    assert (alice.client.name, alice.client.guest) == ("olive", False)
    assert alice.client.users == ["olive"]
    cut(network, noticed=False)
    network.pass_time(2)
    assert (alice.client.name, alice.client.guest, alice.client.room) == ("olive", False, "lobby")
    alice.do("logout")
    assert (alice.client.guest, alice.client.state.credentials.login) == (True, None)
    alice.leave()


def test_an_invitation_to_come_back_hides_nothing_of_what_was_said_there(network: Network, world: World) -> None:
    """Its seq is greater than those of what was said before it, but of another log."""
    register(world)
    bob = world.program("bob", "lobby")
    alice = Person(network, login=("alice", "secret"), room="lobby").come()
    cut(network)
    bob.record(do="say", text="before it")
    bob.record(do="invite", user="alice")
    bob.record(do="say", text="after it")
    network.pass_time(2)
    assert alice.texts == ["before it", "after it"]
    assert [event.to for event in alice.heard(e.Invited)] == ["alice", ""]
    alice.leave()


def test_what_is_said_on_the_way_to_a_room_is_not_said_in_the_one_before(alice: Person, network: Network) -> None:
    bob = network.world.person("bob", "lobby")
    alice.say("for the lobby")
    alice.client.do("join", room="den").addErrback(lambda failure: alice.refused.append(failure.value.code))
    alice.say("for the den")
    cut(network)
    alice.say("for the lobby, too")
    network.pass_time(2)
    assert alice.refused == ["lost", "lost"]
    assert alice.said == ["for the lobby", "for the lobby, too"]
    assert [line for line in bob.lines() if line.startswith("alice: ")] == [f"alice: {text}" for text in alice.said]
    alice.leave()


def test_what_is_said_while_one_comes_back_is_kept_over_another_cut() -> None:
    """It is for the room where one is, and not on one's way to it."""
    waiting = PendingQueue()
    back = waiting.add("join", {"room": "lobby"}, first=True)
    said = waiting.add("say", {"text": "here", "id": "1"})
    lost: list[Any] = []
    back.answer.addErrback(lost.append)
    waiting.lost()
    assert len(lost) == 1
    assert waiting.unsent() == [said]


def test_a_reply_goes_to_who_had_written_when_it_was_given(network: Network, world: World) -> None:
    bob, carol = world.person("bob"), world.person("carol")
    alice = Person(network, name="alice").come()
    bob.say("/msg alice one")
    network.flow()
    cut(network)
    carol.say("/msg alice two")
    alice.client.do("reply", text="to bob")
    network.pass_time(2)
    assert [event.text for event in alice.heard(e.Private)] == ["one", "two"]
    assert bob.lines()[-1] == "alice (private): to bob"
    alice.do("reply", text="to carol")
    assert carol.lines()[-1] == "alice (private): to carol"
    assert bob.lines() == []
    alice.leave()


def test_a_changed_password_is_the_one_for_the_return(network: Network, world: World) -> None:
    register(world)
    alice = Person(network, login=("alice", "secret")).come()
    alice.do("password", old="secret", new="another")
    cut(network)
    network.pass_time(2)
    assert not alice.client.guest
    alice.leave()


def test_a_token_is_used_and_the_password_when_it_is_worth_nothing_any_more(network: Network, world: World) -> None:
    register(world)
    alice = Person(network, login=LoginState("alice", "secret", remember=True, client="test")).come()
    assert alice.client.state.credentials.login is not None
    token = alice.client.state.credentials.login.token
    assert token
    alice.leave()
    again = Person(network, login=LoginState("alice", token=token)).come()
    assert not again.client.guest
    again.leave()
    third = Person(network, login=LoginState("alice", "secret", "worthless")).come()
    assert not third.client.guest
    third.leave()
    fourth = Person(network, login=LoginState("alice", token="worthless")).come()
    assert fourth.heard(Denied)[0].code == "wrong-token"
    assert fourth.client.state.credentials.login is None
    fourth.leave()


@pytest.mark.parametrize("do", ["login", "register"])
def test_logins_are_remembered_until_one_logs_out(network: Network, world: World, do: str) -> None:
    if do == "login":
        register(world)
    kept: list[tuple[str, str]] = []
    alice = Person(network, client="here", keep=lambda user, token: kept.append((user, token))).come()
    alice.do(do, user="alice", password="secret")
    assert [user for user, _ in kept] == ["alice"]
    assert [line.client for line in alice.do("sessions").sessions] == ["here"]
    cut(network)
    network.pass_time(2)
    assert not alice.client.guest
    assert len(kept) == 1
    alice.do("logout")
    assert kept[1:] == [("alice", "")]
    alice.leave()


def test_a_login_that_is_refused_for_now_is_still_remembered(network: Network, world: World) -> None:
    register(world)
    alice = Person(network, login=LoginState("alice", "secret", remember=True, client="test")).come()
    assert alice.client.state.credentials.login is not None
    kept: list[tuple[str, str]] = []
    login = LoginState("alice", token=alice.client.state.credentials.login.token)
    again = Person(network, login=login, keep=lambda user, token: kept.append((user, token))).come()
    assert again.heard(Denied)[0].code == "already-logged-in"
    assert (again.client.state.credentials.login, kept) == (None, [])
    again.leave()
    alice.leave()


def test_a_session_elsewhere_is_taken_over_and_its_client_does_not_come_back(network: Network, world: World) -> None:
    register(world)
    there = Person(network, login=LoginState("alice", "secret", remember=True, client="there")).come()
    kept: list[tuple[str, str]] = []
    here = Person(network, client="here", keep=lambda user, token: kept.append((user, token))).come()
    with pytest.raises(Rejected) as raised:
        here.do("login", user="alice", password="secret")
    assert raised.value.code == "already-logged-in"
    answer = here.do("takeover")
    assert (answer.name, here.client.guest) == ("alice", False)
    network.pass_time(120)
    assert there.heard(Ended)[0].why == "you go on there; start the client again to come back here"
    assert not there.heard(Ended)[0].retry
    assert not there.client.try_now()
    assert [event.text for event in there.heard(a.Error)] == ["alice has logged in elsewhere and ended this session."]
    cut(network)
    network.pass_time(2)
    assert not here.client.guest, "it logs in again by itself"
    assert kept == [("alice", answer.token)]
    there.leave()
    here.leave()


def test_when_the_password_is_changed_elsewhere_one_is_told_and_goes_on_as_a_guest() -> None:
    world = World(sessions=0)
    network = Network(world)
    register(world)
    kept: list[tuple[str, str]] = []
    there = Person(network, room="lobby", client="there", keep=lambda *it: kept.append(it)).come()
    there.do("login", user="alice", password="secret")
    other = world.program()
    other.record(do="login", user="alice", password="secret")
    other.record(do="password", old="secret", new="better-secret")
    network.pass_time(5)
    assert there.heard(a.Error)[0].text == "the password of alice was changed; log in again with the new one."
    assert [denied.code for denied in there.heard(Denied)] == ["wrong-password"]
    assert there.client.guest
    assert there.client.room == "lobby"
    assert kept[-1] == ("alice", ""), "the token is worth nothing, and kept no more"
    there.do("login", user="alice", password="better-secret")
    assert there.client.name == "alice"
    there.leave()
    world.close()


def test_a_remembered_login_may_take_over_too(network: Network, world: World) -> None:
    register(world)
    there = Person(network, login=LoginState("alice", "secret", remember=True, client="there")).come()
    login = there.client.state.credentials.login
    assert login is not None
    kept: list[tuple[str, str]] = []
    again = Person(network, login=LoginState("alice", token=login.token), keep=lambda *it: kept.append(it)).come()
    assert again.heard(Denied)[0].code == "already-logged-in"
    again.do("takeover")
    cut(network)
    network.pass_time(2)
    assert again.client.name == "alice"
    again.do("logout")
    assert kept == [("alice", "")]
    there.leave()
    again.leave()


def test_a_login_never_shows_itself() -> None:
    assert "secret" not in repr(LoginState("alice", "secret", "secret"))


def test_a_gap_is_told_before_what_comes_after_it(network: Network, world: World) -> None:
    alice = Person(network, name="alice", room="lobby").come()
    bob = world.person("bob", "lobby")
    cut(network)
    bob.say("before")
    world.engine.expire(bob.transport.protocol._session.room.log, 1 << 60, 0)
    bob.say("after")
    network.pass_time(2)
    assert alice.heard(Gap) == [Gap("lobby")]
    assert alice.told.index(Gap("lobby")) < alice.told.index(alice.heard(e.Said)[0])
    assert alice.texts == ["after"]
    alice.leave()


def test_a_room_that_is_not_the_same_any_more_is_a_gap(network: Network, world: World) -> None:
    owner = world.person("bob", "lobby")
    alice = Person(network, name="alice", room="lobby").come()
    cut(network)
    owner.say("/close")
    owner.say("/join lobby", "new")
    network.pass_time(2)
    assert alice.heard(Gap) == [Gap("lobby")]
    owner.say("newer")
    network.flow()
    assert alice.texts[-1] == "newer"
    alice.leave()


def test_who_is_put_out_does_not_go_back(network: Network, world: World) -> None:
    bob = world.person("bob", "lobby")
    alice = Person(network, name="alice", room="lobby").come()
    bob.say("/kick alice")
    network.flow()
    assert (alice.client.room, alice.client.users) == ("", [])
    cut(network)
    network.pass_time(2)
    assert alice.client.room == ""
    alice.leave()


def test_a_ban_met_on_the_return_is_told(network: Network, world: World) -> None:
    bob = world.person("bob", "lobby")
    alice = Person(network, name="alice", room="lobby").come()
    bob.say("/lock")
    cut(network)
    network.pass_time(2)
    assert [(denied.what, denied.code) for denied in alice.heard(Denied)] == [("room", "locked")]
    assert alice.client.online
    alice.leave()


def test_who_is_there_is_followed(alice: Person, network: Network, world: World) -> None:
    bob = world.person("bob", "lobby")
    network.flow()
    assert alice.client.users == ["alice", "bob"]
    bob.say("/name robert")
    network.flow()
    assert alice.client.users == ["alice", "robert"]
    bob.say("/leave")
    network.flow()
    assert alice.client.users == ["alice"]
    alice.do("leave")
    assert alice.client.room == ""
    alice.leave()


# ---- silence, and waits --------------------------------------------------------------------------------------------


def test_a_silent_server_is_asked_and_then_given_up(alice: Person, network: Network) -> None:
    line = network.lines[0]
    line.server.transport.pauseProducing()  # it takes nothing, and says nothing
    network.pass_time(89)
    assert alice.client.online
    network.pass_time(2)
    (lost,) = alice.heard(Lost)
    assert lost.why == "nothing was heard from the server for 90 seconds"
    network.pass_time(2)
    assert alice.client.online
    alice.leave()


def test_a_server_that_answers_is_not_given_up(alice: Person, network: Network) -> None:
    network.pass_time(300, step=5)
    assert alice.heard(Lost) == []
    assert len(network.lines) == 1
    alice.leave()


def test_the_lag_is_the_time_to_an_answer(alice: Person, network: Network) -> None:
    alice.say("hello")
    network.world.clock.advance(1.5)
    network.flow()
    assert alice.client.lag == 1.5
    alice.leave()


def test_the_waits_grow_up_to_a_minute(network: Network) -> None:
    network.refusing = Failed("nobody there")
    alice = Person(network, name="alice", room="lobby").come()
    for _ in range(10):
        network.pass_time(61)
    waits = [lost.seconds_until_retry for lost in alice.heard(Lost)]
    assert waits[:3] == [0.25, 0.5, 1.0]  # half of it is chance, which is 0 here
    assert max(waits) == reconnecting.LONGEST_WAIT / 2
    network.refusing = None
    network.pass_time(31)
    assert alice.client.online
    cut(network)
    assert alice.heard(Lost)[-1].seconds_until_retry == 0.25
    alice.leave()


def test_the_next_attempt_is_counted_down_to_and_can_be_made_now(alice: Person, network: Network) -> None:
    client = alice.client
    assert client.retry_in is None
    assert not client.try_now()
    network.refusing = Failed("nobody there")
    for _ in range(6):
        cut(network)
        network.pass_time(client.retry_in or 0.0)
    wait = alice.heard(Lost)[-1].seconds_until_retry
    assert client.retry_in == pytest.approx(wait)
    network.pass_time(3)
    assert client.retry_in == pytest.approx(wait - 3)
    dialled = network.dialled
    assert client.try_now()
    assert network.dialled == dialled + 1
    assert client.retry_in == pytest.approx(alice.heard(Lost)[-1].seconds_until_retry)
    assert client.retry_in > wait - 3
    network.refusing = None
    assert client.try_now()
    network.flow()
    assert client.online
    assert client.retry_in is None
    network.pass_time(60)
    assert network.dialled == dialled + 2, "what was awaited before does not happen as well"
    alice.leave()


def test_what_is_hopeless_is_not_tried_again(network: Network) -> None:
    network.refusing = Failed("it has another key", hopeless=True)
    alice = Person(network, name="alice", room="lobby")
    alice.say("hello")
    alice.come()
    network.pass_time(200, step=20)
    assert alice.told == [Ended("it has another key")]
    assert alice.refused == ["ended"]
    alice.say("nobody will ever say this")
    assert alice.refused == ["ended", "ended"]
    assert network.dialled == 1
    alice.leave()


def test_what_is_hopeless_is_tried_again_on_the_users_word(network: Network) -> None:
    network.refusing = Failed("it has another key", hopeless=True)
    alice = Person(network, name="alice", room="lobby").come()
    assert (alice.client.may_retry, alice.client.try_now()) == (True, True)
    assert (network.dialled, alice.told) == (2, [Ended("it has another key"), Ended("it has another key")])
    network.refusing = None
    assert alice.client.try_now()
    network.flow()
    assert (alice.client.over, alice.client.room) == (None, "lobby")
    alice.say("hello")
    network.flow()
    assert (alice.said, alice.client.try_now()) == (["hello"], False)
    alice.leave()


@pytest.mark.parametrize("do", ["kick", "ban"])
def test_a_user_who_was_removed_stays_out_until_trying_again(network: Network, world: World, do: str) -> None:
    oscar = owner(world, "oscar", operator=True)
    alice = Person(network, name="alice", room="lobby").come()
    assert ask(oscar, do, user="alice", everywhere=True) == "ok"
    network.pass_time(200, step=20)
    assert [event.text for event in alice.heard(a.Error)] == ["you were removed from this server by oscar."]
    assert alice.told[-1] == Ended("you were removed, so this client does not connect again by itself")
    assert (network.dialled, alice.client.online) == (1, False)
    assert alice.client.try_now()
    network.flow()
    if do == "kick":
        assert (alice.client.online, alice.client.room) == (True, "lobby")
    else:
        assert alice.told[-1] == Ended("you are banned from this server")
        assert alice.client.may_retry
    alice.leave()


def test_who_is_let_in_for_a_moment_waits_ever_longer(network: Network, world: World) -> None:
    world.chat.rules.most_users = 1
    world.person("bob")
    alice = Person(network, name="alice", room="lobby").come()
    network.pass_time(20, step=0.5)
    losses = alice.heard(Lost)
    assert len(losses) >= 3
    assert "the chat is full" in losses[0].why
    assert losses[1].seconds_until_retry < losses[2].seconds_until_retry
    alice.leave()


def test_a_server_that_never_answers_is_said_to_be_none(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = Person(network, name="alice")
    monkeypatch.setattr(ServerConnection, "lineReceived", lambda self, line: None)
    alice.come()
    network.pass_time(resume.WELCOME_WITHIN + 1)
    assert alice.heard(Lost)[0].why == "the server does not answer as a chatroom server does"
    alice.leave()


# ---- private messages ----------------------------------------------------------------------------------------------


def test_private_messages_are_counted_and_acknowledged_together(network: Network, world: World) -> None:
    register(world)
    alice = Person(network, login=("alice", "secret")).come()
    world.person("bob").say("/msg alice one", "/msg alice two")
    network.flow()
    assert alice.client.unread == 2
    sent: list[dict[str, Any]] = []
    connection = network.lines[0].client
    send = connection.send
    connection.send = lambda record, data=b"": (sent.append(record), send(record))[1]  # type: ignore[method-assign]
    network.pass_time(1)
    seqs = [event.seq for event in alice.heard(e.Private)]
    assert sent == [{"do": "ack", "seq": max(seqs)}]
    alice.leave()


@pytest.mark.parametrize("wait", [0, 1], ids=["before it is acknowledged", "after"])
def test_an_invitation_is_told_once_over_reconnections(network: Network, world: World, wait: float) -> None:
    alice = Person(network, name="alice", room="lobby").come()
    bob = world.person("bob", "den")
    bob.say("/invite alice")
    network.pass_time(wait)
    for _ in range(2):
        cut(network)
        network.pass_time(2)
    assert [event.room for event in alice.heard(e.Invited)] == ["den"]
    alice.leave()


def test_stopping_waits_for_what_was_said(network: Network, world: World) -> None:
    bob = world.person("bob", "lobby")
    alice = Person(network, name="alice", room="lobby").come()
    bob.lines()
    alice.say("the last word")
    alice.leave()
    assert alice.said == ["the last word"]
    assert bob.lines() == ["alice: the last word", "alice has disconnected."]


def test_stopping_gives_up_after_a_while(alice: Person, network: Network) -> None:
    network.refusing = Failed("nobody there")
    cut(network)
    alice.say("hello")
    alice.leave()
    assert alice.refused == ["not-confirmed"]
