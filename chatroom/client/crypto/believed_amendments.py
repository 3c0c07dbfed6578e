"""Whether an edit, a reaction or a deletion that was sealed, or came in plain text, may change a message."""

from __future__ import annotations

from dataclasses import dataclass

from chatroom.client.crypto.errors import CryptoRefusal

AUTHORS_ONLY = frozenset({"edit", "delete"})
KINDS = AUTHORS_ONLY | {"react"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a message, or a change of one, stands, and how sure its author is.

    Args:
        author: The author's user id.
        place: The room's id, or what ``conversation_of`` returns.
        sealed: It was encrypted end to end.
        authenticated: The author is proven; False for what only a file of room keys says.
    """

    author: str
    place: str
    sealed: bool
    authenticated: bool


def conversation_of(own: str, author: str, to: str) -> str:
    """Return the place of a private message: a name for the conversation with the other person.

    Args:
        own: Our user id.
        author: The author's user id, as Olm has proved.
        to: To whom the sealed text says that it goes; the author's own devices get a copy.

    Raises:
        CryptoRefusal: The message is neither from us nor to us.
    """
    if own not in (author, to):
        raise CryptoRefusal("misdirected", "a private message belongs to a conversation of two other people")
    return f"user {to if author == own else author}"


def check_amendment(kind: str, change: Standing, message: Standing | None) -> None:
    """Do nothing if a change of a message may be believed.

    Args:
        kind: ``edit``, ``react`` or ``delete``.
        change: The change.
        message: The message that it names; None if no such message is known.

    Raises:
        CryptoRefusal: It must be ignored, and the user told.
    """
    if kind not in KINDS:
        raise CryptoRefusal("unknown-kind", "a message is to be changed in a way that is not known")
    if message is None or message.place != change.place:  # one code for both, or a guess at an id would be answered
        raise CryptoRefusal("unknown-message", f"{_A[kind]} names a message that is not known here")
    if kind in AUTHORS_ONLY and change.author != message.author:
        raise CryptoRefusal("not-author", f"{_A[kind]} is not from the author of the message")
    if message.sealed and not change.sealed:
        raise CryptoRefusal("plain-over-sealed", f"{_A[kind]} of an encrypted message came without encryption")
    if message.authenticated and not change.authenticated:
        raise CryptoRefusal("unproven", f"the author of {_A[kind]} is not proven")


_A = {"edit": "an edit", "react": "a reaction", "delete": "a deletion"}
