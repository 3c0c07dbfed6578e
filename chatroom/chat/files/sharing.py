"""The commands about files: share, fetch, list, take back. They check what the user may do before a byte is sent."""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.files.downloads import Downloads
from chatroom.chat.files.record import FileRecord, owner_of, payer_of, whence_of
from chatroom.chat.files.transfers import SessionTransfers
from chatroom.chat.files.uploads import Uploads
from chatroom.chat.handlers import handles
from chatroom.chat.limits import LISTED, RECENT
from chatroom.chat.messaging import address_of, may_speak
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model import commands as c
from chatroom.model.errors import NO_FILE, NO_FILE_OF_YOURS, NO_INBOX, NOT_IN_ROOM
from chatroom.model.events import Deleted, Event, Shared
from chatroom.model.log_names import id_in
from chatroom.model.names import fold
from chatroom.model.replies import Download, Files, Ok, Upload
from chatroom.model.shared_files import CHUNK, chunks_of, file_called, is_opaque, safe_name


@handles(c.Share)
async def share(chat: Chat, session: Session, command: c.Share, room: Room | None) -> None:
    """Reserve space for a file, and tell the client how many of its chunks are stored already."""
    transfers = _transfers(chat, session)
    room = None if command.user else _speaking(session, room)
    if room is not None and not (command.sealed and is_opaque(command.name)):
        room.record.check_plain(keyed=session.keyed)
    log, to, to_id = (room.log, "", "") if room is not None else await _inbox(chat, session, command.user)
    transfers.check_number()
    wanted = FileRecord(
        id=chat.mint(16),
        name=safe_name(command.name),
        size=command.size,
        sha256=command.sha256,
        at=chat.now(),
        by=session.name,
        by_id=session.user_id,
        owner=owner_of(session),
        payer=payer_of(session),
        log=log,
        to=to,
        to_id=to_id,
        whence=whence_of(session),
        sealed=command.sealed,
        node=chat.engine.node,
    )
    await _begin(chat, session, transfers.uploads, command, wanted, room)


async def _begin(
    chat: Chat, session: Session, uploads: Uploads, command: c.Share, wanted: FileRecord, room: Room | None
) -> None:
    """Reserve space for a file, and begin its upload unless the connection has ended meanwhile.

    Raises:
        Refused: There is no space for the file in the store, or in the inbox that the file is for.
    """
    release = await chat.file_finisher.claim(wanted)
    try:
        async with chat.file_space.space_for(wanted) as record:
            uploads.take_over(record.id)
            have = chunks_of(record.size) if record.number else await chat.files.have(record)
            if not session.over:
                uploads.take_over(record.id)  # again: another connection may have begun meanwhile
                session.answer(Upload(file=record.id, chunk=CHUNK, have=have), command.ref)
                uploads.receive(record, room.record if room is not None else None, have, release)
                release = _kept  # the upload releases the claim when it ends
    finally:
        release()


@handles(c.PutChunk)
def chunk(chat: Chat, session: Session, command: c.PutChunk) -> None:
    """Prepare for the bytes of a chunk, which follow the command. The chunk is acknowledged when it is stored."""
    _transfers(chat, session).expect(command)


@handles(c.Get)
async def get(chat: Chat, session: Session, command: c.Get, room: Room | None) -> Event | None:
    """Describe a file, and send it if the command says so. Tell a person who types which program can fetch files."""
    if session.person:
        return Ok(f"Files are fetched with chatroom-client: /get {command.file or '<number>'} there.")
    record = await _find(chat, session, command, room)
    if not record.is_for(session) or command.start >= chunks_of(record.size):
        raise NO_FILE()
    transfers = _transfers(chat, session)
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
        given=bool(record.to_id),
        by=record.by,
        by_id=record.by_id,
        sealed=record.sealed,
    )
    if not session.over:
        session.answer(answer, command.ref)
        if command.send:
            transfers.downloads.send(record, command.start)
    return None


@handles(c.Got)
def got(chat: Chat, session: Session, command: c.Got) -> Event:
    """Note that the client has received a chunk."""
    _transfers(chat, session).acknowledge(command.file, command.index)
    return Ok()


@handles(c.Cancel)
async def cancel(chat: Chat, session: Session, command: c.Cancel) -> Event:
    """End the session's transfers of a file, and remove what was stored of an upload that is not complete."""
    if _transfers(chat, session).cancel(command.file):
        await chat.files.give_up(command.file)
    return Ok()


@handles(c.Unshare)
async def unshare(chat: Chat, session: Session, command: c.Unshare, room: Room | None) -> Event:
    """Take back a file: remove it, blank its message, and answer which file it was."""
    record = await _meant(chat, session, command, room)
    await chat.files.remove(record.id)
    await _blank(chat, session, record)
    what = file_called(record.name, record.sealed)
    if record.to_id:
        return Ok(f"{what}, which you gave to {record.to}, is taken back.")
    name = await chat.room_records.name_of(record.log)
    return Ok(f"{what} is not shared in {name} any more." if name else f"{what} is not shared any more.")


async def _meant(chat: Chat, session: Session, command: c.Unshare, room: Room | None) -> FileRecord:
    """Return the file that the user wants to take back.

    If the command names a user, return the newest file of that name that was given to that user. Otherwise return the
    newest file of that name in this room or, if there is none, anywhere. If no file has that name, take its last word
    for the name of a user, and the rest for the name of a file given to that user.

    Raises:
        Refused: There is no such file.
    """
    record = await _mine(chat, session, command.name, command.user, room)
    if record is None and not command.user:
        name, _, user = command.name.rpartition(" ")
        record = await _mine(chat, session, name.rstrip(), user, room) if name else None
    if record is None:
        raise NO_FILE_OF_YOURS(name=safe_name(command.name))
    return record


async def _mine(chat: Chat, session: Session, name: str, user: str, room: Room | None) -> FileRecord | None:
    """Return the newest file of that name that the session's user has shared; None if there is none.

    Args:
        chat: The chat.
        session: The session.
        name: The file's name.
        user: Only files given to this user; empty for all.
        room: The room whose files come first, if any.
    """
    newest = None
    async for record in chat.files.named(session.user_id, safe_name(name)):
        if user and record.to_id and fold(record.to) == fold(user):
            return record
        if not user and room is not None and record.log == room.log:
            return record
        newest = newest or record
    return None if user else newest


async def _blank(chat: Chat, session: Session, record: FileRecord) -> None:
    """Blank the message that shared a file, if it is among the last ones in the log, and tell the room. Blank the copy
    of a file that was given to a person, too."""
    for log in (record.log, session.user.sent_log) if record.to_id else (record.log,):
        for entry in (await chat.engine.read(log, limit=RECENT, messages=True)).entries:
            told = isinstance(entry.event, Shared) and entry.event.file == record.id
            if told and await chat.engine.erase(log, entry.seq) and not record.to_id:
                who = session.next_id(), chat.now(), session.name, session.user_id
                await chat.append_surely(log, Deleted(*who, message=entry.seq, user=entry.event.by))


@handles(c.ListFiles)
async def files(chat: Chat, session: Session, command: c.ListFiles, room: Room | None) -> Event:
    """List the files in the room, and those given to the session's user."""
    store = chat.files
    async with chat.lists:
        given, all_given = await store.lines(session.user.inbox_log, LISTED)
        if room is None:
            return Files("", given, all_given - len(given))
        lines, number = await store.lines(room.log, LISTED)
    return Files(room.name, lines, number - len(lines), given, all_given - len(given))


def _kept() -> None:
    """Release nothing: the upload holds the claim now."""


def _transfers(chat: Chat, session: Session) -> SessionTransfers:
    """Return the session's file transfers, which are made when they are first needed."""
    if session.transfers is None:
        uploads = Uploads(session, chat.files, chat.file_space, chat.file_finisher, chat.scheduler)
        session.transfers = SessionTransfers(uploads, Downloads(session, chat.scheduler))
    assert isinstance(session.transfers, SessionTransfers)  # no other class fulfils the protocol
    return session.transfers


def _speaking(session: Session, room: Room | None) -> Room:
    """Return the room.

    Raises:
        Refused: There is no room, or the session may not speak there.
    """
    if room is None:
        raise NOT_IN_ROOM()
    may_speak(session, room)
    return room


async def _inbox(chat: Chat, session: Session, name: str) -> tuple[str, str, str]:
    """Return the log of a user's inbox, the user's name as shown, and the user's id.

    Raises:
        Refused: There is no such user, or the user could never fetch a file.
    """
    address = await address_of(chat, name)
    if address.user is None and address.waits != "account":
        raise NO_INBOX(user=address.name)
    if address.user is not None:
        return address.log, address.user.name, address.user.id
    return address.log, address.name, id_in(address.log)


async def _find(chat: Chat, session: Session, command: c.Get, room: Room | None) -> FileRecord:
    """Return the file that a client asks for: by its id, or by its number in the room or in the user's inbox.

    Raises:
        Refused: There is no such file.
    """
    store = chat.files
    if command.file:
        return await store.get(command.file)
    given = command.given or room is None
    record = await store.numbered(session.user.inbox_log if given or room is None else room.log, command.number)
    if record is None:
        raise NO_FILE()
    return record
