"""What is inside an envelope: a message with the names and keys of both devices.

The server labels each envelope with a sender and an id. Neither is believed unless the text inside says the same. That
also refuses a message which was sealed for somebody else who claims our keys as theirs.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import DecodeError, Meta, Struct, field
from msgspec.json import decode

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.identity import Identity
from chatroom.client.crypto.padding import padded
from chatroom.model.device_keys import DeviceKeys
from chatroom.model.signed_bytes import canonical

INNER_VERSION = 1
MOST_BYTES = 36 * 160  # of the padded text; sealed and in base64, it fits in the body of an envelope

Word = Annotated[str, Meta(max_length=64)]


class Inner(Struct, frozen=True, kw_only=True):
    """An opened message between two devices.

    Args:
        v: The version of the format.
        server: The id of the server.
        type: The kind of message, such as ``msg``.
        id: The id of the message, the same as outside.
        ts: The sender's time in milliseconds.
        sender: User id and device id of the sender.
        sender_key: The Ed25519 key of the sender's device.
        to: User id and device id of the recipient.
        to_key: The Ed25519 key of the recipient's device.
        body: What the message says, depending on its type.
    """

    v: int = INNER_VERSION
    server: Word
    type: Word
    id: Word
    ts: int
    sender: tuple[str, str] = field(name="from")
    sender_key: str = field(name="from_ed")
    to: tuple[str, str]
    to_key: str = field(name="to_ed")
    body: dict[str, Any]

    def __repr__(self) -> str:
        return f"<Inner {self.type} {self.id}>"  # never the body


class _Versioned(Struct):
    """As much of a message as each version has."""

    v: int


def written(identity: Identity, to: DeviceKeys, type: str, id: str, ts: int, body: dict[str, Any]) -> bytes:
    """Return the text to seal for a device.

    Args:
        identity: Our own keys.
        to: The device of the recipient.
        type: The kind of message.
        id: The id of the message.
        ts: The time in milliseconds.
        body: What the message says.

    Raises:
        CryptoRefusal: The message is too long, or holds something that has no canonical text.
    """
    inner = Inner(
        server=identity.server,
        type=type,
        id=id,
        ts=ts,
        sender=(identity.user_id, identity.device),
        sender_key=identity.ed25519,
        to=(to.user_id, to.device),
        to_key=to.ed25519,
        body=body,
    )
    try:
        plain = padded(canonical(inner))
    except ValueError:
        raise CryptoRefusal(
            "unwritable", "the message cannot be encrypted: it holds characters that are none"
        ) from None
    if len(plain) > MOST_BYTES:
        raise CryptoRefusal("too-long", "the message is too long to be encrypted; send it in parts")
    return plain


def read(plain: bytes, identity: Identity, sender: DeviceKeys, id: str) -> Inner:
    """Return the message of an opened text.

    Args:
        plain: The text.
        identity: Our own keys.
        sender: The device whose keys opened the message.
        id: The id outside.

    Raises:
        CryptoRefusal: The message is of a newer version (``newer-version``), or it is not readable, or not from this
            device, to us, on this server and under this id (``forged``).
    """
    try:
        version = decode(plain, type=_Versioned).v
        if version != INNER_VERSION:
            raise CryptoRefusal("newer-version", "a message is of a newer version of chatroom-client; update yours")
        inner = decode(plain, type=Inner)
    except DecodeError:
        raise CryptoRefusal("forged", "an encrypted message is not readable") from None
    said = (inner.server, inner.sender, inner.sender_key, inner.to, inner.to_key, inner.id)
    sent = (
        identity.server,
        (sender.user_id, sender.device),
        sender.ed25519,
        (identity.user_id, identity.device),
        identity.ed25519,
        id,
    )
    if said != sent:
        raise CryptoRefusal("forged", "an encrypted message was moved: it is not from there, or not to this device")
    return inner
