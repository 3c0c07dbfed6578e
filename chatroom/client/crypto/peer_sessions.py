"""The Olm sessions with each device, in rows: at most four, the one that worked last first.

A store that was not closed may be a copy of one that is in use, and that has sealed more in the sessions since. So
nothing is sealed in sessions that are older than the opening of such a store; they open what comes, as before.
"""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct
from msgspec.json import decode, encode
from vodozemac import Session

from chatroom.client.crypto.pickles import Random, pickled, unpickled
from chatroom.client.crypto.rows import Rows
from chatroom.model.device_keys import DeviceKeys

SESSIONS = "olm-sessions"
PEERS = "olm-peers"
STARTED = "olm-started"
MOST_SESSIONS = 4  # with a device
MOST_STARTED = 256  # ids of sessions that a device has started, so that none is started twice
CACHED = 1000  # devices in memory


class RemoteState(Struct):
    """What is remembered of a device beside the sessions themselves.

    Args:
        sessions: The ids of the sessions, in the order in which they are tried.
        unanswered: For each session, how many messages were sealed since the device last used it.
        sent: How many messages for the device were kept, ever.
        reset_at: When a reset was last sent, in milliseconds.
        made: For each session, the generation of the store in which it was made.
    """

    sessions: list[str] = []  # msgspec copies an empty list for each object
    unanswered: dict[str, int] = {}
    sent: int = 0
    reset_at: int | None = None
    made: dict[str, int] = {}


class RemoteDevice:
    """A device and our sessions with it.

    Args:
        name: What rows call the device.
        state: What is remembered.
        sessions: The sessions, in the order in which they are tried.
        doubt: Nothing is sealed in sessions of earlier generations of the store.
    """

    def __init__(self, name: str, state: RemoteState, sessions: list[Session], doubt: int) -> None:
        self.name = name
        self.state = state
        self.sessions = sessions
        self._doubt = doubt

    @property
    def sealing(self) -> Session | None:
        """The session to seal in; None if a new one has to be made."""
        made = self.state.made
        return next((each for each in self.sessions if made.get(each.session_id, 0) >= self._doubt), None)

    @property
    def unanswered(self) -> int:
        """How many messages were sealed in that session since the device last used it."""
        session = self.sealing
        return 0 if session is None else self.state.unanswered.get(session.session_id, 0)


def peer_name(device: DeviceKeys) -> str:
    """Return what rows call a device: its user and whole keys, because its id is short."""
    return f"{device.user_id} {device.ed25519} {device.curve25519}"


class PeerSessions:
    """The sessions with all devices.

    Args:
        rows: Where they are kept.
        random: Returns random bytes.
        generation: How often the store was opened, this time included.
        doubt: The generation in which it was last opened without having been closed.
    """

    def __init__(self, rows: Rows, random: Random, generation: int = 0, doubt: int = 0) -> None:
        self._rows = rows
        self._random = random
        self._generation = generation
        self._doubt = doubt
        self._cache: OrderedDict[str, RemoteDevice] = OrderedDict()

    def of(self, name: str) -> RemoteDevice:
        """Return a device with our sessions."""
        peer = self._cache.get(name)
        if peer is None:
            value = self._rows.get(PEERS, name)
            state = RemoteState() if value is None else decode(value, type=RemoteState)
            sessions = [self._read(name, id) for id in state.sessions]
            peer = self._cache[name] = RemoteDevice(name, state, sessions, self._doubt)
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        self._cache.move_to_end(name)
        return peer

    def names(self) -> list[str]:
        """Return the names of all devices of others whose sessions are stored."""
        return self._rows.keys(PEERS)

    def use(self, peer: RemoteDevice, session: Session) -> None:
        """Make a session, also a new one, the first of a device; the fifth is dropped. The state is to be kept then."""
        id = session.session_id
        if not peer.sessions or peer.sessions[0] is not session:
            others = [other for other in peer.sessions if other.session_id != id]
            peer.sessions = [session, *others][:MOST_SESSIONS]
            peer.state.made.setdefault(id, self._generation if id not in peer.state.sessions else 0)
            for dropped in others[MOST_SESSIONS - 1 :]:
                self._rows.delete(SESSIONS, f"{peer.name} {dropped.session_id}")
                peer.state.unanswered.pop(dropped.session_id, None)
                peer.state.made.pop(dropped.session_id, None)
            peer.state.sessions = [other.session_id for other in peer.sessions]

    def keep(self, peer: RemoteDevice, session: Session | None = None) -> None:
        """Keep the state of a device, and one of its sessions as it is now."""
        if session is not None:
            self._rows.put(SESSIONS, f"{peer.name} {session.session_id}", pickled(session, self._random))
        self._rows.put(PEERS, peer.name, encode(peer.state))

    def was_started(self, peer: RemoteDevice, id: str) -> bool:
        """Return whether a device has started a session with this id before."""
        return id in self._started(peer)

    def note_started(self, peer: RemoteDevice, id: str) -> None:
        """Remember that a device has started a session."""
        self._rows.put(STARTED, peer.name, encode([*self._started(peer), id][-MOST_STARTED:]))

    def _started(self, peer: RemoteDevice) -> list[str]:
        """Return the ids of the sessions that a device has started."""
        value = self._rows.get(STARTED, peer.name)
        return [] if value is None else decode(value, type=list[str])

    def _read(self, name: str, id: str) -> Session:
        """Return a session from its row."""
        value = self._rows.get(SESSIONS, f"{name} {id}")
        return unpickled(Session, value or b"")
