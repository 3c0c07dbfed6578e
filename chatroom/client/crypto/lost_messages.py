"""The messages of each device that could not be opened, for which the device is asked again."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import decode, encode

from chatroom.client.crypto.rows import Rows

TABLE = "olm-lost"
MOST_LOST = 200  # ids of one device
IN_ONE_RESET = 4000  # characters of ids, so that the request fits in an envelope


class LostIds(Struct):
    """What could not be opened of a device.

    Args:
        user_id: The id of the user.
        device: The id of the device.
        ids: The ids of the messages, the oldest first.
    """

    user_id: str
    device: str
    ids: list[str]

    def next_ids(self) -> list[str]:
        """Return as many ids as one reset asks for."""
        room = IN_ONE_RESET
        taken = []
        for id in self.ids:
            room -= len(id) + 3
            if room < 0:
                break
            taken.append(id)
        return taken


class LostMessages:
    """What could not be opened, by device.

    Args:
        rows: Where it is kept.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._lost = {name: decode(rows.get(TABLE, name) or b"", type=LostIds) for name in rows.keys(TABLE)}

    def add(self, peer: str, user_id: str, device: str, id: str) -> None:
        """Note that a message could not be opened. Of a device, only the last ``MOST_LOST`` are remembered."""
        lost = self._lost.setdefault(peer, LostIds(user_id, device, []))
        if id not in lost.ids:
            lost.ids = [*lost.ids, id][-MOST_LOST:]
            self._rows.put(TABLE, peer, encode(lost))

    def remove(self, peer: str, ids: list[str]) -> None:
        """Forget messages: they were opened after all, or asked for."""
        lost = self._lost.get(peer)
        if lost is None or not set(ids) & set(lost.ids):
            return
        lost.ids = [id for id in lost.ids if id not in set(ids)]
        if lost.ids:
            self._rows.put(TABLE, peer, encode(lost))
        else:
            del self._lost[peer]
            self._rows.delete(TABLE, peer)

    def of(self, peer: str) -> LostIds | None:
        """Return what could not be opened of a device; None if there is nothing."""
        return self._lost.get(peer)

    def all(self) -> dict[str, LostIds]:
        """Return everything that could not be opened."""
        return dict(self._lost)
