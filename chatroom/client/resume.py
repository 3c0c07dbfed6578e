"""What is done on each new connection: say who we are, end our ghost, log in, go back to the room, hear what we missed.

What waits is sent only after that: what was said before the cut and is in the log after all is seen in what was missed,
and not said again. What is not seen there, such as a private message, the server stores once for each author and id;
and by our secret we are the author that we were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from twisted.internet.defer import Deferred, TimeoutError

from chatroom.client.backfill import Backfill
from chatroom.client.errors import Rejected
from chatroom.client.state import ClientState
from chatroom.client.status import Denied, Gap, Notice
from chatroom.model.events import Event

WELCOME_WITHIN = 15.0  # seconds

# Refusals that are no decision about us: we come again by and by ...
TEMPORARY = frozenset(
    {"lost", "busy", "chat-full", "draining", "internal", "not-confirmed", "too-many-connections", "too-many-failures"}
)
# ... and those that stay as they are however often we come.
HOPELESS = frozenset({"version", "server-banned"})
# Refusals that another name may not meet.
OF_THE_NAME = frozenset({"bad-name", "name-in-use", "server-banned"})
# Refusals of what we know of the account: it need not be remembered.
OF_THE_LOGIN = frozenset({"wrong-token", "wrong-password"})


class Resumable(Protocol):
    """What of a client takes part in coming back to the server (``Conversation`` documents it)."""

    state: ClientState
    clock: Any
    catching_up: Backfill

    def ask(self, do: str, **fields: Any) -> Deferred[Event]: ...

    def notify(self, notice: Notice) -> None: ...

    def welcomed(self, *, again: bool) -> None: ...

    def ready(self) -> None: ...

    def leave_unsaid(self, why: Rejected) -> None: ...


async def restore(client: Resumable) -> None:
    """Take back what we had, or take what we came for.

    Raises:
        Rejected: The server does not let us in, or the connection has gone.
    """
    again = bool(client.state.name)
    await _hello(client)
    if client.state.credentials.login is not None:
        await _log_in(client, again=again)
    client.welcomed(again=again)
    await _enter(client)
    await client.ask("pong")  # its answer comes after all that was missed
    client.ready()


async def _hello(client: Resumable) -> None:
    """Say hello; under a name of the server's making, if ours is refused."""
    name = client.state.wanted if client.state.credentials.login is None else ""
    try:
        await _welcome(client, name)
    except Rejected as refused:
        if not name or refused.code not in OF_THE_NAME:
            raise
        await _welcome(client, "")
        client.notify(Denied("name", name, refused.code, refused.text))


async def _welcome(client: Resumable, name: str) -> None:
    try:
        await client.ask("hello", **client.state.hello(name)).addTimeout(WELCOME_WITHIN, client.clock)
    except TimeoutError:
        raise Rejected("silent", "the server does not answer as a chatroom server does.") from None


async def _log_in(client: Resumable, *, again: bool) -> None:
    """Log in by the token, and by the password if the token is known no more."""
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
        # Who comes back and is logged in already meets the ghost that is about to go.
        if refused.code in TEMPORARY or (again and refused.code == "already-logged-in"):
            raise
        if refused.code in OF_THE_LOGIN:
            credentials.forget()
        credentials.login = None  # what is remembered of it may be worth something another time
        client.notify(Denied("login", login.user, refused.code, refused.text))
        client.leave_unsaid(Rejected("not-logged-in", f"you are not logged in as {login.user}, so this was not sent."))


async def _catch_up(client: Resumable) -> None:
    """Fetch what was missed and is too much to be told by itself; a history that cannot be read keeps nobody out."""
    place = client.state.place
    if place.missed is None:
        return
    try:
        complete = await client.catching_up.fetch(place.room, place.missed)
    except Rejected:
        if not client.state.online:
            client.catching_up.forget()
            raise
        complete = False
    if not complete:
        client.notify(Gap(place.room))
    client.catching_up.tell()


async def _enter(client: Resumable) -> None:
    """Go back to the room, or for the first time to the first one."""
    state = client.state
    fields = state.join()
    if not fields:
        return
    try:
        await client.ask("join", **fields)
        if "after" in fields:
            await _catch_up(client)
        state.first_room = ""
    except Rejected as refused:
        if refused.code in TEMPORARY:
            raise
        state.place.leave()
        state.first_room = ""
        client.notify(Denied("room", fields["room"], refused.code, refused.text))
