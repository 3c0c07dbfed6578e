"""All refusals: a code for programs and a text for people. Handlers raise them, and ``chat.dispatch`` sends them."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """A command was refused. The session that gave the command gets this error as the answer.

    Args:
        code: A kebab-case word for programs.
        text: What is wrong and what to do next, for people.

    Attributes:
        ref: If a record could not be read: its ``ref``, as far as that was found.
        file: The id of the file whose upload or download has ended because of this error; empty if none has.
        final: Whether the connection must end, because raw bytes and lines in what follows cannot be told apart.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.ref: int | str | None = None
        self.file = ""
        self.final = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A kind of refusal: its code, and its text with ``{fields}``. Call it with the fields to get the exception."""

    code: str
    text: str

    def __call__(self, **fields: object) -> Refused:
        return Refused(self.code, self.text.format(**fields))


ALREADY_LOGGED_IN = Refusal("already-logged-in", "{user} is already logged in.")
ALREADY_ENCRYPTED = Refusal("already-encrypted", "{room} is encrypted already, and stays so.")
ALREADY_THERE = Refusal("already-there", "you are already in room {room}.")
ANSWER_FIRST = Refusal("answer-first", "{word} is a command, and you are being asked; answer first, or type /cancel.")
BAD_BAN = Refusal("bad-ban", "{why}.")
BAD_EMOJI = Refusal("bad-emoji", "a reaction is one emoji, or one short word.")
BAD_NAME = Refusal("bad-name", "{why}; {next}.")
BAD_PASSWORD = Refusal("bad-password", "{why}.")
BAD_RECORD = Refusal("bad-record", "{why}.")
BAD_ROOM = Refusal("bad-room", "{why}; choose another name for the room.")
BAD_TELNET = Refusal("bad-telnet", "{why}.")
BANNED = Refusal("banned", "you are banned from {room}{more}.")
BUSY = Refusal("busy", "too many people are logging in at this moment; try again in a few seconds.")
CHAT_FULL = Refusal("chat-full", "the chat is full (max users {most}).")
CHUNK_TOO_LONG = Refusal("chunk-too-long", "a chunk may have at most {most} bytes; reconnect and resume there.")
DEVICE_REMOVED = Refusal("device-removed", "another device of yours has removed this one; log in with your password.")
DEVICES_LIMITED = Refusal("devices-limited", "your devices have changed too often; try again in {wait}.")
DRAINING = Refusal("draining", "the server is not accepting new connections at the moment; come back later.")
ENCRYPTED_ROOM = Refusal("encrypted-room", "{room} is encrypted; {next}.")
EXPECTED_PAIR = Refusal("expected-pair", "expected user,password.")
EMPTY_FILE = Refusal("empty-file", "{name} is empty; share a file with something in it.")
FILE_TOO_BIG = Refusal("file-too-big", "{name} is {size}, but a file here may be at most {most}; make it smaller.")
EXPELLED = Refusal("expelled", "you were removed from this server by {by}{more}")
GUEST_MAIL_FULL = Refusal(
    "guest-mail-full", "too much mail waits for guests already; write to {user} when {user} is here."
)
GUEST_DEVICES = Refusal("guest-devices", "a guest has at most {most} devices; /register for more.")
GUEST_KEYS_FULL = Refusal("guest-keys-full", "too many guests have keys here; /register, then your keys are kept.")
GUEST_KEYS_LIMITED = Refusal(
    "guest-keys-limited",
    "too many new guests at your address have published keys; try again in {wait}, or /register.",
)
INBOX_FULL = Refusal("inbox-full", "the inbox of {user} is full; write again after {user} has read it.")
BAD_PROOF = Refusal("bad-proof", "the proof is not a signature of this connection's nonce; sign it anew.")
BAD_LABEL = Refusal("bad-label", "the label of a device cannot have control characters.")
BAD_KEYS = Refusal("bad-keys", "these keys are not yours, not signed, or not of this server; publish this device's.")
INTERNAL = Refusal("internal", "something went wrong on the server, and it was logged; try again.")
JOINS_LIMITED = Refusal("joins-limited", "you have joined {room} too often; join again in {wait}.")
KEY_BACKUPS_LIMITED = Refusal(
    "key-backups-limited", "the recovery key was made or ended very often; try again in {wait}."
)
KEYS_ELSEWHERE = Refusal("keys-elsewhere", "another session has this device's keys now, and gets its sealed messages.")
KEYS_LIMITED = Refusal("keys-limited", "you have asked for too many keys of {user}; write later.")
LOCKED = Refusal("locked", "{room} is locked; ask a moderator to invite you.")
LOGIN_NEEDS_TLS = Refusal(
    "login-needs-tls",
    "this server requires TLS for logins; connect with chatroom-client, or openssl s_client -connect HOST:PORT.",
)
LOG_IN_FIRST = Refusal("log-in-first", "you are not logged in; use /login <user> <password>.")
LOG_OUT_FIRST = Refusal("log-out-first", "you are logged in as {user}; /logout first.")
MAILBOX_FULL = Refusal(
    "mailbox-full", "{user} has not fetched the last messages; write again when {user} has been here."
)
MUTED = Refusal("muted", "you are muted in {room}{more}.")
NAME_IN_USE = Refusal("name-in-use", "username is already used; choose another with /name <name>.")
NEEDS_TLS = Refusal(
    "needs-tls",
    "this server requires TLS; connect with chatroom-client, or openssl s_client -connect HOST:PORT.",
)
NOBODY_TO_REPLY = Refusal("nobody-to-reply", "nobody has written to you yet; use /msg <user> <text>.")
NOT_SAID = Refusal("not-said", "the message was not said.")
NOTHING_SAID = Refusal("nothing-said", "there is nothing visible in that; write something.")
NOT_CONFIRMED = Refusal("not-confirmed", "not confirmed: the message may not have been stored; send it again.")
NOT_ENCRYPTED = Refusal("not-encrypted", "{room} is not encrypted; its owner can encrypt it with /encrypt.")
NOT_IN_ROOM = Refusal("not-in-room", "you are not in a room; join one with /join <room>.")
NOT_IN_THAT_ROOM = Refusal("not-in-that-room", "you are not in room {room}; join it with /join {room}.")
NOT_MODERATOR = Refusal("not-moderator", "only a moderator of {room} can do that.")
NOT_OPERATOR = Refusal("not-operator", "only an operator can do that.")
NOT_OWNER = Refusal("not-owner", "only the owner of {room} can do that.")
NOT_TO_AN_OPERATOR = Refusal(
    "not-to-an-operator", "{user} is an operator; nobody can do that to an operator from the chat."
)
NOT_TO_A_MODERATOR = Refusal("not-to-a-moderator", "{user} moderates {room}; only its owner can do that.")
NOT_TO_THE_OWNER = Refusal("not-to-the-owner", "{user} owns {room}; only an operator can do that.")
NOT_TO_YOURSELF = Refusal("not-to-yourself", "you cannot do that to yourself; to leave the room, use /leave.")
NOT_YOUR_TEXT = Refusal("not-your-text", "that message is not yours; only its author can edit it.")
NOT_YOURS = Refusal("not-yours", "that message is not yours; only a moderator of {room} can delete it.")
MISREAD = Refusal("bad-argument", "{why}")
NO_ACCOUNT = Refusal("no-account", "there is no account {user}; check the name.")
NO_COMMAND = Refusal("no-command", "unknown command {word}; type /help.{hint}")
NOT_STORED = Refusal("not-stored", "{name} could not be stored; share it again to go on.")
NO_FILE = Refusal("no-file", "there is no such file here; see /files.")
NO_FILE_OF_YOURS = Refusal("not-your-file", "you have not shared a file named {name}; see /files.")
NO_INBOX = Refusal("no-inbox", "{user} is offline and not registered; files wait only for accounts.")
NOT_LISTED = Refusal("not-listed", "this device is not in the list of your devices; link it first, see /devices.")
NO_KEYS = Refusal("no-keys", "this session has no keys of a device; publish them first.")
NO_MESSAGE = Refusal("no-message", "there is no such message in {room} any more; see /history.")
NO_REGISTRATION = Refusal("no-registration", "registration is closed here; ask the operator for an account.")
NO_ROOM = Refusal("no-room", "no room named {room}; create it with /create {room}.")
NO_SESSION = Refusal("no-session", "you have no session {number}; see /sessions.")
NO_SUCH_BAN = Refusal("no-such-ban", "{user} is not {how}; see {see}.")
NO_TAKEOVER = Refusal("no-takeover", "there is no session to take over; log in with /login <user> <password>.")
NO_TRANSFER = Refusal("no-transfer", "that file is not being sent or fetched; begin with share or get.")
NO_USER = Refusal("no-user", "no user named {user}; see /who.")
ROOM_EXISTS = Refusal("room-exists", "room {room} already exists; join it with /join {room}.")
PASSWORD_ELSEWHERE = Refusal(
    "password-elsewhere", "your password is kept outside this chat; ask the operator to change it."
)
PASSWORD_CHANGED = Refusal("password-changed", "the password of {user} was changed; log in again with the new one.")
OWNS_IT = Refusal("owns-it", "{user} owns {room} already.")
ROOM_LOOKS_ALIKE = Refusal(
    "room-looks-alike", "{name} looks like the room {room}; join that with /join {room}, or choose another name."
)
SERVER_BANNED = Refusal("server-banned", "you are banned from this server{more}.")
SHARE_FULL = Refusal(
    "share-full",
    "{user} has not read the last {most} messages from you or your address; write again when {user} has been here.",
)
SESSION_ENDED = Refusal("session-ended", "this session was ended from another one.")
SESSION_TAKEN_OVER = Refusal("session-taken-over", "{user} has logged in elsewhere and ended this session.")
STORE_FULL = Refusal("store-full", "there is no space left for {name}; try again when older files have expired.")
TAKEN_OVER = Refusal("taken-over", "another of your connections is sending {name} now.")
TOO_BROAD = Refusal("too-broad", "too many matches; add a word.")
TOO_FAST = Refusal("too-fast", "you are sending too fast.")
TOO_LONG = Refusal("too-long", "line too long (limit {limit} bytes).")
TOO_MANY_ADDRESS_FILES = Refusal(
    "too-many-address-files",
    "the files from your address already use its share of the space; take one of yours back with /unshare <name>, "
    "or try again when older files have expired.",
)
TOO_MANY_CONNECTIONS = Refusal("too-many-connections", "too many connections from your address; try again later.")
TOO_MANY_CHANGES = Refusal("too-many-changes", "too many new passwords; try again in {wait}.")
TOO_MANY_DEVICES = Refusal(
    "too-many-devices",
    "{user} is already in use on the most devices allowed ({most}); end a session there, see /sessions.",
)
TOO_MANY_FAILURES = Refusal("too-many-failures", "too many failed logins; try again in {wait}.")
TOO_MANY_GUEST_ROOMS = Refusal(
    "too-many-guest-rooms",
    "guests from your address have made {most} rooms already; log in, or close one of them with /close.",
)
TOO_MANY_REACTIONS = Refusal(
    "too-many-reactions", "that message has as many reactions as it may have: {own} of one user, {most} in all."
)
TOO_MANY_IGNORED = Refusal("too-many-ignored", "you ignore {most} people already; see /set.")
TOO_MANY_LINES = Refusal(
    "too-many-lines", "a message may have at most {limit} lines; send the rest as another message."
)
TOO_MANY_OWNED = Refusal("too-many-owned", "you have made {most} rooms; close one of them with /close.")
TOO_MANY_REGISTRATIONS = Refusal("too-many-registrations", "too many accounts from your address; try again in {wait}.")
TOO_MANY_FILES = Refusal(
    "too-many-files", "your files already use your share of the space; take one back with /unshare <name>."
)
TOO_MANY_ROOMS = Refusal("too-many-rooms", "there are too many rooms ({most}); join one of them, see /rooms.")
SANCTIONS_FULL = Refusal("sanctions-full", "the bans and mutes of {room} fill the space for them; lift some first.")
STALE_DEVICES = Refusal("stale-devices", "the devices of {user} have changed; ask for them again.")
STALE_VAULT = Refusal(
    "stale-vault", "the keys of this device are an old copy; use the newest one, or make new keys for this device."
)
STALE_MEMBERS = Refusal("stale-members", "the members of {room}, or their devices, have changed; ask for them again.")
STALLED = Refusal("stalled", "the upload of {name} made no progress, and its space was given to others; send it again.")
TOO_MANY_SANCTIONS = Refusal("too-many-sanctions", "{room} has {most} of these already; remove some first.")
UNKNOWN_KEYS = Refusal("unknown-keys", "this server does not know keys of this version; use an older client.")
TOO_MANY_JOINED = Refusal("too-many-joined", "you are in {most} rooms, which is the most allowed; leave one first.")
TOO_MANY_SEARCHES = Refusal(
    "too-many-searches", "too many people are searching at this moment; try again in a few seconds."
)
TOO_MANY_TABS = Refusal(
    "too-many-tabs",
    "{user} already has the most sessions allowed on one device ({most}); end one of them there, see /sessions.",
)
TOO_MANY_TRANSFERS = Refusal(
    "too-many-transfers", "you are already sending or fetching {most} files; wait for one to finish, or cancel it."
)
TOO_QUIET = Refusal("too-quiet", "you sent nothing for {seconds} seconds.")
TOO_SLOW = Refusal("too-slow", "you are reading too slowly; reconnect to get the rest.")
TOO_SOON = Refusal("too-soon", "{room} is slow: one message every {seconds} s; try again in {wait}.")
UNLINKED = Refusal("unlinked", "this device was taken out of the list of your devices.")
USAGE = Refusal("usage", "usage: {usage}.")
VERSION = Refusal("version", "this server speaks version {version} of the records.")
WHICH_ROOM = Refusal("which-room", "you are in several rooms ({rooms}); say which one you mean.")
WRITER_GONE = Refusal(
    "writer-gone",
    "the person you are replying to has left, and someone else has messaged you since; use /msg <user> <text>.",
)
WRONG_CHUNK = Refusal("wrong-chunk", "the next chunk of {name} is number {index} and has {bytes} bytes.")
WRONG_HASH = Refusal("wrong-hash", "{name} does not match its announced SHA-256; share it again.")
WRONG_PASSWORD = Refusal("wrong-password", "wrong username or password.")
WRONG_TOKEN = Refusal("wrong-token", "this client's login has expired; log in with your password.")

IN_USE = frozenset({ALREADY_LOGGED_IN.code, TOO_MANY_DEVICES.code, TOO_MANY_TABS.code})
"""The codes of a login that is refused because of the account's other sessions: ``takeover`` can complete it."""

CANNOT_READ = "join with chatroom-client (telnet, nc and programs without keys cannot read it)"
ONLY_SEALED = "only sealed messages and files can be sent there"
"""What ``ENCRYPTED_ROOM`` says next: at the door, and to a member who sends something plain."""

REFUSALS = tuple(value for value in list(globals().values()) if isinstance(value, Refusal))
