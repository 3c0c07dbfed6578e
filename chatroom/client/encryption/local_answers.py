"""Commands that this client answers itself: to search and read what only it can open."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec.json import decode

from chatroom.client.encryption.parts import EncryptionParts
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.room_lines import KeptRoomLine
from chatroom.client.encryption.room_memory import place_of
from chatroom.client.encryption.way_out import Send
from chatroom.client.pending import PendingCommand
from chatroom.client.status import Notice
from chatroom.model import replies as a

FOUND = 50  # messages in one answer
MOST_SEARCHED = 500  # messages that are found before the newest of them are chosen
USUAL = 20  # messages of a history if no number is given
MOST_OF_ROOM = 200  # messages of a history; the server gives no more at a time
MOST_PAGES = 10


class LocalAnswers:
    """Answers searches in encrypted rooms, and searches and histories of private conversations with sealed messages.

    Args:
        port: Gives the answers.
    """

    def __init__(self, port: Port) -> None:
        self._port = port

    def takes(self, record: dict[str, Any], parts: EncryptionParts) -> bool:
        """Return whether a command is answered here."""
        if record["do"] not in ("search", "history"):
            return False
        if record.get("user"):
            return bool(parts.ring.contacts.id_of(str(record["user"])))
        room = self._port.rooms.find(str(record.get("room", "")))
        older = record["do"] == "search" or record.get("after") is None
        return older and room is not None and parts.rooms.is_encrypted(room.id, room.room)

    async def answer(self, command: PendingCommand, parts: EncryptionParts) -> Send:
        """Return what gives the answer.

        Raises:
            Rejected: The server cannot be asked for its part of the answer.
        """
        record = command.record
        answer: a.History | a.Found
        if record.get("user"):
            answer = await self._of_person(record, parts)
        elif record["do"] == "search":
            answer = await self._in_room(record, parts)
        else:
            answer = await self._history_of_room(record, parts)
        return partial(self._port.answered, command, answer)

    async def _in_room(self, record: dict[str, Any], parts: EncryptionParts) -> a.Found:
        room = self._port.rooms.find(record["room"])
        assert room is not None  # see ``takes``
        wanted = str(record["words"])
        kept = await parts.ring.store.search(place_of(room.id), wanted.split(), MOST_SEARCHED, _text_of)
        lines = [decode(each.value, type=KeptRoomLine) for each in kept]
        lines.sort(key=lambda line: line.seq)  # what was opened late was noted late
        events: list[Any] = [parts.memory.event(room.id, room.room, line) for line in lines[-FOUND:]]
        return a.Found(wanted, events, at=self._port.now())

    async def _history_of_room(self, record: dict[str, Any], parts: EncryptionParts) -> a.History:
        """Return as many messages as were asked for: edits and reactions, which the server counts, are no messages."""
        wanted = min(record.get("messages") or USUAL, MOST_OF_ROOM)
        fields = {key: value for key, value in record.items() if key not in ("do", "ref", "messages")}
        events: list[Any] = []
        notices: dict[str, Notice] = {}  # by their texts: each is told once
        for _ in range(MOST_PAGES):
            page: Any = await parts.server.ask_as_given("history", {**fields, "messages": wanted})
            opened, told = parts.news.open_page(page.events, page.room)
            events = [*opened, *events]
            notices |= {str(getattr(notice, "text", "")): notice for notice in told}
            if page.complete or len(events) >= wanted or not page.events:
                break
            fields["before"] = page.events[0].seq
        await parts.ring.store.commit()
        await parts.room_keys.ask()
        for notice in notices.values():
            self._port.tell(notice)
        if len(events) <= wanted:
            oldest = page.events[0].seq if page.events else 0
            none_shown = (
                bool(page.events) and not events
            )  # there are messages, so nobody is to be told that there are none
            return a.History(page.room, events, page.complete and not none_shown, searched_to=oldest)
        return a.History(page.room, events[-wanted:], complete=False, searched_to=events[-wanted].seq)

    async def _of_person(self, record: dict[str, Any], parts: EncryptionParts) -> a.History | a.Found:
        """Return what the server has of a conversation, with the sealed messages among it by their time."""
        fields = {key: value for key, value in record.items() if key not in ("do", "ref")}
        answer: Any = await parts.server.ask_as_given(record["do"], fields)
        peer_id = parts.ring.contacts.id_of(str(record["user"]))
        if record["do"] == "search":
            lines = await parts.conversations.search(peer_id, str(record["words"]), FOUND)
        elif record.get("after") is not None:
            lines = []
        else:
            oldest = answer.events[0].at if answer.events and not answer.complete else 0
            lines = await parts.conversations.recent(peer_id, 0, record.get("messages") or 20)
            lines = [line for line in lines if line.at >= oldest and not record.get("before")]
        sealed = [line.event(parts.ring.user_id) for line in lines]
        events = sorted([*answer.events, *sealed], key=lambda event: event.at)
        if isinstance(answer, a.Found):
            return a.Found(answer.words, events, answer.complete, answer.searched_to, answer.searched_at, answer.at)
        return a.History(answer.room, events, answer.complete, answer.user, answer.searched_to)


def _text_of(value: bytes) -> str:
    """Return the text to search in; a shared file has none, because the server's events show files."""
    line = decode(value, type=KeptRoomLine)
    return "" if line.file else line.text
