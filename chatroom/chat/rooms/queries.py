"""The commands that only read: which rooms there are, who is in them or online, what was said before."""

from __future__ import annotations

from collections import Counter
from heapq import nsmallest
from typing import Any

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import HISTORY, LISTED
from chatroom.chat.messaging import address_of
from chatroom.chat.people.private_messages import peer_of, read_conversation, shown
from chatroom.chat.rooms.join_leave import bounded
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.commands import Acknowledge, ListMembers, ListRooms, Pong, ReadHistory, Who, Whois
from chatroom.model.events import Event, placed
from chatroom.model.log import Entry, Presence
from chatroom.model.names import fold, user_name
from chatroom.model.replies import History, Members, Ok, Person, RoomLine, Rooms, UserLine, Users

HISTORY_DEFAULT = 20


@handles(ListRooms)
async def rooms(chat: Chat, session: Session, command: ListRooms) -> Event:
    """List the rooms, those with most users first, then by name. Records are read only until the list is full."""
    async with chat.lists:
        users = Counter(room for presence in chat.who() for room in presence.rooms)
        lines = []
        for name, there in nsmallest(LISTED, users.items(), key=lambda item: (-item[1], fold(item[0]))):
            head = await chat.room_records.head(name)
            if head is not None:
                lines.append(RoomLine(name, there, head.topic, head.encrypted))
        async for heads in chat.room_records.heads(LISTED):
            lines += [RoomLine(head.name, 0, head.topic, head.encrypted) for head in heads if head.name not in users]
            if len(lines) >= LISTED:
                break
        return Rooms(lines[:LISTED], max(0, await chat.room_records.count() - LISTED))


@handles(Who)
def who(chat: Chat, session: Session, command: Who) -> Event:
    """List everybody online, by name."""
    present = chat.who()
    shown = nsmallest(LISTED, present, key=lambda presence: fold(presence.name))
    return Users([_user_line(presence) for presence in shown], len(present))


def _user_line(presence: Presence) -> UserLine:
    rooms = presence.rooms
    return UserLine(presence.name, rooms[-1] if rooms else "", presence.away, list(rooms) if len(rooms) > 1 else [])


@handles(ListMembers)
def members(chat: Chat, session: Session, command: ListMembers, room: Room) -> Event:
    """List the members of the room, in the order of joining."""
    names = room.names(LISTED)
    return Members(room.name, names, len(room.people) - len(names))


@handles(Whois)
async def whois(chat: Chat, session: Session, command: Whois) -> Event:
    """Describe a user who is online, the owner of an account, or a guest who was here lately.

    Raises:
        Refused: There is no such user.
    """
    name = command.user
    address = await address_of(chat, name)
    user = address.user
    if user is None:
        account = await chat.accounts.get(user_name(name)) if address.waits == "account" else None
        operator = account is not None and account.operator
        return Person(name=address.name, account=address.waits == "account", operator=operator)
    rooms = sorted({room.name for each in user.sessions for room in each.rooms}, key=fold)
    return Person(
        name=user.name,
        account=user.account is not None,
        operator=user.operator,
        online=user.online,
        rooms=rooms,
        away=user.away,
    )


@handles(ReadHistory)
async def history(chat: Chat, session: Session, command: ReadHistory, room: Room | None) -> Event:
    """Show older messages of the room; or private messages, if the command says so or the session is in no room."""
    wanted = HISTORY_DEFAULT if command.messages is None else command.messages
    limit, onward = max(1, min(wanted, HISTORY)), command.after is not None
    if command.user or command.private or room is None:
        return await _private_history(chat, session, command, limit)
    page = await chat.engine.read(
        room.log,
        after=command.after or 0,
        before=command.before,
        limit=limit,
        messages=True,
        amendments=onward,
        oldest=onward,
    )
    page = bounded(page, oldest=onward)
    return History(room.name, _shown(session, room.name, page.entries), page.complete)


async def _private_history(chat: Chat, session: Session, command: ReadHistory, limit: int) -> Event:
    """Return the private messages with the person whom the command names, or else with everybody."""
    user = session.user
    peer = await peer_of(chat, session, command.user) if command.user else None
    stretch = await read_conversation(
        chat.engine,
        user,
        peer,
        after=command.after or 0,
        before=command.before,
        limit=limit,
        oldest=command.after is not None,
    )
    events: list[Any] = [shown(entry, user) for entry in stretch.entries]
    return History("", events, not stretch.edge, peer.name if peer is not None else "", stretch.edge)


@handles(Acknowledge)
def acknowledge(chat: Chat, session: Session, command: Acknowledge) -> Event:
    """Note that a program has received the messages of its inbox up to a seq, a place in the inbox's log."""
    chat.inboxes.of(session.user).acknowledge(session, command.seq)
    return Ok()


@handles(Pong)
def pong(chat: Chat, session: Session, command: Pong) -> Event:
    """Answer the ``pong`` by which a program shows that it is still there."""
    return Ok()


def _shown(session: Session, room: str, entries: list[Entry]) -> list[Any]:
    """Return the events of the entries, with the room's name and their seqs, as the session is shown them."""
    return [placed(session.as_shown(entry.event), entry.seq, room) for entry in entries]
