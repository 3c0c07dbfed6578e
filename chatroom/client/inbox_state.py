"""The user's inbox: which private messages were already shown, who wrote last, and what is unread of each person."""

from __future__ import annotations

from collections import OrderedDict

from chatroom.client.opened import Opened
from chatroom.client.unread_count import UnreadCount
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.names import fold
from chatroom.model.unread import MOST_COUNTED

MOST_PRIVATE = 2000  # events of the inbox that are remembered as shown
MOST_PEERS = 500  # people whose unread messages are counted


class PeerState:
    """What is known of the private conversation with one person.

    Attributes:
        user: The person's name.
        user_id: The person's id; empty if it is not known.
        count: Counts the person's messages that we have not read.
        sealed: How many of the person's sealed messages we have not read; these have no seq.
        seq: The seq of the last message of either side; 0 if it is not known.
    """

    def __init__(self, user: str, user_id: str = "") -> None:
        self.user = user
        self.user_id = user_id
        self.count = UnreadCount()
        self.sealed = 0
        self.seq = 0

    @property
    def unread(self) -> int:
        """How many messages of the person we have not read, at most 1000."""
        return min(MOST_COUNTED, self.count.unread + self.sealed)

    @property
    def read(self) -> int:
        """The seq of our read mark; 0 if there is none."""
        return self.count.read


class InboxState:
    """Follows our inbox.

    Attributes:
        writer: The id of the author of the last private message; empty if there was none.
        peers: The people with whom we have exchanged private messages, by folded name, the latest last.
    """

    def __init__(self) -> None:
        self.writer = ""
        self.peers: OrderedDict[str, PeerState] = OrderedDict()
        self._shown: OrderedDict[tuple[str, str], None] = OrderedDict()

    def fresh(self, event: e.Mail) -> bool:
        """Return whether an event of the inbox was not shown before; from now on it counts as shown."""
        # Author and id identify an event. Its seq does not: mail that waited for a guest's name has the seq of
        # another log.
        key = event.by_id, event.id
        fresh = key not in self._shown
        self._shown[key] = None
        if len(self._shown) > MOST_PRIVATE:
            self._shown.popitem(last=False)
        return fresh

    def received(self, event: e.Private | e.Shared) -> bool:
        """Note a private message, or a file, which counts as one if it is for us alone.

        Returns:
            Whether it is a message to us, and not one that we have sent from elsewhere.
        """
        if isinstance(event, e.Shared):
            if event.to and event.seq:  # what we give to others has no seq in our inbox
                self._came(event)
            return False
        if isinstance(event, a.OwnPrivate):
            peer = self.peer(event.to, event.to_id)
            peer.seq = max(peer.seq, event.seq)
            return False
        self.writer = event.by_id
        self._came(event)
        return True

    def _came(self, event: e.Private | e.Shared) -> None:
        """Count what somebody has sent us as unread, as the server does."""
        peer = self.peer(event.by, event.by_id)
        peer.seq = max(peer.seq, event.seq)
        if isinstance(event, Opened):
            peer.sealed += 1
        else:
            peer.count.add(event.seq, mention=False)

    def listed(self, answer: a.Conversations) -> None:
        """Follow the server's list of our conversations, which counts what is unread in each."""
        for line in reversed(answer.conversations):
            peer = self.peer(line.user, line.user_id)
            peer.seq = max(peer.seq, line.seq)
            peer.count.resume(line.read, line.unread, 0, line.seq)

    def resume_sealed(self, user: str, user_id: str, number: int) -> None:
        """Go on counting the unread sealed messages of a person, of which an earlier run has counted so many."""
        self.peer(user, user_id).sealed = number

    def mark(self, user: str, seq: int) -> bool:
        """Move our read mark of a person. Returns False if it is there already; True for somebody who is not known."""
        peer = self.peers.get(fold(user))
        if peer is None:
            return True
        peer.sealed = 0
        return peer.count.mark(seq)

    def peer(self, user: str, user_id: str = "") -> PeerState:
        """Return what is known of a person; a person with that id who has another name now is found, too.

        Args:
            user: The person's name.
            user_id: The person's id; empty if it is not known.
        """
        key = fold(user)
        peer = self.peers.pop(key, None)
        if peer is None or (user_id and peer.user_id not in ("", user_id)):
            peer = self._renamed(user_id) or PeerState(user, user_id)
        peer.user, peer.user_id = user, user_id or peer.user_id
        self.peers[key] = peer
        if len(self.peers) > MOST_PEERS:
            self.peers.popitem(last=False)
        return peer

    def _renamed(self, user_id: str) -> PeerState | None:
        """Remove and return the person with an id, who was known under another name; None if there is nobody."""
        old = next((key for key, peer in self.peers.items() if user_id and peer.user_id == user_id), None)
        return None if old is None else self.peers.pop(old)

    def forget(self) -> None:
        """Forget whose messages are unread: we have another inbox now."""
        self.peers.clear()
