"""The device that a program runs on, as the program names it in ``hello``.

An account may have several devices. Two sessions of one account with the same device and the same tab are the same
program on an old and a new connection; other tabs of a device are further programs there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

DeviceWord = Annotated[str, Meta(pattern=r"^[a-z0-9-]{0,32}\Z")]


@dataclass(frozen=True, slots=True)
class Device:
    """A device and one of its tabs.

    Args:
        name: The name of the device, unique among the devices of the account; empty if the program named none.
        tab: The name of the tab, unique among the tabs of the device; may be empty.
    """

    name: str = ""
    tab: str = ""


NO_DEVICE = Device()
