"""The refusals of the encryption core, as the client shows refusals."""

from __future__ import annotations

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.errors import Rejected


def sentence(text: str) -> str:
    """Return a text of ``CryptoRefusal`` as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def as_rejected(refused: CryptoRefusal) -> Rejected:
    """Return a refusal as the client shows refusals."""
    return Rejected(refused.code, sentence(refused.text))
