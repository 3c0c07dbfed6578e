"""How many messages of others a user has not read, in a room or from one person, and how many of them mention the user.

The rule is the server's (``chatroom.model.unread``). The server counts the messages when we join, and the client goes
on counting. A message that mentions the user counts as one mention, whatever edits do to it.
"""

from __future__ import annotations

from typing import Literal

from chatroom.model.unread import MOST_COUNTED

Place = tuple[Literal["room", "user"], str]
"""A room or a person, as ``("room", "lobby")`` or ``("user", "bob")``."""


class UnreadCount:
    """Counts the unread messages of one room or of one person.

    The messages that the server counted may not all have been told to this client, so only their number is known.

    Attributes:
        read: The seq of the read mark; 0 if there is none.
    """

    def __init__(self) -> None:
        self.read = 0
        self._told: dict[int, bool] = {}  # the unread messages that were told: whether each mentions the user
        self._untold = 0  # unread messages that the server counted and that were not told to us
        self._untold_mentions = 0
        self._counted = 0  # the seq up to which the server has counted
        self._newest = 0  # the seq of the newest counted message that was told: those that were not told are older

    @property
    def unread(self) -> int:
        """The number of unread messages, at most ``MOST_COUNTED``."""
        return min(MOST_COUNTED, len(self._told) + self._untold)

    @property
    def mentions(self) -> int:
        """The number of unread messages that mention the user, at most ``MOST_COUNTED``."""
        return min(MOST_COUNTED, sum(self._told.values()) + self._untold_mentions)

    # ---- what the server says --------------------------------------------------------------------------------------

    def begin(self, read: int, unread: int, mentions: int, last: int) -> None:
        """Start from the server's count.

        Args:
            read: The seq of the read mark; 0 if there is none.
            unread: The number of unread messages.
            mentions: The number of those that mention the user.
            last: The seq of the last message that the server has counted.
        """
        self._told.clear()
        self.read, self._counted, self._newest = read, last, 0
        self._untold, self._untold_mentions = unread, mentions

    def resume(self, read: int, unread: int, mentions: int, last: int) -> None:
        """Go on after a reconnection; see ``begin``. Our own mark may be ahead of the server's, and then holds."""
        if read >= self.read:
            self._move(read)
            self._counted, self._newest = last, 0
            self._leave_untold(unread, mentions)

    def marked(self, read: int, unread: int, mentions: int) -> None:
        """Follow the read mark that another session of the user has set; see ``begin``."""
        if read <= self.read:
            return
        self._move(read)
        if read < self._counted:
            self._leave_untold(unread, mentions)

    # ---- what happens ----------------------------------------------------------------------------------------------

    def mark(self, read: int) -> bool:
        """Move the read mark forward to a seq. Returns False if it is there or further already."""
        forward = read > self.read
        if forward:
            self._move(read)
        return forward

    def add(self, seq: int, *, mention: bool) -> None:
        """Count a message of another user.

        Args:
            seq: The seq of the message.
            mention: Whether it mentions the user.
        """
        if seq <= self.read:
            return
        if seq <= self._counted:
            self._newest = max(self._newest, seq)
            if not self.read:
                return  # the server has counted it if it counts: without a mark, nothing tells
            self._untold -= min(self._untold, 1)
            self._untold_mentions = max(0, min(self._untold, self._untold_mentions - mention))
        self._told[seq] = mention
        if len(self._told) > MOST_COUNTED:
            self._drop_oldest()

    def edit(self, seq: int, *, mention: bool) -> None:
        """Note whether a message mentions the user now that it was edited."""
        if seq in self._told:
            self._told[seq] = mention

    def delete(self, seq: int, *, own: bool, at: int) -> None:
        """Take a deleted message out of the count.

        Args:
            seq: The seq of the message.
            own: Whether it is the user's own message.
            at: The seq of the deletion; the server has not counted what was deleted before it counted.
        """
        if self._told.pop(seq, None) is None and not own and self.read < seq <= self._counted < at:
            self._untold = max(0, self._untold - 1)
            self._untold_mentions = min(self._untold, self._untold_mentions)

    # ---- details ---------------------------------------------------------------------------------------------------

    def _move(self, read: int) -> None:
        """Set the read mark, and forget the messages up to it."""
        self.read = read
        self._told = {seq: mention for seq, mention in self._told.items() if seq > read}
        if read >= (self._newest or self._counted):
            self._untold = self._untold_mentions = 0

    def _leave_untold(self, unread: int, mentions: int) -> None:
        """Note how many of the unread messages that the server counted were not told to us."""
        self._untold = max(0, unread - len(self._told))
        self._untold_mentions = max(0, min(self._untold, mentions - sum(self._told.values())))

    def _drop_oldest(self) -> None:
        """Remember only the number of the oldest message, because there are too many."""
        seq = next(iter(self._told))
        self._untold_mentions = min(MOST_COUNTED, self._untold_mentions + self._told.pop(seq))
        self._untold = min(MOST_COUNTED, self._untold + 1)
        self._counted = max(self._counted, seq)
