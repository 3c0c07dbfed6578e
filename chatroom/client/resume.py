"""What is done on each new connection: say who we are, end our ghost, log in, go back to the room, hear what we missed.

What waits is sent only after that: what was said before the cut and is in the log after all is seen in what was missed,
and not said again. What is not seen there, such as a private message, the server stores once for each author and id;
and by our secret we are the author that we were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, TimeoutError

from chatroom import __version__
from chatroom.client.errors import Refused
from chatroom.client.status import Denied, Gap
from chatroom.model.events import PROTOCOL_VERSION, Event

if TYPE_CHECKING:
    from chatroom.client.client import Link

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


async def restore(link: Link) -> None:
    """Take back what we had, or take what we came for.

    Raises:
        Refused: The server does not let us in, or the connection has gone.
    """
    again = bool(link.name)
    await _hello(link)
    if link.credentials.login is not None:
        await _log_in(link, again=again)
    link.welcomed(again=again)
    await _enter(link)
    await link.ask("pong")  # its answer comes after all that was missed
    link.ready()


async def _hello(link: Link) -> None:
    """Say hello; under a name of the server's making, if ours is refused."""
    name = link.wanted if link.credentials.login is None else ""
    try:
        await _welcome(link, name)
    except Refused as refused:
        if not name or refused.code not in OF_THE_NAME:
            raise
        await _welcome(link, "")
        link.notify(Denied("name", name, refused.code, refused.text))


async def _welcome(link: Link, name: str) -> None:
    fields = {"version": PROTOCOL_VERSION, "client": f"chatroom-client {__version__}"}
    if name:
        fields["name"] = name
    if link.secret:
        fields["resume"] = link.secret
    answer: Deferred[Event] = link.ask("hello", **fields)
    try:
        await answer.addTimeout(WELCOME_WITHIN, link.clock)
    except TimeoutError:
        raise Refused("silent", "the server does not answer as a chatroom server does.") from None


async def _log_in(link: Link, *, again: bool) -> None:
    """Log in by the token, and by the password if the token is known no more."""
    credentials, login = link.credentials, link.credentials.login
    assert login is not None
    try:
        if login.token:
            try:
                await link.ask("login", **login.by_token())
                credentials.login = login
                return
            except Refused as refused:
                if refused.code != "wrong-token" or not login.password:
                    raise
        await link.ask("login", **login.by_password())
        credentials.login = replace(login, token=credentials.login.token if credentials.login is not None else "")
    except Refused as refused:
        # Who comes back and is logged in already meets the ghost that is about to go.
        if refused.code in TEMPORARY or (again and refused.code == "already-logged-in"):
            raise
        if refused.code in OF_THE_LOGIN:
            credentials.forget()
        credentials.login = None  # what is remembered of it may be worth something another time
        link.notify(Denied("login", login.user, refused.code, refused.text))
        link.leave_unsaid(Refused("not-logged-in", f"you are not logged in as {login.user}, so this was not sent."))


async def _catch_up(link: Link) -> None:
    """Fetch what was missed and is too much to be told by itself; a history that cannot be read keeps nobody out."""
    place = link.place
    if place.missed is None:
        return
    try:
        complete = await link.catching_up.fetch(place.room, place.missed)
    except Refused:
        if not link.online:
            link.catching_up.forget()
            raise
        complete = False
    if not complete:
        link.notify(Gap(place.room))
    link.catching_up.tell()


async def _enter(link: Link) -> None:
    """Go back to the room, or for the first time to the first one."""
    place = link.place
    room = place.room or link.first_room
    if not room:
        return
    try:
        if place.room:
            await link.ask("join", room=room, after=place.seen)
            await _catch_up(link)
        else:
            await link.ask("join", room=room, messages=link.history)
        link.first_room = ""
    except Refused as refused:
        if refused.code in TEMPORARY:
            raise
        place.leave()
        link.first_room = ""
        link.notify(Denied("room", room, refused.code, refused.text))
