"""The client's core by itself: no connection, no clock, no Deferred."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest
from msgspec.structs import replace

from chatroom.client.introduction import Introduction
from chatroom.client.joined_rooms import MOST_ROOMS
from chatroom.client.login import Credentials, LoginState
from chatroom.client.plain_text import lines_of
from chatroom.client.state import ClientState
from chatroom.client.status import Connected, Denied, Gap, Named
from chatroom.model import events as e
from chatroom.model import replies as a

LIMITS = a.Limits(record=1024, text=512, name=32, room=64, rate=2.0)
HERE = a.Entered(room="lobby", room_id="r", topic="", users=["me", "ann"], seq=5, complete=True)


class Core:
    """A core, and what it has kept for the next start."""

    def __init__(self) -> None:
        self.names: list[str] = []
        ids = itertools.count(1)
        self.state = ClientState(
            introduction=Introduction("me", "", self.names.append),
            rooms=["lobby"],
            credentials=Credentials(None, "", None),
            history=None,
            mint=lambda: f"id-{next(ids)}",
            waiting_for=lambda *kinds: False,
        )

    def told(self, event: e.Event, record: dict[str, object] | None = None) -> list[object]:
        return list(self.state.receive(event, record, awaited=record is not None).told)


@pytest.fixture
def core() -> Core:
    """Return a core that has been let in and is in the lobby."""
    core = Core()
    welcome = a.Welcome("chatroom", 1, "me", True, LIMITS, [], "secret", 20)
    assert core.told(welcome, {"do": "hello"}) == [welcome]
    assert core.state.welcomed("plain", again=False) == Connected("chatroom", "me", True, "plain")
    assert core.told(HERE, {"do": "join", **core.state.joined.joins(core.state.history)[0]}) == [HERE]
    core.state.caught_up()
    return core


def said(seq: int, text: str = "hi") -> e.Said:
    return e.Said(f"s{seq}", 1, "ann", "a", room="lobby", seq=seq, text=text)


def test_what_a_new_connection_asks_for_follows_from_what_is_known(core: Core) -> None:
    fresh = Core().state
    assert fresh.joined.joins(fresh.history) == [{"room": "lobby", "messages": 0}]
    assert "resume" not in fresh.introduction.hello("me")
    core.told(said(7))
    assert core.state.joined.joins(core.state.history) == [{"room": "lobby", "after": 7}]
    assert core.state.introduction.hello("")["resume"] == "secret"
    assert "name" not in core.state.introduction.hello("")


def test_an_event_is_told_once(core: Core) -> None:
    assert core.told(said(6)) == [said(6)]
    assert core.told(said(6)) == []


def test_a_gap_is_told_after_the_return_to_the_room(core: Core) -> None:
    record = {"do": "join", **core.state.joined.joins(core.state.history)[0]}
    core.state.disconnected()
    back = a.Entered(room="lobby", room_id="r", topic="", users=["me"], seq=90, complete=True, gone=True)
    assert core.told(back, record) == [back, Gap("lobby")]


def test_what_a_second_cut_takes_on_its_way_is_asked_for_again(core: Core) -> None:
    """We joined a room by a command, and nothing has happened there since; the answer to our return comes alone."""
    den = a.Entered(room="den", room_id="d", topic="", users=["me"], seq=10, complete=True)
    core.told(den, {"do": "join", "room": "den"})
    (record,) = core.state.joined.joins(core.state.history)
    assert record["after"] == 10
    core.state.disconnected()
    core.told(replace(den, seq=20), {"do": "join", **record})
    core.state.disconnected()
    assert core.state.joined.joins(core.state.history) == [record]
    missed = e.Said("s", 1, "ann", "a", room="den", seq=15, text="hi")
    core.told(replace(den, seq=30), {"do": "join", **record})
    assert core.told(missed) == [missed]


def test_a_new_name_is_told_before_the_event_and_kept(core: Core) -> None:
    renamed = e.Renamed("n", 1, "me", "g", room="lobby", seq=6, session="s", name="mine")
    assert core.told(renamed, {"do": "name", "name": "mine"}) == [Named("mine"), renamed]
    assert (core.state.name, core.state.introduction.wanted, core.names) == ("mine", "mine", ["me", "mine"])
    assert core.state.place.users == ["mine", "ann"]


def test_a_login_gives_another_inbox(core: Core) -> None:
    account = a.Account(name="me", guest=False)
    record = {"do": "login", "user": "me", "password": "long enough"}
    assert core.state.receive(account, record, awaited=True).new_inbox
    assert not core.state.receive(account, record, awaited=True).new_inbox
    assert core.state.credentials.login is not None
    assert core.state.credentials.login.password == "long enough"


def test_a_private_message_is_unread_and_may_be_acknowledged(core: Core) -> None:
    private = e.Private("p", 1, "ann", "a", to="me", text="psst", seq=3)
    assert core.state.receive(private, None, awaited=False).seen == 3
    assert core.state.receive(private, None, awaited=False).seen == 3
    assert core.state.unread == 1
    assert core.state.complete("reply", {"text": "yes"}) == {"id": "id-1", "to": "a", "text": "yes"}


def test_ones_own_private_message_from_elsewhere_is_neither_unread_nor_acknowledged(core: Core) -> None:
    """Its seq counts in another log than that of the inbox."""
    core.told(e.Private("p", 1, "ann", "a", to="me", text="psst", seq=3))
    copy = e.Private("q", 2, "me", "m", to="bob", to_id="b", text="hi", seq=70)
    reaction = core.state.receive(copy, None, awaited=False)
    assert [type(told) for told in reaction.told] == [a.OwnPrivate]
    assert lines_of(reaction.answer) == ["To bob (private): hi"]
    assert (reaction.seen, core.state.unread, core.state.inbox.writer) == (0, 1, "a")
    assert [(peer.user, peer.unread) for peer in core.state.inbox.peers.values()] == [("ann", 1), ("bob", 0)]
    to_oneself = e.Private("r", 3, "me", "m", to="me", text="note", seq=4)
    assert core.state.receive(to_oneself, None, awaited=False).seen == 4


def test_an_earlier_session_that_left_the_room_is_not_we(core: Core) -> None:
    """The answer to ``leave`` was lost with the connection; it is among the missed events while we join other rooms."""
    record = {"do": "join", **core.state.joined.joins(core.state.history)[0]}
    core.state.disconnected()
    core.state._waiting_for = lambda *kinds: "join" in kinds
    core.told(replace(HERE, seq=20), record)
    left = e.Left("l", 1, "me", "m", room="lobby", seq=15, session="s")
    assert core.told(left) == [left]
    assert core.state.place.room == "lobby"
    core.told(replace(left, seq=21, id="k"))
    assert core.state.place.room == ""


def test_nobody_is_put_into_a_room_unasked(core: Core) -> None:
    entered = a.Entered(room="trap", room_id="t", topic="", users=["me"], seq=5, complete=True)
    assert core.told(entered) == [entered]
    assert list(core.state.joined.rooms) == ["lobby"]
    assert core.state.place.room == "lobby"


def test_however_many_rooms_the_server_tells_of_few_are_followed(core: Core) -> None:
    core.state.joined.may_stay = True
    for number in range(MOST_ROOMS + 5):
        entered = a.Entered(room=f"r{number}", room_id=f"{number}", topic="", users=["me"], seq=5, complete=True)
        core.told(entered, {"do": "join", "room": f"r{number}", "stay": True})
    assert len(core.state.joined.rooms) == MOST_ROOMS
    assert core.state.place.room == f"r{MOST_ROOMS + 4}"


def test_a_person_with_a_new_name_is_the_same_person(core: Core) -> None:
    for number, name in ((1, "ann"), (2, "anna")):
        core.told(e.Private(f"p{number}", 1, name, "a", to="me", text="psst", seq=number))
    assert [(peer.user, peer.unread, peer.seq) for peer in core.state.inbox.peers.values()] == [("anna", 2, 2)]
    core.told(e.Private("p3", 1, "anna", "another", to="me", text="psst", seq=3))
    assert [(peer.user_id, peer.unread) for peer in core.state.inbox.peers.values()] == [("another", 1)]


def test_a_refusal_is_not_told_but_a_complaint_is_and_explains_the_end(core: Core) -> None:
    assert core.told(a.Error("no-user", "nobody is called that."), {"do": "message"}) == []
    assert core.state.reason("the connection was closed") == "the connection was closed"
    complaint = a.Error("flood", "too fast.")
    assert core.told(complaint) == [complaint]
    assert core.state.reason("the connection was closed") == "the connection was closed: too fast"
    core.state.connected()
    assert core.state.reason("the connection was closed") == "the connection was closed"


def test_a_session_that_was_taken_over_is_ended(core: Core) -> None:
    assert core.state.receive(a.Error("session-taken-over", "..."), None, awaited=False).end


def test_a_removed_device_forgets_its_login(core: Core) -> None:
    """Otherwise whoever has it now only presses Enter."""
    kept: list[tuple[str, str]] = []
    core.state.credentials = Credentials(LoginState("alice", "secret", "token"), "", lambda *them: kept.append(them))
    assert core.state.receive(a.Error("device-removed", "..."), None, awaited=False).end
    assert core.state.credentials.login is None
    assert kept == [("alice", "")]


def test_the_core_loads_nothing_of_twisted() -> None:
    check = "import sys, chatroom.client.state; sys.exit(any(name.startswith('twisted') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_client_goes_on_without_the_room_that_was_refused() -> None:
    state = Core().state
    assert state.inside
    assert state.join_refused("lobby", "banned", "you are banned.") == Denied(
        "room", "lobby", "banned", "you are banned."
    )
    assert not state.inside
    assert state.joined.joins(state.history) == []


@pytest.mark.parametrize(("code", "forgotten"), [("wrong-token", True), ("name-banned", False)])
def test_only_a_worthless_token_is_forgotten_for_good(code: str, forgotten: bool) -> None:
    kept: list[tuple[str, str]] = []
    state = Core().state
    state.credentials = Credentials(LoginState("al", token="t"), "", lambda user, token: kept.append((user, token)))
    assert state.login_refused("al", code, "no.") == Denied("login", "al", code, "no.")
    assert state.credentials.login is None
    assert kept == ([("al", "")] if forgotten else [])
