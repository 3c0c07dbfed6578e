"""What users are told about encryption, in sentences."""

from __future__ import annotations

from chatroom.client.encryption.interface import KeyState, LinkPath, Security
from chatroom.model import events as e
from chatroom.model.text import on_one_line

NOT_YET = "there is no connection to the server yet, and the keys are loaded when there is one; try again then."
KNOWS_NONE = "this server knows no encryption, so nothing is encrypted here."
KEYS_TAKEN = (
    "the server has no keys of this device at the moment: another client of yours has them, or the device was removed; "
    "/devices says more."
)
NO_KEYS = "this client has no keys, so it encrypts nothing; see docs/security.md."
ONLY_SEALED = (
    "Only encrypted private messages can be edited, quoted, deleted or reacted to; write another message instead."
)


def plain_notice(user: str) -> str:
    """Return the line that is shown before the first message in plain text to a person."""
    return f"To {user} in plain text: the server can read it."


def not_readable(user: str) -> str:
    """Return the line that a person is online, but only where encrypted messages cannot be read."""
    return f"{user} is online where encrypted messages cannot be read."


def state_words(security: Security, path: LinkPath) -> str:
    """Return what the bar says about a private conversation, as ``verified, direct``; empty if nothing is known."""
    shown = "" if security is Security.UNKNOWN else str(security)
    return ", ".join(filter(None, (shown, str(path))))


def key_changed(user: str) -> str:
    """Return the alarm that a person's key has changed."""
    return f"{user}'s key has changed, so nothing is sent to {user}. /verify {user} shows the new digits."


def held_back(user: str, number: int) -> str:
    """Return the alarm that messages of a person whose key has changed wait for the user's decision."""
    wait = "1 encrypted message of {0} waits" if number == 1 else f"{number} encrypted messages of {{0}} wait"
    return f"{wait.format(user)} until you accept the changed key; /verify {user} says how."


def other_person(user: str) -> str:
    """Return the alarm that a name belongs to another user than before."""
    return f"{user} is not the person who had this name before; /verify {user} shows whose key it is."


def does_not_work(why: str) -> str:
    """Return the alarm that this client has no keys, given the reason, a sentence."""
    return f"encryption does not work here: {why[:1].lower()}{why[1:]}"


def not_here(*, others: bool) -> str:
    """Return the line about earlier messages of a room for which this device never got the keys.

    Args:
        others: Whether the user has other devices, which may have the keys.
    """
    text = "What was said while this device was not in the room cannot be opened on it"
    how = "/keys export FILE on one of them and /keys import FILE here bring them, too"
    return f"{text} yet: your other devices were asked for the keys; {how}." if others else f"{text}."


def not_opened_yet(by: str) -> str:
    """Return the line about messages of a person whose keys have not come."""
    return f"Messages of {by} cannot be opened yet: their key is missing, and was asked for."


def before_key(by: str) -> str:
    """Return the line about messages of a person that were sealed before this device was given their key."""
    return (
        f"This device cannot open some messages of {by}: they were said before it was given the key, perhaps because "
        f"{by} had not accepted your changed key yet."
    )


def asked_again(user: str) -> str:
    """Return the line that messages of a person could not be opened, and were asked for again."""
    return f"messages of {user} could not be opened; they were asked for again."


def missing(number: int, by: str) -> str:
    """Return the line about messages of an encrypted room that never came, before the next message of their author."""
    some = "1 message" if number == 1 else f"{number} messages"
    return f"{some} of {by} {'is' if number == 1 else 'are'} missing before this one."


def change_of_unknown(change: e.Edited | e.Reacted) -> str:
    """Return the line about an edit or a reaction whose message this device does not have."""
    if isinstance(change, e.Edited):
        return f"{change.by} corrected a message that this device does not have: {on_one_line(change.text)}"
    did = f"reacted {change.emoji} to" if change.on else f"took back {change.emoji} from"
    return f"{change.by} {did} a message that this device does not have."


def unknown_changed(by: str) -> str:
    """Return the line about a change of an encrypted private message that this device does not have."""
    return f"{by} edited, deleted or reacted to a message that this device does not have."


def asks_for_link(user: str) -> str:
    """Return the line that a person asks for a direct link."""
    return f"{user} asks for a direct link; /direct {user} says what it shows {user}, /direct {user} no refuses it."


def link_words(user: str, path: LinkPath) -> str:
    """Return the line that messages to a person take another way now."""
    if path is LinkPath.DIRECT:
        return f"messages and files to {user} go directly now."
    return f"messages and files to {user} are relayed by the server, encrypted as before."


def devices_wait(label: str, number: int) -> str:
    """Return the line that new devices of the user wait to be linked.

    Args:
        label: What one of them calls itself.
        number: How many there are.
    """
    if number > 1:
        return f"{number} devices have logged in as you, and wait to be linked; /devices says more."
    return f'a device that calls itself "{label}" has logged in as you, and waits to be linked; /devices says more.'


def removed_waits(label: str) -> str:
    """Return the line that a device that the user has removed has logged in again."""
    return (
        f'"{label}", which was removed, has logged in again with your password. It gets nothing unless you link it; '
        f"/devices says more."
    )


def device_renewed(unsent: int) -> str:
    """Return the alarm that this device has new keys, because a copy of its vault is in use.

    Args:
        unsent: The number of messages that were sealed and are given up.
    """
    text = (
        "This vault was copied or restored, and another copy of it has been used, so this device has made new keys. "
        "What was sent to the old ones cannot be read here. If you did not copy it, somebody else has your keys: type "
        "/keys reset, which makes a new user key, and change your password."
    )
    if unsent:
        messages = "1 message was" if unsent == 1 else f"{unsent} messages were"
        text = f"{text} {messages} not sent; write again what is missing."
    return text


def new_user_key(label: str) -> str:
    """Return the line that another device of the user has made a new user key, which this one has taken."""
    return (
        f'Your device "{label}" has made a new user key, because it removed a device or began anew; this device has '
        f"the key now, too. The recovery key has ended; make a new one with /keys recovery."
    )


def linked_here(label: str) -> str:
    """Return the line that this device was linked by another one."""
    return (
        f'This device is linked now, by "{label}"; encrypted messages come here, too. If you have not typed its code '
        f"there, do not use it: then somebody poses as you, perhaps the server."
    )


def device_linked(label: str, device: str) -> str:
    """Return the line that a device of the user was linked on another device, or by the recovery key."""
    return (
        f'a device called "{label}" is linked to your account now, and reads your encrypted messages. If that was not '
        f"you, remove it with /devices remove {device}, and change your password."
    )


def left_behind(code: str, *, by_itself: bool) -> str:
    """Return the alarm that the user's list has another user key, and this device is not in it.

    Args:
        code: What is compared on a device that is in the list.
        by_itself: Whether this device takes the new key without a question when it is linked there.
    """
    then = "this one then links itself" if by_itself else "if it is accepted there, type /devices accept here"
    return (
        f"the server says that your own key has changed; this device is not linked to the new one. If you know nothing "
        f"of it, somebody poses as you: change your password, and see /devices. If you removed this device, or began "
        f"anew on another one, and want to use this one again, type there what follows; {then}.\n{link_row(code)}"
    )


HAS_KEY = "has-user-key"  # the code of the refusal to accept a user key that is here already
HAS_USER_KEY = (
    "there is nothing to accept: this device has your present user key. From a device that was linked before, it takes "
    "a new one without a question."
)
NO_USER_KEY = "No other device has sent this one a new user key; link this one there first, by its code."


def key_offered(label: str, device: str) -> str:
    """Return the alarm that a device has sent a user key, which the user has to decide on."""
    return (
        f'a device called "{label}" ({device}) has sent this one your new user key. It is not believed until you say '
        f"so: type /devices accept if you have typed the code of this device there, and it was accepted."
    )


ACCEPTING = (
    "Another device has made a new user key for you, and has sent it here. That is right if you have begun anew there, "
    "typed the code of this device there with /devices link, and the code was accepted. If not, somebody poses as you, "
    "perhaps the server, and would read what you send: say no, and change your password."
)


def refused(label: str) -> str:
    """Return that a device that waits is not shown any more."""
    return (
        f"{label} is not shown any more; it gets nothing. Whoever has it knows your password: change the password, or "
        f"more devices may come."
    )


NOTHING_TO_RECOVER = "This device is linked, so it has your keys; the recovery key is for a device that is not."
NO_BACKUP = (
    "The server has nothing that a recovery key opens: none was made, a device was removed after it was made, or "
    "somebody has erased it. Link this device by its code on another one; /devices shows the code. If you have no "
    "linked device any more, /keys reset makes new keys, and your contacts see that."
)


def not_given(why: str) -> str:
    """Return that the server does not say whether it has what a recovery key opens, given its reason, a sentence."""
    return (
        f"The server does not say now whether it has what a recovery key opens: {why} Your recovery key may be the "
        f"right one, so try it again later."
    )


NO_RECOVERY_KEY = (
    "You have no recovery key: if you lose all your devices, you begin anew, and your contacts see changed keys. "
    "/keys recovery makes one."
)
NO_NEW_RECOVERY_KEY = (
    "The connection was lost, so it is not known whether the new recovery key or the one before works. The new one is "
    "not shown: make another one with /keys recovery."
)
BACKUP_GONE = (
    "your recovery key does not work any more: somebody has erased at the server what it opens. /keys recovery makes a "
    "new one. If it was not you on another device, change your password."
)
BACKUP_REPLACED = (
    "your recovery key does not work any more: another one was made. If it was not you on another device, change your "
    "password, look at /devices, and make a new one with /keys recovery."
)
NOT_RECOVERED = {
    "wrong-recovery-key": (
        "That recovery key does not open what the server has. If you have made several, only the newest one does. "
        "Otherwise link this device by its code on another one; /devices shows the code."
    ),
    "wrong-user-key": (
        "That recovery key opens a key that is not yours any more: you have got a new one since, because a device was "
        "removed or you began anew. Link this device by its code on another one; /devices shows the code."
    ),
}

RESET_LATER = "you have new keys: what you began before the connection was lost is done. Your recovery key has ended."
NOT_RESET = "you have no new keys: what you began before the connection was lost was refused."


def linked_later(label: str) -> str:
    """Return that a device is linked, which was begun before the connection was lost."""
    return f'"{label}" is linked, as you wanted before the connection was lost.'


def not_linked_later(label: str) -> str:
    """Return that a device is not linked, which was begun before the connection was lost; the reason follows."""
    return f'"{label}" was not linked; the server refused what you began before the connection was lost.'


def removed_later(label: str) -> str:
    """Return that a device is removed, which was begun before the connection was lost."""
    return (
        f'"{label}" is removed and logged out, as you wanted before the connection was lost, and you have a new user '
        f"key. /sessions shows where else you are logged in."
    )


def not_removed(label: str) -> str:
    """Return that a device is not removed, which was begun before the connection was lost; the reason follows."""
    return f'"{label}" was NOT removed; the server refused what you began before the connection was lost. Try again.'


def guest_keys(name: str) -> str:
    """Return what a guest is told about keys, once."""
    return f"your keys belong to {name}, a guest, and end with the name; after /register you have keys that last."


def only_accounts(what: str) -> str:
    """Return the refusal of what only somebody with an account can do, as ``link devices``."""
    return f"a guest cannot {what}: a guest's keys end with the name. /register makes the name yours, with new keys."


def compare_first(user: str) -> str:
    """Return the refusal to mark somebody as verified whose digits were not shown."""
    return f"these digits were not shown before; compare them, and then type /verify {user} ok again."


def nothing_to_compare(user: str) -> str:
    """Return the refusal to show digits of somebody who has no keys."""
    return f"{user} has no keys, as on telnet, so there is nothing to compare: you write to {user} in plain text."


def digits_changed(user: str) -> str:
    """Return the refusal to mark somebody as verified whose digits are others now than those that were shown."""
    return f"the digits changed after they were shown, so {user} is not verified; compare these new ones."


def accepting(user: str) -> str:
    """Return what a changed key means, before the user is asked whether to accept it."""
    return (
        f"{user}'s key has changed. Perhaps {user} has removed a device, or has begun anew and lost the old keys. Or "
        f"somebody, such as the server, poses as {user} to read what you write. Only {user} can tell you which: ask in "
        f"person or in a call, and compare the digits of /verify {user}."
    )


def accepting_plain(user: str) -> str:
    """Return what plain text means, before the user is asked whether to accept it."""
    return (
        f"Your messages to {user} are encrypted. In plain text the server can read what you write to {user} from now "
        f"on, and so can anybody who gets its disk. Perhaps {user} has no program with keys any more; perhaps the "
        f"server only says so."
    )


def removing(label: str, device: str) -> str:
    """Return what it means to remove a device, before the user is asked whether to do it."""
    return (
        f"{label} ({device}) gets no more messages then, and is logged out. It knows your user key, so you get a new "
        f"user key: the people you write to are told that your key has changed, and send you nothing until they accept "
        f"it. Your other devices get the new key. Your recovery key ends; make a new one with /keys recovery. "
        f"Whom you have verified you compare with again, because the digits are others then. If "
        f"somebody else has {label}, change your password as well (/password): that ends all other logins."
    )


def removed(label: str) -> str:
    """Return that a device is removed."""
    return (
        f"{label} is removed and logged out; /sessions shows where else you are logged in. You have a new user key; "
        f"contacts see a changed key."
    )


def revealing(user: str, addresses: list[str]) -> str:
    """Return what a direct link reveals, before the user is asked to agree."""
    return (
        f"A direct link takes messages and files to {user} without passing through the server. It shows {user} the "
        f"addresses of this computer: {', '.join(addresses)}. It does not get through most home routers; messages are "
        f"relayed by the server then, encrypted as before."
    )


def state_of_keys(state: KeyState, guest: str = "") -> list[str]:
    """Return the lines of ``/keys``; ``guest`` is our name if we are a guest."""
    people = {0: "nobody", 1: "1 person"}.get(state.contacts, f"{state.contacts} people")
    lines = ["your keys:", f"  this device: {state.fingerprint}", f"  remembered: the keys of {people}"]
    if guest:
        return [*lines, f"  {guest_keys(guest)}"]
    if not state.linked:
        return [*lines, *unlinked(state.code)]
    recovery = "set; /keys recovery makes a new one" if state.recovery else "none; /keys recovery makes one"
    return [*lines, f"  recovery key: {f'not known; {state.refused}' if state.refused else recovery}"]


def unlinked(code: str) -> list[str]:
    """Return the lines that say how this device is linked.

    Args:
        code: What is compared; empty if another device sends its key to this one by itself.
    """
    lines = ["  this device is not linked, so it can neither read nor write encrypted messages."]
    if not code:
        return [*lines, "  another device of yours has made a new user key, and sends it when it is connected."]
    return [
        *lines,
        "  link it in one of these ways:",
        "    on a device of yours that is linked, type:",
        f"  {link_row(code)}",
        "    here, type /keys recover, and then your recovery key, if you have one",
        "  if neither is possible, /keys reset makes new keys, and your contacts see that",
    ]


def link_row(code: str) -> str:
    """Return the row with the command that links a device; it is short, so that it can be copied as one line."""
    return f"    /devices link {code}"


def how_to_link(code: str) -> str:
    """Return the line that tells a user who has just logged in on a device that it is not linked."""
    return (
        f"this device is not linked, so it can neither read nor write encrypted messages. Type /keys recover here, or "
        f"on a device of yours that is linked:\n{link_row(code)}"
    )
