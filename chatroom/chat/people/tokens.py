"""Login tokens: secrets by which a program logs in again without the password. The account keeps their hashes."""

from __future__ import annotations

import hashlib
import hmac

from msgspec.structs import replace

from chatroom.chat.limits import TOKEN_DAYS, TOKENS
from chatroom.model.account import AccountRecord, Token

_DAY = 24 * 3600 * 1000  # milliseconds


def remembered(account: AccountRecord, secret: str, client: str, now: int) -> AccountRecord:
    """Return the account with a new token, without tokens that are too old; of too many, the last used are kept.

    Args:
        account: The account.
        secret: The secret that the program stores.
        client: The program's name for itself.
        now: Milliseconds since 1970.
    """
    kept = sorted(_lasting(account, now), key=lambda token: token.used)[-(TOKENS - 1) :]
    tokens = (*kept, Token(digest(secret), client, now, now))
    return replace(account, tokens=tuple(sorted(tokens, key=lambda token: token.made)))


def used(account: AccountRecord, id: str, now: int) -> AccountRecord:
    """Return the account with its token of that id marked as used at ``now``, in milliseconds since 1970."""
    return replace(account, tokens=tuple(replace(t, used=now) if t.id == id else t for t in account.tokens))


def without(account: AccountRecord, id: str) -> AccountRecord:
    """Return the account without its token of that id."""
    return replace(account, tokens=tuple(token for token in account.tokens if token.id != id))


def has(account: AccountRecord, id: str) -> bool:
    """Return whether the account has a token with that id."""
    return any(token.id == id for token in account.tokens)


def find(account: AccountRecord, secret: str, now: int) -> Token | None:
    """Return the account's token with that secret; None if there is none or it was unused for ``TOKEN_DAYS``."""
    wanted = digest(secret)
    return next((token for token in _lasting(account, now) if hmac.compare_digest(token.id, wanted)), None)


def digest(secret: str) -> str:
    """Return the hash of a secret, which is its token's id. A fast hash is enough: the secret is long and random."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _lasting(account: AccountRecord, now: int) -> list[Token]:
    """Return the account's tokens that were used within the last ``TOKEN_DAYS`` days."""
    return [token for token in account.tokens if token.used > now - TOKEN_DAYS * _DAY]
