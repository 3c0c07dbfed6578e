"""Direct links as the client uses them: who agrees to what, when addresses leave, and what users are told."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from client.direct.two_clients import LOOPBACK, NOW, Pair, Somebody, introduce, sealed
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from chatroom.client.direct.channel import UseRelay
from chatroom.client.direct.direct_links import MOST_PEERS, LinkState
from chatroom.client.direct.offer import ANSWER, ASK, OFFER, REFUSE, LinkPeer

ASKING, ASKED, CONNECTING = LinkState.ASKING, LinkState.ASKED, LinkState.CONNECTING
DIRECT, RELAYED = LinkState.DIRECT, LinkState.RELAYED


async def connected(alice: Somebody, bob: Somebody) -> None:
    """Let Alice ask and Bob agree, and wait for the link."""
    alice.links.ask(bob.peer)
    bob.links.agree(alice.peer)
    await alice.reaches(DIRECT)
    await bob.reaches(DIRECT)


@pytest_twisted.ensureDeferred
async def test_two_clients_connect_and_a_message_goes_each_way(pair: Pair) -> None:
    alice, bob = pair()
    await connected(alice, bob)
    await alice.links.send_envelope(bob.peer, "m1", sealed("sealed"))
    await bob.links.send_envelope(alice.peer, "m2", sealed("also"))
    assert bob.envelopes == [("m1", sealed("sealed"))]
    assert alice.envelopes == [("m2", sealed("also"))]
    assert alice.links.bytes_sent > 0
    assert alice.links.bytes_received > 0
    assert [state for state, why in alice.states] == [ASKING, CONNECTING, DIRECT]
    assert [state for state, why in bob.states] == [ASKED, CONNECTING, DIRECT]
    assert alice.kinds() + bob.kinds() == [ASK, ANSWER, OFFER]


@pytest_twisted.ensureDeferred
async def test_they_connect_on_the_real_reactor_with_its_own_clock(pair: Pair) -> None:
    alice, bob = pair(reactor_=reactor)
    await connected(alice, bob)
    await alice.links.send_envelope(bob.peer, "m1", sealed())


@pytest_twisted.ensureDeferred
async def test_they_connect_over_ipv6(pair: Pair) -> None:
    alice, bob = pair(server="::1", source=lambda towards: "::1")
    await connected(alice, bob)
    assert {host for host, port in alice.clock.dialled + bob.clock.dialled} == {"::1"}


# ---- before both have agreed -----------------------------------------------------------------------------------------


def quiet(who: Somebody) -> bool:
    """Return whether a client has neither dialled, nor listened, nor told an address."""
    said = any("cand" in body or LOOPBACK in str(body) for kind, body in who.sent)
    return not who.clock.dialled and not who.clock.listened and not said


def test_an_ask_holds_no_address_and_nothing_is_dialled_until_the_other_user_agrees(pair: Pair) -> None:
    alice, bob = pair()
    alice.links.ask(bob.peer)
    assert quiet(alice)
    assert quiet(bob)
    assert bob.state is ASKED
    assert alice.sent == [(ASK, {"id": alice.sent[0][1]["id"], "exp": NOW + 120})]
    bob.links.agree(alice.peer)
    assert not quiet(bob)


def test_the_user_can_see_the_addresses_before_anything_is_said(pair: Pair) -> None:
    alice, _ = pair()
    assert alice.links.addresses() == [LOOPBACK]
    assert alice.sent == []
    assert quiet(alice)


def test_an_ask_that_nobody_answers_ends_and_has_told_no_address(pair: Pair) -> None:
    alice, bob = pair()
    alice.links.ask(bob.peer)
    alice.clock.advance(119)
    assert alice.state is ASKING
    alice.clock.advance(1)
    assert alice.states[-1] == (RELAYED, "nobody agreed within 2 minutes")
    assert bob.states[-1] == (RELAYED, "the other user took it back")
    assert quiet(alice)
    assert quiet(bob)


def test_a_refused_ask_has_told_no_address(pair: Pair) -> None:
    alice, bob = pair()
    alice.links.ask(bob.peer)
    bob.links.refuse(alice.peer)
    assert alice.state is bob.state is RELAYED
    assert quiet(alice)
    assert quiet(bob)
    bob.links.agree(alice.peer)  # too late
    assert quiet(bob)


def test_an_ask_can_be_taken_back(pair: Pair) -> None:
    alice, bob = pair()
    alice.links.ask(bob.peer)
    alice.links.close(bob.peer)
    bob.links.agree(alice.peer)
    assert alice.state is bob.state is RELAYED
    assert quiet(bob)


def body(**changes: Any) -> dict[str, Any]:
    """Return the body of an offer."""
    candidate = {"ip": LOOPBACK, "port": 40000}
    return {"id": "0" * 32, "fp": "ab" * 32, "cand": [candidate], "exp": int(NOW) + 30} | changes


@pytest.mark.parametrize("kind", [OFFER, ANSWER, REFUSE])
def test_nothing_is_dialled_or_answered_that_was_not_asked_for(pair: Pair, kind: str) -> None:
    alice, bob = pair()
    alice.links.received(bob.peer, kind, body())
    assert alice.sent == []
    assert alice.states == []
    assert quiet(alice)


@pytest.mark.parametrize(
    "changes", [{"id": "1" * 32}, {"exp": int(NOW) - 301}, {"exp": int(NOW) + 331}, {"cand": [{"ip": "x", "port": 22}]}]
)
def test_an_offer_of_another_attempt_or_expired_or_invalid_is_neither_dialled_nor_answered(
    pair: Pair, changes: Any
) -> None:
    alice, bob = pair()
    alice.cut = True
    alice.links.ask(bob.peer)
    mine = alice.sent[0][1]["id"]
    alice.links.received(bob.peer, OFFER, body(id=mine) | changes)
    assert ANSWER not in alice.kinds()
    assert quiet(alice)
    assert alice.state is (ASKING if changes.get("id") else RELAYED)


def test_an_offer_by_another_device_is_not_for_this_attempt(pair: Pair) -> None:
    alice, bob = pair()
    alice.cut = True
    alice.links.ask(bob.peer)
    alice.links.received(LinkPeer("bob", "OTHER"), OFFER, body(id=alice.sent[0][1]["id"]))
    alice.links.received(LinkPeer("carol", "DEVICEBOB"), OFFER, body(id=alice.sent[0][1]["id"]))
    assert quiet(alice)
    assert alice.state is ASKING


def test_an_ask_that_was_long_in_the_mailbox_is_not_shown(pair: Pair) -> None:
    alice, bob = pair()
    bob.time = NOW + 421
    alice.links.ask(bob.peer)
    assert bob.states == []
    bob.time = NOW + 420
    alice.links.close(bob.peer)
    alice.links.ask(bob.peer)
    assert bob.state is ASKED


@pytest_twisted.ensureDeferred
async def test_clocks_that_differ_by_minutes_do_not_matter(pair: Pair) -> None:
    alice, bob = pair()
    bob.time = NOW - 290
    await connected(alice, bob)


@pytest_twisted.ensureDeferred
async def test_an_answer_of_another_attempt_is_not_dialled(pair: Pair) -> None:
    alice, bob = pair()
    bob.cut = True
    alice.links.ask(bob.peer)
    bob.links.agree(alice.peer)
    bob.links.received(alice.peer, ANSWER, body(id="1" * 32))
    assert bob.clock.dialled == []
    bob.links.received(alice.peer, ANSWER, body(id=bob.sent[0][1]["id"]))
    assert bob.clock.dialled == [(LOOPBACK, 40000)]
    bob.links.received(alice.peer, ANSWER, body(id=bob.sent[0][1]["id"], cand=[{"ip": LOOPBACK, "port": 40001}]))
    assert len(bob.clock.dialled) == 1  # only the first answer counts


def test_a_second_offer_is_not_answered(pair: Pair) -> None:
    alice, bob = pair()
    alice.links.ask(bob.peer)
    bob.links.agree(alice.peer)
    assert alice.kinds() == [ASK, ANSWER]
    alice.links.received(bob.peer, OFFER, body(id=alice.sent[0][1]["id"]))
    assert alice.kinds() == [ASK, ANSWER]


def test_nobody_agrees_to_or_refuses_an_ask_of_their_own(pair: Pair) -> None:
    alice, bob = pair()
    alice.cut = True
    alice.links.ask(bob.peer)
    alice.links.agree(bob.peer)
    alice.links.refuse(bob.peer)
    assert alice.kinds() == [ASK]
    assert alice.state is ASKING
    assert quiet(alice)


def test_an_invalid_answer_ends_the_attempt_at_once(pair: Pair) -> None:
    alice, bob = pair()
    bob.cut = True
    alice.links.ask(bob.peer)
    bob.links.agree(alice.peer)
    bob.links.received(alice.peer, ANSWER, body(id=bob.sent[0][1]["id"], fp="no"))
    assert bob.states[-1] == (RELAYED, "what the other client sent was not valid, or came too late")


# ---- both at once, again, too many -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest_twisted.ensureDeferred
async def test_if_both_ask_at_once_the_ask_of_the_smaller_user_id_stands(pair: Pair, order: str) -> None:
    alice, bob = pair()
    alice.cut = bob.cut = True
    alice.links.ask(bob.peer)
    bob.links.ask(alice.peer)
    for sender in order:  # each ask is on its way when the other one is sent
        if sender == "a":
            bob.links.received(alice.peer, *alice.sent[0])
        else:
            alice.links.received(bob.peer, *bob.sent[0])
    assert bob.kinds() == [ASK, OFFER]
    assert alice.kinds() == [ASK]
    alice.links.received(bob.peer, *bob.sent[1])
    assert alice.kinds() == [ASK, ANSWER]
    assert bob.sent[1][1]["id"] == alice.sent[1][1]["id"] == alice.sent[0][1]["id"]
    bob.links.received(alice.peer, *alice.sent[1])
    await alice.reaches(DIRECT)
    await bob.reaches(DIRECT)
    assert ASKED not in [state for state, why in alice.states + bob.states]


def test_a_second_ask_of_the_same_device_asks_the_user_only_once(pair: Pair) -> None:
    alice, bob = pair()
    bob.cut = True
    alice.links.ask(bob.peer)
    bob.links.received(alice.peer, ASK, {"id": "1" * 32, "exp": int(NOW) + 120})
    assert [state for state, why in bob.states] == [ASKED]
    bob.links.agree(alice.peer)
    assert bob.sent[-1][1]["id"] == "1" * 32


@pytest_twisted.ensureDeferred
async def test_an_ask_over_a_link_that_the_other_client_lost_is_shown(pair: Pair) -> None:
    alice, bob = pair()
    await connected(alice, bob)
    again = Somebody("alice", number=100)
    introduce(again, bob)
    again.links.ask(bob.peer)
    assert bob.states[-2:] == [(RELAYED, "the other client has lost it"), (ASKED, "")]
    bob.links.agree(again.peer)
    await again.reaches(DIRECT)
    again.links.stop()


@pytest_twisted.ensureDeferred
async def test_the_same_ask_again_changes_nothing(pair: Pair) -> None:
    alice, bob = pair()
    await connected(alice, bob)
    bob.links.received(alice.peer, ASK, alice.sent[0][1])
    assert bob.state is DIRECT


def test_asks_of_too_many_devices_are_not_shown(pair: Pair) -> None:
    alice, bob = pair()
    for number in range(MOST_PEERS + 5):
        peer = LinkPeer(f"user{number}", "D")
        bob.links.received(peer, ASK, {"id": f"{number:032x}", "exp": int(NOW) + 120})
    assert len(bob.states) == MOST_PEERS
    bob.links.ask(alice.peer)
    assert bob.states[-1] == (RELAYED, "there are too many direct links")


def test_nobody_asks_oneself(pair: Pair) -> None:
    alice, _ = pair()
    alice.links.ask(alice.peer)
    alice.links.received(alice.peer, ASK, {"id": "1" * 32, "exp": int(NOW) + 120})
    assert alice.sent == []
    assert alice.states == []


# ---- loopback --------------------------------------------------------------------------------------------------------


def test_a_client_of_a_distant_server_neither_names_nor_dials_loopback(pair: Pair) -> None:
    alice, bob = pair(server="8.8.8.8")
    alice.links.ask(bob.peer)
    bob.cut = True
    bob.links.agree(alice.peer)
    assert bob.sent[0][1]["cand"] == []
    assert bob.clock.listened == []
    bob.links.received(alice.peer, ANSWER, body(id=bob.sent[0][1]["id"]))
    assert bob.clock.dialled == []


# ---- the end ---------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_after_five_seconds_without_a_link_messages_go_by_the_server_and_both_users_are_told(pair: Pair) -> None:
    def nowhere(kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"cand": []} if "cand" in body else body

    alice, bob = pair()
    alice.change = bob.change = nowhere
    alice.links.ask(bob.peer)
    bob.links.agree(alice.peer)
    for who in (alice, bob):
        who.clock.advance(4.9)
        assert who.state is CONNECTING
        who.clock.advance(0.1)
        assert who.states[-1] == (RELAYED, "no connection within 5 seconds")
        assert who.clock.getDelayedCalls() == []
        for port in who.clock.ports:
            assert not port.connected or port.disconnecting


@pytest_twisted.ensureDeferred
async def test_an_offer_that_nobody_answers_ends_within_five_seconds(pair: Pair) -> None:
    alice, bob = pair()
    bob.cut = True
    alice.links.ask(bob.peer)
    bob.links.agree(alice.peer)
    bob.clock.advance(5)
    assert bob.state is RELAYED


@pytest_twisted.ensureDeferred
async def test_when_one_side_ends_the_link_the_other_is_told_and_nothing_more_goes_over_it(pair: Pair) -> None:
    alice, bob = pair()
    await connected(alice, bob)
    await alice.links.send_envelope(bob.peer, "m1", sealed())
    alice.links.close(bob.peer)
    assert alice.states[-1] == (RELAYED, "you ended it")
    await bob.reaches(RELAYED)
    assert bob.states[-1] == (RELAYED, "the other side closed it")
    with pytest.raises(UseRelay):
        await bob.links.send_envelope(alice.peer, "m2", sealed())
    with pytest.raises(UseRelay):
        await bob.links.send_chunk(alice.peer, b"x")
    assert bob.links.bytes_received == alice.links.bytes_sent > 0


@pytest_twisted.ensureDeferred
async def test_what_was_not_acknowledged_is_given_back_after_the_state_has_changed(pair: Pair) -> None:
    alice, bob = pair()
    await connected(alice, bob)
    never: Deferred[None] = Deferred()
    bob.handle = lambda key, envelope: never
    given: list[LinkState | None] = []
    sent = alice.links.send_envelope(bob.peer, "m1", sealed())
    sent.addErrback(lambda failure: given.append(alice.state))
    await bob.until(lambda: bool(bob.envelopes))
    alice.clock.advance(5)
    assert given == [RELAYED]
    await bob.reaches(RELAYED)


@pytest_twisted.ensureDeferred
async def test_a_duplicate_over_a_later_link_is_acknowledged_and_dropped(pair: Pair) -> None:
    alice, bob = pair()
    await connected(alice, bob)
    await alice.links.send_envelope(bob.peer, "m1", sealed("x"))
    alice.links.close(bob.peer)
    await bob.reaches(RELAYED)
    await connected(alice, bob)
    await alice.links.send_envelope(bob.peer, "m1", sealed("x"))
    assert bob.envelopes == [("m1", sealed("x"))]
    await alice.links.send_envelope(bob.peer, "m1", sealed("otherBytes"))
    assert len(bob.envelopes) == 2


@pytest_twisted.ensureDeferred
async def test_a_file_of_many_chunks_arrives_whole_and_in_order(pair: Pair) -> None:
    alice, bob = pair()
    await connected(alice, bob)
    chunks = [bytes([number]) * (256 * 1024) for number in range(24)]
    done = [alice.links.send_chunk(bob.peer, chunk) for chunk in chunks]
    for sent in done:
        await sent
    assert bob.chunks == chunks
