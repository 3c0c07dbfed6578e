"""What operators can do to the whole server. The operators' console and the commands in the chat both use this."""

from __future__ import annotations

import resource
from collections import Counter
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chatroom.chat.bans_and_mutes import Sanction, lasting
from chatroom.chat.limits import LONGEST_SANCTION, REASON_CHARACTERS
from chatroom.chat.operators.audit import audit
from chatroom.chat.people.authentication import checked_password
from chatroom.chat.people.nicknames import parse_user_name
from chatroom.chat.rooms import ownership, targets
from chatroom.chat.rooms.targets import Target
from chatroom.model import durations
from chatroom.model.errors import BAD_BAN, NO_ACCOUNT, NO_SUCH_BAN
from chatroom.model.events import Announced, BansChanged, Closed, Expelled
from chatroom.model.log_names import room_log
from chatroom.model.names import fold
from chatroom.model.text import clean, is_blank

if TYPE_CHECKING:
    from chatroom.chat.chat import Chat
    from chatroom.chat.rooms.record import RoomRecord
    from chatroom.model.account import AccountRecord


@dataclass(frozen=True, slots=True)
class UserRow:
    """A session, for a list. ``seconds``: how long it has been connected; ``speaks``: ``text`` or ``records``."""

    name: str
    account: bool
    operator: bool
    room: str
    away: str
    address: str
    speaks: str
    seconds: int


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room, for a list.

    ``slow``: the seconds that a member must wait between two messages, 0 for none. ``encrypted``: whether the room is
    encrypted end to end, so that the server cannot read it.
    """

    name: str
    users: int
    owner: str
    topic: str
    locked: bool
    slow: int
    encrypted: bool


@dataclass(frozen=True, slots=True)
class BanRow:
    """A ban from the server, for a list.

    ``until`` is when the ban ends, in milliseconds since 1970, 0 for never; ``more`` says the remaining
    time and the reason in words.
    """

    what: str
    kind: str
    until: int
    by: str
    reason: str
    more: str = ""


class Operating(Protocol):
    """What an operator can do. If something cannot be done, ``Refused`` is raised; its text says why and what to do."""

    def users(self) -> list[UserRow]:
        """Return all sessions of this daemon, by name."""

    async def rooms(self) -> list[RoomRow]:
        """Return all rooms, those with the most members first."""

    async def accounts(self) -> list[tuple[str, bool, bool]]:
        """Return for each account its name, whether its owner is an operator, and whether a seat is reserved for it."""

    async def kick(self, user: str, reason: str = "") -> str:
        """End all sessions of a user. Return a sentence that says what was done, as all methods below do."""

    async def ban(self, what: str, duration: str = "", reason: str = "") -> str:
        """Ban a user, an account or an address for a duration such as ``10m``, ``2h`` or ``7d``; empty: for ever."""

    async def unban(self, what: str) -> str:
        """Remove the bans of a user, an account or an address."""

    def bans(self) -> list[BanRow]:
        """Return the bans from the server that have not ended."""

    async def close_room(self, room: str, reason: str = "") -> str:
        """Close a room."""

    async def give_room(self, room: str, user: str) -> str:
        """Make an account the owner of a room."""

    async def announce(self, text: str) -> str:
        """Show a text to everybody online."""

    async def add_account(self, name: str, password: str) -> str:
        """Add an account with a reserved seat, so that its owner can log in even if the chat is full."""

    async def remove_account(self, name: str) -> str:
        """Remove an account and its mail. Its name is free again; its id is never used again."""

    async def set_operator(self, name: str, on: bool = True) -> str:
        """Give an account operator rights, or take them away."""

    async def set_password(self, name: str, password: str) -> str:
        """Change an account's password; end its tokens and its other sessions."""

    async def drain(self, on: bool = True) -> str:
        """Refuse new connections and tell everybody; present sessions go on. If ``on`` is False, accept them again."""

    def stats(self) -> dict[str, int | float | str]:
        """Return figures about this daemon, such as the number of connections, by the names that are shown."""


class Operations:
    """Does what ``Operating`` describes, for one operator.

    Args:
        chat: The chat.
        by: The operator's name.
        session: The id of the session in which the operator acts, if it is in the chat.
    """

    def __init__(self, chat: Chat, by: str, session: str = "") -> None:
        self._chat = chat
        self._by = by
        self._session = session

    # ---- looking -----------------------------------------------------------------------------------------------

    def users(self) -> list[UserRow]:
        """See ``Operating``."""
        now = self._chat.now()
        rows = [
            UserRow(
                session.name,
                session.user.account is not None,
                session.user.operator,
                ", ".join(room.name for room in session.rooms),
                session.user.away,
                session.address,
                "text" if session.person else "records",
                (now - session.since) // 1000,
            )
            for session in self._chat.sessions.values()
        ]
        return sorted(rows, key=lambda row: fold(row.name))

    async def rooms(self) -> list[RoomRow]:
        """See ``Operating``."""
        users = Counter(room for presence in self._chat.who() for room in presence.rooms)
        records = await self._chat.room_records.all()
        rows = [RoomRow(r.name, users[r.name], r.owner, r.topic, r.locked, r.slow, r.encrypted) for r in records]
        return sorted(rows, key=lambda row: (-row.users, fold(row.name)))

    async def accounts(self) -> list[tuple[str, bool, bool]]:
        """See ``Operating``."""
        return [(one.name, one.operator, one.reserved) for one in await self._chat.accounts.all()]

    def bans(self) -> list[BanRow]:
        """See ``Operating``."""
        now = self._chat.now()
        return [
            BanRow(ban.shown, ban.key.partition(":")[0], ban.until, ban.by, ban.reason, ban.more(now))
            for ban in lasting(self._chat.bans.all, now)
        ]

    def stats(self) -> dict[str, int | float | str]:
        """See ``Operating``."""
        chat = self._chat
        usage = resource.getrusage(resource.RUSAGE_SELF)
        rooms = {room for session in chat.sessions.values() for room in session.rooms}
        return {
            "connections": len(chat.sessions),
            "users": len({presence.name for presence in chat.who()}),
            "accounts online": sum(user.account is not None for user in chat.users.values()),
            "logins": chat.counters.logins,
            "rooms in use": len(rooms),
            "encrypted rooms in use": sum(room.record.encrypted for room in rooms),
            "log": chat.engine.state,
            "draining": "yes" if chat.connections.draining else "no",
            "processor seconds": round(usage.ru_utime + usage.ru_stime, 1),
            "most memory, MiB": usage.ru_maxrss // 1024,
        }

    # ---- people ------------------------------------------------------------------------------------------------

    async def kick(self, user: str, reason: str = "") -> str:
        """See ``Operating``."""
        target = self._chat.names.find(user)
        reason = _reason(reason)
        audit(self._by, f"kicked {target.name} off the server{_because(reason)}")
        await self._expel(target.id, reason)
        return f"{target.name} was put out."

    async def ban(self, what: str, duration: str = "", reason: str = "") -> str:
        """See ``Operating``."""
        seconds = durations.parse(duration) if duration else 0
        if seconds is None:
            raise BAD_BAN(why=f"{duration[:32]!r} is no duration; say 10m, 2h or 7d, or nothing for good")
        return await self.ban_for(what, seconds, reason)

    async def ban_for(self, what: str, seconds: int, reason: str = "") -> str:
        """Ban a user, an account or an address for a number of seconds; 0 for ever. See ``Operating.ban``."""
        chat, now = self._chat, self._chat.now()
        target = await targets.anybody(chat, what)
        until = now + min(seconds, LONGEST_SANCTION) * 1000 if seconds else 0
        shown, reason = target.typed or target.name, _reason(reason)
        for key in target.keys:
            await chat.bans.add(Sanction(key, shown, self._by, now, until, reason))
        time = f" for {durations.spell(seconds)}" if seconds else ""
        audit(self._by, f"banned {shown} from the server{time}{_because(reason)}")
        await chat.tell_all_surely(BansChanged(chat.next_id(), now, self._by, ""))
        meant = [s.user for s in chat.sessions.values() if set(s.keys) & set(target.keys)]
        for user_id in {user.id for user in meant if user.id == target.user_id or not user.operator}:
            await self._expel(user_id, reason)
        return f"{shown} is banned from this server{time}."

    async def unban(self, what: str) -> str:
        """See ``Operating``."""
        chat = self._chat
        target = await targets.anybody(chat, what)
        shown = target.typed or target.name
        found = [ban for ban in chat.bans.all if _is_for(ban, shown, target)]
        if not found:
            raise NO_SUCH_BAN(user=shown, how="banned from this server", see="the list of bans")
        await chat.bans.remove(found)
        audit(self._by, f"let {shown} onto the server again")
        await chat.tell_all_surely(BansChanged(chat.next_id(), chat.now(), self._by, ""))
        return f"{shown} may come again."

    async def _expel(self, user_id: str, reason: str) -> None:
        """Tell all daemons to end the sessions of a user; refuse what these sessions say meanwhile."""
        chat = self._chat
        event = Expelled(chat.next_id(), chat.now(), self._by, "", user_id=user_id, reason=reason)
        user = chat.users.get(user_id)
        with ExitStack() as silence:  # messages of these sessions would be stored after the event
            for session in user.sessions if user is not None else ():
                for room in session.told:
                    silence.enter_context(room.silence({user_id}))
            await chat.tell_all_and_wait(event)

    # ---- the server --------------------------------------------------------------------------------------------

    async def close_room(self, room: str, reason: str = "") -> str:
        """See ``Operating``."""
        chat = self._chat
        record = await chat.room_records.lookup(room)
        await chat.room_changes.amend(record, lambda now: None)
        event = Closed(chat.next_id(), chat.now(), self._by, "", reason=_reason(reason))
        audit(self._by, f"closed the room {record.name}{_because(event.reason)}")
        loaded = chat.loaded_rooms.room_of(record)
        with loaded.silence(m.user_id for m in loaded.members.values()) if loaded is not None else nullcontext():
            await chat.append_surely(room_log(record.id), event)
        await chat.files.remove_of(room_log(record.id))
        return f"The room {record.name} has been closed."

    async def give_room(self, room: str, user: str) -> str:
        """See ``Operating``."""
        chat = self._chat
        record = await chat.room_records.lookup(room)
        account = await ownership.account_named(chat.accounts, user)

        def write_down(now: RoomRecord) -> None:
            audit(self._by, f"made {account.name} the owner", now.name)

        await ownership.give(chat, chat.room_changes, record, account, lambda now: None, write_down, by=(self._by, ""))
        return f"The room {record.name} is {account.name}'s now."

    async def announce(self, text: str) -> str:
        """See ``Operating``."""
        chat = self._chat
        text = clean(text).strip()
        audit(self._by, "made an announcement")
        await chat.tell_all_and_wait(Announced(chat.next_id(), chat.now(), self._by, "", text=text))
        return f"Everybody online has been told ({len(chat.sessions)} connections)."

    async def drain(self, on: bool = True) -> str:
        """See ``Operating``."""
        if on is not self._chat.connections.draining:
            self._chat.connections.draining = on
            audit(self._by, "began to drain the server" if on else "let people in again")
            if on:
                await self.announce("This server lets nobody new in; it is going to be stopped.")
        if not on:
            return "People are let in again."
        return f"Nobody new is let in; {len(self._chat.sessions)} connections are left."

    # ---- accounts ----------------------------------------------------------------------------------------------

    async def add_account(self, name: str, password: str) -> str:
        """See ``Operating``."""
        parsed = parse_user_name(name)
        hashed = await self._chat.authenticator.hash(checked_password(self._chat.rules, password))
        account = await self._chat.account_changes.add(parsed, hashed, reserved=True)
        audit(self._by, f"made the account {account.name}")
        return f"The account {account.name} has been made, with a seat of its own."

    async def remove_account(self, name: str) -> str:
        """See ``Operating``."""
        account = await self._account(name)
        await self._chat.account_changes.remove(account)
        audit(self._by, f"removed the account {account.name}")
        return f"The account {account.name} has been removed."

    async def set_operator(self, name: str, on: bool = True) -> str:
        """See ``Operating``."""
        account = await self._account(name)
        await self._chat.account_changes.change(account, operator=on)
        audit(self._by, f"made {account.name} an operator" if on else f"made {account.name} an operator no more")
        return f"{account.name} is an operator {'now' if on else 'no more'}."

    async def set_password(self, name: str, password: str) -> str:
        """See ``Operating``."""
        account = await self._account(name)
        hashed = await self._chat.authenticator.hash(checked_password(self._chat.rules, password))
        await self._chat.account_changes.change_password(account, hashed, session=self._session)
        audit(self._by, f"gave {account.name} another password")
        return f"{account.name} has another password."

    async def _account(self, name: str) -> AccountRecord:
        """Return the account with a name, or raise ``Refused`` if there is none."""
        account = await self._chat.accounts.get(parse_user_name(name))
        if account is None:
            raise NO_ACCOUNT(user=clean(name)[:32])
        return account


def _reason(text: str) -> str:
    text = clean(text).strip()[:REASON_CHARACTERS]
    return "" if is_blank(text) else text


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _is_for(ban: Sanction, shown: str, target: Target) -> bool:
    return ban.key in target.keys or fold(ban.shown) == fold(shown)
