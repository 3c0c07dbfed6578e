"""Our own devices: publishing this one's keys, and the list of devices that our user key signs."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

from chatroom.client.crypto.contacts import Learned
from chatroom.client.crypto.errors import CryptoRefusal, not_linked
from chatroom.client.crypto.inner import Inner
from chatroom.client.encryption import words
from chatroom.client.encryption.device_labels import shown_label
from chatroom.client.encryption.envelopes import Envelopes
from chatroom.client.encryption.interface import DeviceLine
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.overdue_key import OverdueKey
from chatroom.client.encryption.own_errands import OwnErrands
from chatroom.client.encryption.own_list import ListChange, OwnList
from chatroom.client.encryption.own_publication import FEW, OwnPublication, StaleVault
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import as_rejected, sentence
from chatroom.client.encryption.user_key_offers import UserKeyOffers
from chatroom.client.encryption.waiting_devices import WaitingDevices
from chatroom.client.errors import Rejected
from chatroom.client.status import SecurityNotice
from chatroom.model.device_keys import DeviceKeys, DeviceList

TABLE = "listed"  # the ids that this device had when it was in our list
MOST_TRIES = 4  # to put this device into a list that other devices change at the same time


class OwnDevices:
    """Keeps the server's records of our devices as they should be.

    Args:
        ring: Our keys.
        server: Keeps the records.
        envelopes: Seals the user key for a device that was linked.
        port: Tells notices.
        label: What this device is called until the user gives it a name.

    Attributes:
        linked: Whether this device is in our signed list, and has the user key that signs it.
        code: What to compare on another device to link this one; empty if it is linked.
        waiting: Our devices that wait to be linked.
        errands: What is left to do after a change of our list.
        publication, offers: Publishes the keys of this device; has the user keys that come from other devices.
        overdue: Tells the user if a user key does not come.
        on_stale: Called when it turns out that this device needs new keys; ``arrive`` is to be called then.
    """

    def __init__(self, ring: KeyRing, server: KeyServer, envelopes: Envelopes, port: Port, label: str) -> None:
        self._ring = ring
        self._server = server
        self._port = port
        self.publication = OwnPublication(ring, server, port, label)
        self.offers = UserKeyOffers(ring, port)
        self.errands = OwnErrands(ring, server, envelopes, port.mint)
        self._own_list = OwnList(ring, server, self.errands, lambda: port.name, self._warn)
        self._turn = DeferredLock()  # one change of our list at a time
        self.waiting = WaitingDevices(ring, port)
        self.overdue = OverdueKey(port)
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
        answer = await self.publication.publish()
        await self.refresh()
        if answer.count < FEW:
            await self.publication.refill()

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
        (own,), pending = await self._server.query([f"id:{me}"])
        self.waiting.learn(pending)
        before = self._ring.contacts.get(me).known
        try:
            learned = self._ring.contacts.learn(me, own.name, own.list)
        except CryptoRefusal as refused:
            self._warn(sentence(refused.text))
            return
        if own.list is not None and learned is Learned.CHANGED:
            await self._follow_new_key(own.list)
            return
        self.overdue.came()
        self.waiting.left(before)
        for device in newly_listed(self._ring, before):
            self._warn(words.device_linked(shown_label(device.label), device.device))
        await self._join(own.list)
        if self.linked:
            self.waiting.tell()

    async def _follow_new_key(self, listed: DeviceList) -> None:
        """Tell that our list has another user key, and wait for that key; the present one stays until it has come.

        A device that has removed another one sends it at once. After the user has begun anew on another device, this
        one has to be linked there by its code; see ``take_user_key``.
        """
        identity = self._ring.identity
        is_new = identity.expected_user_key != listed.user_key
        self.linked = False
        self.code = identity.expect_user_key(listed.user_key)
        present = listed.keys_of(identity.device)
        if is_new:
            self.offers.drop()
        if present is not None and present.ed25519 == identity.ed25519:
            self.overdue.expect(listed.user_key, sentence(self._ring.contacts.why_blocked(self._ring.user_id)))
        elif is_new:
            by_itself = any(self.offers.is_signed(device) for device in listed.devices)
            self._warn(words.left_behind(self.code, by_itself=by_itself))
        if present is None:
            self._ring.store.delete(TABLE, identity.device)
            await self._wait()

    async def _wait(self) -> None:
        """See that this device waits to be linked: others may have taken its place among those that wait."""
        if self.waiting.is_left_out():
            await self.publication.publish()

    async def _join(self, listed: DeviceList | None) -> None:
        """See that this device is in our list; if it needs to be linked, say how."""
        identity = self._ring.identity
        present = listed.keys_of(identity.device) if listed is not None else None
        self.linked = present is not None and bool(identity.user_key)
        self.code = ""
        if present is not None and self.linked:
            self._ring.store.put(TABLE, identity.device, b"")
            self.publication.take_label(present.label)
            identity.stop_expecting()
            return
        known = listed is not None and listed.user_key == identity.user_key
        if known and self._ring.store.get(TABLE, identity.device) is not None:
            raise StaleVault  # a copy of our store has put its new keys in place of ours
        if listed is None and not identity.user_key:
            identity.make_user_key()
        if identity.user_key and (listed is None or listed.user_key == identity.user_key):
            others = [
                keys for keys in (listed.devices if listed is not None else ()) if keys.device not in identity.replaced
            ]
            await self._list([*others, self.publication.device()], listed)
            return
        assert listed is not None  # otherwise we have a user key by now
        before = identity.expected_user_key
        self.code = identity.expect_user_key(listed.user_key)
        if before != listed.user_key:
            self._port.tell(SecurityNotice(text=words.how_to_link(self.code)))
        if present is None:
            await self._wait()

    async def changed(self) -> None:
        """Follow a change of our list that the server has told: a newer list, or a device that waits.

        Raises:
            Rejected: The server cannot be asked.
        """
        try:
            await self.refresh()
        except StaleVault:
            self.on_stale()

    async def _list(self, devices: list[DeviceKeys], base: DeviceList | None, change: ListChange | None = None) -> None:
        """Sign a list of our devices and give it to the server.

        Raises:
            Rejected: A device may not be in it, or the server refuses; see ``OwnList.publish``.
        """
        await self._own_list.publish(devices, base, change or ListChange())
        self.linked = self._ring.identity.device in {device.device for device in devices}
        self._ring.store.put(TABLE, self._ring.identity.device, b"")
        self.code = ""

    def _warn(self, text: str) -> None:
        self._port.tell(SecurityNotice(text=text, alarm=True))

    def _not_now(self, failure: Failure) -> None:
        if not failure.check(Rejected):
            self._port.failed(failure)

    def take_user_key(self, inner: Inner, device: DeviceKeys) -> None:
        """Take the user key that another device of ours has sent; see ``UserKeyOffers``."""
        told = self.offers.take(inner, device)
        if told:
            self.overdue.came()
            self.linked, self.code = True, ""
            refreshed = Deferred.fromCoroutine(self.refresh()).addErrback(self._not_now)
            refreshed.addCallback(lambda _: self._port.tell(SecurityNotice(text=told)))  # then the bar is drawn, too

    async def accept(self) -> None:
        """Take the user key that another device has sent, in place of ours, because the user has linked us there.

        Raises:
            Rejected: No device has sent one.
        """
        await self.offers.accept()
        await self.refresh()

    # ---- what the user decides -------------------------------------------------------------------------------------

    def lines(self) -> list[DeviceLine]:
        """Return our devices, those that wait as well."""
        lines = [*listed_lines(self._ring, linked=self.linked), *self.waiting.lines()]
        if not self.linked:
            here, label = self._ring.identity.device, shown_label(self.publication.label)
            lines.append(DeviceLine(here, label, True, True, self.code))
        return lines

    async def link(self, code: str) -> None:
        """Put the device with this code into our list, and send it the user key; again if it is listed already.

        Raises:
            Rejected: No device that waits has this code, or this device is not linked.
        """
        async with self._turn:
            await self._refresh()
            own = self._listed()
            try:
                others = [keys for keys in own.devices if keys.device != self._ring.identity.device]
                device = self._ring.identity.compare([*self.waiting.devices, *others], code)
            except CryptoRefusal as refused:
                raise as_rejected(refused) from None
            if device in own.devices:
                self.errands.add([device.device])
                await self._ring.store.commit()
                await self.errands.run()
                return
            label = shown_label(device.label)
            change = ListChange(False, (device.device,), words.linked_later(label), words.not_linked_later(label))
            await self._list([*own.devices, device], own, change)

    def _listed(self) -> DeviceList:
        """Return our list.

        Raises:
            Rejected: This device is not linked.
        """
        own = self._ring.contacts.get(self._ring.user_id).known
        if own is None or not self.linked:
            raise as_rejected(not_linked())
        return own

    async def unlink(self, name: str) -> None:
        """Remove a device, log it out, and make a new user key, for the removed device knows the present one.

        A device that waits knows no user key; it is only not shown any more.

        Args:
            name: The id of the device.

        Raises:
            Rejected: There is no such device, or it is this one, or the server refuses and nothing has changed.
        """
        async with self._turn:
            await self._refresh()
            if any(device.device == name for device in self.waiting.devices):
                self.waiting.refuse(name)
                await self._ring.store.commit()
            else:
                await self._unlink(name)

    async def _unlink(self, name: str) -> None:
        own, here = self._listed(), self._ring.identity.device
        found = own.keys_of(name)
        if found is None or name == here:
            raise Rejected("no-device", "You have no other device of that name; see /devices.")
        others = [device for device in own.devices if device is not found]
        gives = tuple(device.device for device in others if device.device != here)
        label = shown_label(found.label)
        change = ListChange(True, gives, words.removed_later(label), words.not_removed(label), (name,))
        await self._list(others, own, change)
        self.waiting.left(own)

    async def rename(self, label: str) -> None:
        """Call this device something else; our contacts' programs see the new name in our list.

        Args:
            label: The name; see ``checked_label``.

        Raises:
            Rejected: The server refuses, and nothing has changed.
        """
        async with self._turn:
            await self._refresh()
            keys = self._ring.identity.device_keys(label)
            if self.linked:
                own = self._listed()
                await self._list([keys if each.device == keys.device else each for each in own.devices], own)
            self.publication.take_label(label)
            await self._ring.store.commit()
            await self.publication.publish()

    async def reset(self) -> None:
        """Make a new user key, and a list with this device alone. Contacts see that the key has changed.

        Raises:
            Rejected: The server refuses, and nothing has changed.
        """
        async with self._turn:
            await self._own_list.finish()
            (own,), _ = await self._server.query([f"id:{self._ring.user_id}"])
            change = ListChange(True, (), words.RESET_LATER, words.NOT_RESET)
            await self._list([self.publication.device()], own.list, change)


def newly_listed(ring: KeyRing, before: DeviceList | None) -> list[DeviceKeys]:
    """Return our devices that were linked elsewhere since a list by our key: by another device or the recovery key."""
    now = ring.contacts.get(ring.user_id).known
    if before is None or now is None or before.user_key != ring.identity.user_key:
        return []
    here = ring.identity.device
    return [keys for keys in now.devices if before.keys_of(keys.device) is None and keys.device != here]


def listed_lines(ring: KeyRing, *, linked: bool) -> list[DeviceLine]:
    """Return the devices in the list that the server has, without this one if it is not linked."""
    own, here = ring.contacts.get(ring.user_id), ring.identity.device
    present = own.changed or own.known
    return [
        DeviceLine(keys.device, shown_label(keys.label), keys.device == here, False, "")
        for keys in (present.devices if present is not None else ())
        if keys.device != here or linked
    ]
