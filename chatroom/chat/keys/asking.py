"""The handlers that give keys: device lists, one-time keys, and a user's own sealed user key."""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import FEW_KEYS, KEYS_BYTES
from chatroom.chat.session import Session
from chatroom.model.commands import KeysBackup, KeysClaim, KeysQuery, KeysRestore
from chatroom.model.device_keys import DeviceKeys
from chatroom.model.durations import spell
from chatroom.model.errors import KEY_BACKUPS_LIMITED, KEYS_LIMITED, NO_KEYS, NO_USER, NOT_LISTED
from chatroom.model.key_events import FewKeysLeft
from chatroom.model.names import BadName, user_name
from chatroom.model.replies import Claimed, ClaimedKey, Keys, KeysBackedUp, Ok, UserKeys

BY_ID = "id:"  # what a user id begins with where a name may be as well; no name has a colon


@handles(KeysQuery)
async def query(chat: Chat, session: Session, command: KeysQuery) -> Keys | None:
    """Give the device lists of the first users, as many as fit, and the user's own devices that are in no list."""
    asked = dict.fromkeys(command.users)
    users: list[UserKeys] = []
    room = KEYS_BYTES
    async with chat.lists:
        for name in asked:
            if session.over:
                return None
            user, size = await _user_keys(chat, session, name)
            room -= size
            if room < 0 and users:
                break
            users.append(user)
        return Keys(users=users, pending=await _pending(chat, session.user_id), more=len(asked) - len(users))


async def _pending(chat: Chat, user_id: str) -> list[DeviceKeys]:
    """Return the devices of a user that have keys and are in no list."""
    present = await chat.keys.directory.list_of(user_id)
    listed = {keys.device for keys in present.devices} if present is not None else set()
    return [each.keys for each in await chat.keys.directory.devices(user_id) if each.keys.device not in listed]


async def _user_keys(chat: Chat, session: Session, asked: str) -> tuple[UserKeys, int]:
    """Return the device list of a user, who is asked for by name or id, and its bytes; watch it for the session."""
    user_id = asked.removeprefix(BY_ID) if asked.startswith(BY_ID) else await id_of(chat, asked)
    if session.mailbox is not None:  # before the list is read, so that no change is missed
        session.mailbox.watch(user_id)
    held, size = await chat.keys.directory.measured(user_id)
    user = chat.users.get(user_id)
    name = user.name if user is not None else held.name if held is not None else asked
    if held is None:
        return UserKeys(name=name, user_id=user_id, list=None, rev=0), size
    return UserKeys(name=name, user_id=user_id, list=held.list, rev=held.list.rev), size


async def id_of(chat: Chat, name: str) -> str:
    """Return the id of the user with a name; empty if nobody has it."""
    user = chat.names.get(name)
    if user is not None:
        return user.id
    try:
        account = await chat.accounts.get(user_name(name))
    except BadName:
        return ""
    return account.id if account is not None else ""


@handles(KeysClaim)
async def claim(chat: Chat, session: Session, command: KeysClaim) -> Claimed:
    """Give one key of each device: a one-time key, or the fallback key if none is left or many were given already."""
    user_id, keys = command.user_id, chat.keys
    if not session.keyed:
        raise NOT_LISTED()
    held = await keys.directory.listed(user_id)
    if held is None:
        raise NO_USER(user=user_id)
    via = chat.shares.via(session)
    devices = [device for device in dict.fromkeys(command.devices) if held.list.keys_of(device) is not None]
    if any(keys.claims.exhausted(session.user_id, via, user_id, device) for device in devices):
        raise KEYS_LIMITED(user=held.name)
    found: list[ClaimedKey] = []
    for device in devices:
        key = None
        if keys.claims.count(session.user_id, via, user_id, device):
            key = await keys.one_time.take(user_id, device)
            await _tell_of_few(chat, held.name, user_id, device)
        if key is None:
            record = await keys.directory.device(user_id, device)
            key = record.fallback if record is not None else None
        if key is not None:
            found.append(ClaimedKey(user_id=user_id, device=device, key=key))
    return Claimed(keys=found)


async def _tell_of_few(chat: Chat, name: str, user_id: str, device: str) -> None:
    """Tell a device if it has few one-time keys left."""
    left = await chat.keys.one_time.count(user_id, device)
    if left < FEW_KEYS:
        chat.tell_all(FewKeysLeft(chat.next_id(), chat.now(), name, user_id, device=device, count=left))


@handles(KeysBackup)
async def backup(chat: Chat, session: Session, command: KeysBackup) -> Ok:
    """Keep the user's own sealed user key."""
    present = await chat.keys.directory.list_of(session.user_id)
    if present is None or not present.keys_of(session.keys_device):
        raise NO_KEYS()
    _limit(chat, session)
    await chat.keys.directory.keep_backup(session.user_id, command.sealed)
    return Ok()


@handles(KeysRestore)
async def restore(chat: Chat, session: Session, command: KeysRestore) -> KeysBackedUp:
    """Give the user's own sealed user key, however often: 128 random bits that the server does not have protect it."""
    return KeysBackedUp(sealed=await chat.keys.directory.backup(session.user_id))


def _limit(chat: Chat, session: Session) -> None:
    """Count that a user stores the sealed user key.

    Raises:
        Refused: The user has done so too often in the last hour, from the same address.
    """
    key = session.user_id, chat.shares.via(session)
    wait = chat.keys.backups.wait(key)
    if wait:
        raise KEY_BACKUPS_LIMITED(wait=spell(wait))
    chat.keys.backups.count(key)
