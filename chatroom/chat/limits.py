"""The limits of everything, and the token bucket that turns a rate into a wait."""

from __future__ import annotations

from dataclasses import dataclass, fields

from chatroom.model.commands.table import MOST_BACK
from chatroom.model.password_rules import LEAST

TEXT_BYTES = 4096  # of a line that a person types, and of the text of any message
RECORD_BYTES = 16 * 1024
USER_CHARACTERS = 32
ROOM_CHARACTERS = 64
ROOMS = 10_000
MOST_JOINED = 50  # rooms that one session can be in at most, whatever --rooms says
LISTED = 200  # people or rooms in one answer
LISTS_AT_ONCE = 2  # lists that are read from the store at the same time; further commands for lists wait
HISTORY = 200  # messages in one answer
RECENT = MOST_BACK  # newest messages among which a message is looked for if a command does not give its seq
HISTORY_BYTES = 96 * 1024  # of the entries in one answer; far fewer than the bytes that may be held for a slow client
CATCH_UP = 1000  # entries that a program is given of what it missed, when it joins a room again
FOUND = 50
SEARCH_REMEMBERED = 300  # seconds in which the same search, given again, goes on where the last one stopped
IGNORED = 200  # people that a user may ignore
AWAY_CHARACTERS = 200
INBOX_DAYS = 30
GUEST_DAYS = 7  # for which messages to guests wait, and for which the names of guests are remembered
INBOX_MESSAGES = 500
CONVERSATIONS = 50  # in one answer
MARKS = 1000  # read marks of one account, of rooms and conversations together ...
GUEST_MARKS = 64  # ... and of a guest
COUNTS_AT_ONCE = 2  # counts of unread messages at the same time; others wait
COUNTED_BYTES = 512 * 1024  # of the entries that are read for one count
KEYS_BYTES = 96 * 1024  # of the device lists in one answer
MAILBOX_DAYS = 30  # for which sealed messages wait for a device
MAILBOX_MESSAGES = 1000  # sealed messages that wait for one device ...
MAILBOX_BYTES = 2 * 1024 * 1024  # of the bodies of these messages
MAILBOX_OF_STRANGERS = 500  # ... of which the others are kept for people to whom the device's user has written ...
WRITTEN_TO = 200  # people of whom it is remembered that a user has written to them
MAILBOX_OF_SENDER = 200  # ... from one account, or from all guests at one address ...
MAILBOX_OF_ADDRESS = 500  # ... and from all users at one address together
MAILBOX_WINDOW = 100  # sealed messages that a device is sent without having acknowledged them
ONE_TIME_KEYS = 200  # of one device that are kept
ONE_TIME_KEYS_OF_GUEST = 100  # ... of a guest's
FEW_KEYS = 20  # one-time keys of a device: with fewer, it is told
LISTS_OF_ONE = 30  # changes of one user's device list in an hour; all the user's encrypted rooms are told of each
GUESTS_WITH_KEYS = 2000  # guests whose keys are kept ...
GUESTS_WITH_KEYS_OF_ADDRESS = 200  # ... of one address ...
GUESTS_WITH_KEYS_AN_HOUR = 240  # ... and new ones there in an hour
DEVICES_OF_GUEST = 4  # of one guest whose keys are kept, and in the guest's list
NEW_DEVICES_OF_ONE = 60  # of one user that publish keys for the first time in an hour, from one address
DEVICES_OF_ONE = 32  # of one user whose keys are kept, also of those that wait to be in the list
CLAIMS_OF_ONE = 10  # one-time keys of one device that one user is given in an hour ...
CLAIMS_OF_ADDRESS = 40  # ... and all users at one address, as many as there are in a class; then the fallback key
FALLBACK_CLAIMS = 30  # times an hour that one user is given the fallback key of one device ...
FALLBACK_OF_ADDRESS = 400  # ... and all users at one address
WATCHED = 1000  # users whose changes of devices one session is told of because it asked for their devices
KEY_BACKUPS = 10  # times an hour that one user's sealed user key is stored
SHARE_OF_SENDER = 100  # unread messages from one account, or from all guests at one address, in one inbox
SHARE_OF_ADDRESS = 250  # ... and from all users at one address together
GUESTS = 10_000  # names of guests that are remembered
NAMES_A_DAY = 256  # new names of guests at one address that are remembered
MAILBOXES = 10_000  # names of guests for which mail waits ...
MAILBOXES_OF_ONE = 64  # ... of which so many may have got their first mail from one address
STANDING = 64  # connections at a time that may log in although they have no seat (see ``people/capacity.py``)
OWNED = 20  # rooms that one account, or one guest, may own
GUEST_ROOMS = 64  # rooms made by guests from one address
LEFT_FOR_GOOD = 600.0  # seconds away, after which a room's owner without an account is taken to be gone for good
EMPTY = 600.0  # seconds until an empty room of a guest ends, if nothing was said in it
TOPIC_CHARACTERS = 390
REASON_CHARACTERS = 200
FILES = 10_000  # shared on this server, however small they are
PART_OF_ONE = 10  # one user may have a tenth of the files, and of the bytes ...
PART_OF_ADDRESS = 4  # ... and all users at one address together a quarter
FILE_DAYS = 30
PART_DAYS = 1  # for which an interrupted upload can be resumed
SHORTEST_SECRET = 16  # characters of a secret that a program chooses, to be the same guest on a later connection
TOKENS = 20  # programs that may log in to one account again without the password
TOKEN_DAYS = 90  # for which a login token stays valid if it is not used
MODERATORS = 100  # of one room; also the most people invited to one room
SANCTIONS = 500  # bans, or mutes, of one room
SANCTION_BYTES = 64 * 1024  # of the texts of all bans and mutes of one room
LONGEST_SANCTION = 10 * 365 * 86400  # seconds

FAILURES = 3  # failed logins to one account from one address ...
FAILURES_WINDOW = 60.0  # ... in so many seconds
FAILURES_OUT = 20  # failed logins to one account from one address ...
OUT = 3600.0  # ... in so many seconds; then further logins are refused for as long
FAILURES_SPREAD = 200  # failed logins from one address in OUT seconds; then only accounts known there may log in
LOCAL_WINDOW = 600.0  # seconds, instead of OUT, for logins from this machine: a proxy here may serve many users
REGISTRATIONS = 60  # from one address ...
REGISTRATIONS_WINDOW = 3600.0  # ... in so many seconds
CHANGES = 3  # of one account's password ...
CHANGES_WINDOW = 600.0  # ... in so many seconds
ACTS_OF_ONE = 60  # acts in the audit log, of one member or of all guests at one address ...
ACTS_OF_ADDRESS = 240  # ... and of all users at one address ...
ACTS_WINDOW = 600.0  # ... in so many seconds
ANNOUNCEMENTS = 10  # of logins and logouts of one account ...
ANNOUNCEMENTS_WINDOW = 600.0  # ... in so many seconds

TABS = 16  # sessions of one account on one device
DEVICES_REMEMBERED = 16  # devices of one account whose marks in the inbox are kept
WAS = 32  # earlier accounts and guests that are remembered of one connection or account
TAKEOVER_WITHIN = 60.0  # seconds after a login that found the account in use, in which /takeover is possible
KEYS_WITHIN = 30_000  # milliseconds for a program that has become another user to publish the keys of its device
ANSWER_WITHIN = 10.0  # seconds for a program that is pinged to show that it is still there

LINES_BURST = 10
LINES_WAITING = 32
QUERIES_A_SECOND = 20  # what a session's queries may cost in a second ...
QUERIES_BURST = 200  # ... after so much at once (``Command.cost``)
STALE_REFUSALS = 2  # of one sealed message, because somebody has come; then it is said without that person
STALE_REMEMBERED = 200  # refused messages of a session of which this is counted
ENCRYPTED_JOINS = 5  # of one user to one encrypted room at once ...
ENCRYPTED_JOINS_EVERY = 20.0  # ... and then one in so many seconds
LONGEST_WAIT_TO_JOIN = 40.0  # seconds that such a join waits at most; a later one is refused
ENCRYPTED_JOINS_OF_ADDRESS = 600  # joins of all users at one address to one encrypted room ...
ENCRYPTED_JOINS_WINDOW = 600.0  # ... in so many seconds
TYPING_EVERY = 3.0  # seconds between two notices that one session is typing in one place
TYPING_IN_ROOM = 10  # such notices that a room is told in ...
TYPING_WINDOW = 1.0  # ... so many seconds
BYTES_A_SECOND = 10_000
BYTES_BURST = 64_000
READ_COST = 64  # bytes that each piece read from a connection is charged at least, however small it is


@dataclass(slots=True)
class Rules:
    """The operator's settings for the chat.

    All parts of the chat share one object, and ``become`` changes it while the daemon runs. So read its fields each
    time, and keep no copies of them.

    Args:
        name: The server's name.
        motd: Lines shown after the greeting.
        replay: Messages shown to a person who joins a room.
        keep: Messages kept of a room, 0 for all.
        keep_days: Days for which messages are kept, 0 for ever.
        rate: Lines a second that a session may send after a burst; 0 turns flood control off.
        most_users: Guests and accounts online at a time; 0 for as many as the system allows.
        rooms: Rooms that one session can be in at a time; with 1, joining a room always leaves the one before.
        sessions: Sessions of one account at a time that name no device; 0 for any number.
        devices: Devices of one account at a time; 0 for any number.
        announce: Whether everybody is told who logs in and out.
        max_file: Bytes of one shared file; 0 for any number.
        store: Bytes of all shared files; 0 for any number.
        disk: Bytes of all logs and records; 0 for any number.
        throttle: Whether failed logins and registrations are counted by address.
        register: Whether guests may register accounts.
        min_password: Characters that a new password must have.
        require_tls: What is refused on connections without TLS: nothing (empty), ``login``, or ``all``.
    """

    name: str = "chatroom"
    motd: str = ""
    replay: int = 10
    keep: int = 100_000
    keep_days: float = 90
    rate: float = 2.0
    most_users: int = 0
    rooms: int = 20
    sessions: int = 1
    devices: int = 8
    announce: bool = True
    max_file: int = 16 * 1024 * 1024
    store: int = 1024 * 1024 * 1024
    disk: int = 10 * 1024**3
    throttle: bool = True
    register: bool = True
    min_password: int = LEAST
    require_tls: str = ""

    def become(self, other: Rules) -> None:
        """Copy all settings from another object."""
        for field in fields(self):
            setattr(self, field.name, getattr(other, field.name))


class Bucket:
    """A token bucket for limiting a rate. It may go below zero; the caller then waits until there is a token again.

    Args:
        rate: Tokens that come back each second.
        burst: The most tokens that it can hold.
        now: The time now, in seconds of a monotonic clock.
    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def spend(self, tokens: float, now: float) -> float:
        """Take tokens; return the seconds to wait until the next one, 0 when there is one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - tokens
        self._at = now
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._rate
