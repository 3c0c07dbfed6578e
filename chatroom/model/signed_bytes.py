"""How keys and devices are spelled, and exactly which bytes a signature covers."""

from __future__ import annotations

import json
from base64 import b32encode, b64decode, b64encode
from hashlib import sha256
from typing import Any

from msgspec import Struct, to_builtins

_ID_CHARACTERS = 10


def b64(raw: bytes) -> str:
    """Return bytes as standard base64 without padding."""
    return b64encode(raw).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes:
    """Return the bytes of standard base64 without padding.

    Raises:
        ValueError: ``b64`` would not have written this text; each value has only one spelling.
    """
    raw = b64decode(text + "=" * (-len(text) % 4), validate=True)
    if b64(raw) != text:
        raise ValueError("not base64 without padding")
    return raw


def device_id(ed25519: str) -> str:
    """Return the id of the device with this Ed25519 key.

    Raises:
        ValueError: The key is not base64.
    """
    return b32encode(sha256(unb64(ed25519)).digest())[:_ID_CHARACTERS].decode("ascii")


def canonical(value: Any) -> bytes:
    """Return a value as the one JSON text that stands for it: sorted ASCII keys, no blanks, no fractions.

    Args:
        value: A Struct, or dicts, lists, texts, integers, booleans and None.

    Raises:
        ValueError: The value holds something else, or a text that UTF-8 cannot encode.
    """
    plain = to_builtins(value) if isinstance(value, Struct) else value
    _check(plain)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _check(value: Any) -> None:
    """Raise ``ValueError`` unless a value has only one canonical text."""
    if isinstance(value, dict):
        if not all(isinstance(key, str) and key.isascii() for key in value):
            raise ValueError("a key is not ASCII text")
        for item in value.values():
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif value is not None and not isinstance(value, str | int):
        raise ValueError(f"a {type(value).__name__} has no canonical form")


def to_sign(domain: str, value: Any) -> bytes:
    """Return the bytes that a signature covers.

    Args:
        domain: What kind of value is signed, such as ``device``. A signature of one domain is worth nothing in another.
        value: The value; a Struct is signed without its own field ``sig``.

    Raises:
        ValueError: See ``canonical``.
    """
    if isinstance(value, Struct):
        value = {key: item for key, item in to_builtins(value).items() if key != "sig"}
    return b"chatroom/" + domain.encode("ascii") + b"/1\0" + canonical(value)
