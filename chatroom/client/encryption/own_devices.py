"""Our own devices: publishing this one's keys, and the list of devices that our user key signs."""

from __future__ import annotations

from chatroom.client.crypto.contacts import Learned
from chatroom.client.crypto.encoding import b64, unb64
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inner import Inner
from chatroom.client.crypto.pickles import Random
from chatroom.client.crypto.recovery_key import new_recovery_key
from chatroom.client.encryption.envelopes import Envelopes
from chatroom.client.encryption.interface import DeviceLine
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import as_rejected, sentence
from chatroom.client.errors import Rejected
from chatroom.client.status import SecurityNotice
from chatroom.model.device_keys import DeviceKeys, DeviceList
from chatroom.model.key_replies import KeysPublished

FEW = 25  # one-time keys on the server; with fewer, more are published
ENOUGH = 50


class OwnDevices:
    """Keeps the server's records of our devices as they should be.

    Args:
        ring: Our keys.
        server: Keeps the records.
        envelopes: Seals the user key for a device that was linked.
        port: Tells notices.
        label: What people call this device.
        random: Returns so many random bytes.

    Attributes:
        linked: Whether this device is in our signed list.
        code: What to compare on another device to link this one; empty if it is linked.
    """

    def __init__(
        self, ring: KeyRing, server: KeyServer, envelopes: Envelopes, port: Port, label: str, random: Random
    ) -> None:
        self._ring = ring
        self._server = server
        self._envelopes = envelopes
        self._port = port
        self._label = label
        self._random = random
        self._pending: list[DeviceKeys] = []
        self.linked = False
        self.code = ""

    async def arrive(self) -> None:
        """Publish our keys on a new connection, and see that this device is in our list if it may be.

        Raises:
            Rejected: The server cannot be asked, or it refuses our keys.
        """
        device = self._ring.identity.device_keys(self._label)
        await self._ring.store.commit()
        answer = await self._publish(device)
        await self.refresh()
        if answer.count < FEW:
            await self.refill()

    async def _publish(self, device: DeviceKeys) -> KeysPublished:
        """Publish this device; with new sessions, if its vault is an old copy that was used elsewhere since."""
        return await self._server.publish(device, self._ring.store.generation)

    async def refill(self) -> None:
        """Publish more one-time keys, and a fallback key if it is time. They are stored before they leave."""
        identity = self._ring.identity
        keys, fallback = identity.one_time_keys(ENOUGH), identity.fallback_key(self._port.now())
        await self._ring.store.commit()
        await self._server.publish(identity.device_keys(self._label), self._ring.store.generation, keys, fallback)
        identity.mark_published()
        await self._ring.store.commit()

    async def refresh(self) -> None:
        """Read our device list, and put this device into it if nobody has to be asked for that.

        Raises:
            Rejected: The server cannot be asked.
        """
        me = self._ring.user_id
        (own,), self._pending = await self._server.query([f"id:{me}"])
        try:
            learned = self._ring.contacts.learn(me, own.name, own.list)
        except CryptoRefusal as refused:
            self._warn(sentence(refused.text))
            return
        if learned is Learned.CHANGED:
            self._warn(sentence(self._ring.contacts.why_blocked(me)))
            return
        await self._join(own.list)

    async def _join(self, listed: DeviceList | None) -> None:
        """See that this device is in our list; if it needs to be linked, say how."""
        identity = self._ring.identity
        self.linked = listed is not None and identity.device in {device.device for device in listed.devices}
        self.code = ""
        if self.linked and identity.user_key:
            return
        if listed is None and not identity.user_key:
            identity.make_user_key()
        if identity.user_key and (listed is None or listed.user_key == identity.user_key):
            await self._list([*(listed.devices if listed is not None else ()), self._device()], listed)
            return
        assert listed is not None  # otherwise we have a user key by now
        before = identity.expected_user_key
        self.code = identity.expect_user_key(listed.user_key)
        if before != listed.user_key:
            self._port.tell(SecurityNotice(text=how_to_link(self.code)))

    async def changed(self, rev: int) -> None:
        """Follow a change of our list that the server has told: a newer list, or a device that waits.

        Raises:
            Rejected: The server cannot be asked.
        """
        known = self._ring.contacts.get(self._ring.user_id).known
        waited = {device.device for device in self._pending}
        await self.refresh()
        new = [device for device in self._pending if device.device not in waited]
        if self.linked and new and known is not None and rev <= known.rev:
            self._port.tell(SecurityNotice(text=f"A new device, {new[0].label}, waits to be linked; see /devices."))

    def _device(self) -> DeviceKeys:
        return self._ring.identity.device_keys(self._label)

    async def _list(self, devices: list[DeviceKeys], base: DeviceList | None, *, reset: bool = False) -> None:
        """Sign a list of our devices and give it to the server; it is stored before it leaves.

        Raises:
            Rejected: A device may not be in it, or the server refuses.
        """
        known = self._ring.contacts.get(self._ring.user_id).known
        rev = max(base.rev if base is not None else 0, known.rev if known is not None else 0) + 1
        try:
            listed = self._ring.identity.sign_list(devices, rev, base)
            self._ring.contacts.learn(self._ring.user_id, self._port.name, listed)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        await self._ring.store.commit()
        await self._server.list_devices(listed, reset=reset)
        self.linked = self._ring.identity.device in {device.device for device in devices}
        self.code = ""

    def _warn(self, text: str) -> None:
        self._port.tell(SecurityNotice(text=text, alarm=True))

    # ---- what the user decides -------------------------------------------------------------------------------------

    def lines(self) -> list[DeviceLine]:
        """Return our devices, pending ones as well."""
        own = self._ring.contacts.get(self._ring.user_id).known
        here = self._ring.identity.device
        listed = {device.device: device for device in (own.devices if own is not None else ())}
        lines = [DeviceLine(name, keys.label, name == here, False, "") for name, keys in listed.items()]
        for keys in self._pending:
            if keys.device not in listed and keys.device != here:
                lines.append(DeviceLine(keys.device, keys.label, False, True, self._code_of(keys)))
        if not self.linked:
            lines.append(DeviceLine(here, self._label, True, True, self.code))
        return lines

    def _code_of(self, keys: DeviceKeys) -> str:
        """Return the code of a pending device; empty if this device may not link it, or its record is forged."""
        try:
            return self._ring.identity.link_code(keys)
        except CryptoRefusal:
            return ""

    async def link(self, code: str) -> None:
        """Put the pending device with this code into our list, and send it the user key.

        Raises:
            Rejected: No device that waits has this code.
        """
        await self.refresh()
        own = self._ring.contacts.get(self._ring.user_id).known
        try:
            device = self._ring.identity.compare(self._pending, code)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        await self._list([*(own.devices if own is not None else ()), device], own)
        await self._give_user_key(device)

    async def _give_user_key(self, device: DeviceKeys) -> None:
        """Send the user key to a device of ours that is in the list."""
        id, body = self._port.mint(), {"seed": b64(self._ring.identity.user_seed())}
        envelopes = await self._envelopes.seal([device], "secret.usk", id, body)
        await self._ring.store.commit()
        own = self._ring.contacts.get(self._ring.user_id).known
        await self._server.send(id, envelopes, {self._ring.user_id: own.rev if own is not None else 0})

    def take_user_key(self, inner: Inner, device: DeviceKeys) -> None:
        """Take the user key that another device of ours has sent after our code was compared there."""
        try:
            self._ring.identity.adopt_user_key(unb64(str(inner.body.get("seed", ""))))
        except (CryptoRefusal, ValueError):
            self._warn("Another device sent a user key that is not yours; it was not believed.")
            return
        self.linked, self.code = True, ""
        self._port.tell(SecurityNotice(text="This device is linked now; encrypted messages come here, too."))

    async def unlink(self, name: str) -> None:
        """Remove a device, and make a new user key, for the removed device knows the present one.

        Raises:
            Rejected: There is no such device, or it is this one.
        """
        await self.refresh()
        own = self._ring.contacts.get(self._ring.user_id).known
        found = next((device for device in (own.devices if own is not None else ()) if device.device == name), None)
        if own is None or found is None or name == self._ring.identity.device:
            raise Rejected("no-device", "You have no other device of that name; see /devices.")
        others = [device for device in own.devices if device is not found]
        self._ring.identity.make_user_key()
        await self._list(others, own, reset=True)
        for device in others:
            if device.device != self._ring.identity.device:
                await self._give_user_key(device)

    async def reset(self) -> None:
        """Make a new user key, and a list with this device alone. Contacts see that the key has changed."""
        (own,), _ = await self._server.query([f"id:{self._ring.user_id}"])
        self._ring.identity.make_user_key()
        await self._list([self._device()], own.list, reset=True)

    async def new_recovery_key(self) -> str:
        """Keep our user key on the server, sealed by a new recovery key, which is returned.

        Raises:
            Rejected: This device is not linked.
        """
        key = new_recovery_key(self._random)
        try:
            sealed = self._ring.identity.seal_user_key(key)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        await self._server.keep_backup(sealed)
        return key

    async def recover(self, key: str) -> None:
        """Link this device with the recovery key.

        Raises:
            Rejected: The key is not the right one, or none is set.
        """
        sealed = await self._server.backup()
        if not sealed:
            raise Rejected("no-recovery", "No recovery key is set for this account; link this device on another one.")
        try:
            self._ring.identity.restore_user_key(sealed, key)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        await self.refresh()


def how_to_link(code: str) -> str:
    """Return what to do on a device that is not linked yet."""
    return (
        "This device is not linked to your others yet, so it can neither read nor write encrypted messages. On a linked"
        f" device give /devices link {code} after comparing all digits, or give /keys recover here."
    )
