"""Commands to share files. Those that carry the bytes are only for programs."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands.table import Command, Count, RoomCommand, Word, row


class ListFiles(RoomCommand, frozen=True, gc=False, tag="files"):
    """List the files of the room and those given to you; outside a room, only those given to you."""


row(ListFiles, "list the files of the room, and those given to you", "files", long=True, topic="share", examples=[{}])


class Get(RoomCommand, frozen=True, gc=False):
    """Fetch a file, which is named by its id or by its number, beginning with the chunk ``from``.

    The number is that of a file of the room; with ``given``, or outside a room, that of a file given to you. If
    ``send`` is false, only the answer ``download`` is sent, so that you can check whether you already have the
    beginning.
    """

    number: Count = 0
    given: bool = False
    file: Word = ""
    start: Count = msgspec.field(name="from", default=0)
    send: bool = True

    @property
    def needs_room(self) -> bool:
        """Whether the number is that of a file of a room."""
        return not (self.file or self.given)


row(
    Get,
    "fetch a file",
    "get",
    Arg("file", label="number", required=False),
    topic="share",
    examples=[{"number": 3}, {"number": 1, "given": True}],
)


class Unshare(RoomCommand, frozen=True, gc=False):
    """Take back a file that you shared.

    With ``user``, it is the file given to that user; otherwise the file in this room, or else anywhere. If several
    files have the name, the last one is taken back, and the answer says which it was. ``notes.txt bob`` means a file
    and a user if no file has that whole name.
    """

    name: Annotated[str, Meta(max_length=4096)]
    user: Word = ""

    @property
    def needs_room(self) -> bool:
        """Return False: no room has to be named, because the file is found by its name."""
        return False


row(
    Unshare,
    "take back a file that you shared, or gave to somebody",
    "unshare",
    Arg("name", Kind.REST),
    topic="share",
    examples=[{"name": "notes.txt"}, {"name": "notes.txt", "user": "bob"}],
)


class Share(RoomCommand, frozen=True, gc=False):
    """Share a file with the room, or give it to one person. The answer ``upload`` says which chunk to send first.

    After a lost connection, share the same file again to continue the upload. ``sealed`` says that the bytes are
    encrypted end to end: ``name`` is then a random one, and ``size`` and ``sha256`` are those of the encrypted bytes.
    """

    name: Annotated[str, Meta(max_length=1024)]
    size: Count
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    user: Word = ""
    sealed: bool = False

    @property
    def needs_room(self) -> bool:
        """Whether the file is for a room."""
        return not self.user


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
    """Send a chunk of a file. ``bytes`` raw bytes follow this line; the event ``chunk`` acknowledges the chunk."""

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
    """Acknowledge a chunk, and all chunks before it."""

    file: Word
    index: Count


row(Got, "acknowledge a chunk of a file; for programs", "", pipelined=True, examples=[{"file": "q3w9", "index": 0}])


class Cancel(Command, frozen=True, gc=False):
    """Stop fetching a file, or stop sending it and discard what was sent.

    An upload that was only interrupted by the end of the connection can be continued for a day.
    """

    file: Word


row(Cancel, "stop sending or fetching a file; for programs", "", examples=[{"file": "q3w9"}])
