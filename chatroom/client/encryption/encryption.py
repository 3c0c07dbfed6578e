"""What the screen, the pipe, bots and files use of end-to-end encryption; ``UserEncryption`` describes the methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.key_export import LONGEST_FILE, open_keys, seal_keys
from chatroom.client.encryption import words
from chatroom.client.encryption.device_labels import checked_label
from chatroom.client.encryption.driver import EncryptionDriver
from chatroom.client.encryption.interface import DeviceLine, KeyState, Security, Verification
from chatroom.client.encryption.parts import EncryptionParts
from chatroom.client.encryption.refusals import refusing
from chatroom.client.encryption.square_code import code_text
from chatroom.client.errors import Rejected
from chatroom.client.opened import OPENED
from chatroom.client.paths import spelled, why_unusable, write_new_private
from chatroom.client.status import Notice
from chatroom.model import events as e

E2E = "e2e"  # what the bar says of an encrypted room


class Encryption:
    """Implements ``UserEncryption``.

    Args:
        driver: Seals and opens.
        random: Returns so many random bytes.
        work: Calls a blocking function in a thread; returns a Deferred that gives its result.
    """

    def __init__(
        self,
        driver: EncryptionDriver,
        random: Callable[[int], bytes],
        work: Callable[..., Deferred[Any]] = deferToThread,
    ) -> None:
        self._driver = driver
        self._random = random
        self._work = work

    async def _ready(self) -> EncryptionParts:
        """Wait for our keys if they are on their way, and return what belongs to them.

        Raises:
            Rejected: We have no keys here.
        """
        await self._driver.settled()
        parts = self._driver.parts
        if parts is None:
            raise Rejected("no-keys", self._driver.problem or words.KNOWS_NONE)
        return parts

    # ---- people ----------------------------------------------------------------------------------------------------

    def guest(self) -> str:
        port = self._driver.port
        return port.name if port.guest else ""

    def status(self, user: str) -> Security:
        parts = self._driver.parts
        if parts is None:
            return Security.NO_KEYS if self._driver.problem else Security.UNKNOWN
        found = parts.peers.security(user)
        if found in (Security.PLAIN, Security.UNKNOWN) or parts.ring.contacts.believed:
            return found
        return Security.NOT_LINKED

    def unlinked(self) -> bool:
        parts = self._driver.parts
        return parts is not None and not parts.ring.contacts.believed

    def room_encrypted(self, room: str) -> bool:
        state = self._driver.port.rooms.find(room)
        return state is not None and self._driver.is_encrypted(state)

    def room_word(self, room: str) -> str:
        if not self.room_encrypted(room):
            return ""
        parts = self._driver.parts
        if parts is None:
            return Security.NO_KEYS if self._driver.problem else ""
        return E2E if parts.ring.contacts.believed else Security.NOT_LINKED

    def sealed(self, event: e.Event) -> bool:
        return isinstance(event, OPENED)

    async def learn(self, user: str) -> Security:
        """Ask the server about a person's keys, such as when the person's window is opened; see ``status``."""
        if self._driver.parts is not None:
            await self._driver.parts.peers.find(user)
        return self.status(user)

    @refusing
    async def verify(self, user: str) -> Verification:
        parts = await self._ready()
        peer = await parts.peers.find(user)
        if not peer.user_id:
            raise Rejected("no-user", f"There is no user {user} now; somebody who is offline must have an account.")
        contacts, me = parts.ring.contacts, parts.ring.user_id
        if peer.user_id == me:
            raise Rejected("own-key", "that is you; /devices shows the codes of your own devices.")
        if contacts.get(me).blocked:
            raise CryptoRefusal("blocked", contacts.why_blocked(me))
        contact = contacts.get(peer.user_id)
        if contact.known is None and contact.changed is None:
            raise Rejected("no-keys", words.nothing_to_compare(peer.name or user))
        digits = contacts.number(peer.user_id)
        return Verification(digits, code_text(digits), contacts.is_verified(peer.user_id), self._driver.port.name)

    async def confirm(self, user: str, digits: str) -> None:
        await self._decide(user, lambda parts, id: parts.ring.contacts.verify(id, digits))

    async def accept(self, user: str, digits: str) -> None:
        await self._decide(user, partial(_accept, digits=digits))

    async def accept_plain(self, user: str) -> None:
        await self._decide(user, lambda parts, id: parts.ring.contacts.accept_plain(id))

    @refusing
    async def _decide(self, user: str, change: Callable[[EncryptionParts, str], None]) -> None:
        """Change what is remembered of a person, and show what was held back because of that.

        Raises:
            Rejected: There is no such person, or the change is refused.
        """
        parts = await self._ready()
        peer = await parts.peers.find(user)
        user_id = peer.user_id or parts.ring.contacts.id_of(user)
        if not user_id:
            raise Rejected("no-user", f"There is no user {user}.")
        change(parts, user_id)
        parts.members.forget()
        told = await parts.mail.reopen(user_id)
        await self._driver.commit()
        self._show(parts.mail.take_late(), late=True)
        self._show(told)

    def _show(self, told: Iterable[e.Event | Notice], *, late: bool = False) -> None:
        """Show what was opened, perhaps after events that came later."""
        for each in told:
            if isinstance(each, e.Event):
                self._driver.port.handle(each, None, late=late)
            else:
                self._driver.port.tell(each)

    # ---- our devices -----------------------------------------------------------------------------------------------

    @refusing
    async def devices(self) -> list[DeviceLine]:
        own = (await self._ready()).devices
        own.waiting.try_again()
        await own.refresh()
        own.waiting.looked()
        await self._driver.commit()
        return own.lines()

    @refusing
    async def link(self, code: str) -> None:
        await (await self._ready()).devices.link(code)

    @refusing
    async def unlink(self, device: str) -> None:
        await (await self._ready()).devices.unlink(device)

    @refusing
    async def rename(self, label: str) -> None:
        await (await self._ready()).devices.rename(checked_label(label))

    @refusing
    async def sender_of_user_key(self) -> tuple[str, str]:
        return (await self._ready()).devices.offers.sender()

    @refusing
    async def accept_user_key(self) -> None:
        await (await self._ready()).devices.accept()

    @refusing
    async def reset(self) -> None:
        """Make a new user key for ourselves. Contacts see that."""
        await (await self._ready()).devices.reset()

    @refusing
    async def new_recovery_key(self) -> str:
        return await (await self._ready()).recovery.make()

    @refusing
    async def recover(self, key: str) -> None:
        await (await self._ready()).recovery.use(key)

    @refusing
    async def keys(self) -> KeyState:
        parts = await self._ready()
        identity, devices = parts.ring.identity, parts.devices
        recovery, refused = False, ""
        if not self.guest():
            recovery, refused = await parts.recovery.state()
        return KeyState(identity.device, parts.ring.contacts.count(), recovery, devices.linked, devices.code, refused)

    # ---- files of keys ---------------------------------------------------------------------------------------------

    @refusing
    async def export_keys(self, path: Path, passphrase: str) -> int:
        keys = list((await self._ready()).ring.groups.exported())
        try:
            text = await self._work(seal_keys, keys, passphrase, self._random)
            await self._work(write_new_private, path, text)
        except FileExistsError:
            raise Rejected("exists", f"{spelled(path)} exists already; give the name of a new file.") from None
        except (OSError, ValueError) as error:
            raise Rejected("no-file", f"{spelled(path)} cannot be written: {why_unusable(error)}.") from None
        return len(keys)

    @refusing
    async def import_keys(self, path: Path, passphrase: str) -> tuple[int, int]:
        parts = await self._ready()
        try:
            text = await self._work(partial(_read, path))
            keys = await self._work(open_keys, text, passphrase)
        except (OSError, ValueError) as error:
            raise Rejected("no-file", f"{spelled(path)} cannot be read: {why_unusable(error)}.") from None
        taken = sum(parts.ring.groups.import_key(key) for key in keys)
        told = parts.news.imported()
        await self._driver.commit()
        self._show(told, late=True)
        return taken, len(keys)


def _read(path: Path) -> str:
    """Return the text of a file of keys, or what is not one. Raises ``OSError`` if it cannot be read."""
    with path.open("rb") as file:
        return file.read(LONGEST_FILE + 1).decode("utf-8", "replace")


def _accept(parts: EncryptionParts, user_id: str, *, digits: str) -> None:
    """Accept the key of a person. Raises ``CryptoRefusal`` if it has other digits: the user has not decided on that."""
    if parts.ring.contacts.number(user_id) != digits:
        raise CryptoRefusal("changed-meanwhile", "the key has changed since you decided; look at the new one first")
    parts.ring.contacts.accept(user_id)
