"""Hostile records: what is no command is refused with a code, what carried a ref is told so, and the next one works."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from harness import Client, World

from chatroom.chat.limits import TEXT_BYTES
from chatroom.model import commands as c
from chatroom.model.commands import ROWS
from chatroom.model.errors import REFUSALS, Refused
from chatroom.wire.dialects import records
from chatroom.wire.dialects.records import DEEPEST, GREATEST, JsonDialect

NOTHING_OF_A_RECORD = {"bad-record", "no-command", "internal"}


@pytest.fixture
def bot(world: World) -> Client:
    """A program in a room."""
    return world.program("bot", "lobby")


def answer(bot: Client, line: bytes | str) -> dict[str, Any]:
    """Return the one answer to a line."""
    bot.send((line if isinstance(line, bytes) else line.encode()) + b"\n")
    (record,) = bot.records()
    return record


def refused(bot: Client, line: bytes | str, code: str = "bad-record") -> dict[str, Any]:
    """Assert that the line is refused with this code, and that the next one works; return the refusal."""
    record = answer(bot, line)
    assert (record["event"], record.get("code")) == ("error", code), record
    assert answer(bot, '{"do":"hello","ref":"next"}') == {"event": "ok", "text": "Hello, bot!", "re": "next"}
    return record


def accepted(bot: Client, line: bytes | str) -> dict[str, Any]:
    """Assert that the line is no error; return the answer."""
    record = answer(bot, line)
    assert record["event"] != "error", record
    return record


# ---- what is no record -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "}",
        "{}",
        '{"do"}',
        '{"do":}',
        '{"do":"who"',
        '{"do":"who"}}',
        '{"do":"who"}{"do":"who"}',
        '{"do":"who",}',
        "{'do':'who'}",
        "[]",
        '[{"do":"who"}]',
        "null",
        "true",
        "0",
        '"who"',
        "who",
        "/who",
        '{"do":null}',
        '{"do":1}',
        '{"do":["who"]}',
        '{"do":{"do":"who"}}',
        '{"text":"hello"}',
        '{"Do":"who"}',
        '{"do":"who","x":NaN}',
        '{"do":"who","x":Infinity}',
        '{"do":"who","x":01}',
        '{"do":"who","x":.5}',
        '{"do":"who","x":+1}',
        '{"do":"who","x":tru}',
        '{"do":"who","x":"\x01"}',
        '{"do":"who","x":"\\x"}',
        '{"do":"who","x":"\\u12"}',
        '{"do":"who" /* comment */}',
        '\ufeff{"do":"who"}',
        "\0",
        "GET / HTTP/1.1",
    ],
)
def test_what_is_no_record_of_ours_is_refused(bot: Client, line: str) -> None:
    refused(bot, line)


@pytest.mark.parametrize("word", ["", "nonsense", "__init__", "x" * 5000])
def test_an_unknown_do_is_refused_by_its_name(bot: Client, word: str) -> None:
    record = refused(bot, json.dumps({"do": word}), "no-command")
    assert record["text"] == f"unknown command {word[:64]}; type /help."


@pytest.mark.parametrize(("word", "meant"), [("jion", "join"), ("nmae", "name"), ("/who", "who"), ("WHO", "who")])
def test_an_unknown_do_is_told_the_nearest(bot: Client, word: str, meant: str) -> None:
    record = refused(bot, json.dumps({"do": word}), "no-command")
    assert record["text"] == f"unknown command {word}; type /help. Did you mean {meant}?"


@pytest.mark.parametrize("line", ["", " ", "\r", "\t", "   \r"])
def test_empty_lines_are_skipped(bot: Client, line: str) -> None:
    bot.send(line.encode() + b"\n" + b'{"do":"hello","ref":1}\n')
    assert [record["re"] for record in bot.records()] == [1]


@pytest.mark.parametrize(
    "line",
    [
        b'{"do":"say","text":"\xff"}',
        b'{"do":"say","text":"\xc3"}',
        b'{"do":"say","text":"\xc0\x80"}',
        b'{"do":"say","text":"\xed\xa0\x80"}',
        b'{"do":"say","text":"\xf4\x90\x80\x80"}',
        b'{"do":"\xff"}',
        b'{"do":"who","x":"\xff"}',
        b'{"do":"who","\xff":1}',
        b'{"do":"who","x":{"y":["\xe2\x82"]}}',
        b"\xff",
    ],
)
def test_invalid_utf_8_is_refused_wherever_it_stands(bot: Client, line: bytes) -> None:
    refused(bot, line)


# ---- nesting, numbers, surrogates, keys --------------------------------------------------------------------------


def nested(levels: int, opening: str, closing: str) -> str:
    """Return a record that nests so deep, itself being the first level."""
    inner = levels - 1
    middle = "1" if closing == "]" else '{"x":1}'
    inner -= closing != "]"
    return '{"do":"hello","x":' + opening * inner + middle + closing * inner + "}"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"x":', "}")])
def test_eight_levels_are_deep_enough(bot: Client, opening: str, closing: str) -> None:
    accepted(bot, nested(DEEPEST, opening, closing).replace('"hello"', '"who"'))
    refused(bot, nested(DEEPEST + 1, opening, closing))


@pytest.mark.parametrize("levels", [20, 500, 1000, 1500, 2500])
def test_objects_may_not_nest_deep(bot: Client, levels: int) -> None:
    refused(bot, nested(levels, '{"x":', "}"))


@pytest.mark.parametrize(
    "line", ["[" * 10_000, "[" * 5000 + "]" * 5000, '{"do":"who","x":' + "[" * 5000 + "]" * 5000 + "}"]
)
def test_10000_levels_are_refused_like_nine(bot: Client, line: str) -> None:
    refused(bot, line)


def test_a_nested_ref_or_do_is_no_ref_or_do(bot: Client) -> None:
    record = refused(bot, '{"x":{"do":"who","ref":1}}')
    assert "re" not in record


def test_brackets_in_a_text_are_no_nesting(bot: Client) -> None:
    assert accepted(bot, json.dumps({"do": "say", "text": "[" * 100 + "{" * 100}))["text"] == "[" * 100 + "{" * 100


@pytest.mark.parametrize(
    "value",
    [
        *('"' + "[" * brackets + "x" * 16_000 + '"' for brackets in (6, 7, 8, 20)),
        '"' + "[xxxxxxxxx" * 7 + "x" * 16_000 + '"',
        "[" + "[]," * 5300 + "[]]",
        "[" + "1e9," * 4000 + "1]",
        '"' + "\\ud83d\\ude00" * 1300 + '"',
        "1" * 16_000,
        "[" * 16_000,
    ],
    ids=[
        "6 brackets",
        "7 brackets",
        "8 brackets",
        "20 brackets",
        "apart",
        "lists",
        "numbers",
        "pairs",
        "digits",
        "deep",
    ],
)
def test_no_record_takes_long_to_look_at(value: str) -> None:
    # Nothing may hold the reactor for 20 ms. The best of five, for this machine may be busy.
    line = f'{{"do":"who","x":{value}}}'.encode()
    assert min(seconds_to_read(line) for _ in range(5)) < 0.015


def seconds_to_read(line: bytes) -> float:
    """Return how long it takes to make a command, or an error, of a line."""
    start = time.perf_counter()
    with suppress(Refused):
        JsonDialect().read(line, None)  # type: ignore[arg-type]
    return time.perf_counter() - start


@pytest.mark.parametrize("number", ["9007199254740992", "-9007199254740992", "0", "0.5", "1e3", "1e-400", "9e15", "-0"])
def test_numbers_up_to_2_to_the_53rd_are_taken(bot: Client, number: str) -> None:
    accepted(bot, f'{{"do":"who","x":{number}}}')
    accepted(bot, f'{{"do":"who","x":[{{"y":{number}}}]}}')


@pytest.mark.parametrize(
    "number",
    [
        "9007199254740993",
        "-9007199254740993",
        "9007199254740994.0",
        "1e16",
        "1e400",
        "-1e400",
        "1E+400",
        "0.1e18",
        "999999999999999e9",
        "123456789012345E+5",
        "1.5e0017",
        "9" * 1000,
        "9" * 15_000,
        "1" + "0" * 400 + ".0",
    ],
    ids=lambda number: number[:20],
)
def test_greater_numbers_are_refused_wherever_they_stand(bot: Client, number: str) -> None:
    refused(bot, f'{{"do":"who","x":{number}}}')
    refused(bot, f'{{"do":"who","x":[{{"y":{number}}}]}}')
    if len(number) < 5000:
        refused(bot, f'{{"do":"who","ref":{number}}}')
        refused(bot, f'{{"do":"join","room":"den","after":{number}}}')
        refused(bot, f'{{"do":"history","messages":{number}}}')


@pytest.mark.parametrize(
    "value", ["{}", " {}", "  \t{} ", "[{}]", "[ {}]", "[0,{}]", "[0 , {} ]", '{{"y" : {}}}', '{{"y":0,"z":[[],{}]}}']
)
@pytest.mark.parametrize("number", ["9007199254740993", "-9007199254740993", "-1e400", "0.1E+18"])
def test_greater_numbers_are_refused_after_anything(bot: Client, number: str, value: str) -> None:
    refused(bot, f'{{"do":"who","x":{value.format(number)}}}')


@pytest.mark.parametrize("text", ["1e5", "AB+12E9/x", "0" * 20, "-1e400", "2e+3"])
def test_a_number_within_a_text_is_not_looked_at(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_check", pytest.fail)  # takes long, and sealed texts are full of such numbers
    line = f'{{"do":"say-sealed","id":"1","sid":"A","members":1,"ct":"{text}"}}'.encode()
    with suppress(Refused):
        JsonDialect().read(line, None)  # type: ignore[arg-type]


def test_the_greatest_number_is_good_in_every_field(bot: Client) -> None:
    assert accepted(bot, f'{{"do":"hello","ref":{GREATEST}}}')["re"] == GREATEST
    assert accepted(bot, f'{{"do":"hello","ref":{-GREATEST}}}')["re"] == -GREATEST
    assert accepted(bot, f'{{"do":"history","messages":{GREATEST},"before":{GREATEST}}}')["events"] == []
    assert accepted(bot, f'{{"do":"hello","version":1,"after":{GREATEST}}}')["event"] == "welcome"


@pytest.mark.parametrize(
    "half", ["\\ud800", "\\uDFFF", "\\udc00\\ud800", "x\\ud83d", "\\ud83dx\\ude00", "\\ud800\\u0041"]
)
@pytest.mark.parametrize(
    "record",
    [
        '{"do":"say","text":"%s"}',
        '{"do":"who","x":"%s"}',
        '{"do":"who","x":[{"y":"%s"}]}',
        '{"do":"who","%s":1}',
        '{"do":"who","ref":"%s"}',
        '{"do":"%s"}',
    ],
)
def test_half_a_surrogate_pair_is_refused_wherever_it_stands(bot: Client, record: str, half: str) -> None:
    refused(bot, record.replace("%s", half))


def test_a_whole_surrogate_pair_is_a_character(bot: Client) -> None:
    assert accepted(bot, '{"do":"say","text":"\\ud83d\\ude00 \\\\ud800"}')["text"] == "😀 \\ud800"


def test_of_a_field_given_twice_the_last_counts(bot: Client) -> None:
    assert accepted(bot, '{"do":"say","text":"first","text":"last"}')["text"] == "last"
    assert accepted(bot, '{"do":"hello","ref":1,"ref":2}')["re"] == 2
    refused(bot, '{"do":"say","text":"first","text":5}')


def test_a_command_given_twice_is_never_the_first(bot: Client) -> None:
    assert answer(bot, '{"do":"who","do":"rooms"}')["event"] in ("rooms", "error")


def test_unknown_fields_are_ignored(bot: Client) -> None:
    record = accepted(bot, '{"x":1,"do":"say","y":[{"text":"no"}],"text":"yes","event":"said","by":"alice","seq":1}')
    assert (record["text"], record["by"]) == ("yes", "bot")
    assert record["seq"] > 1


# ---- types and bounds of known fields ----------------------------------------------------------------------------

WRONG = {
    "say": [{"text": None}, {"text": 1}, {"text": ["x"]}, {"text": {}}, {}, {"text": "x", "id": 5}],
    "me": [{"text": False}, {}],
    "message": [{"user": "bot"}, {"text": "x"}, {"user": 1, "text": "x"}, {"user": "x" * 257, "text": "x"}],
    "name": [{}, {"name": 5}, {"name": None}, {"name": "x" * 257}],
    "join": [
        {},
        {"room": 1},
        {"room": "x" * 257},
        {"room": "x", "messages": -1},
        {"room": "x", "messages": "1"},
        {"room": "x", "messages": 1.5},
        {"room": "x", "after": -1},
        {"room": "x", "after": True},
        {"room": "x", "create": 1},
        {"room": "x", "create": "true"},
        {"room": "x", "create": None},
    ],
    "create": [{}, {"room": []}],
    "history": [{"messages": -1}, {"messages": "all"}, {"before": "now"}],
    "search": [{}, {"words": 1}, {"words": "x" * 401}],
    "echo": [{"on": 1}, {"on": "on"}, {"on": []}],
    "ignore": [{"user": 1}, {"user": "x", "on": 0}],
    "away": [{"text": 1}, {"text": "x" * 4097}],
    "hello": [{"version": "1"}, {"version": -1}, {"version": 1, "name": 1}, {"version": 1, "client": "x" * 101}],
    "who": [{"ref": True}, {"ref": 1.5}, {"ref": [1]}, {"ref": "x" * 65}],
}


@pytest.mark.parametrize(("word", "fields"), [(word, fields) for word, all_ in WRONG.items() for fields in all_])
def test_wrong_types_missing_fields_and_too_much_are_refused(bot: Client, word: str, fields: dict[str, Any]) -> None:
    refused(bot, json.dumps({"do": word, **fields}))


@pytest.mark.parametrize("own", ["!", "~", "01J8ZQ", "x" * 64, "a/b", '"', "\\"])
def test_an_id_of_visible_ascii_is_kept(bot: Client, own: str) -> None:
    assert accepted(bot, json.dumps({"do": "say", "text": "hello", "id": own}))["id"] == own


@pytest.mark.parametrize("word", ["say", "me", "message", "reply"])
@pytest.mark.parametrize(
    "own",
    ["", " ", "a b", "a:1", "a\n", "\n", "a\nb", "\0", "é", "\x7f", "\u202e", "x" * 65, "x" * 64 + "\n", 1, [], {}],
    ids=lambda own: ascii(own)[-8:],
)
def test_any_other_id_is_refused(bot: Client, word: str, own: object) -> None:
    refused(bot, json.dumps({"do": word, "user": "bot", "text": "hello", "id": own}))


def test_a_text_may_have_4096_bytes_and_no_more(bot: Client) -> None:
    for text in ("x" * TEXT_BYTES, "é" * (TEXT_BYTES // 2), "😀" * (TEXT_BYTES // 4)):
        assert accepted(bot, json.dumps({"do": "say", "text": text}))["text"] == text
        for fields in ({"do": "say"}, {"do": "me"}, {"do": "message", "user": "bot"}):
            record = refused(bot, json.dumps({**fields, "text": text + "x", "ref": 1}), "too-long")
            assert (record["text"], record["re"]) == ("line too long (limit 4096 bytes).", 1)


@pytest.mark.parametrize("text", ["", " ", "\t ", "\0", "\ufeff", "\u202e"])
def test_a_text_of_nothing_is_refused(bot: Client, text: str) -> None:
    refused(bot, json.dumps({"do": "say", "text": text}), "nothing-said")


@pytest.mark.parametrize("text", ["two\nlines", "two\r\nlines", 'quote " and \\', "tab\there"])
def test_what_a_text_holds_never_breaks_the_record_it_is_in(bot: Client, text: str) -> None:
    said = accepted(bot, json.dumps({"do": "say", "text": text}))["text"]  # each line that comes is one record
    assert said == text.replace("\r\n", "\n").replace("\t", " ")


# ---- refs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ref", [0, 1, -1, "", "x", "x" * 64, '"', "é", "a b"])
def test_a_ref_comes_back_whatever_becomes_of_the_command(bot: Client, ref: object) -> None:
    for fields in (
        {"do": "hello"},
        {"do": "who"},
        {"do": "echo", "on": True},
        {"do": "say", "text": ""},
        {"do": "say"},
        {"do": "nonsense"},
        {"do": 5},
        {},
        {"do": "join", "room": "lobby"},
        {"do": "name", "name": "admin"},
        {"do": "who", "x": 2**60},
        {"do": "message", "user": "nobody", "text": "hello"},
    ):
        assert answer(bot, json.dumps({**fields, "ref": ref}))["re"] == ref


def test_a_ref_that_is_none_does_not_come_back(bot: Client) -> None:
    for ref in (True, 1.5, [1], {"x": 1}, "x" * 65, 2**53 + 1):
        assert "re" not in refused(bot, json.dumps({"do": "who", "ref": ref}))
    assert "re" not in accepted(bot, '{"do":"who","ref":null}')
    assert "re" not in accepted(bot, '{"do":"who"}')


# ---- hello -------------------------------------------------------------------------------------------------------


def test_commands_before_hello_are_done_under_a_guests_name(world: World) -> None:
    bot = world.connect()
    bot.record(do="join", room="lobby", ref=1)
    (entered,) = bot.records()
    assert (entered["event"], entered["re"]) == ("entered", 1)
    assert entered["users"][0].startswith("guest-")
    bot.record(do="say", text="hello")
    assert [record["text"] for record in bot.records()] == ["hello"]
    bot.record(do="hello", version=1, name="bot", ref=2)
    assert [(record["event"], record["you"], record["re"]) for record in bot.records()] == [("welcome", "bot", 2)]


def test_commands_that_need_a_room_are_refused_without_one(world: World) -> None:
    bot = world.connect()
    for word, fields in (
        ("say", {"text": "x"}),
        ("me", {"text": "x"}),
        ("leave", {}),
        ("topic", {"text": "x"}),
    ):
        bot.record(do=word, ref=word, **fields)
        (error,) = bot.records()
        assert (error["code"], error["re"]) == ("not-in-room", word)


def test_another_version_is_refused_and_the_right_one_may_follow(world: World) -> None:
    bot = world.connect()
    bot.record(do="hello", version=99, name="bot", ref=1)
    (error,) = bot.records()
    assert (error["code"], error["re"]) == ("version", 1)
    bot.record(do="hello", version=1, name="bot", ref=2)
    assert [(record["event"], record["you"], record["re"]) for record in bot.records()] == [("welcome", "bot", 2)]


def test_a_hello_with_a_name_in_use_is_refused_and_leaves_the_old_one(world: World) -> None:
    world.program("bot")
    other = world.connect()
    other.record(do="hello", version=1, name="bot", ref=1)
    (error,) = other.records()
    assert (error["code"], error["re"]) == ("name-in-use", 1)
    other.record(do="hello", version=1)
    assert other.records()[0]["you"].startswith("guest-")


# ---- the table ---------------------------------------------------------------------------------------------------

SAMPLE = {
    "user": "bot",
    "text": "hello",
    "room": "den",
    "name": "bob",
    "words": "hello",
    "on": True,
    "password": "secret",
    "old": "secret",
    "new": "secret",
    "seconds": 5,
    "number": 1,
    "seq": 1,
    "last": 1,
    "emoji": "+1",
    "size": 10,
    "sha256": "0" * 64,
    "file": "q3w9",
    "index": 0,
    "bytes": 0,
}


KEY_COMMANDS = (c.KeysPublish, c.KeysList, c.KeysQuery, c.KeysClaim, c.KeysBackup, c.E2eSend)
SAMPLE_OF: dict[type[c.Command], dict[str, Any]] = {
    **{row.command: msgspec.to_builtins(row.examples[0]) for row in c.TABLE if row.command in KEY_COMMANDS},
    c.SaySealed: {"id": "01J9A", "sid": "c2Vzc2lvbg", "ct": "AwgA", "members": 1},
}


def sample(command: type[c.Command]) -> dict[str, Any]:
    """Return a record of the command with all that it must have."""
    must = [f.encode_name for f in msgspec.structs.fields(command) if f.required]
    values = {**SAMPLE, **SAMPLE_OF.get(command, {})}
    return {"do": command.__struct_config__.tag, **{name: values[name] for name in must}}


@pytest.mark.parametrize("command", ROWS, ids=lambda command: command.__name__)
def test_every_command_of_the_table_exists_as_a_record(bot: Client, command: type[c.Command]) -> None:
    record = {**sample(command), "ref": 1}
    assert type(JsonDialect().read(json.dumps(record).encode(), None)) is command  # type: ignore[arg-type]
    bot.record(**record)
    heard = bot.records()
    assert heard
    assert not {answer["code"] for answer in heard if answer["event"] == "error"} & NOTHING_OF_A_RECORD
    said = command in (c.Say, c.Act)  # these are answered by their own echo
    assert said or [answer["re"] for answer in heard if "re" in answer] == [1]


# What follows an unreadable record of a chunk cannot be told apart; tests/wire/test_chunks.py looks at that.
@pytest.mark.parametrize(
    "command", [one for one in ROWS if one is not c.PutChunk], ids=lambda command: command.__name__
)
def test_every_record_wants_what_its_command_needs(bot: Client, command: type[c.Command]) -> None:
    whole = sample(command)
    for name in whole:
        refused(bot, json.dumps({key: value for key, value in whole.items() if key != name}))


def test_every_code_of_an_error_is_one_of_the_table(bot: Client) -> None:
    codes = {refusal.code for refusal in REFUSALS}
    for line in ("{", '{"do":"x"}', '{"do":"say","text":""}', '{"do":"name","name":"admin"}', "x" * 20_000):
        assert answer(bot, line)["code"] in codes
