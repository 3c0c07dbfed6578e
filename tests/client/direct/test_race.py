"""The race on real sockets: only the right client wins, within five seconds, and strangers cannot do harm."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import pytest_twisted
from client.direct.strangers import PROPER, AnyTLS, Listening, Race_, Racing, Stranger, call
from client.direct.two_clients import LOOPBACK, NOW
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.error import ConnectError
from twisted.internet.task import deferLater

from chatroom.client.direct.candidates import Candidate
from chatroom.client.direct.certificate import new_certificate
from chatroom.client.direct.race import AGAIN, MOST_CALLERS, MOST_LINKS

STRANGER = new_certificate(NOW)
WRONG = {
    "a stranger's certificate": AnyTLS(STRANGER),
    "no certificate": AnyTLS(None),
    "TLS 1.2": AnyTLS(newest=SSL.TLS1_2_VERSION),
    "no protocol": AnyTLS(alpn=b""),
    "another protocol": AnyTLS(alpn=b"h2"),
}
WRONG_SERVERS = [name for name in WRONG if name != "no certificate"]  # TLS cannot listen without


def at(port: int) -> tuple[Candidate, ...]:
    """Return the candidates of somebody who listens on this machine."""
    return (Candidate(ip=LOOPBACK, port=port),)


async def gone(stranger: Stranger) -> None:
    """Wait until a connection has ended."""
    await stranger.until(lambda: stranger.lost)


# ---- who wins --------------------------------------------------------------------------------------------------------


def races(one: dict[str, Any], other: dict[str, Any], racing: Race_) -> tuple[Racing, Racing]:
    """Return two races against each other; neither knows the other yet."""
    return racing(offered=True, meets=False, **one), racing(offered=False, meets=False, **other)


def same(one: Racing, other: Racing) -> bool:
    """Return whether both have the same connection."""
    mine, theirs = one.won[0].transport, other.won[0].transport
    return bool(mine.getHost() == theirs.getPeer() and mine.getPeer() == theirs.getHost())


@pytest.mark.parametrize("only", ["", "offerer", "answerer"])
@pytest_twisted.ensureDeferred
async def test_both_get_the_same_connection_whoever_can_be_dialled(racing: Race_, only: str) -> None:
    one, other = races({}, {}, racing)
    one.race.meet(other.certificate.pin, () if only == "offerer" else at(other.port))
    other.race.meet(one.certificate.pin, () if only == "answerer" else at(one.port))
    await one.until(lambda: bool(one.won))
    await other.until(lambda: bool(other.won))
    assert same(one, other)
    assert len(one.won) == len(other.won) == 1
    assert one.won[0].transport._tlsConnection.get_protocol_version_name() == "TLSv1.3"


@pytest_twisted.ensureDeferred
async def test_twenty_races_in_which_both_dial_agree_each_time(racing: Race_) -> None:
    for _ in range(20):
        one, other = races({}, {}, racing)
        one.race.meet(other.certificate.pin, at(other.port) * 8)
        other.race.meet(one.certificate.pin, at(one.port))
        await one.until(lambda one=one: bool(one.won))  # type: ignore[misc]
        await other.until(lambda other=other: bool(other.won))  # type: ignore[misc]
        assert same(one, other)


@pytest_twisted.ensureDeferred
async def test_who_dials_before_the_other_side_knows_its_certificate_dials_again(racing: Race_) -> None:
    one, other = races({}, {}, racing)
    other.race.meet(one.certificate.pin, at(one.port))
    await other.until(lambda: bool(other.clock.dialled))
    while not any(abs(later.getTime() - AGAIN) < 0.01 for later in other.clock.getDelayedCalls()):
        await turn()
    one.race.meet(other.certificate.pin, ())
    other.clock.advance(AGAIN)
    await other.until(lambda: bool(other.won))
    assert len(other.clock.dialled) == 2
    assert same(one, other)


async def turn() -> None:
    """Let the reactor turn once."""
    await deferLater(reactor, 0)  # type: ignore[arg-type]


# ---- whom we listen to -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", WRONG)
@pytest_twisted.ensureDeferred
async def test_a_caller_with_anything_wrong_is_cut_off_and_hears_nothing(racing: Race_, what: str) -> None:
    it = racing()
    stranger = await call(it.port, WRONG[what], b"ready\n")
    await gone(stranger)
    assert stranger.got == b""
    assert not it.won


@pytest.mark.parametrize(
    ("what", "alert"), [("TLS 1.2", "protocol version"), ("no certificate", "certificate required")]
)
@pytest_twisted.ensureDeferred
async def test_the_handshake_itself_fails(racing: Race_, what: str, alert: str) -> None:
    it = racing()
    stranger = await call(it.port, WRONG[what], b"ready\n")
    await gone(stranger)
    assert alert in str(stranger.why.value)


def test_only_one_link_can_be_the_winner(racing: Race_) -> None:
    it = racing()
    one, other = it.race.new_link(set()), it.race.new_link(set())
    assert it.race.claim(one)
    assert not it.race.claim(other)
    assert not it.race.claim(one)


@pytest_twisted.ensureDeferred
async def test_the_proper_caller_wins(racing: Race_) -> None:
    it = racing()
    peer = await call(it.port, AnyTLS(), b"ready\n")
    await it.until(lambda: bool(it.won))
    await peer.until(lambda: peer.got == b"ready\ngo\n")


@pytest_twisted.ensureDeferred
async def test_a_caller_is_hung_up_on_before_its_certificate_is_known_and_after_the_race(racing: Race_) -> None:
    it = racing(meets=False)
    await gone(await call(it.port, AnyTLS(), b"ready\n"))
    it.race.meet(PROPER.pin, ())
    await call(it.port, AnyTLS(), b"ready\n")
    await it.until(lambda: bool(it.won))
    with suppress(ConnectError):  # refused, or hung up on
        await gone(await call(it.port, AnyTLS(), b"ready\n"))
    assert len(it.won) == 1


@pytest_twisted.ensureDeferred
async def test_of_two_connections_one_hears_go_and_the_other_nevermind(racing: Race_) -> None:
    it = racing()
    slow = await call(it.port, AnyTLS())
    await slow.until(lambda: slow.got == b"ready\n")
    quick = await call(it.port, AnyTLS(), b"ready\n")
    await quick.until(lambda: quick.got == b"ready\ngo\n")
    await gone(slow)
    assert slow.got == b"ready\nnevermind\n"


@pytest_twisted.ensureDeferred
async def test_without_an_offer_of_ours_we_never_say_go_and_only_one_go_counts(racing: Race_) -> None:
    it = racing(offered=False)
    one = await call(it.port, AnyTLS(), b"ready\n")
    await one.until(lambda: one.got == b"ready\n")
    other = await call(it.port, AnyTLS(), b"ready\n")
    await other.until(lambda: other.got == b"ready\n")
    assert not it.won
    one.transport.write(b"go\n")
    other.transport.write(b"go\n")
    await it.until(lambda: bool(it.won))
    await (other if it.won[0].transport.getPeer() == one.transport.getHost() else one).until(
        lambda: one.lost or other.lost
    )
    assert len(it.won) == 1
    assert it.race.over


@pytest.mark.parametrize("first", [b"nevermind\n", b"go\n", b"readygo\n", b"x" * 64, b"\0" * 1000])
@pytest_twisted.ensureDeferred
async def test_the_proper_certificate_with_other_words_does_not_win(racing: Race_, first: bytes) -> None:
    it = racing()
    await gone(await call(it.port, AnyTLS(), first))
    assert not it.won


@pytest.mark.parametrize("word", [b"nevermind\n", b"ready\n", b"y" * 64])
@pytest_twisted.ensureDeferred
async def test_only_go_opens_a_link_of_the_answerer(racing: Race_, word: bytes) -> None:
    it = racing(offered=False)
    await gone(await call(it.port, AnyTLS(), b"ready\n" + word))
    assert not it.won


# ---- noise and silence -----------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_noise_is_cut_off(racing: Race_) -> None:
    it = racing()
    await gone(await call(it.port, None, b"GET / HTTP/1.0\r\n\r\n"))
    assert not it.won


@pytest_twisted.ensureDeferred
async def test_a_handshake_without_end_is_cut_off_after_a_few_bytes(racing: Race_) -> None:
    it = racing()
    hello = b"\x01\x01\xff\xff" + b"\0" * 8188  # a ClientHello of 128 KiB, in records of 8 KiB
    record = b"\x16\x03\x01\x20\x00"
    stranger = await call(it.port, None, record + hello)
    for _ in range(2):
        stranger.transport.write(record + b"\0" * 8192)
    await gone(stranger)
    assert not it.won


@pytest.mark.parametrize("tls", [None, AnyTLS()], ids=["before the handshake", "after the handshake"])
@pytest_twisted.ensureDeferred
async def test_who_is_silent_is_cut_off_after_three_seconds(racing: Race_, tls: AnyTLS | None) -> None:
    it = racing()
    silent = await call(it.port, tls)
    if tls is None:
        while not it.race._links:
            await turn()
    else:
        await silent.until(lambda: silent.got == b"ready\n")
    it.clock.advance(2.9)
    assert not any(link.ended for link in it.race._links)
    it.clock.advance(0.1)
    await gone(silent)
    assert not it.race._links


@pytest_twisted.ensureDeferred
async def test_silent_callers_take_only_some_of_the_places(racing: Race_) -> None:
    quiet = Listening()
    await quiet.begin()
    it = racing(meets=False)
    it.race.meet(PROPER.pin, at(quiet.port))
    silent = [await call(it.port) for _ in range(MOST_CALLERS)]
    while len(it.race._callers) < MOST_CALLERS:
        await turn()
    await gone(await call(it.port))
    await quiet.until(lambda: bool(quiet.called))  # we still dial
    assert not any(stranger.lost for stranger in silent)
    it.clock.advance(3)
    for stranger in silent:
        await gone(stranger)
    await call(it.port, AnyTLS(), b"ready\n")
    await it.until(lambda: bool(it.won))
    quiet.end()


@pytest_twisted.ensureDeferred
async def test_there_are_at_most_eight_connections_while_racing(racing: Race_) -> None:
    quiet = [Listening() for _ in range(8)]
    for listening in quiet:
        await listening.begin()
    it = racing(meets=False)
    it.race.meet(PROPER.pin, [Candidate(ip=LOOPBACK, port=listening.port) for listening in quiet])
    for _ in range(MOST_CALLERS):
        await call(it.port)
    for listening in quiet:
        await listening.until(lambda listening=listening: bool(listening.called))  # type: ignore[misc]
    for _ in range(50):
        await turn()
        assert len([link for link in it.race._links if not link.ended]) <= MOST_LINKS
    for listening in quiet:
        listening.end()


@pytest_twisted.ensureDeferred
async def test_a_ninth_connection_that_was_on_its_way_already_is_ended(racing: Race_) -> None:
    quiet = [Listening() for _ in range(MOST_LINKS)]
    for listening in quiet:
        await listening.begin()
    it = racing(meets=False)
    under_way = it.clock.hold_dials()
    it.race.meet(PROPER.pin, [Candidate(ip=LOOPBACK, port=listening.port) for listening in quiet])
    assert len(under_way) == MOST_LINKS
    callers = [await call(it.port) for _ in range(MOST_CALLERS)]
    while len(it.race._callers) < MOST_CALLERS:
        await turn()
    for go_on in under_way:
        go_on()
    for listening in quiet:
        await listening.until(lambda listening=listening: bool(listening.called))  # type: ignore[misc]
    while any(dial._dialling is not None for dial in it.race._dials):
        await turn()
    assert len([link for link in it.race._links if not link.ended]) == MOST_LINKS
    too_many = [link for link in it.race._links if link.ended]
    assert {link.why for link in too_many} == {"there are too many connections"}
    assert not any(caller.lost for caller in callers)
    for listening in quiet:
        listening.end()


# ---- whom we dial ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", WRONG_SERVERS)
@pytest_twisted.ensureDeferred
async def test_dialling_something_wrong_tells_it_nothing(racing: Race_, what: str) -> None:
    wrong = Listening(WRONG[what], b"ready\ngo\n")
    await wrong.begin()
    it = racing(offered=False, candidates=at(wrong.port))
    await wrong.until(lambda: bool(wrong.called))
    await gone(wrong.called[0])
    assert wrong.called[0].got == b""
    assert not it.won
    wrong.end()


@pytest_twisted.ensureDeferred
async def test_an_address_with_another_certificate_is_not_dialled_again(racing: Race_) -> None:
    wrong = Listening(AnyTLS(STRANGER))
    await wrong.begin()
    it = racing(candidates=at(wrong.port))
    await wrong.until(lambda: bool(wrong.called))
    await gone(wrong.called[0])
    while it.race._links:
        await turn()
    it.clock.advance(AGAIN)
    assert len(it.clock.dialled) == 1
    wrong.end()


@pytest_twisted.ensureDeferred
async def test_an_address_at_which_nobody_listens_is_dialled_every_third_of_a_second_until_the_end(
    racing: Race_,
) -> None:
    free = Listening()
    await free.begin()
    free.end()
    it = racing(candidates=at(free.port))
    for number in range(1, 4):
        while len(it.clock.getDelayedCalls()) < 2:
            await turn()
        assert len(it.clock.dialled) == number
        it.clock.advance(AGAIN)
    it.race.stop()
    it.clock.advance(AGAIN)
    assert len(it.clock.dialled) == 4
    assert it.clock.getDelayedCalls() == []


@pytest_twisted.ensureDeferred
async def test_when_the_race_ends_nothing_is_left_that_would_dial_later(racing: Race_) -> None:
    free = Listening()
    await free.begin()
    free.end()
    it = racing(candidates=at(free.port))
    while len(it.clock.getDelayedCalls()) < 2:
        await turn()
    it.race.stop()
    assert it.clock.getDelayedCalls() == []


def test_after_the_end_of_the_race_nobody_is_dialled(racing: Race_) -> None:
    it = racing(meets=False)
    it.race.stop()
    it.race.meet(PROPER.pin, at(40000))
    assert it.clock.dialled == []


def test_addresses_that_are_not_allowed_are_not_dialled(racing: Race_) -> None:
    it = racing(
        candidates=(Candidate(ip="localhost", port=40000), Candidate(ip=LOOPBACK, port=22), Candidate(ip="::", port=1))
    )
    assert it.clock.dialled == []


# ---- the deadline ----------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_after_five_seconds_all_is_closed(racing: Race_) -> None:
    quiet = Listening()
    await quiet.begin()
    it = racing(candidates=at(quiet.port))
    await quiet.until(lambda: bool(quiet.called))
    caller = await call(it.port)
    it.clock.advance(2.5)
    it.clock.advance(2.5)
    assert it.failed == ["no connection within 5 seconds"]
    assert it.race.over
    await gone(caller)
    await gone(quiet.called[0])
    it.clock.advance(10)
    assert it.clock.getDelayedCalls() == []
    assert len(it.failed) == 1
    quiet.end()


@pytest_twisted.ensureDeferred
async def test_the_winner_outlives_the_deadline(racing: Race_) -> None:
    it = racing()
    peer = await call(it.port, AnyTLS(), b"ready\n")
    await it.until(lambda: bool(it.won))
    it.clock.advance(60)
    assert not it.won[0].ended
    assert not peer.lost
    assert it.failed == []


def test_an_address_that_has_gone_is_left_out(racing: Race_) -> None:
    it = racing()
    assert it.race.listen(["203.0.113.77"]) == at(it.port)


def test_each_attempt_has_a_certificate_of_its_own() -> None:
    assert new_certificate(NOW).pin != new_certificate(NOW).pin
    assert "key" not in repr(new_certificate(NOW)).lower()
