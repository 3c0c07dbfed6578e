"""Messages to encrypted rooms on their way out: sealed once, after the members' devices were given the key."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.outbound_sessions import KeyShare
from chatroom.client.encryption.envelopes import Envelopes
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.outbox import SealedCommand, SealedOutbox
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import as_rejected
from chatroom.client.encryption.room_lines import KeptRoomLine
from chatroom.client.encryption.room_members import Readers, RoomReaders
from chatroom.client.encryption.room_memory import ON_ITS_WAY, RoomMemory
from chatroom.client.encryption.way_out import AGAIN, Send
from chatroom.client.errors import Rejected
from chatroom.client.pending import PendingCommand
from chatroom.client.room_state import RoomState
from chatroom.model import replies as a
from chatroom.model.emoji import is_emoji
from chatroom.model.errors import BAD_EMOJI
from chatroom.model.names import fold

SEALED = frozenset({"say", "me", "quote", "edit", "react", "file"})
STALE = frozenset({"stale-members", "stale-devices", "encrypted-room"})  # refusals after which it is sealed anew
MOST_STORED = 1000  # messages of an earlier run of which it is remembered that the server has them
MOST_TRIES = 5  # times that one message is sealed, because members came or went meanwhile


def is_counted_deletion(record: dict[str, Any]) -> bool:
    """Return whether a command deletes a message that it does not name by its seq."""
    return record["do"] == "delete" and record.get("seq") is None


class RoomSealing:
    """Seals messages to rooms, and what is done to them.

    Args:
        ring: Our keys.
        server: Takes keys for devices.
        members: Knows the devices of the members.
        envelopes: Seals keys for devices.
        outbox: Keeps what the server has not confirmed.
        memory: The messages that were opened.
        port: Gives answers to commands.
    """

    def __init__(
        self,
        ring: KeyRing,
        server: KeyServer,
        members: RoomReaders,
        envelopes: Envelopes,
        outbox: SealedOutbox,
        memory: RoomMemory,
        port: Port,
    ) -> None:
        self._ring = ring
        self._server = server
        self._members = members
        self._envelopes = envelopes
        self._outbox = outbox
        self._memory = memory
        self._port = port
        self._tries: dict[int, int] = {}
        self._sent: dict[str, PendingCommand] = {}  # by id
        self._stored: dict[str, None] = {}  # what came in the room's log before it was sent by this run; by id
        self._waiting: list[Deferred[None]] = []  # what waits for an answer to one of these

    async def seal(self, command: PendingCommand, room: RoomState) -> Send:
        """Seal a message to an encrypted room.

        Raises:
            Rejected: It is not to be sent; or an earlier one comes first (``AGAIN``).
        """
        if command.do == "delete":
            return await self._delete(command, room)
        kept = self._outbox.get(str(command.record.get("id", "")))
        if kept is not None and kept.room_record.get("members") == room.members_rev:
            return partial(self._send, command, kept)
        self._check_linked()
        kind, body = await self._body(command.record, room)
        id = str(command.record.get("id") or self._port.mint())
        for _ in range(MOST_TRIES):
            readers = await self._members.of(room)
            await self._earlier_answered(room, readers.rev)
            shared = await self._share(room, readers)
            if self._port.is_behind(command):
                raise Rejected(AGAIN, "")
            if id in self._stored:
                return partial(self._port.answered, command, a.Ok())
            if shared:
                return self._sealed(command, room, readers, id, kind, body)
        raise Rejected("busy", f"The members of {room.room} change too fast to give all of them the key; try again.")

    def _check_linked(self) -> None:
        """Check that others believe this device, so that they can open what it seals.

        Raises:
            Rejected: It is not in our list, or the server names another user key as ours.
        """
        try:
            self._ring.contacts.recipients(self._ring.user_id)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None

    async def _earlier_answered(self, room: RoomState, rev: int) -> None:
        """Wait until no message is under way that was sealed for other members: it may be refused, and comes first."""
        while any(self._outbox.members_of(id) != rev for id in self._under_way(room)):
            await self._next_answer()

    def _next_answer(self) -> Deferred[None]:
        """Return a Deferred that fires when the server has answered a message."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def _under_way(self, room: RoomState) -> list[str]:
        """Return the ids of the messages to a room that the server has not answered."""
        here = fold(room.room)
        return [id for id, command in self._sent.items() if fold(command.record.get("room", "")) == here]

    def _answered(self) -> None:
        """Let those go on that wait for an answer."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    def _sealed(
        self, command: PendingCommand, room: RoomState, readers: Readers, id: str, kind: str, body: dict[str, Any]
    ) -> Send:
        now = self._port.now()
        message = {"id": id, "type": kind, "ts": now, "body": body}
        before = self._outbox.get(id)
        earlier = before.sealings if before is not None else ()
        try:
            sealed = self._ring.groups.outbound.seal(room.id, readers.rev, message, now, earlier)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        record = {"do": "say-sealed", "room": room.room, "id": id, "sid": sealed.sid, "ct": sealed.ct}
        kept = self._outbox.put(
            {**command.record, "id": id},
            room_record={**record, "members": readers.rev},
            sealings=(*earlier, (sealed.sid, sealed.index)),
        )
        if kind in ("msg", "me"):
            own: dict[str, Any] = {"by": self._port.name, "by_id": self._ring.user_id, "text": body["text"]}
            self._memory.note_own(room.id, KeptRoomLine(id=id, seq=0, at=now, answers=body.get("quote", ""), **own))
        return partial(self._send, command, kept)

    async def _share(self, room: RoomState, readers: Readers) -> bool:
        """Give the key to the devices that lack it. Returns False if the devices have changed meanwhile."""
        keys = {name: device.ed25519 for name, device in readers.devices.items()}
        share = self._ring.groups.outbound.prepare(room.id, readers.rev, keys, self._port.now())
        if share is None:
            return True
        try:
            await self._give(share, readers)
        except Rejected as refused:
            if refused.code != "stale-devices":
                raise
            self._members.forget(room.id)
            return False
        return True

    async def _give(self, share: KeyShare, readers: Readers) -> None:
        """Send a key to devices; the vault has the sessions before they leave."""
        devices = [readers.devices[name] for name in share.devices]
        id = self._port.mint()
        envelopes = await self._envelopes.seal(devices, "room.key", id, share.body())
        await self._ring.store.commit()
        await self._server.send(id, envelopes, readers.revs)
        self._ring.groups.outbound.given(share, [(each.user_id, each.device) for each in envelopes])

    async def _body(self, record: dict[str, Any], room: RoomState) -> tuple[str, dict[str, Any]]:
        """Return the type and the body of what a command seals.

        Raises:
            Rejected: The message that it is about is not known.
        """
        do = record["do"]
        if do == "file":
            return "file", record["offer"]
        if do == "react" and not is_emoji(record["emoji"]):
            raise Rejected(BAD_EMOJI.code, BAD_EMOJI().text)
        about = await self._about(record, room)
        if do in ("say", "me", "quote"):
            return "me" if do == "me" else "msg", {"text": record["text"], **({"quote": about} if about else {})}
        if do == "edit":
            return "edit", {"message": about, "text": record["text"]}
        return "react", {"message": about, "emoji": record["emoji"], "on": record.get("on", True)}

    async def _about(self, record: dict[str, Any], room: RoomState) -> str:
        """Return the id of the message that a command is about, and note it in the command; empty if there is none.

        It is noted because, when the command is sealed again, another message may be the last.

        Raises:
            Rejected: The message is not known.
        """
        do, own = record["do"], self._ring.user_id
        if do in ("say", "me") and not record.get("quote"):
            return ""
        if "message" not in record:

            def counts(line: KeptRoomLine) -> bool:
                return do != "edit" or (line.by_id == own and not line.file)

            seq = record.get("quote" if do in ("say", "me") else "seq")
            record["message"] = (await self._memory.meant(room.id, seq, record.get("last", 1), counts)).id
        return str(record["message"])

    async def _delete(self, command: PendingCommand, room: RoomState) -> Send:
        """Return what sends a deletion with the seq of its message: the server cannot tell which sealed messages are
        edits or reactions.

        Raises:
            Rejected: The message is not known.
        """
        record, own = command.record, self._ring.user_id
        user = fold(str(record.pop("user", "")))

        def counts(line: KeptRoomLine) -> bool:
            return fold(line.by) == user if user else line.by_id == own

        line = await self._memory.meant(room.id, None, record.pop("last", 1), counts)
        return lambda: self._start(self._deleted(command, room, line.id))

    async def _deleted(self, command: PendingCommand, room: RoomState, id: str) -> None:
        """Send a deletion; if its message is still on its way, first wait for the server's answer."""
        while (line := self._memory.find(room.id, id)) is not None and line.seq >= ON_ITS_WAY:
            await self._next_answer()
        if line is None:
            self._port.refuse(command, Rejected("no-message", "The message was not sent, so it is deleted nowhere."))
            return
        command.record["seq"] = line.seq
        self._port.transmit(command)

    # ---- sending ---------------------------------------------------------------------------------------------------

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        Deferred.fromCoroutine(coroutine).addErrback(self._port.failed)

    def _send(self, command: PendingCommand, sealed: SealedCommand) -> None:
        """Send a sealed message; see ``Send``."""
        self._sent[sealed.record["id"]] = command
        self._port.write({**sealed.room_record, "ref": command.record["ref"]})

    def echoed(self, id: str, ct: str, room: str) -> None:
        """Note that the server has stored a message of ours; its echo was opened.

        Args:
            id: The id of the message.
            ct: What the room's log has of it: perhaps it was sealed twice, and the server had it already.
            room: The room's id.
        """
        kept = self._outbox.get(id)
        if kept is not None and not kept.room_record:
            return  # it is the id of a private message, which the server has made up
        command = self._sent.pop(id, None)
        if command is None:
            self._stored[id] = None
            if len(self._stored) > MOST_STORED:
                del self._stored[next(iter(self._stored))]
        if ct:  # otherwise it was deleted meanwhile, and nobody knows which of the two was there
            self._ring.groups.outbound.settled(id, ct)
            if kept is not None and kept.sealings and kept.room_record["ct"] == ct:
                self._ring.groups.outbound.stored(room, *kept.sealings[-1])
        self._outbox.remove(id)
        if command is not None:
            self._tries.pop(command.record["ref"], None)
            if command.do not in ("say", "me"):  # these are answered by their echo
                self._port.answered(command, a.Ok())
        self._answered()

    def refused(self, ref: object, code: str, room: RoomState | None) -> bool:
        """Seal a message again that the server has refused because we knew too little.

        Args:
            ref: The ``ref`` of its command.
            code: The refusal.
            room: The room, if we are still in it.

        Returns:
            Whether it is sealed again; otherwise it is refused.
        """
        found = self._found(ref)
        if found is None:
            return False
        id, command = found
        del self._sent[id]
        self._outbox.remove(id)
        self._ring.groups.outbound.settled(id, "")
        tries = self._tries.pop(command.record["ref"], 0) + 1
        if code not in STALE or tries >= MOST_TRIES or room is None:
            self._memory.forget(id)
            self._answered()
            return False
        self._tries[command.record["ref"]] = tries
        self._members.forget(room.id)
        self._port.again(command)
        self._answered()
        return True

    def has_sent(self, ref: object) -> bool:
        """Return whether the command with this ref was sent sealed, and is not answered."""
        return self._found(ref) is not None

    def _found(self, ref: object) -> tuple[str, PendingCommand] | None:
        return next(((id, sent) for id, sent in self._sent.items() if sent.record["ref"] == ref), None)

    def _give_up(self, id: str) -> None:
        """End the session of a message that is not sent again, though nobody knows whether the server has it.

        Otherwise readers could miss it when they get a later message of that session.
        """
        kept = self._outbox.get(id)
        if kept is not None:
            self._outbox.spoil(kept.room_record["sid"])
            self._ring.groups.outbound.end(kept.room_record["sid"])

    def lost(self) -> None:
        """Forget what is under way: the connection has gone."""
        for id, command in self._sent.items():
            if not command.kept:
                self._give_up(id)
        self._sent.clear()
        self._tries.clear()
        self._members.forget()
        self._answered()
