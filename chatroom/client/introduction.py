"""How the client introduces itself on each connection: the guest's name that it wants, its secret and its device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom import __version__
from chatroom.model.device import NO_DEVICE, Device
from chatroom.model.events import PROTOCOL_VERSION


class Introduction:
    """Knows the fields of ``hello``.

    Args:
        name: The name to take as a guest.
        secret: The guest's secret, by which the server recognises the guest; empty if the server has not given one yet.
        keep_name: Called with the guest's name to ask for at the next start, when it may have changed; empty for none.
        device: The device that we run on, and what tells this program apart from others there.

    Attributes:
        wanted: The guest's name to ask for on each connection; empty to let the server make one.
        secret: Proves on the next connection that we are the same guest; the server then ends our former session.
    """

    def __init__(self, name: str, secret: str, keep_name: Callable[[str], None], device: Device = NO_DEVICE) -> None:
        self.wanted = name
        self.secret = secret
        self._keep_name = keep_name
        self._device = device

    def hello(self, name: str) -> dict[str, Any]:
        """Return the fields of a ``hello`` that asks for a name; if the name is empty, the server makes one."""
        fields: dict[str, Any] = {"version": PROTOCOL_VERSION, "client": f"chatroom-client {__version__}"}
        if name:
            fields["name"] = name
        if self.secret:
            fields["resume"] = self.secret
        if self._device.name:
            fields |= {"device": self._device.name, "tab": self._device.tab}
        return fields

    def want(self, name: str) -> None:
        """Ask for this guest's name on each later connection, and at the next start; for no name if it is empty."""
        self.wanted = name
        self._keep_name(name)
