"""Sharing files. What moves the bytes is for programs alone."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands.table import Command, Count, Word, row


class ListFiles(Command, frozen=True, gc=False, tag="files"):
    """Which files are there in the room, and which were given to me? Outside one: which were given to me?"""


row(ListFiles, "list the files of the room, and those given to you", "files", topic="share", examples=[{}])


class Get(Command, frozen=True, gc=False):
    """Fetch a file, by its id or by its number, from that chunk on.

    The number is that of a file of the room; with ``given``, or outside a room, of one that was given to you. With
    ``send`` false only ``download`` comes: what it is, so that you can see whether you have the beginning already.
    """

    number: Count = 0
    given: bool = False
    file: Word = ""
    start: Count = msgspec.field(name="from", default=0)
    send: bool = True


row(
    Get,
    "fetch a file",
    "get",
    Arg("file", label="number", required=False),
    topic="share",
    examples=[{"number": 3}, {"number": 1, "given": True}],
)


class Unshare(Command, frozen=True, gc=False):
    """Take back a file that I shared: with ``user`` the one given to that user; else the one in this room, or anywhere.

    Of several of that name the last is meant; the answer says which it was. ``notes.txt bob`` is read as file and user
    when there is no file of that whole name.
    """

    name: Annotated[str, Meta(max_length=4096)]
    user: Word = ""


row(
    Unshare,
    "take back a file that you shared, or gave to somebody",
    "unshare",
    Arg("name", Kind.REST),
    topic="share",
    examples=[{"name": "notes.txt"}, {"name": "notes.txt", "user": "bob"}],
)


class Share(Command, frozen=True, gc=False):
    """Share a file with the room, or give it to one person; the answer, ``upload``, says from where on to send it.

    Who shares the same again after a cut goes on where it was cut.
    """

    name: Annotated[str, Meta(max_length=1024)]
    size: Count
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    user: Word = ""


row(
    Share,
    "share a file; for programs",
    "",
    examples=[
        {
            "name": "notes.txt",
            "size": 300000,
            "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        }
    ],
)


class PutChunk(Command, frozen=True, gc=False, tag="chunk"):
    """A chunk of a file that is being shared; after this line come so many raw bytes. ``chunk`` acknowledges it."""

    file: Word
    index: Count
    bytes: Count


row(
    PutChunk,
    "send a chunk of a file; for programs",
    "",
    pipelined=True,
    examples=[{"file": "q3w9", "index": 1, "bytes": 37856}],
)


class Got(Command, frozen=True, gc=False):
    """I have that chunk, and all before it."""

    file: Word
    index: Count


row(Got, "acknowledge a chunk of a file; for programs", "", pipelined=True, examples=[{"file": "q3w9", "index": 0}])


class Cancel(Command, frozen=True, gc=False):
    """Send me no more of that file, or: I send no more of it, and what came of it is not wanted.

    An upload that only the end of the connection has interrupted can be gone on with for a day.
    """

    file: Word


row(Cancel, "stop sending or fetching a file; for programs", "", examples=[{"file": "q3w9"}])
