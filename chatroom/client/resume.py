"""The steps on each new connection: say hello, end our old session, log in, publish keys, join rooms, fetch events.

Waiting commands are sent only after these steps. A message that the server stored just before the connection was lost
is then among the missed events, and is not sent again. Any other message, such as a private one, is sent again; the
server stores it once for each author and id, and our secret makes us the same author.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from twisted.internet.defer import Deferred, TimeoutError

from chatroom.client.backfill import Backfill
from chatroom.client.errors import Rejected
from chatroom.client.room_state import RoomState
from chatroom.client.sealing import Sealing
from chatroom.client.state import ClientState
from chatroom.client.status import Denied, Gap, Notice
from chatroom.model.errors import IN_USE
from chatroom.model.events import Event

WELCOME_WITHIN = 15.0  # seconds

# Refusals for a time: the client tries again later ...
TEMPORARY = frozenset(
    {"lost", "busy", "chat-full", "draining", "internal", "not-confirmed", "too-many-connections", "too-many-failures"}
)
# ... and refusals that another attempt does not change.
HOPELESS = frozenset({"version", "server-banned"})
# Refusals of the name; without a name, the server may let us in.
OF_THE_NAME = frozenset({"bad-name", "name-in-use", "server-banned"})


class Resumable(Protocol):
    """The part of ``Conversation`` that these steps use; its methods are documented there."""

    state: ClientState
    clock: Any
    backfill: Backfill
    sealing: Sealing

    def ask(self, do: str, **fields: Any) -> Deferred[Event]: ...

    def notify(self, notice: Notice) -> None: ...

    def welcomed(self, *, again: bool) -> None: ...

    def ready(self) -> None: ...

    def fail_pending(self, why: Rejected) -> None: ...


async def restore(client: Resumable) -> None:
    """Restore our session on a new connection, or begin our first session.

    Raises:
        Rejected: The server does not let us in, or the connection has gone.
    """
    again = bool(client.state.name)
    await _hello(client)
    if client.state.credentials.login is not None:
        await _log_in(client, again=again)
    client.welcomed(again=again)
    await client.sealing.arrive()
    for denied in client.state.joined.surplus():
        client.notify(denied)
    for fields in client.state.joined.joins(client.state.history):
        await _enter(client, fields)
    await client.ask("pong")  # the answer comes after all missed events
    client.ready()


async def _hello(client: Resumable) -> None:
    """Say hello; if our name is refused, say hello without a name, so that the server makes one."""
    name = client.state.introduction.wanted if client.state.credentials.login is None else ""
    try:
        await _welcome(client, name)
    except Rejected as refused:
        if not name or refused.code not in OF_THE_NAME:
            raise
        await _welcome(client, "")
        client.notify(Denied("name", name, refused.code, refused.text))


async def _welcome(client: Resumable, name: str) -> None:
    """Send ``hello``, and wait for its answer; raise ``Rejected`` if none comes in time."""
    try:
        await client.ask("hello", **client.state.introduction.hello(name)).addTimeout(WELCOME_WITHIN, client.clock)
    except TimeoutError:
        raise Rejected("silent", "the server does not answer as a chatroom server does.") from None


async def _log_in(client: Resumable, *, again: bool) -> None:
    """Log in by the token, or by the password if the server does not know the token."""
    credentials = client.state.credentials
    login = credentials.login
    assert login is not None
    try:
        if login.token:
            try:
                await client.ask("login", **login.by_token())
                credentials.login = login
                return
            except Rejected as refused:
                if refused.code != "wrong-token" or not login.password:
                    raise
        await client.ask("login", **login.by_password())
        credentials.login = replace(login, token=credentials.login.token if credentials.login is not None else "")
    except Rejected as refused:
        # After a reconnection the account may be in use by our own old session, which is about to end.
        if refused.code in TEMPORARY or (again and refused.code in IN_USE):
            raise
        client.notify(client.state.login_refused(login.user, refused.code, refused.text))
        client.fail_pending(Rejected("not-logged-in", f"you are not logged in as {login.user}, so this was not sent."))


async def _catch_up(client: Resumable, room: RoomState) -> None:
    """Fetch a room's missed events that the server does not send unasked; if it refuses, tell the user of a gap."""
    if room.missed is None:
        return
    name = room.room  # an event may put us out of the room
    try:
        complete = await client.backfill.fetch(name, room.missed)
    except Rejected:
        if not client.state.online:
            client.backfill.forget()
            raise
        complete = False
    if not complete:
        client.sealing.missed(name)
        client.notify(Gap(name))
    client.backfill.tell()


async def _enter(client: Resumable, fields: dict[str, Any]) -> None:
    """Join a room; tell the user if the server refuses for good. The other rooms do not depend on this one.

    Args:
        client: The client.
        fields: The fields of the ``join``; with ``after``, we return to the room.
    """
    try:
        await client.ask("join", **fields)
        room = client.state.joined.find(fields["room"])
        if "after" in fields and room is not None:
            await _catch_up(client, room)
    except Rejected as refused:
        if refused.code in TEMPORARY:
            raise
        client.notify(client.state.join_refused(fields["room"], refused.code, refused.text))
