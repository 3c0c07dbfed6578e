"""Checks the signed records of other users: device lists, and one-time keys of devices.

The server stores these records and may be hostile. A record is believed only if it names the server, user and device
that were asked for, and is signed by the key that must have signed it.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from msgspec import Struct
from vodozemac import Ed25519PublicKey, Ed25519Signature

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.model.device_keys import DeviceKeys, DeviceList, SignedKey
from chatroom.model.signed_bytes import device_id, to_sign, unb64

VERSION = 1
_PROBE = X25519PrivateKey.from_private_bytes(bytes([1] * 32))  # keeps nothing secret; it only tries out public keys


def check_list(listed: DeviceList, server: str, user_id: str) -> None:
    """Check that a device list is what a user signed. Says nothing about whether the user key is the right one.

    Args:
        listed: The list.
        server: The id of the server.
        user_id: The id of the user whose list was asked for.

    Raises:
        CryptoRefusal: The list, or a device in it, is not genuine, or of a newer version.
    """
    _check_owner(listed, server, user_id)
    _check_signature(listed.user_key, "device-list", listed)
    if len({device.device for device in listed.devices}) != len(listed.devices):
        raise CryptoRefusal("forged", "a device list names a device twice")
    for device in listed.devices:
        check_device(device, server, user_id)


def check_device(device: DeviceKeys, server: str, user_id: str) -> None:
    """Check that the keys of a device were signed by that device, for this user.

    Raises:
        CryptoRefusal: They were not, or they are of a newer version.
    """
    _check_owner(device, server, user_id)
    if not _is_id_of(device.device, device.ed25519):
        raise CryptoRefusal("forged", "the id of a device does not belong to its key")
    _check_signature(device.ed25519, "device", device)
    _check_exchange_key(device.curve25519)


def check_one_time_key(key: SignedKey, device: DeviceKeys) -> None:
    """Check that a one-time key or fallback key belongs to a device.

    Args:
        key: The key that the server gave.
        device: The device, which was checked before.

    Raises:
        CryptoRefusal: The key is not of this device, or of a newer version.
    """
    _check_owner(key, device.server, device.user_id)
    if key.device != device.device:
        raise CryptoRefusal("forged", "the server gave a one-time key of another device")
    _check_signature(device.ed25519, "one-time-key", key)
    _check_exchange_key(key.key)


def _check_owner(record: DeviceKeys | DeviceList | SignedKey, server: str, user_id: str) -> None:
    """Raise ``CryptoRefusal`` unless a record is of a known version and names this server and user."""
    if record.v != VERSION:
        raise CryptoRefusal("newer-version", "the keys are of a newer version of chatroom-client; update yours")
    if record.server != server:
        raise CryptoRefusal("forged", "the keys were made for another server")
    if record.user_id != user_id:
        raise CryptoRefusal("forged", "the server gave the keys of somebody else")


def _is_id_of(device: str, ed25519: str) -> bool:
    """Return whether a device id is that of a key."""
    try:
        return device == device_id(ed25519)
    except ValueError:
        return False


def _check_signature(key: str, domain: str, record: DeviceKeys | DeviceList | SignedKey) -> None:
    """Raise ``CryptoRefusal`` unless a record was signed by a key. The library refuses keys of small order."""
    if not signature_holds(key, to_sign_or_refuse(domain, record), record.sig):
        raise CryptoRefusal("forged", "the signature of a device or of its keys is wrong")


def to_sign_or_refuse(domain: str, record: Struct) -> bytes:
    """Return the bytes that the signature of a record covers; see ``to_sign``.

    Raises:
        CryptoRefusal: The record holds a text that cannot be encoded.
    """
    try:
        return to_sign(domain, record)
    except ValueError:
        raise CryptoRefusal("forged", "the keys of a device are not readable") from None


def signature_holds(key: str, signed: bytes, signature: str) -> bool:
    """Return whether a signature over bytes was made by an Ed25519 key.

    Args:
        key: The public key in base64.
        signed: The bytes; see ``to_sign``.
        signature: The signature in base64.
    """
    try:
        unb64(key), unb64(signature)  # each has one spelling
        Ed25519PublicKey.from_base64(key).verify_signature(signed, Ed25519Signature.from_base64(signature))
    except ValueError:
        return False
    return True


def _check_exchange_key(curve25519: str) -> None:
    """Raise ``CryptoRefusal`` for a key with which every exchange has the same, known result, such as all zeros."""
    try:
        _PROBE.exchange(X25519PublicKey.from_public_bytes(unb64(curve25519)))
    except ValueError:
        raise CryptoRefusal("forged", "a key of a device is worthless") from None
