"""A user key that comes from another device of ours: believed, refused, or kept until the user has decided."""

from __future__ import annotations

from msgspec.json import decode, encode

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inner import Inner
from chatroom.client.encryption import words
from chatroom.client.encryption.backup_memory import BackupMemory
from chatroom.client.encryption.device_labels import shown_label
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import as_rejected
from chatroom.client.errors import Rejected
from chatroom.client.status import SecurityNotice
from chatroom.model.device_keys import DeviceKeys
from chatroom.model.signed_bytes import unb64

TABLE = "offered-user-key"
_SEED = "seed"
_FROM = "from"  # the label and the id of the device that sent it


class UserKeyOffers:
    """Takes user keys.

    If we have a user key, another one is believed only from a device that ours has signed. Anybody else might be a
    device that the server has made; so the user has to say that the code of this device was accepted over there.

    Args:
        ring: Our keys.
        port: Tells notices.
    """

    def __init__(self, ring: KeyRing, port: Port) -> None:
        self._ring = ring
        self._port = port

    def take(self, inner: Inner, device: DeviceKeys) -> str:
        """Take a user key that a device has sent. Returns what the user is told if it is ours now; empty if not."""
        identity = self._ring.identity
        had_key = bool(identity.user_key)
        try:
            seed = unb64(str(inner.body.get("seed", "")))
            identity.check_user_key(seed)
        except (CryptoRefusal, ValueError):
            self._warn("Another device sent a user key that is not yours; it was not believed.")
            return ""
        label = shown_label(device.label)
        if had_key and not self.is_signed(device):
            self._ring.store.put(TABLE, _SEED, seed)
            self._ring.store.put(TABLE, _FROM, encode((label, device.device)))
            self._warn(words.key_offered(label, device.device))
            return ""
        identity.adopt_user_key(seed)
        if had_key:
            BackupMemory(self._ring.store).note("")  # the other device erases it
            return words.new_user_key(label)
        return words.linked_here(label)

    def is_signed(self, device: DeviceKeys) -> bool:
        """Return whether our present user key has signed a device."""
        known = self._ring.contacts.get(self._ring.user_id).known
        if known is None or known.user_key != self._ring.identity.user_key:
            return False
        signed = known.keys_of(device.device)
        return signed is not None and signed.ed25519 == device.ed25519

    def sender(self) -> tuple[str, str]:
        """Return the label and the id of the device that has sent the user key that was kept.

        Raises:
            Rejected: There is none.
        """
        value = self._ring.store.get(TABLE, _FROM)
        if value is None:
            raise self._none()
        return decode(value, type=tuple[str, str])

    async def accept(self) -> None:
        """Take the user key that was kept, because the user has decided so.

        Raises:
            Rejected: There is none, or our list has yet another user key by now.
        """
        seed = self._ring.store.get(TABLE, _SEED)
        if seed is None:
            raise self._none()
        self.drop()
        try:
            self._ring.identity.adopt_user_key(seed)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        BackupMemory(self._ring.store).note("")
        await self._ring.store.commit()

    def drop(self) -> None:
        """Forget a user key that was kept, if there is one."""
        self._ring.store.delete(TABLE, _SEED)
        self._ring.store.delete(TABLE, _FROM)

    def _none(self) -> Rejected:
        identity = self._ring.identity
        if identity.user_key and not identity.expected_user_key:
            return Rejected(words.HAS_KEY, words.HAS_USER_KEY)
        return Rejected("no-offer", words.NO_USER_KEY)

    def _warn(self, text: str) -> None:
        self._port.tell(SecurityNotice(text=text, alarm=True))
