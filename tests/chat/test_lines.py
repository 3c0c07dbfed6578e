"""Messages of several lines: what is accepted, and how each output by lines marks the further ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from harness import Client, World
from order import account, ask, owner

from chatroom.chat.limits import TEXT_BYTES, Rules
from chatroom.model import replies as a
from chatroom.model.log import Entry
from chatroom.model.text import CONTINUATION, MOST_LINES
from chatroom.model.wording import ANSWERS, LINES
from chatroom.wire.dialects.text import TextDialect

FORGED = "bob: I resign"
TEXT = f"one\n{FORGED}\n\nError: gone"
MARKED = ["one", f"    | {FORGED}", "    | ", "    | Error: gone"]
BREAKS = "\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"
PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
EXAMPLES = re.findall(r"^    < (.*)$", PAGE, re.MULTILINE)
KINDS = {str(kind.__struct_config__.tag): kind for kind in a.TOLD}


@pytest.fixture
def bot(world: World) -> Client:
    return owner(world, "bot", "den")


def after_time(lines: list[str]) -> list[str]:
    """Return lines without the day and time before each message."""
    return [re.sub(r"^\[[-0-9: ]+\] ", "", line) for line in lines]


def refusal(client: Client, **record: Any) -> str:
    """Return the code with which a record is refused; empty if it is not."""
    client.records()
    client.record(**record)
    return next((record["code"] for record in client.records() if record["event"] == "error"), "")


# ---- what is accepted --------------------------------------------------------------------------------------------


def test_programs_get_the_lines_as_they_are(world: World, bot: Client) -> None:
    other = world.program("other", "den")
    bot.record(do="say", text=TEXT)
    assert [record["text"] for record in other.records()] == [TEXT]
    other.record(do="history")
    assert [event["text"] for event in other.records()[-1]["events"]] == [TEXT]


def test_the_welcome_says_that_a_text_may_have_lines(world: World) -> None:
    client = world.connect()
    client.record(do="hello", version=1)
    assert "lines" in client.records()[0]["features"]


@pytest.mark.parametrize("do", [{"do": "say"}, {"do": "me"}, {"do": "message", "user": "bot"}, {"do": "reply"}])
def test_so_many_lines_and_no_more(world: World, bot: Client, do: dict[str, str]) -> None:
    bot.record(do="message", user="bot", text="so that there is somebody to reply to")
    bot.records()
    most = "\n".join("x" * MOST_LINES)
    assert refusal(bot, **do, text=f"\n{most}\n\u2800\n") == ""  # blank lines around it are not counted
    bot.record(**do, text=f"{most}\nx", ref=7)
    (refused,) = bot.records()
    assert (refused["code"], refused["re"]) == ("too-many-lines", 7)
    assert f"at most {MOST_LINES} lines" in refused["text"]


def test_line_ends_count_as_bytes(world: World, bot: Client) -> None:
    text = "x\n" * 8 + "x" * (TEXT_BYTES - 16)
    assert len(text) == TEXT_BYTES
    assert refusal(bot, do="say", text=text) == ""
    assert refusal(bot, do="say", text=f"{text}x") == "too-long"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\r\nb\n\r\nc", "a\nb\n\nc"),
        ("\n \n\u200b\n  a\n\n b \n\t\n\n", "  a\n\n b "),
        ("a\rb", "a\ufffdb"),
        ("a\n\x1b]0;title\nb\x1b[2J", "a\n\nb"),
        *((f"a{char}b\nc", "a\ufffdb\nc") for char in BREAKS),
    ],
    ids=ascii,
)
def test_nothing_but_lf_ends_a_line(world: World, bot: Client, given: str, kept: str) -> None:
    bot.record(do="say", text=given)
    assert [record["text"] for record in bot.records()] == [kept]


def test_lines_of_nothing_are_nothing(world: World, bot: Client) -> None:
    for text in ("\n", "\r\n\r\n", " \n\u200b\n\u2800"):
        assert refusal(bot, do="say", text=text) == "nothing-said"


def test_every_other_text_is_one_line(world: World, bot: Client) -> None:
    anna, bob = world.person("anna", "den"), world.person("bob", "den")
    for do, fields in (("topic", {}), ("away", {}), ("kick", {"user": "bob"})):
        reason = {"reason": TEXT} if do == "kick" else {"text": TEXT}
        bot.record(do=do, **fields, **reason)
    anna.say("/topic", "/msg bot hi")
    assert bob.lines()[-1].startswith("bob was kicked by bot: one\ufffdbob: I resign")
    assert not [line for line in anna.lines() if line.startswith((FORGED, "Error", CONTINUATION))]
    assert ask(bot, "join", room="den\nFORGED") == "bad-room"
    assert ask(world.program(), "name", name="anna\nbob") == "bad-name"


# ---- what people see ---------------------------------------------------------------------------------------------


def test_people_see_a_mark_before_each_further_line(world: World, bot: Client) -> None:
    bob = world.person("bob", "den")
    for do in ({"do": "say"}, {"do": "me"}, {"do": "message", "user": "bob"}):
        bot.record(**do, text=TEXT)
    assert bob.lines() == [
        *[f"bot: {MARKED[0]}", *MARKED[1:]],
        *[f"* bot {MARKED[0]}", *MARKED[1:]],
        *[f"bot (private): {MARKED[0]}", *MARKED[1:]],
    ]


def test_with_times_too(world: World, bot: Client) -> None:
    bob = world.person("bob", "den")
    bob.say("/timestamps on")
    bob.lines()
    bot.record(do="say", text=TEXT)
    first, *further = bob.lines()
    assert re.fullmatch(r"\[\d\d:\d\d\] bot: one", first)
    assert further == MARKED[1:]


def test_in_a_format_of_the_operator_too() -> None:
    world = World(form="<{user}> {text} ({room})")
    bot, bob = world.program("bot", "den"), world.person("bob", "den")
    bot.record(do="say", text=TEXT)
    assert bob.lines() == ["<bot> one", *MARKED[1:-1], f"{MARKED[-1]} (den)"]
    world.close()


def test_in_what_is_shown_of_the_past_too(world: World, bot: Client) -> None:
    bot.record(do="say", text=TEXT)
    bob = world.connect()
    world.pass_time(0.3)
    bob.say("/name bob")
    bob.lines()
    for command in ("/join den", "/history", "/search resign"):
        bob.say(command)
        shown = after_time(bob.lines())
        start = shown.index("bot: one")
        shown = [line for line in shown[start:] if line != "bob has joined the room."]
        assert shown == [f"bot: {MARKED[0]}", *MARKED[1:]], command


def test_in_mail_too(world: World, bot: Client) -> None:
    account(world, "carol")
    guest = world.person("gast")
    guest.drop()
    for user in ("carol", "gast"):
        bot.record(do="message", user=user, text=TEXT)
    carol, again = world.person(), world.person()
    carol.say("/login carol correct horse")
    again.say("/name gast")
    for reader in (carol, again):
        shown = after_time(reader.lines())
        start = shown.index(f"bot (private): {MARKED[0]}")
        assert shown[start + 1 : start + len(MARKED)] == MARKED[1:]


def test_their_writer_sees_it_so_too(world: World, bot: Client) -> None:
    bob = world.person("bob", "den")
    answer = a.Sent("1", "bot", TEXT)
    bob.transport.protocol._session.answer(answer)
    assert bob.lines() == [f"To bot (private): {MARKED[0]}", *MARKED[1:]]


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_text_in_any_event_can_pose_as_a_line(example: str) -> None:
    tree = msgspec.json.decode(example)
    event = msgspec.convert(_with_breaks(tree), KINDS[tree["event"]])
    dialect = TextDialect(Rules())
    shown = dialect.render("den", Entry("room/1", event, b"")) if type(event) in LINES else b""
    shown += dialect.answer(event) if type(event) in ANSWERS and not isinstance(event, a.Ok) else b""
    shown += dialect.replay("den", [Entry("room/1", event, b"")]) if hasattr(event, "text") and event in LINES else b""
    lines = shown.decode().split("\r\n")
    assert not [line for line in lines if line.lstrip().startswith("FORGED")]
    assert "\n" not in shown.decode().replace("\r\n", "")


# Texts in which no record can have a line break.
WITHOUT_BREAKS = ("event", "waits", "change", "device", "ed25519", "curve25519", "key", "user_key", "sig")


def _with_breaks(value: Any, key: str = "") -> Any:
    """Return a record with a line break in each of its texts."""
    if isinstance(value, dict):
        return {name: _with_breaks(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_breaks(inner, key) for inner in value]
    return f"{value}\nFORGED" if isinstance(value, str) and key not in WITHOUT_BREAKS else value


def test_a_search_takes_the_end_of_a_line_for_a_blank(world: World, bot: Client) -> None:
    bot.record(do="say", text="alpha\nbeta gr\u00fcn\n\u4e2d\n\u6587")
    bot.records()
    for words, found in (("beta", 1), ("alphabeta", 0), ("alpha beta", 1), ("alpha\nGRUN", 1), ("\u4e2d\u6587", 0)):
        bot.record(do="search", words=words)
        assert len(bot.records()[-1]["events"]) == found, words
