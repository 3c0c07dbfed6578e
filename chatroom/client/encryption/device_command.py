"""``/devices``: the user's own devices, linking a new one and removing one."""

from __future__ import annotations

from chatroom.client.encryption.dialogue import Dialogue
from chatroom.client.encryption.interface import DeviceLine, UserEncryption
from chatroom.client.encryption.words import (
    ACCEPTING,
    HAS_KEY,
    guest_keys,
    only_accounts,
    refused,
    removed,
    removing,
    unlinked,
)
from chatroom.client.errors import Rejected
from chatroom.model.names import fold

MOST_SHOWN = 8  # devices that wait


class DeviceCommand:
    """Carries out ``/devices``.

    Args:
        dialogue: Talks with the user.
    """

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    async def run(self, encryption: UserEncryption, word: str, rest: str) -> None:
        """List the user's devices, or do what the word says.

        Args:
            encryption: Knows the devices.
            word: ``link``, ``remove``, ``rename``, ``accept`` or empty.
            rest: The code of the device to link, the name or id of the device to remove, or the name for this one.

        Raises:
            Rejected: There is no such device, or it cannot be done.
        """
        guest = encryption.guest()
        if guest and word:
            raise Rejected("guest", only_accounts(f"{word} devices"))
        match word:
            case "link":
                await encryption.link(rest)
                self._dialogue.say("the device is linked: it gets the messages that are sent from now on.")
            case "remove":
                await self._remove(encryption, rest)
            case "rename":
                await encryption.rename(rest)
                self._dialogue.say("this device has that name now; the people you write to can see it.")
            case "accept":
                await self._accept(encryption)
            case _:
                told = [f"  {guest_keys(guest)}"] if guest else []
                self._dialogue.say("\n".join([*listed(await encryption.devices()), *told]))

    async def _remove(self, encryption: UserEncryption, name: str) -> None:
        """Remove a device, if the user says so; one that waits, at once."""
        device = named(await encryption.devices(), name)
        if device.this:
            raise Rejected("this-device", "that is this device; remove it from another one.")
        if device.pending:
            await encryption.unlink(device.device)
            self._dialogue.say(refused(device.label))
            return
        self._dialogue.say(removing(device.label, device.device))
        if not await self._dialogue.agrees(f"Remove {device.label} ({device.device})?"):
            self._dialogue.say("nothing was changed.")
            return
        await encryption.unlink(device.device)
        self._dialogue.say(removed(device.label))

    async def _accept(self, encryption: UserEncryption) -> None:
        """Take the user key that another device has sent, if the user says so."""
        try:
            label, device = await encryption.sender_of_user_key()
        except Rejected as refused:
            if refused.code != HAS_KEY:
                raise
            self._dialogue.say(refused.text)
            return
        self._dialogue.say(ACCEPTING)
        if not await self._dialogue.agrees(f"Was the code of this device accepted on {label} ({device})?"):
            self._dialogue.say("nothing was changed.")
            return
        await encryption.accept_user_key()
        self._dialogue.say("this device is linked to your new key: it gets the messages that are sent from now on.")


def listed(devices: list[DeviceLine]) -> list[str]:
    """Return the lines that list devices.

    A device that waits is listed without its code if this device could link it: the code has to be read from the new
    device itself, for the server could have added a device.
    """
    if not devices:
        return ["you have no devices with keys."]
    width = max(len(device.label) for device in devices)
    linked = [
        f"  {one.device}  {one.label:{width}}{'  this one' if one.this else ''}" for one in devices if not one.pending
    ]
    others = [one for one in devices if one.pending and not one.this]
    lines = ["your devices:", *linked, *_waiting(others)]
    own = next((one for one in devices if one.this and one.pending), None)
    return lines if own is None else [*lines, f"  {own.device}  {own.label}  this one", *unlinked(own.code)]


def _waiting(devices: list[DeviceLine]) -> list[str]:
    """Return the lines about devices that wait, of which whoever knows the password can make many."""
    if not devices:
        return []
    lines = ["devices that wait to be linked; until then they get nothing:"]
    lines += [f"  {one.device}  {one.label}" for one in devices[:MOST_SHOWN]]
    if len(devices) > MOST_SHOWN:
        lines += [f"  and {len(devices) - MOST_SHOWN} more; a device of yours is found by its code all the same"]
    return [
        *lines,
        "if one of them is yours, it shows its code: type /devices link and that code.",
        "if you do not know a device, do not link it: somebody knows your password, so change it. /devices remove and "
        "its id hides it.",
    ]


def named(devices: list[DeviceLine], name: str) -> DeviceLine:
    """Return the device with an id or a name. Raises ``Rejected`` if there is none, or more than one."""
    found = [one for one in devices if fold(one.device) == fold(name)]
    found = found or [one for one in devices if fold(one.label) == fold(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Rejected("which-device", f"more than one device is called {name}; give its id, as in /devices.")
    raise Rejected("no-device", f"you have no device {name}; /devices lists them.")
