"""The names of logs. A room, an account's inbox and an absent guest's mailbox each have a log named after their id.

So do the private messages that an account, or a guest, has sent, and the mailbox of each device that has keys.
"""

from __future__ import annotations

ROOM = "room/"
INBOX = "inbox/"
GUEST = "guest/"
SENT = "sent/"
GUEST_SENT = "guest-sent/"
DEVICE = "device/"
SERVER = "server/"  # logs of the whole server

SERVER_LOG = f"{SERVER}all"  # the events that concern every daemon
GUESTS_LOG = f"{SERVER}guests"  # events that say which names guests have used, and in which mailboxes mail waits


def room_log(id: str) -> str:
    """Return the name of a room's log.

    Args:
        id: The room's id.
    """
    return ROOM + id


def inbox_log(id: str) -> str:
    """Return the name of the log that holds an account's private messages.

    Args:
        id: The account's id.
    """
    return INBOX + id


def guest_log(id: str) -> str:
    """Return the name of the log that holds a guest's private messages.

    Args:
        id: The guest's id.
    """
    return GUEST + id


def sent_log(id: str) -> str:
    """Return the name of the log that holds copies of the private messages that an account has sent.

    Args:
        id: The account's id.
    """
    return SENT + id


def guest_sent_log(id: str) -> str:
    """Return the name of the log that holds copies of the private messages that a guest has sent.

    Args:
        id: The guest's id.
    """
    return GUEST_SENT + id


def device_log(user_id: str, device: str) -> str:
    """Return the name of the log that holds the sealed messages for a device.

    Args:
        user_id: The id of the account or guest.
        device: The id of the device.
    """
    return f"{DEVICE}{user_id}/{device}"


_OTHER_HALVES = {INBOX: SENT, SENT: INBOX, GUEST: GUEST_SENT, GUEST_SENT: GUEST}


def other_half(log: str) -> str:
    """Return the log with the other half of the same user's private messages; empty if the log has none."""
    kind, slash, id = log.partition("/")
    other = _OTHER_HALVES.get(kind + slash)
    return other + id if other is not None else ""


def id_in(log: str) -> str:
    """Return the id of the room, account or guest that a log belongs to."""
    return log.partition("/")[2]
