"""Files of room keys: exported on one device, imported on another, sealed by a passphrase.

The file is text of two lines: the format with its version, then base64 of salt, nonce and what is sealed. The version
stands for all parameters, so that a file cannot ask for an endless computation, and is authenticated by the seal.
Nobody vouches for what a file says: an imported session is marked until its owner's own key arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import DecodeError as JSONError
from msgspec import Meta, Struct
from msgspec.json import Decoder, encode

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.padding import padded
from chatroom.client.crypto.pickles import Random
from chatroom.client.crypto.room_messages import LONGEST_ID, LONGEST_KEY, LONGEST_SESSION
from chatroom.model.signed_bytes import b64, unb64

FORMAT = "chatroom-room-keys"
VERSION = "1"
MOST_KEYS = 20_000
LONGEST_FILE = 20_000_000  # characters
SHORTEST_PASSPHRASE = 8  # characters

_SALT = 16  # bytes
_NONCE = 12
_Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]


class ExportedKey(Struct, frozen=True):
    """The key of one session, as a file holds it.

    Args:
        room: The room's id.
        sid: The session.
        owner: The user id and device that seal with it, as the exporting device believes.
        key: The exported key.
        index: The first message that it opens.
    """

    room: _Id
    sid: _Id
    owner: tuple[_Id, _Id]
    key: Annotated[str, Meta(max_length=LONGEST_KEY)]
    index: Annotated[int, Meta(ge=0, lt=LONGEST_SESSION)]

    def __repr__(self) -> str:
        return f"<ExportedKey of {self.room} from {self.index}>"


class _Content(Struct, frozen=True):
    v: Literal[1]
    sessions: Annotated[list[ExportedKey], Meta(max_length=MOST_KEYS)]

    def __repr__(self) -> str:
        return f"<_Content of {len(self.sessions)} keys>"


_contents = Decoder(_Content)


def seal_keys(keys: Iterable[ExportedKey], passphrase: str, random: Random) -> str:
    """Return the text of a file of keys. Call it on a thread: it takes about 0.2 s and 64 MiB.

    Args:
        keys: The keys, at most ``MOST_KEYS``.
        passphrase: Seals the file.
        random: Returns so many random bytes.

    Raises:
        CryptoRefusal: The passphrase is too short, or there are too many keys.
    """
    sessions = list(keys)
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise CryptoRefusal("weak-passphrase", f"the passphrase needs at least {SHORTEST_PASSPHRASE} characters")
    if len(sessions) > MOST_KEYS:
        raise CryptoRefusal("too-many", f"a file takes at most {MOST_KEYS} room keys")
    salt, nonce = random(_SALT), random(_NONCE)
    plain = padded(encode(_Content(1, sessions)))
    head = f"{FORMAT} {VERSION}"
    sealed = ChaCha20Poly1305(_derived(passphrase, salt)).encrypt(nonce, plain, head.encode())
    return f"{head}\n{b64(salt + nonce + sealed)}\n"


def open_keys(text: str, passphrase: str) -> list[ExportedKey]:
    """Return the keys of a file. Call it on a thread: it takes about 0.2 s and 64 MiB.

    Args:
        text: The text of the file.
        passphrase: What the file was sealed with.

    Raises:
        CryptoRefusal: It is no such file, of a newer version, or the passphrase is wrong.
    """
    head, raw = _parts(text)
    salt, nonce, sealed = raw[:_SALT], raw[_SALT : _SALT + _NONCE], raw[_SALT + _NONCE :]
    try:
        plain = ChaCha20Poly1305(_derived(passphrase, salt)).decrypt(nonce, sealed, head.encode())
        return _contents.decode(plain).sessions
    except InvalidTag:
        raise CryptoRefusal("wrong-passphrase", "the passphrase is wrong, or the file is damaged") from None
    except (JSONError, UnicodeDecodeError):
        raise CryptoRefusal("not-keys", "the file of room keys is not written as it must be") from None


def _parts(text: str) -> tuple[str, bytes]:
    """Return the first line of a file and the bytes of the second.

    Raises:
        CryptoRefusal: It is no file of keys, or of a newer version.
    """
    head, _, rest = text.partition("\n")
    name, _, version = head.partition(" ")
    if name != FORMAT or len(text) > LONGEST_FILE:
        raise CryptoRefusal("not-keys", "this is no file of room keys")
    if version != VERSION:
        raise CryptoRefusal("too-new", "the file of room keys was written by a newer version of the program")
    try:
        raw = unb64(rest.strip())
    except ValueError:
        raise CryptoRefusal("not-keys", "the file of room keys is damaged") from None
    if len(raw) < _SALT + _NONCE:
        raise CryptoRefusal("not-keys", "the file of room keys is damaged")
    return head, raw


def _derived(passphrase: str, salt: bytes) -> bytes:
    """Return the key that a passphrase and a salt stand for, by Argon2id with 64 MiB and three passes."""
    secret = passphrase.encode("utf-8", "surrogatepass")
    return hash_secret_raw(secret, salt, time_cost=3, memory_cost=65536, parallelism=1, hash_len=32, type=Type.ID)
