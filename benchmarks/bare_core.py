"""The bare core of the architecture, with which ``ratios.py`` compares chatroom: the way of a line, and nothing else.

    python benchmarks/bare_core.py PORT [memory|normal|full]

People give ``/name X``, ``/join R`` and text; a connection whose first byte is ``{`` speaks JSON records. There are no
bounds, no telnet, no history, no search and no logs: what is left is the least that this design can cost.
"""

from __future__ import annotations

import os
import queue
import sqlite3
import sys
import tempfile
import threading
import time

import msgspec
from twisted.internet import epollreactor

epollreactor.install()
from twisted.internet import protocol, reactor  # noqa: E402
from twisted.protocols.basic import LineReceiver  # noqa: E402


# ---- events -------------------------------------------------------------------------------------------------------
class Event(msgspec.Struct, frozen=True, tag_field="event", tag=str.lower, gc=False):
    id: str
    at: int
    by: str


class Said(Event):
    text: str


class Joined(Event):
    session: int = 0


class Left(Event):
    session: int = 0


encode = msgspec.json.Encoder().encode


class Entry:
    __slots__ = ("body", "event", "seq")

    def __init__(self, event, body):
        self.seq, self.event, self.body = 0, event, body


# ---- dialects: an event becomes bytes once for all who speak it ---------------------------------------------------
class Text:
    """How people are spoken to."""

    def render(self, room, entry):
        return self.forms[type(entry.event)](room, entry.event)

    forms = {  # noqa: RUF012
        Said: lambda room, e: f"{e.by}: {e.text}\r\n".encode(),
        Joined: lambda room, e: f"{e.by} has joined the room.\r\n".encode(),
        Left: lambda room, e: f"{e.by} has left the room.\r\n".encode(),
    }


class Json:
    """How programs are spoken to."""

    def render(self, room, entry):
        return b'%s,"room":"%s","seq":%d}\n' % (entry.body[:-1], room.name.encode(), entry.seq)


TEXT, JSON = Text(), Json()


# ---- engine -------------------------------------------------------------------------------------------------------
class Engine:
    """append gathers; one batch at a time is committed by the writer thread; then it is delivered, room by room."""

    def __init__(self, deliver, mode):
        self.deliver, self.mode = deliver, mode
        self.waiting, self.busy, self.seq, self.last = [], False, 0, ""
        if mode != "memory":
            self.work = queue.SimpleQueue()
            threading.Thread(target=self.writer, daemon=True).start()

    def append(self, room, event):
        if not self.waiting and not self.busy:
            self.busy = True
            reactor.callLater(0, self.flush)
        self.waiting.append((room, Entry(event, encode(event))))

    def flush(self):
        batch, self.waiting = self.waiting, []
        if self.mode == "memory":
            for _, e in batch:
                self.seq += 1
                e.seq = self.seq
            self.committed(batch)
        else:
            self.work.put(batch)

    def committed(self, batch):
        if self.waiting:
            if self.mode == "memory":
                reactor.callLater(0, self.flush)
            else:
                self.flush()
        else:
            self.busy = False
        self.deliver(batch)

    def writer(self):
        db = sqlite3.connect(os.path.join(tempfile.mkdtemp(), "log.db"), isolation_level=None)
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=" + self.mode)
        db.execute("create table log (seq integer primary key, room text, id text, body blob)")
        db.execute("create unique index log_id on log(room, id)")
        seq = 0
        while True:
            batch = self.work.get()
            rows = []
            for room, e in batch:
                seq += 1
                e.seq = seq
                rows.append((seq, room.name, e.event.id, e.body))
            db.execute("begin")
            db.executemany("insert into log values (?,?,?,?)", rows)
            db.execute("commit")
            reactor.callFromThread(self.committed, batch)


# ---- domain -------------------------------------------------------------------------------------------------------
class Room:
    """A room, its members, and for each dialect how to write to those who speak it."""

    def __init__(self, name):
        self.name, self.members, self.audience = name, {}, {}

    def apply(self, entries):
        """Apply what was stored: one write for every member who was there before the batch.

        A session that joins inside the batch gets its welcome and the tail; one that leaves gets the head.
        """
        came, went = {}, {}
        for i, e in enumerate(entries):
            event = e.event
            if type(event) is Joined:
                s = SESSIONS.get(event.session)
                if s:
                    self.members[s] = None
                    came[s] = i + 1, s.welcome(self)
            elif type(event) is Left:
                s = SESSIONS.pop(event.session, None)
                if s in self.members:
                    del self.members[s]
                    went[s] = i
        for s in went:
            if s not in came:
                self.audience[s.dialect].pop(s)
        for dialect in {*self.audience, *(s.dialect for s in came), *(s.dialect for s in went)}:
            pieces = [dialect.render(self, e) for e in entries]
            blob = b"".join(pieces)
            for write in self.audience.get(dialect, {}).values():
                write(blob)
            for s, (i, hello) in came.items():
                if s.dialect is dialect:
                    s.write(hello + b"".join(pieces[i : went.get(s)]))
            for s, i in went.items():
                if s.dialect is dialect and s not in came:
                    s.write(b"".join(pieces[:i]))
        for s in came:
            if s not in went:
                self.audience.setdefault(s.dialect, {})[s] = s.write


class Chat:
    """The rooms by name, over one engine."""

    def __init__(self, mode):
        self.rooms, self.engine = {}, Engine(self.deliver, mode)

    def room(self, name):
        r = self.rooms.get(name)
        if r is None:
            r = self.rooms[name] = Room(name)
        return r

    def deliver(self, batch):
        by_room = {}
        for room, e in batch:
            by_room.setdefault(room, []).append(e)
        for room, entries in by_room.items():
            room.apply(entries)


SESSIONS, COUNT = {}, iter(range(1, 1 << 60))


class Session:
    """One connection; its budget, rights and barriers would be here."""

    __slots__ = ("chat", "dialect", "lines", "name", "number", "room", "stamp", "tokens", "write")

    def __init__(self, chat, write, dialect):
        self.chat, self.write, self.dialect, self.room = chat, write, dialect, None
        self.number = next(COUNT)
        self.name = f"guest-{self.number}"
        SESSIONS[self.number] = self
        self.tokens, self.stamp, self.lines = 1e9, 0.0, 0

    def welcome(self, room):
        self.room = room
        names = [s.name for s, _ in zip(room.members, range(200), strict=False)]
        return b"Welcome to room %s!\r\nCurrent users: %s\r\n" % (room.name.encode(), ", ".join(names).encode())

    def do(self, command):
        self.tokens -= 1  # the flood budget
        if self.tokens < 0:
            return
        COMMANDS[type(command)](self, command)

    def gone(self):
        if self.room:
            self.event(self.room, Left, session=self.number)
        else:
            SESSIONS.pop(self.number, None)

    def event(self, room, kind, **more):
        self.lines += 1
        self.chat.engine.append(
            room, kind(id=f"{self.number}-{self.lines}", at=int(time.time() * 1000), by=self.name, **more)
        )


class Command(msgspec.Struct, frozen=True, tag_field="do", tag=str.lower, gc=False):
    pass


class Say(Command):
    text: str


class Name(Command):
    name: str


class Join(Command):
    room: str


def say(s, c):
    if s.room:
        s.event(s.room, Said, text=c.text)
    else:
        s.write(b"Error: you are not in a room; join one with /join <room>.\r\n")


def name(s, c):
    s.name = c.name
    s.write(b"You are now %s.\r\n" % c.name.encode())


def join(s, c):
    s.event(s.chat.room(c.room), Joined, session=s.number)


COMMANDS = {Say: say, Name: name, Join: join}
SLASH = {"name": Name, "nick": Name, "join": Join}
decode = msgspec.json.Decoder(Say | Name | Join).decode


def parse(line):
    text = line.decode("utf-8", "replace")
    if not text.isprintable():
        text = "".join(ch if ch.isprintable() else "\ufffd" for ch in text)
    if text[:1] != "/":
        return Say(text)
    word, _, rest = text[1:].partition(" ")
    return SLASH[word](rest)


# ---- wire ---------------------------------------------------------------------------------------------------------
class ChatProtocol(LineReceiver):
    """Lines in; out straight to the socket, and what it does not take is held until it asks for more."""

    delimiter, MAX_LENGTH = b"\n", 4096

    def __init__(self, chat, dialect):
        self.chat, self.dialect = chat, dialect

    def connectionMade(self):
        self.transport.setTcpNoDelay(True)
        self.send, self.held = self.transport.getHandle().send, None
        self.session = Session(self.chat, self.write, self.dialect)
        self.write(b"Welcome.\r\n")

    def write(self, data):
        if self.held is not None:
            self.held.append(data)
            return
        try:
            n = self.send(data)
        except BlockingIOError:
            n = 0
        except OSError:
            return
        if n != len(data):
            self.held = [data[n:]]
            self.transport.registerProducer(self, False)

    def resumeProducing(self):
        if self.held:
            data, self.held = b"".join(self.held), []
            self.transport.write(data)
        else:
            self.held = None
            self.transport.unregisterProducer()

    def stopProducing(self):
        self.held = []

    def lineReceived(self, line):
        if line.endswith(b"\r"):
            line = line[:-1]
        self.session.do(parse(line) if self.dialect is TEXT else decode(line))

    def connectionLost(self, reason):
        self.session.gone()


class FirstByte(protocol.Protocol):
    """Looks at the first byte, then hands the transport over."""

    def __init__(self, chat):
        self.chat = chat

    def connectionMade(self):
        self.timer = reactor.callLater(0.25, self.hand_over, b"")

    def dataReceived(self, data):
        self.timer.cancel()
        self.hand_over(data)

    def hand_over(self, data):
        p = ChatProtocol(self.chat, JSON if data[:1] == b"{" else TEXT)
        t = self.transport
        t.protocol = p
        p.makeConnection(t)
        if data:
            p.dataReceived(data)

    def connectionLost(self, reason):
        if self.timer.active():
            self.timer.cancel()


class ChatFactory(protocol.Factory):
    noisy = False

    def __init__(self, chat):
        self.chat = chat

    def buildProtocol(self, addr):
        return FirstByte(self.chat)


if __name__ == "__main__":
    reactor.listenTCP(
        int(sys.argv[1]),
        ChatFactory(Chat(sys.argv[2] if len(sys.argv) > 2 else "full")),
        backlog=4096,
        interface="127.0.0.1",
    )
    reactor.run()
