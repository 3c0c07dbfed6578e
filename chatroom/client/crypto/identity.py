"""Our own keys: the user key, which contacts remember, and the Olm account of this device.

The user key signs the list of the user's devices. A device that was never linked has none. It gets one with the
recovery key, or from a linked device on which somebody compared its code.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.json import decode, encode
from msgspec.structs import replace
from vodozemac import Account, Curve25519PublicKey, PreKeyMessage, Session

from chatroom.client.crypto.device_records import VERSION, check_device, check_list
from chatroom.client.crypto.errors import CryptoRefusal, not_linked
from chatroom.client.crypto.pickles import Random, pickled, unpickled
from chatroom.client.crypto.proposed_key import SEED_BYTES, ProposedKey, public_key
from chatroom.client.crypto.recovery_key import seal_seed, unseal_seed
from chatroom.client.crypto.rows import Rows
from chatroom.client.crypto.safety_number import digits_of
from chatroom.model.device_keys import DeviceKeys, DeviceList, SignedKey, device_proof
from chatroom.model.signed_bytes import b64, device_id, to_sign

TABLE = "identity"
ONE_TIME_KEYS = 50  # that the library makes at a time
FALLBACK_LASTS = 35 * 86_400_000  # ms; longer than mail waits (30 days), because only one older key is kept


class Identity:
    """The keys of this user and this device. Makes the keys of the device if the rows hold none.

    Args:
        rows: Where the keys are kept.
        random: Returns random bytes.

    ``user_key`` is the public user key, empty if this device was never linked. ``expected_user_key`` is the one that
    this device waits for, empty if it waits for none. ``proposed`` is to be the next one; see ``confirm_user_key``.
    ``replaced`` are the ids of devices that this one replaces.
    """

    def __init__(self, rows: Rows, random: Random) -> None:
        self._rows = rows
        self._random = random
        self.server = ""
        self.user_id = ""
        value = rows.get(TABLE, "account")
        self._take_account(Account() if value is None else unpickled(Account, value), new=value is None)
        self.replaced = frozenset(decode(rows.get(TABLE, "replaced-devices") or b"[]", type=list[str]))
        seed = rows.get(TABLE, "user-key")
        self._user_key = None if seed is None else Ed25519PrivateKey.from_private_bytes(seed)
        self.user_key = "" if self._user_key is None else public_key(self._user_key)
        self.proposed = ProposedKey(rows, random)
        self.expected_user_key = (rows.get(TABLE, "expected-user-key") or b"").decode()
        self._compared: set[DeviceKeys] = set()

    def __repr__(self) -> str:
        return f"<Identity {self.device}>"

    def act_as(self, server: str, user_id: str) -> None:
        """Say for which server (``server_id`` of ``welcome``) and user id the keys are: what is signed names both."""
        self.server = server
        self.user_id = user_id

    # ---- this device

    def renew_device(self) -> None:
        """Make new keys for this device, which becomes another one: a copy of the present keys is in use elsewhere."""
        self.replaced |= {self.device}
        self._rows.put(TABLE, "replaced-devices", encode(sorted(self.replaced)))
        self._rows.delete(TABLE, f"fallback-made {self._named()}")
        self._take_account(Account(), new=True)

    def _take_account(self, account: Account, *, new: bool) -> None:
        self._account = account
        if new:
            self._store_account()
        self.ed25519 = self._account.ed25519_key.to_base64()
        self.curve25519 = self._account.curve25519_key.to_base64()
        self.device = device_id(self.ed25519)

    def device_keys(self, label: str) -> DeviceKeys:
        """Return the signed keys of this device, which people call ``label``."""
        public = {"ed25519": self.ed25519, "curve25519": self.curve25519}
        keys = DeviceKeys(v=VERSION, **self._owner(), **public, label=label, sig="")
        return _with_signature(keys, self._account.sign(to_sign("device", keys)).to_base64())

    def prove_device(self, nonce: str) -> str:
        """Return the signature that shows the server that this session has the secret key of this device.

        Args:
            nonce: What the server has given this connection to sign.
        """
        return self._account.sign(device_proof(self.device_keys(""), nonce)).to_base64()

    def one_time_keys(self, count: int) -> list[SignedKey]:
        """Return signed one-time keys to publish: those whose publication was not confirmed, otherwise new ones.

        Args:
            count: How many new keys to make; at most ``ONE_TIME_KEYS`` are made.
        """
        if not self._account.one_time_keys and count > 0:
            self._account.generate_one_time_keys(min(count, ONE_TIME_KEYS))
            self._store_account()
        return _signed(self._account, self._owner(), self._account.one_time_keys, fallback=False)

    def fallback_key(self, now: int) -> SignedKey | None:
        """Return the signed fallback key to publish; None if the published one still serves.

        Args:
            now: The time in milliseconds.
        """
        row = f"fallback-made {self._named()}"
        made = int(self._rows.get(TABLE, row) or b"-1")
        account = cast(Any, self._account)  # the library's types forget the fallback key
        if not account.fallback_key and (made < 0 or not 0 <= now - made < FALLBACK_LASTS):
            account.generate_fallback_key()
            self._rows.put(TABLE, row, str(now).encode())
            self._store_account()
        keys = _signed(self._account, self._owner(), account.fallback_key, fallback=True)
        return keys[0] if keys else None

    def mark_published(self) -> None:
        """Note that the server has the keys from ``one_time_keys`` and ``fallback_key``."""
        self._account.mark_keys_as_published()
        self._store_account()

    def new_session(self, device: DeviceKeys, key: SignedKey) -> Session:
        """Return a new Olm session with a device.

        Args:
            device: The device, which was checked.
            key: A one-time key of the device, which was checked.

        Raises:
            ValueError: A key is worthless.
        """
        curve = Curve25519PublicKey.from_base64(device.curve25519)
        return self._account.create_outbound_session(curve, Curve25519PublicKey.from_base64(key.key))

    def accept_session(self, device: DeviceKeys, message: PreKeyMessage) -> tuple[Session, bytes]:
        """Return the Olm session that a device has started, and its first text. Uses up the one-time key.

        Raises:
            ValueError: The message is not from that device, or its one-time key is used or unknown.
        """
        result = self._account.create_inbound_session(Curve25519PublicKey.from_base64(device.curve25519), message)
        self._store_account()
        return result

    # ---- the user key and the device list

    def make_user_key(self) -> None:
        """Make our first user key. One that takes the place of another is ``proposed`` before."""
        self._keep_user_key(self._random(SEED_BYTES))

    def confirm_user_key(self, user_key: str) -> None:
        """Make the proposed user key ours if the server has a list that it signed.

        Args:
            user_key: The user key of our list at the server, which was checked.
        """
        if self.proposed.key is not None and user_key == self.proposed.public:
            self._keep_user_key(self.proposed.key.private_bytes_raw())
            self.proposed.drop()

    def user_seed(self) -> bytes:
        """Return the secret of the user key, for a device that was just linked.

        Raises:
            CryptoRefusal: This device is not linked.
        """
        return self._signing_key().private_bytes_raw()

    def expect_user_key(self, user_key: str) -> str:
        """Remember which user key this device waits for, and return the code that shows it on a linked device.

        The code covers the user key. A server that tells the new device a wrong user key makes the codes differ.

        Args:
            user_key: The user key of the user's device list, as the server tells it.
        """
        self._rows.put(TABLE, "expected-user-key", user_key.encode())
        self.expected_user_key = user_key
        return digits_of("device", self._named(), self.ed25519, self.curve25519, user_key)

    def stop_expecting(self) -> None:
        """Wait for no user key any more: the server names the one that this device has."""
        if self.expected_user_key:
            self._rows.delete(TABLE, "expected-user-key")
            self.expected_user_key = ""

    def adopt_user_key(self, seed: bytes) -> None:
        """Take the secret of the user key, from a linked device or the recovery key. Raises as ``check_user_key``."""
        self.check_user_key(seed)
        self._keep_user_key(seed)

    def check_user_key(self, seed: bytes) -> None:
        """Check that a secret is that of the expected user key.

        Raises:
            CryptoRefusal: It is not.
        """
        if len(seed) != SEED_BYTES:
            raise CryptoRefusal("forged", "the user key is not readable")
        public = public_key(Ed25519PrivateKey.from_private_bytes(seed))
        if not self.expected_user_key or public != self.expected_user_key:
            raise CryptoRefusal("wrong-user-key", "that is not the key which your device list is signed with")

    def link_code(self, pending: DeviceKeys) -> str:
        """Return the code that a pending device shows if it was told the right user key.

        Raises:
            CryptoRefusal: The record is not genuine, or this device is not linked.
        """
        self._signing_key()
        check_device(pending, self.server, self._named())
        return digits_of("device", self.user_id, pending.ed25519, pending.curve25519, self.user_key)

    def compare(self, pending: Sequence[DeviceKeys], code: str) -> DeviceKeys:
        """Return the pending device with a code that the user has read on it; ``sign_list`` accepts it from now on.

        Args:
            pending: The devices that wait, as the server tells them.
            code: Thirty digits; blanks do not matter.

        Raises:
            CryptoRefusal: None of the devices has this code.
        """
        wanted = "".join(code.split())
        for device in pending:
            try:
                found = self.link_code(device).replace(" ", "")
            except CryptoRefusal:
                continue  # a forged record among them must not keep the user from linking the genuine device
            if found == wanted:
                self._compared.add(device)
                return device
        raise CryptoRefusal("wrong-code", "no device that waits has this code; compare it, and type /devices there")

    def sign_list(
        self, devices: Collection[DeviceKeys], rev: int, base: DeviceList | None = None, *, proposed: bool = False
    ) -> DeviceList:
        """Return the signed list of the user's devices.

        Args:
            devices: All devices of the user: this one, those of ``base``, and those whose code was compared.
            rev: The revision of the list, one more than the server's.
            base: The latest list. Its devices may stay if the present user key has signed it.
            proposed: Whether the proposed user key signs the new list, and not the present one.

        Raises:
            CryptoRefusal: A device was not compared, ``base`` is not genuine, or this device is not linked.
        """
        key = self._signing_key(proposed=proposed)
        known = self._compared | set(base.devices if base is not None and self._is_ours(base) else ())
        for device in devices:
            check_device(device, self.server, self._named())
            if device not in known and device.ed25519 != self.ed25519:
                raise CryptoRefusal("not-compared", "a device is linked only after its code was compared")
        named: dict[str, Any] = {"server": self.server, "user_id": self.user_id, "user_key": public_key(key)}
        listed = DeviceList(v=VERSION, **named, rev=rev, devices=tuple(devices), sig="")
        return _with_signature(listed, b64(key.sign(to_sign("device-list", listed))))

    # ---- the recovery key

    def seal_user_key(self, recovery_key: str) -> str:
        """Return the secret of the user key, sealed for the server to keep.

        Args:
            recovery_key: A key from ``new_recovery_key``.

        Raises:
            CryptoRefusal: This device is not linked, or the recovery key is mistyped.
        """
        return seal_seed(self.user_seed(), recovery_key, self.server, self._named(), self._random)

    def restore_user_key(self, sealed: str, recovery_key: str) -> None:
        """Take the user key that ``seal_user_key`` sealed. ``expect_user_key`` comes before.

        Raises:
            CryptoRefusal: The recovery key is mistyped or not the right one, or the user key not the expected one.
        """
        self.adopt_user_key(unseal_seed(sealed, recovery_key, self.server, self._named()))

    # ---- inside

    def _named(self) -> str:
        """Return our user id.

        Raises:
            CryptoRefusal: Nobody has said yet who we are.
        """
        if not self.user_id or not self.server:
            raise CryptoRefusal("no-user", "nobody is logged in")
        return self.user_id

    def _owner(self) -> dict[str, str]:
        """Return whose keys of what server this device publishes."""
        return {"server": self.server, "user_id": self._named(), "device": self.device}

    def _signing_key(self, *, proposed: bool = False) -> Ed25519PrivateKey:
        """Return the user key, or the proposed one.

        Raises:
            CryptoRefusal: This device is not linked.
        """
        key = self.proposed.key if proposed else self._user_key
        if key is None:
            raise not_linked()
        return key

    def _keep_user_key(self, seed: bytes) -> None:
        """Make a secret our user key."""
        self._rows.put(TABLE, "user-key", seed)
        self._rows.delete(TABLE, "expected-user-key")
        self.expected_user_key = ""
        self._user_key = Ed25519PrivateKey.from_private_bytes(seed)
        self.user_key = public_key(self._user_key)

    def _is_ours(self, listed: DeviceList) -> bool:
        """Return whether a list is signed by our user key. Refuses a list that is not genuine."""
        check_list(listed, self.server, self._named())
        return listed.user_key == self.user_key

    def _store_account(self) -> None:
        """Keep the account as it is now."""
        self._rows.put(TABLE, "account", pickled(self._account, self._random))


Signed = TypeVar("Signed", DeviceKeys, DeviceList, SignedKey)


def _with_signature(record: Signed, signature: str) -> Signed:
    """Return a record with its signature."""
    return replace(record, sig=signature)


def _signed(
    account: Account, owner: dict[str, str], keys: dict[str, Curve25519PublicKey], *, fallback: bool
) -> list[SignedKey]:
    """Return signed records of one-time keys or fallback keys of a device."""
    made = [
        SignedKey(v=VERSION, **owner, key=keys[key_id].to_base64(), fallback=fallback, sig="")
        for key_id in sorted(keys)
    ]
    return [_with_signature(each, account.sign(to_sign("one-time-key", each)).to_base64()) for each in made]
