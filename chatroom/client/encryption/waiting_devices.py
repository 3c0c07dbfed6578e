"""Our devices that wait to be linked. Whoever knows the password adds some, so the user is told of them sparingly."""

from __future__ import annotations

from collections.abc import Sequence

from chatroom.client.crypto.device_records import check_device
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption import words
from chatroom.client.encryption.device_labels import shown_label
from chatroom.client.encryption.interface import DeviceLine
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.port import Port
from chatroom.client.status import SecurityNotice
from chatroom.model.device_keys import DeviceKeys, DeviceList

TABLE = "own-waiting"  # the devices of which the user was told, by id; ``REFUSED`` if the user has refused one
GONE = "own-removed"  # the ids of devices that the user has removed
MOST = 64  # the server keeps 32
MOST_TRIES = 3
QUIET = 3_600_000  # ms after a notice in which there is no other, unless the user has looked at the devices
_TOLD = b"told"
_REFUSED = b"refused"


class WaitingDevices:
    """Knows which devices of ours wait to be linked, and tells the user of new ones.

    Args:
        ring: Our keys.
        port: Tells notices, and has the time.

    Attributes:
        devices: Those whose keys are genuine, without this one and without forged ones.
    """

    def __init__(self, ring: KeyRing, port: Port) -> None:
        self._ring = ring
        self._port = port
        self._quiet_until = 0
        self.devices: list[DeviceKeys] = []
        self._has_this = False
        self._tries = MOST_TRIES

    def learn(self, pending: Sequence[DeviceKeys]) -> None:
        """Take the devices that the server says wait, and forget what was noted of others."""
        here = self._ring.identity.device
        self._has_this = any(device.device == here for device in pending)
        self.devices = [each for each in pending if each.device != here and self._is_genuine(each)][:MOST]
        waiting = {device.device for device in self.devices}
        for device in self._ring.store.keys(TABLE):
            if device not in waiting:
                self._ring.store.delete(TABLE, device)

    def _is_genuine(self, device: DeviceKeys) -> bool:
        try:
            check_device(device, self._ring.server, self._ring.user_id)
        except CryptoRefusal:
            return False
        return True

    def is_left_out(self) -> bool:
        """Return whether this device is to be published again, because others took its place among those that wait.

        That takes the place of yet another device, so it is done a few times only, until ``try_again``.
        """
        if self._has_this or not self._tries:
            return False
        self._tries -= 1
        return True

    def try_again(self) -> None:
        """Let this device be published again, because the user asks for it."""
        self._tries = MOST_TRIES

    def tell(self) -> None:
        """Tell the user of devices of which nothing was told yet, in one line, at most once in an hour."""
        new = [device for device in self.devices if self._ring.store.get(TABLE, device.device) is None]
        if new and self._port.now() >= self._quiet_until:
            self._quiet_until = self._port.now() + QUIET
            self._note(new)
            label, known = shown_label(new[0].label), self._ring.store.get(GONE, new[0].device) is not None
            text = words.removed_waits(label) if known and len(new) == 1 else words.devices_wait(label, len(new))
            self._port.tell(SecurityNotice(text=text))

    def left(self, before: DeviceList | None) -> None:
        """Note the devices of an earlier list that are not in our present one: they are no strangers if they return."""
        now, store = self._ring.contacts.get(self._ring.user_id).known, self._ring.store
        for device in before.devices if before is not None and now is not None else ():
            if now is not None and now.keys_of(device.device) is None:
                store.put(GONE, device.device, b"")
        for device_id in list(store.keys(GONE))[:-MOST]:
            store.delete(GONE, device_id)

    def looked(self) -> None:
        """Note that the user has seen all of them."""
        self._quiet_until = 0
        self._note([device for device in self.devices if not self.is_refused(device.device)])

    def lines(self) -> list[DeviceLine]:
        """Return those that the user has not refused."""
        wanted = [keys for keys in self.devices if not self.is_refused(keys.device)]
        return [DeviceLine(keys.device, shown_label(keys.label), False, True, self._code_of(keys)) for keys in wanted]

    def _code_of(self, keys: DeviceKeys) -> str:
        """Return the code of a device; empty if this one may not link it."""
        try:
            return self._ring.identity.link_code(keys)
        except CryptoRefusal:
            return ""

    def _note(self, devices: Sequence[DeviceKeys]) -> None:
        for device in devices:
            self._ring.store.put(TABLE, device.device, _TOLD)

    def refuse(self, device: str) -> None:
        """Note that the user does not want a device."""
        self._ring.store.put(TABLE, device, _REFUSED)

    def is_refused(self, device: str) -> bool:
        """Return whether the user does not want a device."""
        return self._ring.store.get(TABLE, device) == _REFUSED
