"""What devices are called. The label of another device is somebody else's text until it was made harmless here."""

from __future__ import annotations

import platform

from chatroom.client.errors import Rejected
from chatroom.model.text import clean, is_blank, shortened

LONGEST = 64  # characters
NAMELESS = "(no name)"


def default_label() -> str:
    """Return what this device is called until its user gives it a name. All contacts see it, so it tells little."""
    return f"chatroom-client on {platform.system() or 'a computer'}"


def checked_label(text: str) -> str:
    """Return a name that the user gives this device.

    Raises:
        Rejected: It is empty, too long, or has characters that cannot be seen.
    """
    label = text.strip()
    if is_blank(label):
        raise Rejected("usage", "give the device a name: /devices rename laptop.")
    if len(label) > LONGEST:
        raise Rejected("too-long", f"the name of a device has at most {LONGEST} characters.")
    if not label.isprintable() or clean(label) != label:
        raise Rejected("not-printable", "the name of a device has only characters that can be seen, and blanks.")
    return label


def shown_label(label: str) -> str:
    """Return the label of a device, from whomever, as one line that is safe to show. Never raises."""
    visible = "".join(character for character in clean(label) if character.isprintable())
    return NAMELESS if is_blank(visible) else shortened(visible.strip(), LONGEST)
