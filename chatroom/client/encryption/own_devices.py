"""Our own devices: publishing this one's keys, and the list of devices that our user key signs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

from chatroom.client.crypto.contacts import Learned
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inner import Inner
from chatroom.client.encryption import words
from chatroom.client.encryption.envelopes import Envelopes
from chatroom.client.encryption.interface import DeviceLine
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.own_list import OwnList
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import as_rejected, sentence
from chatroom.client.encryption.words import new_user_key
from chatroom.client.errors import Rejected
from chatroom.client.status import SecurityNotice
from chatroom.model.device_keys import DeviceKeys, DeviceList, SignedKey
from chatroom.model.key_replies import KeysPublished
from chatroom.model.signed_bytes import b64, unb64

TABLE = "listed"  # the ids that this device had when it was in our list
FEW = 25  # one-time keys on the server; with fewer, more are published
ENOUGH = 50
MOST_TRIES = 4  # to put this device into a list that other devices change at the same time


class StaleVault(Rejected):
    """Another copy of our store has published the keys of this device; so it may have used its sessions, too."""

    def __init__(self) -> None:
        super().__init__("stale-vault", "Another copy of this device's keys is in use, so it needs new keys.")


class OwnDevices:
    """Keeps the server's records of our devices as they should be.

    Args:
        ring: Our keys.
        server: Keeps the records.
        envelopes: Seals the user key for a device that was linked.
        port: Tells notices.
        label: What people call this device.

    Attributes:
        linked: Whether this device is in our signed list.
        code: What to compare on another device to link this one; empty if it is linked.
        on_stale: Called when it turns out that this device needs new keys; ``arrive`` is to be called then.
    """

    def __init__(self, ring: KeyRing, server: KeyServer, envelopes: Envelopes, port: Port, label: str) -> None:
        self._ring = ring
        self._server = server
        self._envelopes = envelopes
        self._port = port
        self._label = label
        self._own_list = OwnList(ring, server, lambda: port.name)
        self._turn = DeferredLock()  # one change of our list at a time
        self._pending: list[DeviceKeys] = []
        self._linked_here: set[str] = set()  # the devices that the user has linked on this one
        self.linked = False
        self.code = ""
        self.on_stale: Callable[[], None] = lambda: None

    async def arrive(self) -> None:
        """Publish our keys on a new connection, and see that this device is in our list if it may be.

        Raises:
            Rejected: The server cannot be asked, or it refuses our keys.
            StaleVault: Another copy of our store is in use, or was: this device needs new keys.
        """
        self._ring.announce()
        await self._ring.store.commit()
        answer = await self._publish()
        await self.refresh()
        if answer.count < FEW:
            await self.refill()

    async def _publish(self, one_time: Sequence[SignedKey] = (), fallback: SignedKey | None = None) -> KeysPublished:
        """Publish this device.

        Raises:
            StaleVault: Another copy of our store has published these keys.
        """
        try:
            proof = self._ring.identity.prove_device(self._port.nonce)
            answer = await self._server.publish(self._device(), proof, self._ring.generation, one_time, fallback)
        except Rejected as refused:
            if refused.code == "stale-vault":
                raise StaleVault from None
            raise
        if self._ring.is_copied(answer.generation):
            raise StaleVault
        return answer

    async def refill(self) -> None:
        """Publish more one-time keys, and a fallback key if it is time. They are stored before they leave."""
        identity = self._ring.identity
        keys, fallback = identity.one_time_keys(ENOUGH), identity.fallback_key(self._port.now())
        await self._ring.store.commit()
        await self._publish(keys, fallback)
        identity.mark_published()
        await self._ring.store.commit()

    async def refresh(self) -> None:
        """Read our device list, and put this device into it if nobody has to be asked for that.

        Raises:
            Rejected: The server cannot be asked.
        """
        async with self._turn:
            await self._refresh()

    async def _refresh(self) -> None:
        for _ in range(MOST_TRIES):
            try:
                await self._own_list.finish()
                await self._compare_lists()
                return
            except Rejected as refused:
                if refused.code != "stale-devices":
                    raise
        raise Rejected("busy", "Your devices change too fast; try again.")  # others of them put themselves in, too

    async def _compare_lists(self) -> None:
        me = self._ring.user_id
        (own,), self._pending = await self._server.query([f"id:{me}"])
        try:
            learned = self._ring.contacts.learn(me, own.name, own.list)
        except CryptoRefusal as refused:
            self._warn(sentence(refused.text))
            return
        if learned is Learned.CHANGED:
            self._follow_new_key(own.list)
            return
        await self._join(own.list)

    def _follow_new_key(self, listed: DeviceList | None) -> None:
        """Tell once that our list has another user key, and wait for that key; this device is not linked until then.

        If this device is in the list, the device that has made the key sends it; see ``take_user_key``. If it is not,
        it was removed, and is linked by its code as a new device is.
        """
        identity = self._ring.identity
        if listed is None:
            return
        told = identity.expected_user_key == listed.user_key
        code = identity.expect_user_key(listed.user_key)
        self.linked = False
        self.code = "" if listed.keys_of(identity.device) == self._device() else code
        if not told:
            self._warn(sentence(self._ring.contacts.why_blocked(self._ring.user_id)))

    async def _join(self, listed: DeviceList | None) -> None:
        """See that this device is in our list; if it needs to be linked, say how."""
        identity = self._ring.identity
        self.linked = listed is not None and identity.device in {device.device for device in listed.devices}
        self.code = ""
        if self.linked and identity.user_key:
            self._ring.store.put(TABLE, identity.device, b"")
            identity.stop_expecting()
            return
        known = listed is not None and listed.user_key == identity.user_key
        if known and self._ring.store.get(TABLE, identity.device) is not None:
            raise StaleVault  # a copy of our store has put its new keys in place of ours
        if listed is None and not identity.user_key:
            identity.make_user_key()
        if identity.user_key and (listed is None or listed.user_key == identity.user_key):
            others = [keys for keys in (listed.devices if listed is not None else ()) if not self._is_replaced(keys)]
            await self._list([*others, self._device()], listed)
            return
        assert listed is not None  # otherwise we have a user key by now
        before = identity.expected_user_key
        self.code = identity.expect_user_key(listed.user_key)
        if before != listed.user_key:
            self._port.tell(SecurityNotice(text=words.how_to_link(self.code)))

    async def changed(self, rev: int) -> None:
        """Follow a change of our list that the server has told: a newer list, or a device that waits.

        Raises:
            Rejected: The server cannot be asked.
        """
        known = self._ring.contacts.get(self._ring.user_id).known
        waited = {device.device for device in self._pending}
        try:
            await self.refresh()
        except StaleVault:
            self.on_stale()
            return
        self._tell_of_linked(known)
        new = [device for device in self._pending if device.device not in waited]
        if self.linked and new and known is not None and rev <= known.rev:
            self._port.tell(SecurityNotice(text=words.device_waits(new[0].label)))

    def _tell_of_linked(self, before: DeviceList | None) -> None:
        """Tell the user of devices that were linked elsewhere, by another device or by the recovery key."""
        now = self._ring.contacts.get(self._ring.user_id).known
        known = {self._ring.identity.device, *(device.device for device in (before.devices if before else ()))}
        for device in now.devices if now is not None else ():
            if before is not None and device.device not in known | self._linked_here:
                text = words.device_linked(device.label)
                self._port.tell(SecurityNotice(text=text, alarm=True))

    def _is_replaced(self, device: DeviceKeys) -> bool:
        """Return whether a device of ours is this one before it got new keys."""
        return device.device in self._ring.identity.replaced

    def _device(self) -> DeviceKeys:
        return self._ring.identity.device_keys(self._label)

    async def _list(self, devices: list[DeviceKeys], base: DeviceList | None, *, reset: bool = False) -> None:
        """Sign a list of our devices and give it to the server.

        Raises:
            Rejected: A device may not be in it, or the server refuses.
        """
        await self._own_list.publish(devices, base, reset=reset)
        self.linked = self._ring.identity.device in {device.device for device in devices}
        self._ring.store.put(TABLE, self._ring.identity.device, b"")
        self.code = ""

    def _warn(self, text: str) -> None:
        self._port.tell(SecurityNotice(text=text, alarm=True))

    # ---- what the user decides -------------------------------------------------------------------------------------

    def lines(self) -> list[DeviceLine]:
        """Return our devices, pending ones as well."""
        own = self._ring.contacts.get(self._ring.user_id).known
        here = self._ring.identity.device
        listed = {device.device: device for device in (own.devices if own is not None else ())}
        if not self.linked:
            listed.pop(here, None)
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
        async with self._turn:
            await self._link(code)

    async def _link(self, code: str) -> None:
        await self._refresh()
        own = self._ring.contacts.get(self._ring.user_id).known
        try:
            device = self._ring.identity.compare(self._pending, code)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        self._linked_here.add(device.device)
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
        """Take the user key that another device of ours has sent after our code was compared there.

        If we have a user key, the new one is believed only from a device that the present one has signed: anybody else
        might be a device that the server has made.
        """
        known = self._ring.contacts.get(self._ring.user_id).known
        had_key = bool(self._ring.identity.user_key)
        try:
            if had_key and (known is None or device not in known.devices):
                raise CryptoRefusal("forged", "a strange device sent a user key")
            self._ring.identity.adopt_user_key(unb64(str(inner.body.get("seed", ""))))
        except (CryptoRefusal, ValueError):
            self._warn("Another device sent a user key that is not yours; it was not believed.")
            return
        self.linked, self.code = True, ""
        if had_key:
            self._port.tell(SecurityNotice(text=new_user_key(device.label), alarm=True))
            Deferred.fromCoroutine(self.refresh()).addErrback(self._not_now)
        else:
            self._port.tell(SecurityNotice(text="This device is linked now; encrypted messages come here, too."))

    def _not_now(self, failure: Failure) -> None:
        """Ignore that the server cannot be asked: it is asked on the next connection."""
        if not failure.check(Rejected):
            self._port.failed(failure)

    async def unlink(self, name: str) -> None:
        """Remove a device, and make a new user key, for the removed device knows the present one.

        Raises:
            Rejected: There is no such device, or it is this one.
        """
        async with self._turn:
            await self._unlink(name)

    async def _unlink(self, name: str) -> None:
        await self._refresh()
        own = self._ring.contacts.get(self._ring.user_id).known
        found = next((device for device in (own.devices if own is not None else ()) if device.device == name), None)
        if own is None or found is None or name == self._ring.identity.device:
            raise Rejected("no-device", "You have no other device of that name; see /devices.")
        others = [device for device in own.devices if device is not found]
        self._ring.identity.make_user_key()
        await self._list(others, own, reset=True)
        await self._server.keep_backup("")  # it is of the user key that the removed device knows
        for device in others:
            if device.device != self._ring.identity.device:
                await self._give_user_key(device)

    async def reset(self) -> None:
        """Make a new user key, and a list with this device alone. Contacts see that the key has changed."""
        async with self._turn:
            (own,), _ = await self._server.query([f"id:{self._ring.user_id}"])
            self._ring.identity.make_user_key()
            await self._list([self._device()], own.list, reset=True)
            await self._server.keep_backup("")
