"""Sealing one message for many devices: an envelope for each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredList

from chatroom.client.crypto.device_records import check_one_time_key
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.olm_sessions import OlmSessions
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.refusals import as_rejected
from chatroom.model.device_keys import DeviceKeys, Envelope, SignedKey

CLAIMED = 20  # devices in one claim
AT_ONCE = 20  # messages that are sealed in one turn of the reactor: each takes half a millisecond


class Envelopes:
    """Seals messages through Olm.

    Args:
        server: Gives one-time keys.
        olm: The sessions with devices.
        now: Returns the time in milliseconds since 1970.
        warn: Tells the user a sentence.
        turn: Returns a Deferred that fires in the next turn of the reactor.
    """

    def __init__(
        self,
        server: KeyServer,
        olm: OlmSessions,
        now: Callable[[], int],
        warn: Callable[[str], None],
        turn: Callable[[], Deferred[None]],
    ) -> None:
        self._server = server
        self._olm = olm
        self._now = now
        self._warn = warn
        self._turn = turn

    async def seal(self, devices: Sequence[DeviceKeys], type: str, id: str, body: Mapping[str, Any]) -> list[Envelope]:
        """Seal a message for devices. A device without a session and without a key to begin one is left out.

        Args:
            devices: The devices.
            type: What kind of message it is.
            id: The message's id.
            body: Its contents.

        Raises:
            Rejected: The server cannot be asked, or the message is too long.
        """
        keys = await self._claimed(self._olm.wanting_keys(devices))
        envelopes: list[Envelope] = []
        for number, device in enumerate(devices, 1):
            if not number % AT_ONCE:
                await self._turn()
            claimed = keys.get((device.user_id, device.device))
            try:
                envelopes.append(
                    self._olm.seal(device, type=type, id=id, ts=self._now(), body=dict(body), claimed=claimed)
                )
            except CryptoRefusal as refused:
                if refused.code != "no-session":
                    raise as_rejected(refused) from None
        return envelopes

    async def one_key(self, device: DeviceKeys) -> SignedKey | None:
        """Return a genuine one-time key of a device; None if the server gives none."""
        return (await self._claimed([device])).get((device.user_id, device.device))

    async def _claimed(self, devices: Collection[DeviceKeys]) -> dict[tuple[str, str], SignedKey]:
        """Return one-time keys of devices, those that are genuine."""
        by_user: dict[str, list[DeviceKeys]] = defaultdict(list)
        for device in devices:
            by_user[device.user_id].append(device)
        claims = [
            Deferred.fromCoroutine(self._server.claim(user_id, [device.device for device in of_user[:CLAIMED]]))
            for user_id, of_user in by_user.items()
        ]
        found: dict[tuple[str, str], SignedKey] = {}
        for of_user, (succeeded, claimed) in zip(
            by_user.values(), await DeferredList(claims, consumeErrors=True), strict=True
        ):
            if not succeeded:
                raise claimed.value  # type: ignore[attr-defined]  # a Failure
            for device in of_user:
                key = claimed.get(device.device)
                if key is not None and self._is_genuine(key, device):
                    found[device.user_id, device.device] = key
        return found

    def _is_genuine(self, key: SignedKey, device: DeviceKeys) -> bool:
        """Return whether a key was signed by the device. If not, warn the user; the device is left out."""
        try:
            check_one_time_key(key, device)
        except CryptoRefusal as refused:
            self._warn(f"The server gave a key that is not genuine, so a device got no message: {refused.text}.")
            return False
        return True
