"""What a ``Client`` knows of the server, its user and its rooms."""

from __future__ import annotations

from collections.abc import Mapping

from chatroom.client.inbox_state import PeerState
from chatroom.client.room_state import RoomState
from chatroom.client.state import ClientState
from chatroom.client.unread_count import Place
from chatroom.model.events import Event


class ClientFacts:
    """The part of a ``Client`` that says what is known.

    Args:
        state: Follows the server's events.
    """

    def __init__(self, state: ClientState) -> None:
        self.state = state

    @property
    def online(self) -> bool:
        """Whether the server has let us in, so that commands may be given."""
        return self.state.online

    @property
    def name(self) -> str:
        """Our name; empty until the server has told it."""
        return self.state.name

    @property
    def guest(self) -> bool:
        """Whether we are not logged in to an account."""
        return self.state.guest

    @property
    def rooms(self) -> Mapping[str, RoomState]:
        """What we know of each room that we are in, by folded name (``fold`` in ``chatroom.model.names``), in the order
        of joining."""
        return self.state.joined.rooms

    @property
    def first_rooms(self) -> list[str]:
        """The names of the rooms that are still to be joined first, in this order."""
        return self.state.joined.first

    @property
    def place(self) -> RoomState:
        """What we know of the room in focus; outside every room, its name is empty."""
        return self.state.joined.here

    @property
    def room(self) -> str:
        """The name of the room in focus, for which commands are that name no room; empty if no room has the focus."""
        return self.state.joined.here.room

    @property
    def users(self) -> list[str]:
        """The names of the members of the room in focus, ours included."""
        return self.state.joined.here.users

    @property
    def peers(self) -> Mapping[str, PeerState]:
        """The people with whom we have exchanged private messages, by folded name, the latest last, with what is unread
        of each."""
        return self.state.inbox.peers

    @property
    def inside(self) -> bool:
        """Whether a line of text can be said: a room has the focus, or is about to be joined as one of the first."""
        return self.state.inside

    @property
    def server(self) -> str:
        """The name that the server gives itself."""
        return self.state.server

    @property
    def unread(self) -> int:
        """How many private messages have come since this was last set to 0."""
        return self.state.unread

    @unread.setter
    def unread(self, number: int) -> None:
        self.state.unread = number

    def focus(self, room: str) -> None:
        """Give the focus to a room that we are in or are about to join; to none, if the name is empty.

        A room that we join gets the focus, too. If the room in focus is left, no room has the focus.

        Raises:
            KeyError: We are not in that room.
        """
        self.state.joined.focus(room)

    def replayed(self, event: Event) -> bool:
        """Return whether an event is from a room's history before we first joined, and so is no news."""
        return self.state.joined.replayed(event)

    def _place(self, room: str, user: str) -> Place:
        """Return a person, or else a room, the one in focus if its name is empty."""
        return ("user", user) if user else ("room", room or self.room)
