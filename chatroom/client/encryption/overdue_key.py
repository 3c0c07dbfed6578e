"""A new user key that another device of ours is to send: the alarm is told only if it does not come within a while.

A device that has removed another one changes our list first, and sends the new key then. Until the key has come,
nothing is sent, so the alarm may wait.
"""

from __future__ import annotations

from typing import Any

from chatroom.client.encryption.port import Port
from chatroom.client.status import SecurityNotice

WITHIN = 10_000  # ms


class OverdueKey:
    """Waits for a user key.

    Args:
        port: Tells notices, and has the time.
    """

    def __init__(self, port: Port) -> None:
        self._port = port
        self._key = ""
        self._until = 0
        self._timer: Any = None

    def expect(self, key: str, alarm: str) -> None:
        """Wait for a key, also on later connections; the alarm is told if it does not come, once.

        Args:
            key: The public user key of our list.
            alarm: What the user is told.
        """
        if key != self._key:
            self.stop()
            self._key, self._until = key, self._port.now() + WITHIN
        if self._until and self._timer is None:
            self._timer = self._port.after(max(0, self._until - self._port.now()) / 1000, lambda: self._tell(alarm))

    def _tell(self, alarm: str) -> None:
        self._timer, self._until = None, 0
        self._port.tell(SecurityNotice(text=alarm, alarm=True))

    def came(self) -> None:
        """Wait no more: the key has come, or our list has the one that we have."""
        self.stop()
        self._key, self._until = "", 0

    def stop(self) -> None:
        """Stop the clock; the connection has gone. ``expect`` starts it again on the next one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
