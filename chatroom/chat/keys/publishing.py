"""The handlers by which a user publishes the keys of a device, and the list of devices."""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.keys.directory import same_owner
from chatroom.chat.keys.logins import note_device, revoke
from chatroom.chat.keys.signatures import check_device, check_list
from chatroom.chat.limits import DEVICES_OF_GUEST, ONE_TIME_KEYS, ONE_TIME_KEYS_OF_GUEST
from chatroom.chat.people.throttles import Window
from chatroom.chat.session import Session
from chatroom.model.commands import KeysList, KeysPublish
from chatroom.model.device_keys import VERSION, DeviceChange, DeviceKeys, DeviceList, SignedKey
from chatroom.model.durations import spell
from chatroom.model.errors import BAD_KEYS, BAD_LABEL, DEVICES_LIMITED, GUEST_DEVICES, NO_KEYS, UNKNOWN_KEYS
from chatroom.model.key_events import DevicesListed
from chatroom.model.log import Unavailable
from chatroom.model.replies import KeysPublished, Ok
from chatroom.model.text import clean


@handles(KeysPublish)
async def publish(chat: Chat, session: Session, command: KeysPublish) -> None:
    """Keep the keys of the session's device, and send the session what is in the device's mailbox."""
    user, device, keys = session.user, command.device.device, chat.keys
    _check_own(chat.server_id, user.id, command)
    check_device(command.device, command.proof, keys.nonces.of(session))
    if user.account is None:
        await keys.guests.enter(user.id, chat.shares.via(session))
    if await keys.directory.device(user.id, device) is None:
        _count(keys.new_devices, _whose(chat, session))  # the user's other devices are told of each
    await note_device(chat, session, device)
    before = await keys.directory.publish(user.id, command)
    if before is None:
        await keys.make_room(session, device)
    if command.withdraw:
        await keys.one_time.clear(user.id, device)
    if command.one_time:
        most = ONE_TIME_KEYS if user.account is not None else ONE_TIME_KEYS_OF_GUEST
        await keys.one_time.add(user.id, device, command.one_time, most)
    count = await keys.one_time.count(user.id, device)
    if session.user is not user:  # the session has logged out meanwhile, or was logged out
        raise BAD_KEYS()
    if session.over:
        return
    feed = keys.holders.attach(session, device)
    present = await keys.directory.list_of(user.id)
    devices = _devices_in(present)
    rev = present.rev if present is not None else 0
    keys.holders.listed(session, devices, rev)
    if session.mailbox is not feed:  # another session has the device by now, or it was taken out of the list
        raise NO_KEYS()
    pending = device not in devices
    generation = before.generation if before is not None else 0
    answer = KeysPublished(count=count, rev=rev, pending=pending, generation=generation)
    session.answer(answer, command.ref)
    feed.start()
    if before is None and present is not None:
        who = chat.next_id(), chat.now(), user.name, user.id
        chat.tell_all(DevicesListed(*who, rev=rev, devices=devices, pending=True))


def _whose(chat: Chat, session: Session) -> tuple[str, ...]:
    """Return what a user's changes are counted by. At another address, or after a new password, they count apart."""
    account = session.user.account
    return session.user_id, chat.shares.via(session), account.password if account is not None else ""


def _count(window: Window, key: tuple[str, ...]) -> None:
    """Count one more change.

    Raises:
        Refused: There were too many in the last hour.
    """
    wait = window.wait(key)
    if wait:
        raise DEVICES_LIMITED(wait=spell(wait))
    window.count(key)


def _change(old: DeviceList | None, new: DeviceList) -> DeviceChange:
    """Return what a new list changes, for those who share encrypted rooms with the user."""
    before, after = set(_devices_in(old)), set(_devices_in(new))
    anew = old is not None and old.user_key != new.user_key
    if after - before:
        return "key" if anew else "linked"
    if before - after:
        return "removed"
    return "key" if anew else "other"


def _devices_in(present: DeviceList | None) -> tuple[str, ...]:
    return tuple(keys.device for keys in present.devices) if present is not None else ()


def _check_own(server: str, user_id: str, command: KeysPublish) -> None:
    """Check that all keys are of this server, of the session's user and of one device.

    Raises:
        Refused: They are not.
    """
    device, fallback = command.device.device, command.fallback
    own = all(same_owner(key, server, user_id, device) and not key.fallback for key in command.one_time)
    own = own and (fallback is None or (same_owner(fallback, server, user_id, device) and fallback.fallback))
    if not own or not same_owner(command.device, server, user_id):
        raise BAD_KEYS()
    _check_form(command.device, *command.one_time, *((fallback,) if fallback is not None else ()))


def _check_form(*records: DeviceKeys | DeviceList | SignedKey) -> None:
    """Check that this server knows all of the signed records, and that labels can be shown as they are.

    Fields that are not known here would be lost on the way to others, and the signatures with them.

    Raises:
        Refused: A record has another version, or a label has control characters.
    """
    if any(record.v != VERSION for record in records):
        raise UNKNOWN_KEYS()
    if any(clean(record.label) != record.label for record in records if isinstance(record, DeviceKeys)):
        raise BAD_LABEL()


@handles(KeysList)
async def replace_list(chat: Chat, session: Session, command: KeysList) -> Ok:
    """Replace the list of the user's devices, and tell those whom it concerns."""
    user, new, keys = session.user, command.list, chat.keys
    names = {each.device for each in new.devices}
    own = all(same_owner(each, chat.server_id, user.id) for each in (new, *new.devices))
    if not own or len(names) < len(new.devices):
        raise BAD_KEYS()
    if user.account is None and len(new.devices) > DEVICES_OF_GUEST:
        raise GUEST_DEVICES(most=DEVICES_OF_GUEST)
    check_list(new)
    present = await keys.directory.list_of(user.id)
    if session.keys_device not in names:
        if present == new:  # it is public, so anybody with the password may send it again; nothing has changed
            return Ok()
        if present is None or present.user_key != new.user_key:
            raise NO_KEYS()
    _check_form(new, *new.devices)
    if present != new:  # before it is counted, and before a login is ended: an older list is public, too
        await keys.directory.check_next(user.name, present, new, reset=command.reset)
    anew = present is not None and present.user_key != new.user_key
    # Lists with a new user key count apart: whoever knows only the password can make no others.
    _count(keys.lists, (*_whose(chat, session), "anew" if anew else ""))
    ends = set(command.ends) - names - {session.keys_device}
    ended = *ends, *await revoke(chat, session, ends)  # first: a device that is not removed then only has to log in
    removed = await keys.directory.replace_list(user.name, new, reset=command.reset)
    by, devices = (chat.next_id(), chat.now(), user.name, user.id), _devices_in(new)
    listed = DevicesListed(*by, rev=new.rev, devices=devices, ended=ended, change=_change(present, new))
    try:
        await chat.tell_all_surely(listed)
        for device in removed:
            await keys.forget_device(user.id, device)
    except Unavailable:  # the list is stored all the same: others are told, and what is left is removed, later
        pass
    return Ok()
