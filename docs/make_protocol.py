"""Makes docs/protocol.md from the command table and the record types.

    python docs/make_protocol.py > docs/protocol.md

A test holds the file against this, and feeds every example in it through the real decoders.
"""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from chatroom.chat import limits
from chatroom.model import commands as c
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.amendments import EXCERPT
from chatroom.model.commands import TABLE, CommandRow, made
from chatroom.model.errors import REFUSALS
from chatroom.model.examples_of_keys import DEVICE, LIST, ONE_TIME
from chatroom.model.log import Entry
from chatroom.model.shared_files import CHUNK, TRANSFERS, WINDOW
from chatroom.model.text import CONTINUATION, MOST_LINES
from chatroom.wire.dialects.records import JsonDialect
from chatroom.wire.dialects.text import TextDialect

HEAD = """# The protocol

This file is made by `python docs/make_protocol.py > docs/protocol.md`. What it says is read off the code, and a test
feeds every example through the real decoders.

All clients use one port, and their first bytes decide what they speak. TLS (1.2 or 1.3; ALPN `chatroom/1`, or none)
must finish its handshake within 10 s; inside it the first bytes decide again. `{` begins a conversation in records
(below). HTTP and IRC openings are refused in their own words for now. Anything else, or silence for 250 ms, is a person
on telnet or nc.

Lines are UTF-8. The server ends them with CRLF and accepts LF, CRLF and CR NUL. A line from a person has at most
{text} bytes, a record {record}.

The text of a message (`say`, `me`, `message`, `reply`) may have several lines, with LF (in JSON `\\n`) between them:
at most {lines}, and {text} bytes in all. CR LF counts as LF, and blank lines at the beginning and the end are dropped.
Every other text is one line. On telnet each further line begins with `{mark}`, so that it cannot pose as a message of
its own.

## What people type

1. `/word …` is a command anywhere, in any case. `//text` says `/text`.
2. The upper-case words are commands anywhere, in exactly this case; those without arguments only alone on the line.
3. Outside a room the bare words are commands too; those without arguments only alone on the line. Anything else there
   is answered `Error: you are not in a room; join one with /join <room>.`
4. In a room `leave` alone leaves it, and `login` or `register` alone asks a guest for name and password, as it does
   outside. So nobody says a password to the room by accident (`/say login` says the word). Everything else is said to
   the room, `exit` and `who` included.
5. The server asks for some arguments that are left out (`To whom?`, `Message:`). The next line is the answer; an empty
   line or `/cancel` cancels. Another known `/command` is refused, and the question is asked again; `//text` answers
   `/text`, and bare and upper-case words are answers. `login` and `register` ask `user,password:`. Telnet does not show
   that answer, and it may be anything: a password is the whole line, blanks included. In a room, where the
   next line would be said, an answer with a password that fails is asked for again until it is right or cancelled.
   The server does not ask for the arguments of a command that is not allowed.
6. `-n` counts messages of the room back: `-1` is the last one that the person was shown, `-2` the one before; for
   `/edit` the person's own last one, which is also meant without it. Messages of ignored people and deleted messages do
   not count, and at most 200 are counted back. A text that begins so needs it: `/edit -1 -2 degrees`.
7. A duration is `30s`, `10m`, `2h`, `7d` or `1w`. A ban or mute without a duration is for good.

A command waits until everything said before it is stored. The commands that move a person (name, create, join, leave,
register, login, logout) are finished before the next line is read.

The person who makes a room owns it and moderates it. The owner of an account owns it for good. A guest owns it while
the connection lasts, and goes on owning it when the same program comes back by its secret (see below).

A moderator may not act against the owner. Only the owner may act against another moderator. An operator (an account
that has been made one) moderates everywhere. Outside a room, an operator's `/kick`, `/ban` and `/unban` are for the
whole server.
"""

RECORDS = """
## Records: how programs speak

A connection whose first byte is `{` speaks one JSON object a line, both ways. Commands have a field `do`, events and
answers a field `event`.

**Answers.** A `ref` (a number or a string) in a command comes back as `re` in its answer. A command that has no answer
of its own is answered `ok` if it carried a `ref`; a message is answered by its own echo. The author's echo, with the
author's `id`, is the acknowledgement: it is sent when the message is durable. Saying the same `id` again stores
nothing; the first message is sent once more, to its author alone. `seq` grows within a log, possibly with gaps. `at` is
in milliseconds since 1970.

**One message.** `edit`, `react` and `delete` are events of the room's log, and they change the stored message as well.
So history, search and `join` with `after` give the present text, say when that was `edited`, and have the `reactions`
that were not taken back. Apply these events to the message if you hold it; it may already be as the event makes it. A
newer edit replaces the older one's event, and all such events go with their message. `quote` makes a message an answer:
`quoted` has the author and the first {excerpt} characters of the other message, or no text if that was deleted. An edit
with a `ref` is answered `ok` after its event. If an older edit is sent again, its event is sent to its author alone,
with the present text.

**Inboxes.** Private messages, and files and invitations with `to`, are in the inbox of the person they are for: their
`seq` counts in that inbox and in no room. A program says with `ack` how far it has dealt with them. What was not
acknowledged comes again at the next login, or when a guest comes back; private messages then have `late`. While 500
messages are not acknowledged, or 100 from one sender, further messages are refused to their senders.

What you write to one person is kept for you as well: your other sessions get the same `private`, in which `by` is your
own name. Its `seq` counts among the messages that you have sent, so it is not for `ack`. No two messages have the same
seq, whatever log they are in: put in the order of `seq`, the messages of both sides are the conversation.

**Read marks.** `read` says how far you have read a room, or the private messages with one person. An account has one
mark for each, which all its sessions share: the others are told by `marked`. A mark never goes back, and never beyond
the last message. `entered` says how many messages are unread when you join, and how many of them mention you;
`conversations` says how many private messages are. Unread are the messages of others after the mark that were not
deleted, except those of people whom you ignore; at most the newest 1000 are counted. At your first join of a room,
everything said before counts as read.

**Coming back.** The welcome has a secret, `resume`. A program gives it in the first `hello` of its next connection. If
the server has not yet noticed that the old connection is dead, this ends the old connection at once. The program is
then the same guest, also after a restart of the server: it has the same `by_id`, so that an `id` said again is stored
once, the same inbox (for 7 days) and the same rooms. It must give its name as well, because the server may not know it
any more; it gets the name back only if nobody took it meanwhile. Whoever has the secret is that guest; the secret opens
no account. A program may make up the secret before its first `hello` (random, at least 16 characters). Then it can come
back even if it never heard a welcome.

**Files.** `share` announces a file. The server refuses it before a byte is sent, or answers `upload`, which says from
which chunk on to send it. A chunk is a record `chunk` and, right after its line, as many raw bytes as the record says;
a refused record does not change that. Each chunk has {chunk} bytes, and the last one the rest. At most {window} may be
under way without having been acknowledged; each is acknowledged when it is stored. A connection has at most {transfers}
files under way, in both directions together. An upload that was cut goes on where it was if the same owner of an
account (or a guest of the same name) shares the same file again within a day: same name, size, SHA-256, and room or
person. When all of it is there and its SHA-256 is right, `shared` is told; sharing a file that is already there tells
it to the sharer once more. `get` is answered with `download`, and then chunks come in the same way. The receiver
acknowledges each with `got`, and `from` continues a download that was cut. An `error` with a `file` says that the
transfer of that file has ended.

**Encrypted rooms.** The owner of a room can `encrypt` it, for ever: the record says so when you join (`entered`), and
`encrypted` says so when it happens. Only sessions with the keys of a device in their user's device list can be there;
others are refused at the door, and removed, with `encrypted-room` or a `kicked` that has a `session`. Everything that
is plain (`say`, `me`, `quote`, `edit`, `react`, `share` without `sealed`) is refused with `encrypted-room`; a message
is sent with `say-sealed`, and comes as `sealed`. The server reads none of them: they have no text to search for or to
quote, and mention nobody. In all else they are messages: in the history, counted as unread, slow, muted, ignored and
deleted. `member-ids` names the members; to know who may have the keys, follow the `seq` of these events: `joined`,
`left`, `disconnected`, `kicked`, `banned`, `renamed` with a `user_id`, and `devices-changed`.

**Signatures.** Devices sign by Ed25519. A signature covers the bytes `chatroom/`, the domain, `/1`, a zero byte, and
then the record without its `sig` as JSON in UTF-8, with sorted keys and no blanks. The domains are `device` for a
device's keys, `one-time-key` for one-time and fallback keys (both by the device's `ed25519`), `device-list` for the
list (by its `user_key`), and `device-proof` for `proof` of `keys-publish`, which covers an object of the device's
`server`, `user_id` and `device` and the `nonce` of this connection's `welcome`. Keys and signatures are base64 without
padding. The id of a device is the first ten characters of the base32 of its `ed25519` key's SHA-256.

**Details.** Unknown fields are ignored. If a field is given twice, the last one counts. These are refused: an unknown
`do`, a wrong type, invalid UTF-8, a lone surrogate, a number beyond 2^53, nesting deeper than 8. The server sends
`ping` after 90 s of silence and closes the connection after 150 s. Anything that the program sends counts; `pong` is
there for this. A program should speak at once: after 250 ms of silence it is greeted like a person, in lines that are
not records. Its first byte still decides.

    {conversation}

### Commands
"""

_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

COMMANDS = tuple(
    made(row, {**example, "ref": ref})
    for ref, (row, example) in enumerate(((row, example) for row in TABLE for example in row.examples), 1)
)

_WHO = {"id": "01J8Z", "at": 1790000000000, "by": "bob", "by_id": "x7k2", "room": "lobby", "seq": 132}
_WHOM = {"user": "mallory", "user_id": "m4l1"}
_FILE: dict[str, Any] = {"file": "q3w9", "number": 3, "name": "notes.txt", "size": 300000, "sha256": _SHA256}
_SEALED: dict[str, Any] = {**_FILE, "name": "9f86d081884c7d659a2feaa0c55ad015", "sealed": True}
_ENVELOPE: dict[str, Any] = {"id": "01J8Z", "at": 1790000000000, "by": "bob", "by_id": "x7k2"}
_LIMITS = a.Limits(16384, 4096, 32, 64, 2.0, 16777216)
_AMENDED: dict[str, Any] = {
    "quote": 131,
    "quoted": e.Quoted("alice", "shall we begin?"),
    "edited": 1790000100000,
    "reactions": (e.EmojiReaction("👍", "mallory", "m4l1"),),
}
_SAID = e.Said(**_WHO, text="hello")

EVENTS: tuple[tuple[str, tuple[tuple[e.Event, int | None], ...]], ...] = (
    (
        "Answers",
        (
            (
                a.Welcome("chatroom", 1, "bot", True, _LIMITS, list(a.FEATURES), "s3cr3t", 10, [], "m3k8q0z1", "y2p5"),
                1,
            ),
            (
                a.Entered(
                    room="lobby",
                    room_id="k3f9",
                    topic="",
                    users=["alice", "bot"],
                    seq=131,
                    complete=True,
                    read=120,
                    unread=3,
                    mentions=1,
                ),
                4,
            ),
            (a.Rooms([a.RoomLine("lobby", 3, "all about it", True), a.RoomLine("quiet", 0, "")]), 6),
            (a.Users([a.UserLine("alice", "lobby"), a.UserLine("bob", "", "lunch")], 2), 7),
            (a.Members("lobby", ["alice", "bob"]), 53),
            (a.MemberIdPage(room="lobby", rev=131, members=[a.MemberId("x7k2", "bob", 3)]), 55),
            (a.Person(name="bob", account=True, online=True, rooms=["lobby"], away="lunch"), 54),
            (a.History("lobby", [_SAID], False), 11),
            (a.Found("hello", [_SAID], False, 97, 1789990000000, 1790000000000), 12),
            (a.Conversations([a.ConversationLine("bob", "x7k2", 140, 1790000000000, 2, 131)]), 61),
            (a.Help([a.HelpLine("/leave", "leave the room", ["/leave", "LEAVE_ROOM", "leave"])]), 13),
            (a.Settings(True, False, "lunch", ["mallory"], "away"), 17),
            (a.Account(name="bob", users=["alice", "bob"], id="x7k2"), 21),
            (
                a.Sessions(
                    [
                        a.SessionLine(
                            "example 1.0 on a laptop", 1790000000000, 1790000600000, True, True, "laptop-4f21", 2
                        ),
                        a.SessionLine("text from 192.0.2.7", 1790000300000, 1790000300000, True, connections=1),
                    ]
                ),
                48,
            ),
            (a.Sent("01J91", "alice", "hi"), 9),
            (a.Files("lobby", [a.FileLine("q3w9", 3, "notes.txt", 300000, "bob", 1790000000000)]), 51),
            (a.Ok(), 18),
            (a.Error("no-room", "no room named lobby; create it with /create lobby."), 4),
        ),
    ),
    (
        "Events of a room",
        (
            (_SAID, None),
            (e.Acted(**_WHO, **_AMENDED, text="waves"), None),
            (e.Shared(**_WHO, **_FILE), None),
            (e.SealedMessage(**_WHO, device="MFRGGZDFMZ", sid="c2Vzc2lvbg", ct="AwgAEpABv3W"), None),
            (e.Shared(**_WHO, **_SEALED), None),
            (e.Joined(**_WHO, session="x7k2"), None),
            (e.Left(**_WHO, session="x7k2"), None),
            (e.Disconnected(**_WHO, session="x7k2"), None),
            (e.Renamed(**_WHO, session="x7k2", name="rob"), None),
            (e.Topic(**_WHO, text="all about it"), None),
            (e.Kicked(**_WHO, **_WHOM, reason="be nice"), None),
            (e.Banned(**_WHO, **_WHOM, reason="be nice", until=1790007200000), None),
            (e.Unbanned(**_WHO, **_WHOM), None),
            (e.Muted(**_WHO, **_WHOM, until=1790000600000), None),
            (e.Unmuted(**_WHO, **_WHOM), None),
            (e.Opped(**_WHO, **_WHOM), None),
            (e.Deopped(**_WHO, **_WHOM), None),
            (e.Owned(**_WHO, **_WHOM), None),
            (e.Invited(**_WHO, **_WHOM), None),
            (e.Locked(**_WHO), None),
            (e.Unlocked(**_WHO), None),
            (e.Slowed(**_WHO, seconds=10), None),
            (e.Encrypted(**_WHO), None),
            (e.DevicesChanged(**_WHO, rev=4, change="linked"), None),
            (e.Closed(**_WHO, reason="moved to den"), None),
            (e.Edited(**_WHO, message=131, text="hello all"), None),
            (e.Reacted(**_WHO, message=131, emoji="👍", on=True, user="mallory", text="hello"), None),
            (e.Deleted(**_WHO, message=131, user="mallory"), None),
        ),
    ),
    (
        "Events of a person",
        (
            (e.Private("01J91", 1790000000000, "bob", "x7k2", to="alice", text="hi", seq=7), None),
            (a.Typing(by="alice", by_id="k2x7", room="lobby"), None),
            (a.Away("alice", "lunch"), None),
            (a.Marked(room="lobby", seq=131), None),
            (e.Arrived("c0:1", 1790000000000, "bob", "x7k2"), None),
            (e.Departed("c0:2", 1790000000000, "bob", "x7k2", session="y8l3"), None),
            (e.Announced("c0:3", 1790000000000, "alice", "", text="back in five minutes"), None),
        ),
    ),
    (
        "Files",
        (
            (a.Upload(file="q3w9", chunk=262144, have=0), 48),
            (a.Chunk("q3w9", 0), None),
            (a.Download(**_FILE, chunk=262144), 49),
            (a.Chunk("q3w9", 1, 37856), None),
        ),
    ),
    (
        "Keys",
        (
            (a.KeysPublished(count=57, rev=1, pending=False, generation=3), 62),
            (a.Keys(users=[a.UserKeys(name="bob", user_id="x7k2", list=LIST, rev=1)], pending=[]), 64),
            (a.Claimed(keys=[a.ClaimedKey(user_id="x7k2", device=DEVICE.device, key=ONE_TIME)]), 65),
            (a.KeysBackedUp(sealed="c2VhbGVk"), 67),
            (a.E2eSent(id="01J8Z", waits="account"), 68),
            (e.E2eFrom(**_ENVELOPE, device=DEVICE.device, kind=0, body="c2VhbGVk", seq=140), None),
            (a.KeysLow(count=19), None),
            (a.KeysChanged(user="bob", user_id="x7k2", rev=2), None),
            (a.E2eNotice(by="bob", by_id="x7k2"), None),
        ),
    ),
    ("Events of the connection", ((a.Ping(), None), (a.Shutdown(), None))),
)

CONVERSATION = (
    c.Hello(version=1, client="example 1.0", name="bot", ref=1),
    (a.Welcome("chatroom", 1, "bot", True, _LIMITS, list(a.FEATURES), "s3cr3t", 10, [], "m3k8q0z1", "y2p5"), 1),
    c.Join(room="lobby", ref=2),
    (a.Entered(room="lobby", room_id="k3f9", topic="", users=["alice", "bot"], seq=131, complete=True), 2),
    c.Say(text="hello", id="01J8Z", ref=3),
    (_SAID, None),
    c.Leave(ref=4),
    (e.Left(**_WHO, session="x7k2"), 4),
)

_records = JsonDialect()
_text = TextDialect(limits.Rules())


def protocol() -> str:
    """Return the whole page."""
    figures = {"text": limits.TEXT_BYTES, "record": limits.RECORD_BYTES, "lines": MOST_LINES, "mark": CONTINUATION}
    parts = [HEAD]
    for word, figure in figures.items():
        parts[0] = parts[0].replace(f"{{{word}}}", str(figure))
    parts += ["\n", typed_table()]
    records = RECORDS.replace("{chunk}", str(CHUNK)).replace("{window}", str(WINDOW))
    records = records.replace("{transfers}", str(TRANSFERS)).replace("{excerpt}", str(EXCERPT))
    parts.append(records.replace("{conversation}", "\n    ".join(map(line, CONVERSATION))))
    parts += [command(example) for example in COMMANDS]
    for title, examples in EVENTS:
        parts.append(f"\n### {title}\n")
        parts += [event(example, ref) for example, ref in examples]
    parts += ["\n### Codes of `error`\n\n", codes()]
    return "".join(parts)


def typed_table() -> str:
    """Return the table of what people type."""
    rows = ["| command | other spellings | needs | |", "|---|---|---|---|"]
    for row in TABLE:
        if row.spellings:
            others = " ".join(f"`{word}`" for word in row.spellings if word != row.usage.split()[0])
            rows.append(f"| `{row.usage}` | {others} | {needs(row)} | {row.help} |".replace("|off", "\\|off"))
    return "\n".join(rows) + "\n"


def needs(row: CommandRow) -> str:
    """Return what somebody needs to give a command."""
    return ", ".join(["a room"] * row.in_room + [row.needs.value] * bool(row.needs.value))


def line(example: Any) -> str:
    """Return a line of a conversation."""
    if isinstance(example, c.Command):
        return f"> {msgspec.json.encode(example).decode()}"
    return f"< {said(*example)}"


def said(example: e.Event, ref: int | None) -> str:
    """Return a record as the server sends it."""
    if isinstance(example, a.Ok):
        ref = ref or 1
    return _records.answer(example, ref).decode().strip()


def command(example: c.Command) -> str:
    """Return what there is to know about one command's record."""
    do = type(example).__struct_config__.tag
    rows = [row for row in TABLE if row.command is type(example)]
    spelled = ", ".join(f"`{row.usage}`" for row in rows if row.spellings)
    return (
        f"\n#### do `{do}`\n\n{doc(type(example))}{' For people: ' + spelled + '.' if spelled else ''}\n\n"
        f"{fields(type(example), hide={'ref'})}    {line(example)}\n"
    )


def event(example: e.Event, ref: int | None) -> str:
    """Return what there is to know about one event's record."""
    words = shown(example)
    for_people = (
        f"    people see: {words[0]}\n" + "".join(f"                {more}\n" for more in words[1:]) if words else ""
    )
    name = type(example).__struct_config__.tag
    return (
        f"\n#### event `{name}`\n\n{doc(type(example))}\n\n{fields(type(example), hide={*e.HIDDEN})}"
        f"    < {said(example, ref)}\n{for_people}"
    )


def shown(example: e.Event) -> list[str]:
    """Return what a person sees of it."""
    if isinstance(example, e.OF_A_ROOM):
        return _text.render("lobby", Entry("room/k3f9", example, b"")).decode().splitlines()
    return [words for words in _text.answer(example).decode().splitlines() if words]


def doc(kind: type) -> str:
    """Return a class's docstring on one line."""
    return " ".join((inspect.getdoc(kind) or "").replace("``", "`").split())


def fields(kind: type[msgspec.Struct], hide: frozenset[str] | set[str] = frozenset()) -> str:
    """Return a table of a record's fields."""
    rows = []
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in hide:
            need = "" if field.required else " (optional)"
            rows.append(f"- `{field.encode_name}`{need}: {spell(msgspec.json.schema(field.type))}\n")
    return "".join(rows) + ("\n" if rows else "")


def spell(schema: dict[str, Any]) -> str:
    """Return a JSON schema in words."""
    if "anyOf" in schema:
        return " or ".join(spell(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"{'a list' if name == e.EmojiReaction.__name__ else 'an object'} like the example's `{name}`"
    if schema.get("type") == "array":
        return f"list of {spell(schema['items'])}"
    bounds = [f"at least {schema['minimum']}"] if schema.get("minimum", 0) > 0 else []
    if "maxLength" in schema:
        bounds.append(f"at most {schema['maxLength']} characters")
    if "pattern" in schema:
        bounds.append(f"`{schema['pattern']}`")
    return str(schema.get("type", "object")) + (f" ({', '.join(bounds)})" if bounds else "")


def codes() -> str:
    """Return the table of refusals."""
    rows = ["| code | text |", "|---|---|"]
    rows += [f"| `{refusal.code}` | {refusal.text} |" for refusal in sorted(REFUSALS, key=lambda refusal: refusal.code)]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(protocol(), end="")
