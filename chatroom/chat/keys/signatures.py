"""Checks of signatures: whoever publishes keys, or a list of devices, must have the secret keys that belong to them.

Clients check all signatures themselves, and trust no server. The server checks these few so that somebody who knows
only a password cannot take a device's mailbox, use up its one-time keys, or replace the list of devices. It does not
check the signatures of one-time keys, because only the owner of the device can publish them.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chatroom.chat.interfaces import Mint
from chatroom.chat.session import Session
from chatroom.model.device_keys import DeviceKeys, DeviceList, device_proof
from chatroom.model.errors import BAD_KEYS, BAD_PROOF
from chatroom.model.signed_bytes import device_id, to_sign, unb64

NONCE_CHARACTERS = 32


class SessionNonces:
    """The text that a session must sign with the keys that it publishes. No other session ever has the same one.

    Args:
        mint: Returns a random word of a given length.
    """

    def __init__(self, mint: Mint) -> None:
        self._secret = mint(NONCE_CHARACTERS)

    def of(self, session: Session) -> str:
        """Return the nonce of a session."""
        return sha256(f"{self._secret}/{session.id}".encode()).hexdigest()[:NONCE_CHARACTERS]


def check_device(device: DeviceKeys, proof: str, nonce: str) -> None:
    """Check that a session has the secret key of the device that it publishes.

    Args:
        device: The keys of the device.
        proof: The signature of ``device_proof``.
        nonce: The nonce of the session.

    Raises:
        Refused: The proof is wrong, or the keys are not signed by themselves, or the device has another id.
    """
    try:
        genuine = device_id(device.ed25519) == device.device
        genuine = genuine and _holds(device.ed25519, device.sig, to_sign("device", device))
        proven = _holds(device.ed25519, proof, device_proof(device, nonce))
    except ValueError:  # a key has another spelling, or the label is no text
        raise BAD_KEYS() from None
    if not genuine:
        raise BAD_KEYS()
    if not proven:
        raise BAD_PROOF()


def check_list(listed: DeviceList) -> None:
    """Check that a list of devices is signed by the user key that it names.

    Raises:
        Refused: It is not.
    """
    try:
        genuine = _holds(listed.user_key, listed.sig, to_sign("device-list", listed))
    except ValueError:
        raise BAD_KEYS() from None
    if not genuine:
        raise BAD_KEYS()


def _holds(key: str, signature: str, signed: bytes) -> bool:
    """Return whether a signature over bytes was made with a key; both are base64.

    Raises:
        ValueError: One of them is not.
    """
    try:
        Ed25519PublicKey.from_public_bytes(unb64(key)).verify(unb64(signature), signed)
    except InvalidSignature:
        return False
    return True
