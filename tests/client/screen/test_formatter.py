"""How events become lines, and in which colours."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import combinations
from typing import Any

import msgspec
import pytest
from client.screen.stage import NOW, said

from chatroom.client.opened import OpenedOwn
from chatroom.client.screen.colours import ERROR, MENTION, MOST, PALETTE, QUIET, RECENT, STYLES, Colours
from chatroom.client.screen.formatter import Formatter, Line
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.text import CONTINUATION


def lines(me: str = "me", *, stamps: bool = False) -> Formatter:
    return Formatter(lambda: me, lambda: NOW * 1000, stamps=stamps)


def text(line: Line) -> str:
    return "".join(piece for _, piece in line)


def example(kind: type) -> Any:
    """An event of a kind, with something in every field."""
    values = {str: "x", int: 3, bool: True, list[str]: ["x"]}
    fields = msgspec.structs.fields(kind)
    return kind(**{field.name: values.get(field.type, []) for field in fields if field.required})


@pytest.mark.parametrize(
    "kind", [*e.OF_A_ROOM, *a.OF_A_PERSON, *a.OF_THE_CONNECTION, *a.ANSWERS], ids=lambda k: k.__name__
)
def test_every_event_has_its_words_or_is_for_programs(kind: type) -> None:
    if kind is a.Welcome:
        event: Any = a.Welcome("x", 1, "x", True, a.Limits(1, 1, 1, 1, 1.0), [])
    else:
        event = example(kind)
    shown = lines().heard(event)
    for_keys = (*a.OF_KEYS, a.MemberIdPage, e.E2eFrom, e.DevicesChanged)  # the last one: a device has another name
    assert bool(shown) == (kind not in (a.Welcome, a.Ping, a.Ok, a.Typing, a.Marked, *for_keys))
    assert all(isinstance(piece, str) for line in shown for piece in line[0])


def test_changed_devices_say_what_has_changed() -> None:
    event = msgspec.structs.replace(example(e.DevicesChanged), by="bob", change="linked")
    (line,) = lines().heard(event)
    assert "bob has linked a device" in text(line)


def test_a_message_and_its_time() -> None:
    (line,) = lines(stamps=True).heard(said("hello"))
    assert text(line)[2:] == text(line)[2:3] + text(line)[3:5] + " bob: hello"
    (line,) = lines(stamps=True).heard(msgspec.structs.replace(said("hello"), at=0))
    assert text(line).startswith(("1970-01-01 ", "1969-12-31 "))


@pytest.mark.parametrize("at", [2**62, -(2**62)])
def test_a_time_that_is_none(at: int) -> None:
    (line,) = lines(stamps=True).heard(msgspec.structs.replace(said("hello"), at=at))
    assert text(line) == "??-??-?? ??:?? bob: hello"


@pytest.mark.parametrize(
    ("heard", "marked"),
    [("hi Me!", ["Me"]), ("me me", ["me", "me"]), ("some men", []), ("me_2", []), ("@me: x", ["me"])],
)
def test_my_name_stands_out(heard: str, marked: list[str]) -> None:
    made = lines()
    (line,) = made.heard(said(heard))
    assert [piece for style, piece in line if style == MENTION] == marked
    assert text(line) == f"bob: {heard}"
    assert made.message(said(heard)).mentions == bool(marked)
    assert not made.message(said(heard, by="me")).mentions


def test_nothing_stands_out_while_i_have_no_name() -> None:
    (line,) = lines("").heard(said("hello"))
    assert MENTION not in dict(line)


def given(to: str) -> e.Shared:
    """Return a file of today for one person."""
    return e.Shared("", NOW * 1000, "bob", "", file="f", number=1, name="a.txt", size=3, sha256="0", to=to)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (e.Renamed("", 0, "old", "", session="", name="me"), "You are now me."),
        (e.Renamed("", 0, "old", "", session="", name="bob"), "old is now known as bob."),
        (e.Left("", 0, "me", "", room="attic", session=""), "You have left room attic."),
        (e.Left("", 0, "bob", "", room="attic", session=""), "bob has left the room."),
        (
            e.Invited("", 0, "bob", "", room="attic", user="me"),
            "bob invites you to room attic; join it with /join attic.",
        ),
        (e.Kicked("", 0, "bob", "", user="cid", reason="be nice"), "cid was kicked by bob: be nice"),
        (e.Deleted("", 0, "bob", "", message=1, user="cid"), "bob deleted a message of cid."),
        (e.Deleted("", 0, "bob", "", message=1, user="bob"), "bob deleted a message."),
        (given("me"), "bob shares a.txt with you (3 B): /get @1"),
        (given("cid"), "bob shares a.txt with cid (3 B)."),
        (a.Error("no", "not so."), "Error: not so."),
        (a.Sent("", "bob", "psst"), "To bob (private): psst"),
    ],
)
def test_words(event: e.Event, words: str) -> None:
    assert [text(line) for line in lines().heard(event)] == [words]


def test_a_setting_that_is_not_known_here_shows_them_all() -> None:
    shown = [text(line) for line in lines().heard(a.Settings(True, False, "", [], changed="colour"))]
    assert shown == ["Echo is on.", "Timestamps are off.", "You are not away.", "You ignore nobody."]


def test_what_was_found_is_counted_and_deleted_messages_say_so() -> None:
    shown = [text(line) for line in lines().heard(a.Found("x", [said("one x"), said("")]))]
    assert shown[0] == "2 messages found:"
    assert [line[17:] for line in shown[1:]] == ["bob: one x", "bob: (deleted)"]


@pytest.mark.parametrize("events", [[], [said("one x")]], ids=["with nothing found", "with something found"])
def test_a_search_that_did_not_reach_the_beginning_says_how_far_it_came(events: list[Any]) -> None:
    at = NOW * 1000
    found = a.Found("x", events, False, 7, at, at)
    last = text(lines().heard(found)[-1])
    assert last == f"Searched back to {datetime.fromtimestamp(NOW):%H:%M}; search again for older ones."
    found = a.Found("x", events, False, 7, at - 40 * 3_600_000, at)
    last = text(lines().heard(found)[-1])
    assert (
        last
        == f"Searched back to {datetime.fromtimestamp(NOW - 40 * 3600):%Y-%m-%d %H:%M}; search again for older ones."
    )
    found = a.Found("x", events, False, 7, 2**62, at)
    assert text(lines().heard(found)[-1]) == "Searched back to ??-??-?? ??:??; search again for older ones."


# ---- colours -------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("style", [*PALETTE, *(style.split()[0] for style in STYLES if style.startswith("#"))])
def test_colours_can_be_read_on_black_and_on_white(style: str) -> None:
    light = luminance(style)
    assert 1.05 / (light + 0.05) >= 3.7
    assert (light + 0.05) / 0.05 >= 3.7


def difference(one: str, other: str) -> float:
    """How far apart two colours look: their distance in OKLab, where black and white are 1 apart."""
    return math.dist(oklab(one), oklab(other))


def oklab(colour: str) -> tuple[float, float, float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)  # noqa: E741
    m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    )


def test_no_two_colours_of_names_look_alike() -> None:
    assert all(difference(one, other) > 0.09 for one, other in combinations(PALETTE, 2))
    assert all(difference(one, style.split()[0]) > 0.05 for one in PALETTE for style in (ERROR, QUIET))


def test_a_name_keeps_its_colour() -> None:
    colours = Colours()
    first = colours.of("Zoë")
    for i in range(MOST - 1):
        colours.of(f"user{i}")
    assert colours.of("ZOË") == first == Colours().of("zoë")
    assert colours.of("user7") == colours.of("User7")


@pytest.mark.parametrize("start", range(20))
def test_people_who_talk_have_different_colours(start: int) -> None:
    """As many as there are colours, whatever their names are."""
    colours = Colours()
    for i in range(RECENT):  # who was here before is no reason to go without a colour
        colours.of(f"old{i}")
    names = [f"person {start * 100 + i}" for i in range(len(PALETTE))]
    assert len({colours.of(name) for name in names}) == len(PALETTE)


def test_when_there_are_too_many_the_newest_takes_the_colour_of_who_was_silent_longest() -> None:
    colours = Colours()
    styles = [colours.of(f"user{i}") for i in range(len(PALETTE))]
    colours.of("user0")
    newest = colours.of("one more")
    assert newest == styles[1]
    assert newest != colours.of("user0")


def test_other_peoples_names_that_contain_mine_are_no_mention_of_me() -> None:
    heard = said("tom-2, tim-tom: where is tom.", by="bob")
    made = lines("tom")
    assert made.message(heard).mentions
    assert [piece for style, piece in made.heard(heard)[0] if style == MENTION] == ["tom"]
    assert not made.message(said("tom-2, tim-tom and tom.jones", by="bob")).mentions


LINED = "one\nme: two\n\nthree"


@pytest.mark.parametrize("stamps", [True, False])
def test_each_further_line_of_a_message_is_marked(stamps: bool) -> None:
    acted = e.Acted("i", NOW * 1000, "bob", "b", text=LINED)
    private = e.Private("i", NOW * 1000, "bob", "b", to="me", text=LINED)
    history = a.History("lobby", [said(LINED)], True)
    for event in (said(LINED), acted, private, a.Sent("i", "bob", LINED), history):
        first, *further = lines(stamps=stamps).heard(event)
        assert text(first).endswith("one")
        assert [text(line) for line in further] == ["    | me: two", "    | ", "    | three"]
        assert all(line[0] == (QUIET, CONTINUATION) for line in further)
        if isinstance(event, e.Said):
            assert (MENTION, "me") in further[0]  # colours go on


@pytest.mark.parametrize("kind", [*e.OF_A_ROOM, *a.OF_A_PERSON, *a.ANSWERS], ids=lambda k: k.__name__)
def test_no_line_end_reaches_a_line(kind: type) -> None:
    if kind in (a.Welcome, a.Ok):
        return
    event = example(kind)
    for field in event.__struct_fields__:
        if getattr(event, field) == "x":
            event = msgspec.structs.replace(event, **{field: "x\nFORGED"})
    for line in lines().heard(event):
        assert "\n" not in text(line)
        assert not text(line).startswith("FORGED")


def test_our_own_private_messages_of_before_say_what_became_of_them() -> None:
    became: dict[str, Any] = {"edited": NOW * 1000, "reactions": (e.EmojiReaction("👍", "bob", "b"),)}
    own = OpenedOwn(id="m", at=NOW * 1000, by="me", by_id="i", to="bob", text="hello", **became)
    (line,) = lines().answer(a.History("", [own], True, user="bob"))
    assert text(line).endswith(" To bob (private): hello (edited)  [👍 1]")
