"""The signed records of end-to-end encryption: a device's keys, its one-time keys, a user's list of devices.

The server keeps these records and hands them out. No client trusts the server: every client checks all signatures
itself. A default is sent as well, so that what is signed is what is sent.

A signature covers ``chatroom/``, its domain, ``/1``, a zero byte, and the record without ``sig`` as JSON with sorted
keys and no blanks. The domains are ``device``, ``one-time-key``, ``device-list`` and ``device-proof``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chatroom.model.signed_bytes import to_sign

MOST_DEVICES = 20  # in one list
VERSION = 1  # of the records that this server and this client know

UserId = Annotated[str, Meta(min_length=1, max_length=64)]
DeviceId = Annotated[str, Meta(pattern=r"^[A-Za-z2-7]{10}\Z")]  # base32 of the SHA-256 of the device's Ed25519 key
PublicKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{43}\Z")]  # 32 bytes as base64 without padding
Signature = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{86}\Z")]  # 64 bytes
ServerId = Annotated[str, Meta(max_length=64)]
Label = Annotated[str, Meta(max_length=64)]
BASE64 = r"^[A-Za-z0-9+/]*\Z"  # without padding
Body = Annotated[str, Meta(min_length=1, max_length=8192, pattern=BASE64)]
Version = Annotated[int, Meta(ge=1, le=1000)]
DeviceChange = Literal["linked", "removed", "key", "other"]  # what a new list changes, in few words
ListRev = Annotated[int, Meta(ge=1, le=2**53)]


class DeviceKeys(Struct, frozen=True, gc=False, kw_only=True):
    """The long-term keys of a device. ``sig`` is made by the device's own key ``ed25519``."""

    v: Version = VERSION
    server: ServerId
    user_id: UserId
    device: DeviceId
    ed25519: PublicKey
    curve25519: PublicKey
    label: Label
    sig: Signature


def device_proof(device: DeviceKeys, nonce: str) -> bytes:
    """Return what a device signs to show that it has its secret key.

    Args:
        device: The device.
        nonce: The ``nonce`` of the session's ``welcome``.

    Raises:
        ValueError: A text cannot be encoded.
    """
    whose = {"server": device.server, "user_id": device.user_id, "device": device.device}
    return to_sign("device-proof", {**whose, "nonce": nonce})


class SignedKey(Struct, frozen=True, gc=False, kw_only=True):
    """A one-time key of a device, or its fallback key, which may be given out several times."""

    v: Version = VERSION
    server: ServerId
    user_id: UserId
    device: DeviceId
    key: PublicKey
    fallback: bool
    sig: Signature


class DeviceList(Struct, frozen=True, gc=False, kw_only=True):
    """The devices of a user. ``sig`` is made by the user key, and ``rev`` grows by one with each new list."""

    v: Version = VERSION
    server: ServerId
    user_id: UserId
    rev: ListRev
    user_key: PublicKey
    devices: Annotated[tuple[DeviceKeys, ...], Meta(max_length=MOST_DEVICES)]
    sig: Signature

    def keys_of(self, device: str) -> DeviceKeys | None:
        """Return the keys of a device; None if the device is not in the list."""
        return next((keys for keys in self.devices if keys.device == device), None)


class Envelope(Struct, frozen=True, gc=False, kw_only=True):
    """A sealed message for one device. ``kind`` is 0 for an Olm pre-key message and 1 for a normal one."""

    user_id: UserId
    device: DeviceId
    kind: Literal[0, 1]
    body: Body

    def __repr__(self) -> str:
        return f"Envelope(user_id={self.user_id!r}, device={self.device!r}, ...)"  # a log must not have the body
