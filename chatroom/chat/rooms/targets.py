"""Targets of moderation: finding the member, account, name or address that is meant, and whether it may be a target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from chatroom.chat.bans_and_mutes import account_key, address_key, guest_key, name_key
from chatroom.chat.chat import Chat
from chatroom.chat.people.nicknames import no_user
from chatroom.chat.rooms.members import MemberSession
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.errors import BAD_BAN, NOT_TO_A_MODERATOR, NOT_TO_AN_OPERATOR, NOT_TO_THE_OWNER, NOT_TO_YOURSELF
from chatroom.model.log_names import guest_log, inbox_log
from chatroom.model.names import BadName, fold, user_name
from chatroom.model.network import is_local, network


@dataclass(frozen=True, slots=True)
class Target:
    """A user, a name or an address that an act of moderation is for.

    Args:
        name: The name that everybody may see.
        user_id: The user's id; empty for a name without an account, or an address.
        keys: The keys that a ban or mute of the target gets.
        operator: Whether the user is an operator.
        inbox_log: The log of the user's inbox.
        typed: The address, as the moderator typed it, which only moderators may see; empty for users and names.
        session: The session in the room, if the target is a member.
    """

    name: str
    user_id: str = ""
    keys: tuple[str, ...] = ()
    operator: bool = False
    inbox_log: str = ""
    typed: str = ""
    session: MemberSession | None = None

    @property
    def now(self) -> tuple[str, str]:
        """The present name and id of the user; a member may have logged in or out since the target was made."""
        return (self.session.name, self.session.user_id) if self.session is not None else (self.name, self.user_id)


def member(room: Room, name: str) -> Target:
    """Return the member of the room with that name.

    Raises:
        Refused: No member of the room has the name.
    """
    folded = fold(name)
    for found in room.members.values():
        if fold(found.name) == folded:
            if found.session is None:
                return Target(found.name, found.user_id)
            # A session that is logging in belongs to the account before the room has seen that.
            user = found.session.user
            return Target(found.name, user.id, operator=user.operator, session=found.session)
    raise no_user(name)


async def anybody(chat: Chat, name: str) -> Target:
    """Return a user online, the owner of an account, an address, or else a name that a guest may have.

    Users come before addresses, because an old account may have a name that reads like an address.

    Raises:
        Refused: The text is neither an address nor a valid user name.
    """
    user = chat.names.get(name)
    if user is not None:
        return Target(user.name, user.id, user.keys_against, user.operator, user.inbox_log)
    try:
        parsed = user_name(name)
    except BadName:
        if looks_like_address(name):
            return _address(name)
        raise no_user(name) from None
    account = await chat.accounts.get(parsed)
    if account is not None:
        keys = (account_key(account.id), name_key(parsed.folded))
        return Target(account.name, account.id, keys, account.operator, inbox_log(account.id))
    guest = await chat.shared_names.find(name)
    if guest is not None:
        keys = (name_key(parsed.folded), guest_key(guest.user_id))
        return Target(guest.name, guest.user_id, keys, inbox_log=guest_log(guest.user_id))
    if looks_like_address(name):
        return _address(name)
    return Target(parsed.shown, keys=(name_key(parsed.folded),))


def _address(text: str) -> Target:
    """Return an address as a target.

    Raises:
        Refused: The address is this machine's own, or the text is a network of many addresses.
    """
    if is_local(text):
        raise BAD_BAN(why=f"{text} is this machine itself, where everybody may come from")
    if "/" in text and ip_network(text, strict=False) != ip_network(network(text)):
        raise BAD_BAN(why=f"{text} is not one address; give each by itself, those of IPv6 as networks of 64 bits (/64)")
    return Target("an address", keys=(address_key(text),), typed=text)


def at(room: Room, keys: Iterable[str]) -> list[tuple[str, str]]:
    """Return the user ids and names of the members that a ban with these keys (of names and addresses) hits.

    Moderators are left out.
    """
    known = set(keys)
    return [
        (found.user_id, found.name)
        for found in room.members.values()
        if found.session is not None
        and not room.record.moderated_by(found.session.user)
        and known & set(found.session.keys)
    ]


def check(session: Session, target: Target, room: Room | None) -> None:
    """Check that the session's user may act against the target.

    Args:
        session: The session.
        target: The target.
        room: The room in which the user acts; None for the whole server.

    Raises:
        Refused: The target is the user, an operator or the room's owner; or a moderator, and the user does not own the
            room.
    """
    user = session.user
    if target.user_id == user.id:
        raise NOT_TO_YOURSELF()
    if target.operator:
        raise NOT_TO_AN_OPERATOR(user=target.name)
    if room is None or user.operator or not target.user_id:
        return
    if target.user_id == room.record.owner_id:
        raise NOT_TO_THE_OWNER(user=target.name, room=room.name)
    if target.user_id in room.record.moderators and not room.record.owned_by(user):
        raise NOT_TO_A_MODERATOR(user=target.name, room=room.name)


def looks_like_address(text: str) -> bool:
    """Return whether a text is an IP address or a network; an address with a zone cannot be banned."""
    if "%" in text:
        return False
    try:
        ip_address(text) if "/" not in text else ip_network(text, strict=False)
    except ValueError:
        return False
    return True
