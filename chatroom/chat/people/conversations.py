"""The list of a user's conversations: the people with whom the user has exchanged private messages."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import CONVERSATIONS, INBOX_MESSAGES
from chatroom.chat.marks import Marks
from chatroom.chat.people.private_messages import Peer, is_own, newest_of_both, peer_in
from chatroom.chat.people.unread_in_rooms import is_unread
from chatroom.chat.session import Session, User
from chatroom.model.commands import ListConversations
from chatroom.model.events import Event
from chatroom.model.log import Entry
from chatroom.model.names import fold
from chatroom.model.replies import ConversationLine, Conversations


@dataclass(slots=True)
class _Conversation:
    """The messages that were exchanged with one person, the newest first."""

    peer: Peer
    entries: list[Entry] = field(default_factory=list)


@handles(ListConversations)
async def conversations(chat: Chat, session: Session, command: ListConversations) -> Event:
    """List the conversations, the one with the newest message first. The newest 500 messages of each side count."""
    user = session.user
    async with chat.lists:
        marks = await chat.read_marks.of(user)
        listed = _grouped(await newest_of_both(chat.engine, user, INBOX_MESSAGES), user)[:CONVERSATIONS]
        return Conversations([_line(chat, session, each, marks) for each in listed])


def _grouped(entries: list[Entry], user: User) -> list[_Conversation]:
    """Return the conversations that some messages belong to, the one with the newest message first.

    Args:
        entries: The messages, the oldest first.
        user: Whose messages they are.
    """
    found: list[_Conversation] = []
    by_id: dict[str, _Conversation] = {}
    by_name: dict[str, _Conversation] = {}
    for entry in reversed(entries):
        peer = peer_in(entry, user)
        same_name = by_name.get(fold(peer.name))
        one = by_id.get(peer.id) if peer.id else same_name
        if one is None and same_name is not None and not same_name.peer.id:
            one = same_name  # a message to a guest who was offline, and who has written before
            one.peer = peer
        if one is None:
            one = _Conversation(peer)
            found.append(one)
        if one.peer.id:
            by_id[one.peer.id] = one
        by_name.setdefault(fold(peer.name), one)
        one.entries.append(entry)
    return found


def _line(chat: Chat, session: Session, conversation: _Conversation, marks: Marks) -> ConversationLine:
    """Return the line for a conversation of the session's user."""
    user = session.user
    peer, entries = conversation.peer, conversation.entries
    online, read = chat.users.get(peer.id), marks.of_peer(peer.key)
    return ConversationLine(
        user=online.name if online is not None else peer.name,
        user_id=peer.id,
        seq=entries[0].seq,
        at=entries[0].event.at,
        unread=sum(entry.seq > read and not is_own(entry, user) and is_unread(entry, session) for entry in entries),
        read=read,
    )
