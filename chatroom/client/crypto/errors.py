"""The error of this package, and one that several modules raise."""

from __future__ import annotations


class CryptoRefusal(Exception):
    """Something was not sealed, opened or believed. Neither argument may hold a key or a text of a message.

    Args:
        code: The reason for programs, a word such as ``forged``.
        text: The reason for people, a sentence without its full stop.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def not_linked() -> CryptoRefusal:
    """Return the error for what only a linked device may do."""
    return CryptoRefusal(
        "not-linked",
        "this device is not linked, so it can neither read nor write encrypted messages; /devices says how to link it",
    )
