"""TLS on the one port, in memory: Python's own ``ssl`` at one end, the door at the other, bytes carried by hand."""

from __future__ import annotations

import gc
import socket
import ssl
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World
from tls_client import SecureClient, client_context, secure_person
from twisted.internet.task import Clock

from chatroom.model.errors import LOGIN_NEEDS_TLS, NEEDS_TLS
from chatroom.wire.detect import OPENINGS
from chatroom.wire.reject import LINGER
from chatroom.wire.tls import HANDSHAKE, HANDSHAKE_BYTES
from chatroom.wire.transports import keep_alive

HOST = "203.0.113.5"
ALERT = bytes.fromhex("15 0301 0002 02 28")
RECORD = b"\x16\x03\x01"  # how each record of a handshake begins


def protocol_of(client: Client) -> Any:
    """Return the server's protocol that speaks with a client."""
    protocol = client.transport.protocol
    return getattr(protocol, "wrappedProtocol", protocol)


# ---- inside it is as outside -------------------------------------------------------------------------------------


def test_who_says_nothing_inside_is_greeted_after_a_quarter_of_a_second(world: World) -> None:
    client = SecureClient(world)
    world.pass_time(0.24)
    assert client.take() == b""
    world.pass_time(0.02)
    assert client.lines()[0].startswith("Welcome to chatroom. You are guest-")


def test_the_handshake_is_no_word_of_the_person_inside(world: World) -> None:
    """However long it takes, the greeting waits for its end."""
    client = SecureClient(world, shake=False)
    hello = client.hello()
    client.raw(hello[:20])
    world.pass_time(1)
    assert Client.take(client) == b""
    assert not world.chat.sessions


def test_people_and_programs_inside_and_outside_meet(world: World) -> None:
    outside, inside = world.person("alice", "lobby"), secure_person(world, "bob", "lobby")
    bot = SecureClient(world)
    bot.record(do="hello", version=1, name="bot")
    bot.record(do="join", room="lobby")
    bot.records()
    assert outside.lines()[-1] == inside.lines()[-1] == "bot has joined the room."
    outside.say("hi")
    inside.say("hello")
    assert outside.lines() == inside.lines() == ["alice: hi", "bob: hello"]
    assert [(record["by"], record["text"]) for record in bot.records()] == [("alice", "hi"), ("bob", "hello")]


def test_packets_may_be_as_small_as_they_like(world: World) -> None:
    client = SecureClient(world, shake=False)
    for byte in client.hello():
        client.raw(bytes((byte,)))
    client.shake()
    for byte in b"/name alice\r\n":
        client.send(bytes((byte,)))
    assert client.lines()[-1] == "You are now alice."


@pytest.mark.parametrize(
    ("data", "answer"),
    [(b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 501"), (b"NICK al\r\n", b"ERROR :IRC"), (b"\x16\x03", ALERT)],
)
def test_who_is_turned_away_inside_is_told_so_and_sees_a_clean_end(world: World, data: bytes, answer: bytes) -> None:
    """TLS in TLS is one of them."""
    client = SecureClient(world)
    client.send(data)
    assert client.take().startswith(answer)
    assert client.goodbye
    assert client.transport.write_closed
    world.pass_time(LINGER)
    assert client.transport.aborted


def test_a_program_that_was_greeted_as_a_person_is_still_one(world: World) -> None:
    client = SecureClient(world)
    world.pass_time(1)
    client.lines()
    client.record(do="hello", version=1, name="bot")
    assert client.records()[0]["you"] == "bot"


@pytest.mark.parametrize("host", [HOST, "2001:db8::5", "::ffff:203.0.113.5"])
def test_it_is_known_where_somebody_comes_from(world: World, host: str) -> None:
    client = SecureClient(world, host)
    world.pass_time(0.3)
    client.lines()
    (session,) = world.chat.sessions.values()
    assert session.address == host.removeprefix("::ffff:")


def test_a_session_knows_whether_it_can_be_overheard(world: World) -> None:
    secure_person(world, "alice")
    world.person("bob")
    assert {session.name: session.secure for session in world.chat.sessions.values()} == {"alice": True, "bob": False}


def test_tcp_finds_out_that_a_machine_is_gone_under_tls_too(world: World) -> None:
    client = SecureClient(world)
    transport = protocol_of(client).transport
    with socket.socket() as real:
        client.transport.getHandle = lambda: real  # type: ignore[method-assign, assignment, return-value]
        keep_alive(transport)
        assert real.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 120


# ---- what is spoken ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_these_versions_are_spoken(world: World, version: ssl.TLSVersion) -> None:
    client = SecureClient(world, context=client_context(minimum_version=version, maximum_version=version))
    assert client.tls.version() == version.name.replace("_", ".")
    client.say("/name alice")
    assert client.lines()[-1] == "You are now alice."


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_an_old_version_is_refused_in_tls_and_not_logged(world: World) -> None:
    context = client_context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        SecureClient(world, context=context)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [([], None), (["chatroom/1"], "chatroom/1"), (["h2", "chatroom/1"], "chatroom/1"), (["h2"], None)],
)
def test_alpn_may_be_used_and_need_not(world: World, offered: list[str], chosen: str | None) -> None:
    context = client_context()
    if offered:
        context.set_alpn_protocols(offered)
    client = SecureClient(world, context=context)
    assert client.tls.selected_alpn_protocol() == chosen
    client.say("/name alice")
    assert client.lines()[-1] == "You are now alice."


# ---- handshakes that are none ------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [1, 5, 20, None])
def test_a_handshake_that_is_not_done_in_ten_seconds_ends(world: World, said: int | None) -> None:
    client = SecureClient(world, shake=False)
    client.raw(client.hello()[:said])
    world.pass_time(HANDSHAKE - 0.1)
    assert client.transport.connected
    world.pass_time(0.2)
    assert not client.transport.connected


def test_a_byte_a_second_makes_it_no_longer(world: World) -> None:
    client = SecureClient(world, shake=False)
    for byte in client.hello()[: int(HANDSHAKE)]:
        client.raw(bytes((byte,)))
        world.pass_time(1)
    assert not client.transport.connected


def test_a_handshake_that_is_done_has_no_end(world: World) -> None:
    client = SecureClient(world)
    world.pass_time(HANDSHAKE + 1)
    client.lines()
    client.say("/name alice")
    assert client.lines() == ["You are now alice."]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 500,
        b"\xff" * 500,
        b"\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 600,
        b"\x03\x01\xff\xff" + b"y" * 70_000,
    ],
)
def test_garbage_ends_the_connection_and_is_not_logged(world: World, garbage: bytes) -> None:
    client = SecureClient(world, shake=False)
    client.raw(b"\x16" + garbage)
    client.flush()
    assert client.transport.disconnecting or not client.transport.connected


def test_garbage_in_the_middle_of_a_conversation_ends_it_and_is_not_logged(world: World) -> None:
    client = secure_person(world, "alice", "lobby")
    client.raw(b"\x17\x03\x03\x00\x20" + b"z" * 32)
    client.flush()
    assert not client.transport.connected
    assert not world.chat.sessions


def test_a_handshake_without_an_end_is_bounded(world: World) -> None:
    """A ClientHello of 64 KiB in well-formed records: TLS itself would wait for all of it."""
    client = SecureClient(world, shake=False)
    packet = RECORD + b"\x10\0" + b"\1\0\xff\xff" + bytes(4092)
    sent = 0
    while client.transport.connected and sent < 100_000_000:
        client.raw(packet)
        sent += len(packet)
    assert HANDSHAKE_BYTES - 2 * len(packet) < sent < HANDSHAKE_BYTES + 2 * len(packet)


@pytest.mark.parametrize("stage", ["first byte", "half a hello", "hello", "inside"])
def test_who_breaks_off_is_gone_and_nothing_is_logged(world: World, stage: str) -> None:
    client = SecureClient(world, shake=stage == "inside")
    if stage != "inside":
        hello = client.hello()
        client.raw({"first byte": hello[:1], "half a hello": hello[: len(hello) // 2], "hello": hello}[stage])
    client.drop()
    world.pass_time(HANDSHAKE + 1)
    assert not world.chat.sessions


# ---- the book of addresses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["inside", "turned away", "chatting", "gone well"])
def test_a_place_is_free_again_when_it_ends_and_only_once(stage: str) -> None:
    with closing(World(per_address=1)) as world:
        client = SecureClient(world, HOST)
        if stage == "turned away":
            client.send(b"GET / HTTP/1.1\r\n\r\n")
        elif stage in ("chatting", "gone well"):
            client.say("/name alice", *(["/quit"] if stage == "gone well" else []))
        assert world.connect(HOST).take().startswith(b"Error: too many connections")
        if stage == "gone well":
            client.flush()
        client.drop()
        assert not world.factory._addresses._taken
        assert world.connect(HOST).take() == b""


# ---- who reads slowly --------------------------------------------------------------------------------------------


@pytest.fixture
def bounded() -> Iterator[World]:
    """A server that holds 10,000 bytes for a person who reads slowly."""
    with closing(World(send_queue=10_000)) as world:
        yield world


def test_what_the_socket_does_not_take_follows_in_order(bounded: World) -> None:
    alice, bob = bounded.person("alice", "lobby"), secure_person(bounded, "bob", "lobby")
    said = [f"{number} " + "x" * 500 for number in range(10)]
    for room in (0, 1, 700):
        bob.socket.room = room
        alice.say(*said)
        assert len(b"".join([bob.take()])) <= room
        bob.transport.make_room()
        assert bob.lines()[-10:] == [f"alice: {text}" for text in said]
    assert bob.transport.producer is None


def test_who_has_too_much_held_is_dropped_and_the_others_chat_on(bounded: World) -> None:
    alice, bob = bounded.person("alice", "lobby"), secure_person(bounded, "bob", "lobby")
    carl = secure_person(bounded, "carl", "lobby")
    bob.socket.room = 0
    alice.take()
    for number in range(12):
        alice.say("x" * 1000)
        assert bob.transport.connected is (number < 9)
    assert alice.lines().count("alice: " + "x" * 1000) == carl.lines().count("alice: " + "x" * 1000) == 12
    assert alice.take() == b""
    assert bounded.factory.counters.drops["too-slow"] == 1
    assert {session.name for session in bounded.chat.sessions.values()} == {"alice", "carl"}


def test_much_more_is_held_for_a_program(bounded: World) -> None:
    alice = bounded.person("alice", "lobby")
    bot = SecureClient(bounded)
    bounded.pass_time(1)  # it is greeted as a person first
    bot.record(do="hello", version=1, name="bot")
    bot.record(do="join", room="lobby")
    bot.take()
    bot.socket.room = 0
    for number in range(40):
        alice.say("x" * 1000)
        assert bot.transport.connected or number > 30
    assert not bot.transport.connected


def test_the_outbox_says_that_something_is_held(bounded: World) -> None:
    alice, bob = bounded.person("alice", "lobby"), secure_person(bounded, "bob", "lobby")
    outbox = protocol_of(bob)._outbox
    bob.socket.room = 0
    assert not outbox.holds
    alice.say("hi")
    assert outbox.holds
    bob.transport.make_room()
    assert not outbox.holds


def test_history_comes_before_the_news_however_slowly_it_is_read(bounded: World) -> None:
    alice = bounded.person("alice", "lobby")
    alice.say(*[f"m{number}" for number in range(10)])
    bob = secure_person(bounded, "bob")
    bob.socket.room = 100
    bob.say("/join lobby")
    alice.say("news")
    bob.transport.make_room()
    lines = bob.lines()
    assert [line.rpartition(" ")[2] for line in lines[-11:]] == [*(f"m{number}" for number in range(10)), "news"]


@pytest.mark.parametrize("room", [0, 1, 300])
def test_what_is_held_is_delivered_before_the_end(bounded: World, room: int) -> None:
    alice, bob = bounded.person("alice", "lobby"), secure_person(bounded, "bob", "lobby")
    bob.socket.room = room
    alice.say("x" * 500, "y" * 500)
    bob.say("/quit")
    assert bob.transport.connected
    bob.transport.make_room()
    assert bob.lines() == ["alice: " + "x" * 500, "alice: " + "y" * 500, "Goodbye!"]
    assert bob.goodbye
    assert not bob.transport.connected


def test_a_member_costs_one_packet_a_batch(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), secure_person(world, "bob", "lobby")
    sent: list[None] = []
    bob.socket.before = lambda: sent.append(None)
    alice.say(*["hi"] * 50)
    assert bob.lines() == ["alice: hi"] * 50
    assert len(sent) == 1


# ---- the end -----------------------------------------------------------------------------------------------------


def say_no_more(client: SecureClient) -> None:
    """Say inside TLS that nothing more will be said."""
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    client._exchange()


def test_what_was_said_before_a_goodbye_is_done_and_answered(world: World) -> None:
    """As with ``nc -N``: all of it, however long each line takes, and the last one even without an end."""
    alice, bob = world.person("alice", "lobby"), SecureClient(world)
    bob.tls.write(b"/name bob\r\n/join lobby\r\nbye all\r\nand all the best")
    with pytest.raises(ssl.SSLWantReadError):
        bob.tls.unwrap()
    bob._exchange()
    bob.finish()
    bob.flush()
    assert bob.lines()[-2:] == ["bob: bye all", "bob: and all the best"]
    assert bob.goodbye
    assert not bob.transport.connected
    assert alice.lines() == [
        "bob has joined the room.",
        "bob: bye all",
        "bob: and all the best",
        "bob has disconnected.",
    ]


def test_what_was_said_before_a_goodbye_is_done_even_if_that_takes_a_while() -> None:
    """A script has hung up long before; that is no reason to forget the rest of what it said."""
    engine = MoodyEngine(clock := Clock())
    with closing(World(engine, clock)) as world:
        alice, bob = world.person("alice", "lobby"), secure_person(world, "bob")
        engine.holding = True
        bob.tls.write(b"/join lobby\r\nbye all\r\n")
        say_no_more(bob)
        bob.finish()
        assert alice.lines() == []
        engine.let_go()
        assert alice.lines()[:2] == ["bob has joined the room.", "bob: bye all"]
        bob.flush()
        assert not bob.transport.connected


def test_who_is_cut_off_by_somebody_else_has_not_said_the_rest(world: World) -> None:
    """An end that TLS knows nothing of does not make half a line a whole one."""
    alice, bob = world.person("alice", "lobby"), secure_person(world, "bob", "lobby")
    alice.take()
    bob.send(b"I do not")
    bob.finish()
    bob.flush()
    assert not bob.transport.connected
    assert alice.lines() == ["bob has disconnected."]


def test_what_comes_after_the_goodbye_is_not_kept(world: World) -> None:
    """Whoever has output held, and so cannot be closed, could otherwise fill the memory."""
    bob = secure_person(world, "bob")
    bob.socket.room = 0
    say_no_more(bob)
    connection = bob.transport.protocol._tlsConnection
    written: list[bytes] = []
    connection.bio_write = written.append
    bob.raw(b"\x17\x03\x03\x00\x20" + b"z" * 32)
    assert not written


def test_who_breaks_the_handshake_off_well_is_gone(world: World) -> None:
    client = SecureClient(world, shake=False)
    client.raw(client.hello()[:50])
    client.finish()
    client.flush()
    world.pass_time(0)
    assert not client.transport.connected


def test_who_is_dropped_while_not_being_read_is_gone_at_once() -> None:
    """Nobody waits for an answer to our goodbye that would not be read."""
    with closing(World(rate=1.0)) as world:
        client = secure_person(world, "alice")
        client.say(*["/who"] * 200)
        assert client.lines()[-1] == "Error: you are sending too fast."
        client.flush()
        assert not client.transport.connected


def test_to_close_what_is_closed_does_nothing(world: World) -> None:
    client = secure_person(world, "alice")
    protocol = protocol_of(client)
    transport = protocol.transport
    client.drop()
    transport.abortConnection()
    transport.loseConnection()
    transport.write(b"late")
    protocol._outbox.write(b"late")


def chatting(world: World) -> SecureClient:
    return secure_person(world, "alice", "lobby")


def shaking(world: World) -> SecureClient:
    client = SecureClient(world, shake=False)
    client.raw(client.hello())
    return client


def held(world: World) -> SecureClient:
    client = secure_person(world, "alice", "lobby")
    client.socket.room = 0
    client.say("hello")
    return client


@pytest.mark.parametrize("coming", [SecureClient, shaking, chatting, held])
def test_a_connection_leaves_no_circle(world: World, coming: Callable[[World], SecureClient]) -> None:
    client = coming(world)
    protocol = client.transport.protocol
    left = [weakref.ref(it) for it in (client.transport, protocol, protocol.wrappedProtocol)]
    gc.disable()
    try:
        client.drop()
        world.clients.remove(client)
        client.transport.protocol = None  # as the reactor does
        del client, protocol
        world.pass_time(1)
        assert [ref() for ref in left] == [None] * 3
    finally:
        gc.enable()


# ---- when it is required -----------------------------------------------------------------------------------------

PASSWORDS = (
    "/login alice secret",
    "/register bob secret",
    "/login",
    "register",
    "login alice secret",
    "/password old new",
    "/password",
    "/account delete secret",
    "/account delete",
    "/add-account bob secret",
    "/set-password bob",
)


@pytest.fixture
def careful() -> Iterator[World]:
    """A server that wants TLS for logins."""
    with closing(World(require_tls="login")) as world:
        yield world


@pytest.mark.parametrize("line", PASSWORDS)
def test_passwords_are_refused_without_and_not_even_asked_for(careful: World, line: str) -> None:
    client = careful.person("alice")
    client.say(line)
    assert client.lines() == [f"Error: {LOGIN_NEEDS_TLS.text}"]
    client.say("/rooms")
    assert not client.lines()[0].startswith("Cancelled")


def test_a_program_is_refused_its_login_without(careful: World) -> None:
    bot = careful.program("bot")
    bot.record(do="login", user="alice", password="secret", ref=1)
    (error,) = bot.records()
    assert (error["code"], error["re"]) == ("login-needs-tls", 1)


def test_inside_one_may_log_in(careful: World) -> None:
    client = secure_person(careful)
    client.say("/register alice secret", "/logout", "login", "alice,secret")
    assert "Error" not in "\n".join(lines := client.lines())
    assert "user,password:" in lines


def test_all_else_goes_without(careful: World) -> None:
    alice = careful.person("alice", "lobby")
    alice.say("hi")
    assert alice.lines() == ["alice: hi"]


def test_that_is_no_matter_when_it_is_not_required(world: World) -> None:
    client = world.person()
    client.say("/register alice secret")
    assert "Error" not in "\n".join(client.lines())


@pytest.fixture
def strict() -> Iterator[World]:
    """A server that wants TLS of everybody."""
    with closing(World(require_tls="all")) as world:
        yield world


@pytest.mark.parametrize("said", ["", "/name alice\r\n", "\xff"])
def test_a_person_is_refused_without_and_closed(strict: World, said: str) -> None:
    client = strict.connect()
    client.send(said.encode())
    strict.pass_time(0.3)
    assert client.lines() == [f"Error: {NEEDS_TLS.text}"]
    assert client.transport.write_closed
    assert not strict.chat.sessions


@pytest.mark.parametrize(
    ("said", "begins"),
    [(b'{"do":', b'{"event":"error","code":"needs-tls"'), (b"GET / ", b"HTTP/1.1 501"), (b"NICK x", b"ERROR :")],
)
def test_everybody_is_refused_in_their_own_words(strict: World, said: bytes, begins: bytes) -> None:
    client = strict.connect()
    client.send(said)
    answer = client.take()
    assert answer.startswith(begins)
    assert NEEDS_TLS.text.encode() in answer
    assert client.transport.write_closed


def test_inside_all_is_as_ever(strict: World) -> None:
    alice = secure_person(strict, "alice", "lobby")
    alice.say("/register alice secret", "hi")
    assert alice.lines()[-1] == "alice: hi"


def test_every_opening_has_words_for_a_refusal(strict: World) -> None:
    for opening in OPENINGS:
        assert opening.refuse(strict.factory, NEEDS_TLS())
