"""The name of this device: made once for each state folder, and kept there for all clients that use the folder."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path

from chatroom.client.paths import changing, write_private
from chatroom.model.device import Device

FILE = "device"
LONGEST = 100  # bytes that are read of the file
_RIGHT = re.compile(r"[a-z0-9-]{1,32}")  # a well-formed name


def word() -> str:
    """Return a new random name for a device or a tab."""
    return secrets.token_hex(8)


def this_client(folder: Path, mint: Callable[[], str] = word) -> Device:
    """Return the device of a state folder, with a new tab for this process.

    Args:
        folder: The client's state folder.
        mint: Makes a new random name: 1 to 32 lower-case letters, digits and ``-``.
    """
    return Device(own_device(folder, mint), mint())


def own_device(folder: Path, mint: Callable[[], str]) -> str:
    """Return the name of this device; make and keep one if there is none, or if the file is damaged.

    Args:
        folder: The client's state folder.
        mint: Makes a new random name: 1 to 32 lower-case letters, digits and ``-``.

    Returns:
        The name; empty if no file can keep one. A name for one run only would make each run another device.
    """
    path = folder / FILE
    try:
        if name := _kept(path):
            return name
        with changing(path):  # another client may start at the same time
            if name := _kept(path):
                return name
            made = mint()
            write_private(path, f"{made}\n")
            return made
    except OSError:
        return ""


def _kept(path: Path) -> str:
    """Return the name in a file; empty if there is no file, or no well-formed name in it.

    Raises:
        OSError: The file is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            name = file.read(LONGEST).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""
    return name if _RIGHT.fullmatch(name) else ""
