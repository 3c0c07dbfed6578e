"""What the screen, the pipe and bots use of encryption: the methods, and what these return.

Nothing of the cryptography is imported here, because a client without keys needs none of it.

Each coroutine raises ``Rejected`` with a sentence for the user if it cannot do what it was asked to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed

from chatroom.model import events as e


class Security(StrEnum):
    """How messages to a person are protected.

    ``UNKNOWN``: it is not known yet whether that person has keys. ``BLOCKED``: nothing is sent, because that person's
    key has changed and the user has not accepted the new one. ``NOT_LINKED``: nothing encrypted is sent, because this
    device is not linked, or was removed. ``NO_KEYS``: nothing is sent, because our keys cannot be used here.
    """

    ENCRYPTED = "encrypted"
    VERIFIED = "verified"
    PLAIN = "plain"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    NOT_LINKED = "not linked"
    NO_KEYS = "no keys"


class LinkPath(StrEnum):
    """Which way encrypted messages to a person take; ``NONE`` if no direct link was asked for."""

    NONE = ""
    DIRECT = "direct"
    RELAYED = "relayed"


@dataclass(frozen=True, slots=True)
class Verification:
    """What two people compare to verify each other.

    Args:
        digits: The safety number: 60 digits in twelve groups of five, with blanks between the groups.
        uri: The same for a QR code.
        verified: Whether the user has said that these digits are right.
        me: Our own name, which the other person gives to ``/verify``.
    """

    digits: str
    uri: str
    verified: bool
    me: str


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One of the user's own devices.

    Args:
        device: The id, as ``ABCDE23456``.
        label: The name that the device has given itself.
        this: Whether it is the device that this client runs on.
        pending: Whether it waits for the user to link it; until then it gets no keys.
        code: The code of a pending device, which that device shows as well; empty for linked devices.
    """

    device: str
    label: str
    this: bool
    pending: bool
    code: str


@dataclass(frozen=True, slots=True)
class KeyState:
    """The state of the user's keys.

    Args:
        fingerprint: The fingerprint of this device.
        contacts: The number of people whose keys are remembered.
        recovery: Whether a recovery key is set; false if that is not known.
        linked: Whether this device is one of the user's linked devices.
        code: What to compare on another device to link this one; empty if it is linked.
        refused: Why the server does not say whether a recovery key is set; empty if it does.
    """

    fingerprint: str
    contacts: int
    recovery: bool
    linked: bool
    code: str
    refused: str = ""


class UserEncryption(Protocol):
    """The encryption of private messages and rooms. People and rooms are named as the user knows them."""

    def guest(self) -> str:
        """Return our name if we are a guest, who has one device and no recovery key; empty if we have an account."""
        ...

    def status(self, user: str) -> Security:
        """Return how messages to a person are protected."""
        ...

    def unlinked(self) -> bool:
        """Return whether this device is not linked to the user's others, or was removed."""
        ...

    def room_encrypted(self, room: str) -> bool:
        """Return whether a room is encrypted; once it was, it stays so whatever the server says."""
        ...

    def room_word(self, room: str) -> str:
        """Return what the bar says of a room: ``e2e``, or why this device cannot follow it; empty for a plain room."""
        ...

    def sealed(self, event: e.Event) -> bool:
        """Return whether a message that is shown came encrypted."""
        ...

    async def learn(self, user: str) -> Security:
        """Ask the server about a person's keys, and return how messages to that person are protected."""
        ...

    async def verify(self, user: str) -> Verification:
        """Return what to compare with a person."""
        ...

    async def confirm(self, user: str, digits: str) -> None:
        """Mark a person as verified. Refused if these digits are no longer that person's."""
        ...

    async def accept(self, user: str, digits: str) -> None:
        """Accept the changed key of a person. Refused if it has other digits."""
        ...

    async def accept_plain(self, user: str) -> None:
        """Let messages go in plain text to a person with whom they were encrypted before."""
        ...

    async def devices(self) -> list[DeviceLine]:
        """Return the user's devices, pending ones as well."""
        ...

    async def link(self, code: str) -> None:
        """Link the pending device with this code."""
        ...

    async def unlink(self, device: str) -> None:
        """Remove a device, and make a new user key, because that device knows the present one.

        A device that waits is not shown any more.
        """
        ...

    async def rename(self, label: str) -> None:
        """Give this device another name, which contacts can see."""
        ...

    async def sender_of_user_key(self) -> tuple[str, str]:
        """Return the label and the id of the device that has sent a new user key on which the user has to decide."""
        ...

    async def accept_user_key(self) -> None:
        """Take the new user key that another device has sent, in place of the one that this device has."""
        ...

    async def new_recovery_key(self) -> str:
        """Return a new recovery key, which replaces the one before."""
        ...

    async def recover(self, key: str) -> None:
        """Link this device with the recovery key."""
        ...

    async def reset(self) -> None:
        """Make a new user key, because no linked device and no recovery key is left, or somebody has a copy of it."""
        ...

    async def export_keys(self, path: Path, passphrase: str) -> int:
        """Write the keys of room messages to a new file, encrypted. Returns how many."""
        ...

    async def import_keys(self, path: Path, passphrase: str) -> tuple[int, int]:
        """Read such a file. Returns how many of its keys were new, and how many it has."""
        ...

    async def keys(self) -> KeyState:
        """Return the state of the user's keys."""
        ...


class UserLinks(Protocol):
    """Direct links between clients, which the other person has to agree to."""

    def path(self, user: str) -> LinkPath:
        """Return which way encrypted messages to a person take."""
        ...

    async def addresses(self, user: str) -> list[str]:
        """Return our addresses that a direct link would reveal to a person. Nothing is sent."""
        ...

    async def agree(self, user: str, addresses: list[str]) -> None:
        """Ask a person for a direct link, or agree to one that this person asked for.

        Args:
            user: The person.
            addresses: Our addresses that the user was told of; the person is shown these, and no others.
        """
        ...

    async def refuse(self, user: str) -> None:
        """Refuse the direct link that a person asked for."""
        ...

    async def end(self, user: str) -> None:
        """End the direct link with a person, and make none until the user asks again."""
        ...


@dataclass(slots=True)
class Privacy:
    """What a client has for encryption; each is None if it has none.

    Args:
        encryption: Encrypts private messages and rooms.
        links: Makes direct links.
        files: Seals files, and knows their offers; see ``chatroom.client.files.sealing``.
        file_links: Carries files over direct links; see ``CurrentLinks``.
        link_files: Takes the files that come over direct links; see ``DirectFiles``.
        settled: Waits for our keys; see ``Sealing``.
        ask_passphrase: Asks for the passphrase of our keys, because another one was wrong, without showing it; returns
            nothing if the user gives up. None if nobody can be asked.
    """

    encryption: UserEncryption | None = None
    links: UserLinks | None = None
    files: Any = None
    file_links: Any = None
    link_files: Any = None
    settled: Callable[[], Deferred[None]] = lambda: succeed(None)
    ask_passphrase: Callable[[], Awaitable[str]] | None = None

    def status(self, user: str) -> Security:
        """Return how messages to a person are protected."""
        return self.encryption.status(user) if self.encryption is not None else Security.PLAIN

    def path(self, user: str) -> LinkPath:
        """Return which way encrypted messages to a person take."""
        return self.links.path(user) if self.links is not None else LinkPath.NONE

    def room_encrypted(self, room: str) -> bool:
        """Return whether a room is encrypted."""
        return self.encryption is not None and self.encryption.room_encrypted(room)

    def sealed(self, event: e.Event) -> bool:
        """Return whether a message that is shown came encrypted."""
        return self.encryption is not None and self.encryption.sealed(event)
