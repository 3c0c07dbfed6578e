"""The recovery key: 128 random bits that people write down, which unlock the user key that the server keeps sealed.

It is shown as six groups of five letters and digits: 26 for the key, and four that show whether it was mistyped. The
letters I, L, O and U are not used; I and L are read as 1, and O as 0.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.pickles import Random
from chatroom.model.signed_bytes import b64, to_sign, unb64

KEY_BYTES = 16
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECK_BITS = 22  # with the 128 bits of the key, 30 letters of five bits
_LENGTH = 30
_READ_AS = str.maketrans("ILO", "110", "- \t\r\n")
_FORMAT = b"\1"  # of what is sealed
_NONCE = 12


def new_recovery_key(random: Random) -> str:
    """Return a new recovery key as it is shown to the user."""
    return spell(random(KEY_BYTES))


def spell(raw: bytes) -> str:
    """Return the 16 bytes of a recovery key as people write it: ``9G2KD-...``, six groups of five."""
    number = int.from_bytes(raw, "big") << _CHECK_BITS | _check_of(raw)
    letters = "".join(_LETTERS[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
    return "-".join(letters[start : start + 5] for start in range(0, _LENGTH, 5))


def read(text: str) -> bytes:
    """Return the bytes of a recovery key that somebody typed.

    Args:
        text: The key; case, blanks and hyphens do not matter.

    Raises:
        CryptoRefusal: It is mistyped.
    """
    letters = text.upper().translate(_READ_AS)
    if len(letters) != _LENGTH or any(letter not in _LETTERS for letter in letters):
        raise CryptoRefusal("mistyped", "a recovery key has six groups of five letters and digits")
    number = 0
    for letter in letters:
        number = number << 5 | _LETTERS.index(letter)
    raw = (number >> _CHECK_BITS).to_bytes(KEY_BYTES, "big")
    if number & (1 << _CHECK_BITS) - 1 != _check_of(raw):
        raise CryptoRefusal("mistyped", "the recovery key is mistyped; compare each letter")
    return raw


def seal_seed(seed: bytes, recovery_key: str, server: str, user_id: str, random: Random) -> str:
    """Return the secret of a user key, sealed by the recovery key for one user of one server, in base64.

    Raises:
        CryptoRefusal: The recovery key is mistyped.
    """
    nonce = random(_NONCE)
    sealed = _cipher(recovery_key).encrypt(nonce, seed, _bound_to(server, user_id))
    return b64(_FORMAT + nonce + sealed)


def unseal_seed(sealed: str, recovery_key: str, server: str, user_id: str) -> bytes:
    """Return the secret of a user key that ``seal_seed`` has sealed.

    Raises:
        CryptoRefusal: The recovery key is mistyped or another one, or the sealed text was changed or is newer.
    """
    cipher = _cipher(recovery_key)
    try:
        raw = unb64(sealed)
    except ValueError:
        raw = b""
    if raw and raw[:1] != _FORMAT:
        raise CryptoRefusal("newer-version", "the backup is of a newer version of chatroom-client; update yours")
    try:
        return cipher.decrypt(raw[1 : 1 + _NONCE], raw[1 + _NONCE :], _bound_to(server, user_id))
    except (InvalidTag, ValueError):
        raise CryptoRefusal("wrong-recovery-key", "this recovery key does not open the backup of your keys") from None


def _check_of(raw: bytes) -> int:
    """Return the check bits of a key."""
    return int.from_bytes(sha256(b"chatroom/recovery-check/1\0" + raw).digest(), "big") >> 256 - _CHECK_BITS


def _cipher(recovery_key: str) -> ChaCha20Poly1305:
    """Return the cipher of a recovery key. Its 128 random bits need no slow hash."""
    return ChaCha20Poly1305(sha256(b"chatroom/recovery-cipher/1\0" + read(recovery_key)).digest())


def _bound_to(server: str, user_id: str) -> bytes:
    """Return what the sealed text is bound to, so that the server cannot give it to another user."""
    return to_sign("recovery", {"server": server, "user_id": user_id})
