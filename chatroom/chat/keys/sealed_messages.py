"""The handlers of sealed messages: ``e2e-send`` puts envelopes into mailboxes, ``e2e-ack`` removes what was fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from twisted.internet.defer import Deferred

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.keys.asking import id_of
from chatroom.chat.keys.delivery import sending
from chatroom.chat.keys.directory import ListRecord
from chatroom.chat.keys.mailbox import DeviceMailbox
from chatroom.chat.keys.watching import awaits_keys, has_keys, notify
from chatroom.chat.people.unread_counts import senders
from chatroom.chat.session import Session
from chatroom.model.commands import E2eAck, E2eSend
from chatroom.model.device_keys import Envelope
from chatroom.model.errors import MAILBOX_FULL, NO_KEYS, NO_USER, NOT_LISTED, STALE_DEVICES
from chatroom.model.key_events import E2eFrom, SealedCame
from chatroom.model.log import Entry
from chatroom.model.log_names import device_log
from chatroom.model.names import BadName, user_name
from chatroom.model.replies import E2eSent, Ok

Lists = dict[str, ListRecord]
Waits = Literal["", "keys", "account", "guest"]


@dataclass(frozen=True, slots=True)
class Addressed:
    """A mailbox that an envelope is for, and whether it is stored there already."""

    envelope: Envelope
    log: str
    mailbox: DeviceMailbox
    stored: bool


@handles(E2eSend)
async def send(chat: Chat, session: Session, command: E2eSend) -> E2eSent:
    """Put envelopes into the mailboxes of their devices, and answer when all are stored."""
    device, author = session.keys_device, (session.name, session.user_id)
    if not device:
        raise NO_KEYS()
    if not session.keyed:
        raise NOT_LISTED()
    lists = await _checked_lists(chat, command)
    person = await _person(chat, command, author[1])
    via = chat.shares.via(session)
    targets, full = await _with_room(chat, author[1], via, command, lists)
    storing: list[Deferred[Entry]] = []
    releases: list[Callable[[], None]] = []
    for target in targets:
        if not target.stored:
            env = target.envelope
            at, what = chat.now(), env.body
            event = E2eFrom(command.id, at, *author, device=device, kind=env.kind, body=what, via=via)
            who, id = senders(author[1], via), sending(author[1], command.id)
            releases.append(target.mailbox.claim(who, len(what), id))
            storing.append(chat.append_and_wait(target.log, event, once=True))
    await _all(storing, releases)
    waits = await _waits(chat, person, lists[person].name if person in lists else command.user) if person else ""
    if command.user and person in lists and person != author[1]:
        await chat.keys.known.note(author[1], person)
    if command.notice and person:
        _notify(chat, person, *author)
    return E2eSent(id=command.id, waits=waits, full=full)


async def _checked_lists(chat: Chat, command: E2eSend) -> Lists:
    """Return the records of the device lists of the users whom a message is for, by user id.

    Raises:
        Refused: A list is not the one that the author knows, or an envelope is for a device that is in no list.
    """
    lists: Lists = {}
    for user_id in dict.fromkeys([*command.revs, *(env.user_id for env in command.envelopes)]):
        held = await chat.keys.directory.listed(user_id)
        if held is None or command.revs.get(user_id) != held.list.rev:
            user = chat.users.get(user_id)
            raise STALE_DEVICES(user=held.name if held is not None else user.name if user is not None else user_id)
        lists[user_id] = held
    for env in command.envelopes:
        if lists[env.user_id].list.keys_of(env.device) is None:
            raise STALE_DEVICES(user=lists[env.user_id].name)
    return lists


async def _person(chat: Chat, command: E2eSend, author: str) -> str:
    """Return the id of the person whom a message is for: whose devices it goes to, or else ``user``; empty for nobody.

    A message with many envelopes comes in several records, of which one may be for the author's own devices alone.

    Raises:
        Refused: Nobody is ``user``.
    """
    found = next((env.user_id for env in command.envelopes if env.user_id != author), "")
    if found or not command.user:
        return found
    user_id = await id_of(chat, command.user)
    if not user_id:
        raise NO_USER(user=command.user)
    return user_id


async def _with_room(
    chat: Chat, author: str, via: str, command: E2eSend, lists: Lists
) -> tuple[list[Addressed], list[str]]:
    """Return the mailboxes that have room for their envelopes, and the devices whose mailboxes are full.

    Raises:
        Refused: The message is for a person, and could be stored for no device of one of its readers. Of others, such
            as the keys of a room, those that fit are stored: one full mailbox must not silence a whole room.
    """
    targets, full = [], []
    for env in {(env.user_id, env.device): env for env in command.envelopes}.values():
        log = device_log(env.user_id, env.device)
        mailbox = await chat.keys.mailboxes.of(log)
        stored = mailbox.has(sending(author, command.id))
        known = partial(chat.keys.known.knows, env.user_id, author)
        if stored or await mailbox.check(senders(author, via), own=env.user_id == author, known=known):
            targets.append(Addressed(env, log, mailbox, stored))
        else:
            full.append(env.device)
    reached = {target.envelope.user_id for target in targets} | {author}
    for env in command.envelopes:
        if command.user and env.user_id not in reached:
            raise MAILBOX_FULL(user=lists[env.user_id].name)
    return targets, full


async def _all(storing: list[Deferred[Entry]], releases: list[Callable[[], None]]) -> None:
    """Wait until everything is stored, then give back the places that were held for it.

    Raises:
        Unavailable: Something may not be stored.
    """
    failed: BaseException | None = None
    for waiting in storing:
        try:
            await waiting
        except Exception as error:
            failed = error
    for release in releases:
        release()
    if failed is not None:
        raise failed


async def _waits(chat: Chat, user_id: str, name: str) -> Waits:
    """Return what a message to a user waits for; empty if the user is online on another daemon, or with keys.

    A program that has only just become the user counts as one with keys, which it publishes a moment later.
    """
    user = chat.users.get(user_id)
    if user is not None:
        return "" if has_keys(user) or awaits_keys(user) else "keys"
    if chat.engine.elsewhere(user_id):
        return ""
    try:
        account = await chat.accounts.get(user_name(name))
    except BadName:
        account = None
    return "account" if account is not None and account.id == user_id else "guest"


def _notify(chat: Chat, user_id: str, by: str, by_id: str) -> None:
    """Tell a user who is online without keys that a sealed message came, which only chatroom-client can read."""
    user = chat.users.get(user_id)
    if user is not None:
        if not has_keys(user):
            notify(user, by, by_id)
    elif chat.engine.elsewhere(user_id):
        chat.tell_all(SealedCame(chat.next_id(), chat.now(), by, by_id, user_id=user_id))


@handles(E2eAck)
def acknowledge(chat: Chat, session: Session, command: E2eAck) -> Ok:
    """Remove from the mailbox of the session's device what the device has stored."""
    if session.mailbox is None:
        raise NO_KEYS()
    session.mailbox.acknowledge(command.seq)
    return Ok()
