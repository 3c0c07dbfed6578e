"""Shared encrypted files whose offers have not come yet. They are shown when the offer says what the file is."""

from __future__ import annotations

from collections import OrderedDict

from chatroom.model import events as e

MOST = 200  # files


class ParkedFiles:
    """The events of such files, by the file's id and its sender's id."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[str, str], e.Shared] = OrderedDict()

    def park(self, event: e.Shared) -> None:
        """Keep an event; the oldest is dropped if there are too many, and ``/files`` still lists its file."""
        self._files[event.file, event.by_id] = event
        if len(self._files) > MOST:
            self._files.popitem(last=False)

    def take(self, file: str, by_id: str) -> list[e.Shared]:
        """Remove and return the event of a file, if it waits."""
        event = self._files.pop((file, by_id), None)
        return [event] if event is not None else []
