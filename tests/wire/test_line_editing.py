"""Lines that are corrected while they are typed: what counts is what their author saw at the end."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from attackers import operate
from harness import World
from hypothesis import given
from hypothesis import strategies as st

from chatroom.chat.limits import TEXT_BYTES
from chatroom.model.text import clean
from chatroom.wire.line_editing import edited

IAC, EC, EL, NOP, WONT_ECHO = b"\xff", b"\xf7", b"\xf8", b"\xf1", b"\xff\xfc\x01"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


# ---- a line ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("harbou\x7fr", "harbor"),
        ("harbou\br", "harbor"),
        ("abc\x7f\b\x7fxyz", "xyz"),
        ("\x7f\x7f\b", ""),
        ("ab\x7f\x7f\x7f\x7f\x7fc", "c"),
        ("wrong\x15right", "right"),
        ("\x15", ""),
        ("naïf\x7f\x7fve", "nave"),
        ("漢字\x7f", "漢"),
        ("fine 👍\x7f.", "fine ."),
        ("e\u0301te\u0301\x7f\x7f", "e\u0301"),
        ("a\u0301\u0323\u0308\x7fb", "b"),
        ("का\x7fग", "ग"),
        (f"we are {FAMILY}\x7f!", "we are !"),
        ("hi 👋🏽\x7f", "hi "),
        ("❤\ufe0f\x7f", ""),
        ("\u0301\x7fa", "a"),
        ("untouched: é 👋🏽", "untouched: é 👋🏽"),
    ],
)
def test_a_key_erases_one_character_as_it_is_seen(typed: str, meant: str) -> None:
    assert edited(typed.encode()) == meant.encode()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(b"\xff\xfe\x7f", b"\xff"), (b"\xc3\x7fx", b"x"), (b"caf\xe9\x7fe", b"cafe"), (b"\xe2\x82\x7f", b"\xe2")],
)
def test_a_byte_that_is_no_utf_8_is_a_character_of_its_own(typed: bytes, meant: bytes) -> None:
    assert edited(typed) == meant


@given(st.binary(max_size=60).filter(lambda line: not {8, 0x7F, 0x15} & set(line)))
def test_a_line_that_nobody_corrected_is_the_same_object(line: bytes) -> None:
    assert edited(line) is line


WORDS = st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), max_size=12)


@given(WORDS, st.text(alphabet="abcdéß漢", max_size=8), WORDS, st.sampled_from(["\b", "\x7f"]))
def test_what_is_typed_and_erased_again_was_never_there(before: str, wrong: str, after: str, key: str) -> None:
    assert edited(f"{before}{wrong}{key * len(wrong)}{after}".encode()) == f"{before}{after}".encode()


@given(st.binary(max_size=200))
def test_a_line_never_grows_and_holds_no_key(line: bytes) -> None:
    result = edited(line)
    assert len(result) <= len(line)
    assert not {8, 0x7F, 0x15} & set(result)


# ---- a conversation ----------------------------------------------------------------------------------------------

TYPED = b"".join(
    (
        b"hellp\x7fo\r\n",
        "wr\xf6ng\x7f\x7f\x7f\b\bright\n".encode(),
        b"not this" + IAC + EL + b"but that\r\0",
        b"telnet's" + IAC + EC + IAC + EC + b"\r",
        b"\x7f\x7fthe line before stays\r",
        "e\u0301\x7fno accent\n".encode(),
        b"gone\x15\r\n",
        b"CR and then something\rthe end\n",
    )
)
SAID = [
    "hello",
    "right",
    "but that",
    "telnet",
    "the line before stays",
    "no accent",
    "CR and then something",
    "the end",
]


def told(world: World, packets: Iterable[bytes], name: str) -> list[str]:
    """Return what the room hears of these packets from a telnet client."""
    bob = world.person(f"{name}-friend", name)
    alice = world.person(name, name)
    alice.send(IAC + NOP)
    bob.lines()
    for packet in packets:
        alice.send(packet)
    lines = bob.lines()
    alice.drop()
    bob.drop()
    return [line.removeprefix(f"{name}: ") for line in lines]


@pytest.mark.parametrize("first", range(0, len(TYPED), 16))
def test_one_cut_anywhere_changes_nothing(world: World, first: int) -> None:
    for cut in range(first, min(first + 16, len(TYPED))):
        assert told(world, [TYPED[:cut], TYPED[cut:]], f"alice{cut}") == SAID, cut


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_equal_cuts_change_nothing(world: World, size: int) -> None:
    assert told(world, [TYPED[at : at + size] for at in range(0, len(TYPED), size)], "alice") == SAID


def test_somebody_at_nc_may_correct_a_line_and_a_bare_cr_ends_none(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.send(b"10%\r20%\rdonee\x7f\n")
    assert bob.lines() == [f"alice: {clean(chr(13).join(('10%', '20%', 'done')))}"]


def test_a_command_may_be_corrected(world: World) -> None:
    alice = world.person()
    alice.say("/namr\x7fe alcie\x7f\x7f\x7fice")
    assert alice.lines() == ["You are now alice."]


@pytest.mark.parametrize(
    "typed",
    [
        b"ann,corrext\x7f\x7fct horse\r\0",
        b"an\x7fnn,correct\b\b\b\b\b\b\bcorrect horse\r",
        b"ann,wrong" + IAC + EL + b"ann,correct horse\r\n",
        b"ann,correct hors" + IAC + EC + b"se\r",
        b"bob\x15ann,correct horse\n",
    ],
)
def test_a_password_typed_with_corrections_is_what_was_meant(world: World, typed: bytes) -> None:
    """PuTTY sends each key at once while the password is asked for."""
    operate(world, "add_account", "ann", "correct horse")
    client = world.person()
    client.send(IAC + NOP)
    client.say("login")
    client.take()
    for byte in typed:
        client.send(bytes((byte,)))
    heard = client.take()
    assert b"You are logged in as ann.\r\n" in heard
    assert heard.startswith(WONT_ECHO)


def test_a_password_that_is_registered_with_corrections_is_the_corrected_one(world: World) -> None:
    client = world.person()
    client.say("/register ann secreg\x7ft", "/logout", "/login ann secret")
    assert [line for line in client.lines() if line.startswith(("You are logged in", "Error"))] == [
        "You are logged in as ann."
    ] * 2


# ---- what must not change ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["\b", "\x7f", "\x15"])
def test_a_record_is_not_edited(world: World, key: str) -> None:
    bot, alice = world.program("bot", "lobby"), world.person("alice", "lobby")
    bot.record(do="say", text=f"ab{key}c")
    bot.send(b'{"do":"say","text":"xy\x7fz"}\n')
    assert alice.lines() == [f"bot: {clean(f'ab{key}c')}", f"bot: {clean('xy' + chr(127) + 'z')}"]


def test_a_line_of_too_many_keys_is_refused_once_and_the_next_works(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.send(b"\x7f" * 100_000 + b"\r\nhi\r\n")
    assert alice.lines() == [f"Error: line too long (limit {TEXT_BYTES} bytes).", "alice: hi"]


def test_keys_are_charged_as_all_bytes_are(paced: World) -> None:
    alice = paced.person("alice", "lobby")
    sent = 0
    while alice.transport.readable():
        alice.send(b"x\b" * 2000 + b"\n")
        sent += 4001
    assert sent < 80_000


def test_one_key_erases_any_number_of_marks_and_the_next_keys_find_nothing() -> None:
    assert edited(("a" + "\u0301" * 900 + "\x7f" * 3).encode()) == b""
    assert edited(("\u0301" * 1300 + "\x7f" * 1300 + "b").encode()) == b"b"
