"""What can be asked about files: share, fetch, list them. Who may is decided here, before a byte is sent."""

from __future__ import annotations

from chatroom.answers import Download, Files, Ok, Upload
from chatroom.chat import commands as c
from chatroom.chat.files.record import FileRecord, owner_of, payer_of
from chatroom.chat.files.transfers import Transfers
from chatroom.chat.limits import LISTED, RECENT
from chatroom.chat.refusals import NO_FILE, NO_FILE_OF_YOURS, NO_INBOX, NOT_IN_ROOM
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.chat.talking import address_of, may_speak
from chatroom.events import Deleted, Event, Shared
from chatroom.shared_files import CHUNK, chunks_of, safe_name


async def share(session: Session, command: c.Share) -> None:
    """Keep room for a file, and say from where on to send it."""
    chat, transfers = session.chat, _transfers(session)
    room = None if command.user else _speaking(session)
    log, to, to_id = (room.log, "", "") if room is not None else await _inbox(session, command.user)
    transfers.check_number()
    wanted = FileRecord(
        chat.mint(16),
        safe_name(command.name),
        command.size,
        command.sha256,
        chat.now(),
        session.name,
        session.user_id,
        owner_of(session),
        payer_of(session),
        log,
        to,
        to_id,
    )
    async with chat.files.room_for(wanted) as record:
        transfers.take_over(record.id)
        have = chunks_of(record.size) if record.number else await chat.files.have(record)
        if not session.over:
            transfers.take_over(record.id)  # from whoever has begun meanwhile
            session.answer(Upload(file=record.id, chunk=CHUNK, have=have), command.ref)
            transfers.receive(record, room.record if room is not None else None, have)


def chunk(session: Session, command: c.PutChunk) -> None:
    """A chunk is about to come; it is acknowledged when it is stored."""
    _transfers(session).expect(command)


async def get(session: Session, command: c.Get) -> Event | None:
    """Fetch a file; a person is told how to."""
    if session.person:
        number = command.number or "<number>"
        return Ok(f"Files are fetched with chatroom-client: /get {number} there.")
    record = await _find(session, command)
    if not record.is_for(session) or command.start >= chunks_of(record.size):
        raise NO_FILE()
    transfers = _transfers(session)
    if command.send:
        transfers.check_number()
    answer = Download(
        file=record.id,
        number=record.number,
        name=record.name,
        size=record.size,
        sha256=record.sha256,
        chunk=CHUNK,
        start=command.start,
    )
    if not session.over:
        session.answer(answer, command.ref)
        if command.send:
            transfers.send(record, command.start)
    return None


def got(session: Session, command: c.Got) -> Event:
    """A chunk has arrived."""
    _transfers(session).got(command.file, command.index)
    return Ok()


async def cancel(session: Session, command: c.Cancel) -> Event:
    """Go on no more with a file; what has come of one that was being sent takes up room no longer."""
    if _transfers(session).cancel(command.file):
        await session.chat.files.give_up(command.file)
    return Ok()


async def unshare(session: Session, command: c.Unshare) -> Event:
    """Take back a file: its bytes go, and what told of it is blank."""
    chat, name = session.chat, safe_name(command.name)
    record = await chat.files.named(session.user_id, name)
    if record is None:
        raise NO_FILE_OF_YOURS(name=name)
    await chat.files.remove(record.id)
    await _blank(session, record)
    return Ok(f"{record.name} is not shared any more.")


async def _blank(session: Session, record: FileRecord) -> None:
    """Blank what told of a file, if that is among the last messages, and let the room see it."""
    engine = session.chat.engine
    for entry in (await engine.read(record.log, limit=RECENT, messages=True)).entries:
        told = isinstance(entry.event, Shared) and entry.event.file == record.id
        if told and await engine.erase(record.log, entry.seq) and not record.to_id:
            who = session.next_id(), session.chat.now(), session.name, session.user_id
            await session.chat.append_surely(record.log, Deleted(*who, message=entry.seq, user=entry.event.by))


async def files(session: Session, command: c.ListFiles) -> Event:
    """List the files of the room, or those given to oneself."""
    room = session.room
    lines, number = await session.chat.files.lines(room.log if room is not None else session.user.inbox_log, LISTED)
    return Files(room.name if room is not None else "", lines, number - len(lines))


def _transfers(session: Session) -> Transfers:
    if session.transfers is None:
        session.transfers = Transfers(session)
    return session.transfers


def _speaking(session: Session) -> Room:
    """Return the session's room, in which it may say something."""
    if session.room is None:
        raise NOT_IN_ROOM()
    may_speak(session, session.room)
    return session.room


async def _inbox(session: Session, name: str) -> tuple[str, str, str]:
    """Return the inbox of whoever is called so, with the name and the id.

    Raises:
        Refused: Nobody is; or nobody who could fetch it; or it is full.
    """
    address = await address_of(session.chat, name)
    if address.user is None and address.waits != "account":
        raise NO_INBOX(user=address.name)
    await session.chat.shares.check(session, address.user, address.log, address.name)
    if address.user is not None:
        return address.log, address.user.name, address.user.id
    return address.log, address.name, address.log.removeprefix("inbox/")


async def _find(session: Session, command: c.Get) -> FileRecord:
    """Return the file with that id; or with that number in the room, or else among one's own."""
    store = session.chat.files
    if command.file:
        return await store.get(command.file)
    logs = [session.room.log] if session.room is not None else []
    for log in (*logs, session.user.inbox_log):
        record = await store.numbered(log, command.number)
        if record is not None:
            return record
    raise NO_FILE()
