"""What the encryption asks the server for. The answers are for it alone, and are not held back behind other events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

from msgspec import to_builtins
from twisted.internet.defer import Deferred, DeferredList

from chatroom.client.encryption.words import KEYS_TAKEN
from chatroom.client.errors import Rejected
from chatroom.model.device_keys import DeviceKeys, DeviceList, Envelope, SignedKey
from chatroom.model.errors import NO_KEYS
from chatroom.model.events import Event
from chatroom.model.key_replies import Claimed, E2eSent, Keys, KeysBackedUp, KeysPublished, UserKeys

USERS = 50  # in one query
ENVELOPES = 10  # in one record
MOST_READS = 5  # of a list of members that changes meanwhile
MOST_MEMBERS = 100_000  # of a room

MembersRead = tuple[int, list[tuple[str, str, int]], list[str] | None]  # see ``KeyServer.members``
Ask = Callable[..., Deferred[Event]]


class KeyServer:
    """Asks for keys, and sends sealed messages. Each method raises ``Rejected`` as ``Client.do`` does.

    Args:
        ask: Gives the server a command; see ``Conversation.ask``.
    """

    def __init__(self, ask: Ask) -> None:
        self._given = ask

    async def _ask(self, do: str, **fields: Any) -> Event:
        try:
            return await self._given(do, quiet=True, aside=True, **fields)
        except Rejected as refused:
            raise _for_people(refused) from None

    async def ask_as_given(self, do: str, fields: dict[str, Any]) -> Event:
        """Give a command of the user, and return its answer, which nobody else is told."""
        return await self._ask(do, **fields)

    async def publish(
        self,
        device: DeviceKeys,
        proof: str,
        generation: int,
        one_time: Sequence[SignedKey] = (),
        fallback: SignedKey | None = None,
    ) -> KeysPublished:
        """Publish keys of this device, and take its mailbox. Returns what the server has of the device now.

        Args:
            device: This device.
            proof: Shows that we have its secret key; see ``Identity.prove_device``.
            generation: That of our store; see ``KeyRing``.
            one_time: New one-time keys.
            fallback: A new fallback key.
        """
        fields = {"one_time": to_builtins(one_time), "fallback": to_builtins(fallback)}
        answer = await self._ask(
            "keys-publish", device=to_builtins(device), proof=proof, generation=generation, **fields
        )
        return cast(KeysPublished, answer)

    async def list_devices(self, listed: DeviceList, *, reset: bool = False, ends: Collection[str] = ()) -> None:
        """Replace the list of our devices, and log out those in ``ends``."""
        await self._ask("keys-list", list=to_builtins(listed), reset=reset, ends=list(ends))

    async def query(self, users: Collection[str]) -> tuple[list[UserKeys], list[DeviceKeys]]:
        """Return the device lists of users, each once, and our own devices that are in no list.

        The server answers for as many users as fit into one answer, and is asked for the others again.

        Args:
            users: Names, or ``id:`` and an id.
        """
        found: list[UserKeys] = []
        pending: list[DeviceKeys] = []
        wanted = list(dict.fromkeys(users))
        while wanted:
            answer = cast(Keys, await self._ask("keys-query", users=wanted[:USERS]))
            found += answer.users
            pending = answer.pending
            wanted = wanted[max(1, len(answer.users)) :]  # a hostile server gives none, and must not keep us asking
        return found, pending

    async def claim(self, user_id: str, devices: Collection[str]) -> dict[str, SignedKey]:
        """Return a one-time key of each of a user's devices that has one, by device."""
        answer = cast(Claimed, await self._ask("keys-claim", user_id=user_id, devices=list(devices)))
        return {claimed.device: claimed.key for claimed in answer.keys}

    async def send(
        self, id: str, envelopes: Sequence[Envelope], revs: Mapping[str, int], *, notice: str = "", user: str = ""
    ) -> E2eSent | None:
        """Send sealed messages to devices. Returns the answer to the last record; None if there are no envelopes."""
        waiting = []
        for i in range(0, len(envelopes), ENVELOPES):
            some = envelopes[i : i + ENVELOPES]
            of_these = {each.user_id: revs[each.user_id] for each in some}
            fields = {"id": id, "envelopes": to_builtins(some), "revs": of_these, "user": user, "notice": notice}
            waiting.append(self._given("e2e-send", quiet=True, aside=True, **fields))
            notice = ""
        for succeeded, result in await DeferredList(waiting, consumeErrors=True):
            if not succeeded:
                raise _for_people(result.value)  # type: ignore[attr-defined]  # a Failure; of several, the first
        return cast(E2eSent, await waiting[0]) if waiting else None

    async def acknowledge(self, seq: int) -> None:
        """Say that this device has kept everything in its mailbox up to a seq."""
        await self._ask("e2e-ack", seq=seq)

    async def keep_backup(self, sealed: str) -> None:
        """Keep our user key on the server, sealed by the recovery key."""
        await self._ask("keys-backup", sealed=sealed)

    async def backup(self) -> str:
        """Return our sealed user key; empty if the server keeps none."""
        return cast(KeysBackedUp, await self._ask("keys-restore")).sealed

    async def members(self, room: str, since: int = 0) -> MembersRead:
        """Return who is in a room.

        If the members change while they are read, they are read again, a few times.

        Args:
            room: The name of the room.
            since: Since which seq of the room's log it matters who has left; 0 if it does not.

        Returns:
            The membership revision of the room; the id, name and device-list revision of each member; and the ids of
            those who have left since, or were put out, or None if the server does not know.

        Raises:
            Rejected: They change all the time, or the server gives no end of the list.
        """
        for _ in range(MOST_READS):
            found = await self._members_unchanged(room, since)
            if found is not None:
                return found
        raise Rejected("busy", f"The members of {room} change too fast; try again.")

    async def _members_unchanged(self, room: str, since: int) -> MembersRead | None:
        """Return what ``members`` returns; None if the members have changed meanwhile."""
        rev, members, left = -1, list[tuple[str, str, int]](), None
        while True:
            more = {} if members or not since else {"since": since}
            answer: Any = await self._ask("member-ids", room=room, after=len(members), **more)
            if rev not in (-1, answer.rev):
                return None
            rev = answer.rev
            left = answer.left if more else left
            members += [tuple(member) for member in answer.members]
            if not answer.more:
                return rev, members, left
            if not answer.members or len(members) > MOST_MEMBERS:
                raise Rejected("busy", f"The server does not list the members of {room}; try again.")


def _for_people(error: Exception) -> Exception:
    """Return an error; if it is the server's that this session has no keys, in words for the user."""
    if isinstance(error, Rejected) and error.code == NO_KEYS.code:
        return Rejected(error.code, KEYS_TAKEN)
    return error
