"""Commands and events on the client's current connection.

``EventHandler`` acts on the events. Commands wait in ``PendingQueue`` until ``resume`` has restored login and room on
the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from chatroom.client import resume
from chatroom.client.acks import Acks
from chatroom.client.backfill import Backfill
from chatroom.client.connection import Piece, Ref, ServerConnection
from chatroom.client.encryption.words import ONLY_SEALED
from chatroom.client.errors import Failed, Rejected
from chatroom.client.event_handler import EventHandler
from chatroom.client.file_carrier import Carrier, NoCarrier
from chatroom.client.hints import ReadMarks, TypingNotices
from chatroom.client.keepalive import ServerKeepalive
from chatroom.client.pending import PendingCommand, PendingQueue, understood
from chatroom.client.room_commands import MAY_BE_PRIVATE, is_about_sealed
from chatroom.client.sealing import NoSealing, Sealing
from chatroom.client.state import CHANGING_USER, KEPT, ClientState
from chatroom.client.status import ConversationsListed, Notice
from chatroom.model.events import Event

OFFLINE = "there is no connection to the server at the moment; try again later."


class Conversation:
    """Gives commands to the server, and takes its events.

    Args:
        clock: Tells the time and makes delayed calls.
        state: Decides what follows from each event.
        outgoing: Keeps the commands that are not answered.
        tell: Called with each event and notice to show.
        steady: Called when login and room are restored on a new connection.

    Attributes:
        carrier: Sends and fetches files.
        sealing: Seals what is sent, and opens what comes.
        handler: Acts on each event.
        marks: Sends read marks.
        typing: Tells that the user is typing.
        backfill: Fetches missed events that the server does not send unasked.
    """

    def __init__(
        self,
        clock: Any,
        state: ClientState,
        outgoing: PendingQueue,
        tell: Callable[[Event | Notice], None],
        steady: Callable[[], None],
    ) -> None:
        self.state = state
        self.clock = clock
        self.carrier: Carrier = NoCarrier()
        self.sealing: Sealing = NoSealing()
        self._outgoing = outgoing
        self._steady = steady
        self._connection: ServerConnection | None = None
        self.backfill = Backfill(self.ask, outgoing, self._open)
        self._keepalive = ServerKeepalive(clock, self._ping, self.drop)
        self._acks = Acks(clock, self.write)
        self.handler = EventHandler(self, outgoing, self._acks, self._keepalive, tell)
        self.marks = ReadMarks(clock, self.hint, state.mark)
        self.typing = TypingNotices(clock, self.hint)

    @property
    def security(self) -> str:
        """How the connection is protected, as ``TLS 1.3`` or ``plain``; empty without a connection."""
        return "" if self._connection is None else self._connection.security

    @property
    def address(self) -> str:
        """The address of the server; empty without a connection."""
        return "" if self._connection is None else self._connection.address

    @property
    def lag(self) -> float | None:
        """Seconds that the server's last answer took; None if not known."""
        return self._keepalive.lag

    # ---- the connection --------------------------------------------------------------------------------------------

    def open(self, connection: ServerConnection, lost: Callable[[Failed], None]) -> None:
        """Use a new connection, and restore login and room on it.

        Args:
            connection: The connection.
            lost: Called with the reason when the connection ends.
        """
        self._connection = connection
        self.state.connected()
        self._keepalive.start()
        if self._keepalive.paused:
            self.pause()
        connection.listen(self._received, lost)
        if self._connection is connection:
            Deferred.fromCoroutine(resume.restore(self)).addErrback(_not_restored, connection)

    def lost(self) -> None:
        """Note that the connection has gone; keep the messages that wait, and fail the other commands."""
        self._gone()
        self._outgoing.lost()

    def end(self, refused: Rejected) -> None:
        """Fail everything that waits: there will be no connection any more."""
        self._gone()
        self._outgoing.give_up(refused)
        self.carrier.end(refused)

    def _gone(self) -> None:
        """Stop what needs the connection, which has ended."""
        if self.state.ready:
            self.carrier.lost()
        self._connection = None
        self.state.disconnected()
        self._keepalive.stop()
        self._acks.reset()
        self.marks.stop()
        self.sealing.lost()

    def quit(self) -> bool:
        """Ask the server to end the connection. Returns whether there is a connection."""
        self._acks.flush()
        self.marks.flush()
        self.write({"do": "quit"})
        return self._connection is not None

    def drop(self, why: str, *, hopeless: bool = False) -> None:
        """End the connection.

        Args:
            why: The reason, a sentence without its full stop.
            hopeless: Whether to make no other connection.
        """
        if self._connection is not None:
            self._connection.abort(Failed(why, hopeless=hopeless))

    def pause(self) -> None:
        """Stop reading from the server."""
        self._keepalive.paused = True
        if self._connection is not None:
            self._connection.read(False)

    def unpause(self) -> None:
        """Read from the server again."""
        self._keepalive.paused = False
        self._keepalive.beat()
        if self._connection is not None:
            self._connection.read(True)

    # ---- for ``resume`` --------------------------------------------------------------------------------------------

    def ask(self, do: str, *, quiet: bool = False, aside: bool = False, **fields: Any) -> Deferred[Event]:
        """Send a command at once, ahead of those that wait, or fail it without a connection. Returns as ``give`` does.

        Args:
            do: The command's name.
            quiet: Whether the answer is only for the caller, and not told.
            aside: Whether the answer is handled at once, even if earlier events are still to be opened.
            fields: The other fields of its record.
        """
        if self._connection is None:
            return fail(Rejected("lost", OFFLINE))
        command = self._outgoing.add(do, fields, first=True, quiet=quiet)
        command.aside = aside
        self._note_sent(command)
        self.transmit(command)
        return command.answer

    def question(self, do: str, fields: dict[str, Any]) -> Deferred[Event]:
        """Give a command whose answer is only for the caller, behind those that wait to be sealed; see ``ask``."""
        command = self._outgoing.add(do, fields, first=True, quiet=True)
        self._send(command)
        return command.answer

    def fail_pending(self, why: Rejected) -> None:
        """Fail every command that waits, and every file transfer."""
        self._outgoing.give_up(why)
        self.carrier.drop(why)

    def welcomed(self, *, again: bool) -> None:
        """Note that the server has let us in, and tell ``Connected``; commands given from now on wait for ``ready``.

        Args:
            again: Whether we were on the server before.
        """
        self.handler.tell(self.state.welcomed(self.security, again=again))

    def notify(self, notice: Notice) -> None:
        """Show a notice (``chatroom.client.status``) to the user or the program of this client."""
        self.handler.tell(notice)

    def ready(self) -> None:
        """Note that login and room are restored, and send the commands that wait and the unacknowledged messages."""
        self.state.caught_up()
        self._steady()
        self._send_what_waits()
        self.marks.flush()
        self._list_conversations()
        self.carrier.ready()

    # ---- commands --------------------------------------------------------------------------------------------------

    def give(self, do: str, fields: dict[str, Any], *, early: bool = False) -> Deferred[Event]:
        """Give a command; see ``Client.do``. ``early``: it is sent before the commands that wait."""
        if do not in KEPT and not self.state.online:
            return fail(Rejected("offline", OFFLINE))
        rooms = self.state.joined
        target = self._outgoing.target(rooms.target)
        fields = self.state.complete(do, fields, target)
        if rooms.lacks_room(do, fields) and do in MAY_BE_PRIVATE:
            fields["private"] = True
        elif rooms.lacks_room(do, fields):
            return fail(Rejected("which-room", "no room is in front; go to one with /window <room>."))
        if self.state.ready and rooms.misses(do, fields, target):
            return fail(_not_in(fields["room"]))
        try:
            command = self._outgoing.add(do, fields, early=early)
        except Rejected as refused:
            return fail(refused)
        if self.state.ready:
            self._send(command)
        return command.answer

    def waits(self, id: str) -> bool:
        """Return whether the message with this id is not acknowledged."""
        return self._outgoing.has(id)

    def waiting(self, ref: Ref | None) -> PendingCommand | None:
        """Return the command with this ref, if it is not answered."""
        return self._outgoing.find(ref)

    def hint(self, do: str, **fields: Any) -> Deferred[Any] | None:
        """Send a command whose answer is not told, unless the server does not know it.

        Returns:
            A Deferred of the answer; None if there is no connection.
        """
        if not self.state.ready:
            return None
        return self.ask(do, quiet=True, **fields) if do in self.state.features else succeed(None)

    def became_another(self) -> None:
        """Publish our keys again and ask for our conversations: we are another user now, with another inbox."""
        self.sealing.arrive().addErrback(lambda failure: None)  # it has told the user why
        self._list_conversations()

    def _list_conversations(self) -> None:
        """Ask for our private conversations, to learn what is unread in each, if we may be in several rooms.

        Such a client shows them side by side. The others count what comes, which needs no list.
        """
        if self.state.joined.several and "read" in self.state.features:
            listed = self.ask("conversations", quiet=True)
            listed.addCallbacks(lambda answer: self.handler.tell(ConversationsListed()), lambda failure: None)

    def write(self, record: dict[str, Any], data: bytes = b"") -> None:
        """Send a record that has no answer, and raw bytes after it; without a connection, drop both."""
        if self._connection is not None:
            self._connection.send(record, data)

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function when the network accepts more data; never, if the connection ends first."""
        if self._connection is not None:
            self._connection.when_free(call)

    def _send(self, command: PendingCommand) -> None:
        """Send a command; if it is to be sealed, or must wait for such commands before it, it is sent later."""
        if self._connection is not None:
            self._note_sent(command)
            if not self.sealing.send(command):
                self.transmit(command)

    def _note_sent(self, command: PendingCommand) -> None:
        """Note that a command is on its way."""
        if command.do in CHANGING_USER:
            self._acks.hold()
            self.marks.flush()
        command.sent = self.clock.seconds()

    def transmit(self, command: PendingCommand) -> None:
        """Write the record of a command to the connection; without a connection, do nothing.

        What is done to a private message fails here, for it was not sealed: the server would do it to the last message
        of a room.
        """
        if is_about_sealed(command.do, command.record):
            self.handler.refuse(command, Rejected("not-encrypted", ONLY_SEALED))
            return
        if self._connection is not None:
            self._connection.send(self.carrier.for_server(understood(command.record, self.state.features)))

    def _send_what_waits(self) -> None:
        """Send the commands that wait, in order; fail those that an old server would take for another room."""
        rooms = self.state.joined
        target = rooms.target
        for command in self._outgoing.unsent():
            if rooms.misses(command.do, command.record, target):
                self._outgoing.answered(command.record["ref"])
                command.answer.errback(_not_in(command.record["room"]))
                continue
            if command.moves:
                target = "" if command.do == "leave" else command.room
            self._send(command)

    def _ping(self) -> None:
        """Ask the server for an answer; only show it that we are alive if reading is paused or we are not ready."""
        if self._keepalive.paused or not self.state.ready:
            self.write({"do": "pong"})
        else:
            self.ask("pong").addErrback(lambda failure: None)

    # ---- events ----------------------------------------------------------------------------------------------------

    def _received(self, event: Event | Piece, re: Ref | None) -> None:
        """Give an event from the connection to ``Backfill``, which passes it to ``_open`` now or later."""
        self._keepalive.beat()
        self.backfill.receive(event, re)

    def _open(self, event: Event | Piece, re: Ref | None) -> None:
        """Have an event opened if it is sealed, or held back while earlier ones are opened; otherwise handle it now."""
        if self._outgoing.is_aside(re) or not self.sealing.receive(event, re):
            self.handler.handle(event, re)


def _not_in(room: str) -> Rejected:
    """Return the refusal of a command about a room that we are not in."""
    return Rejected("not-in-that-room", f"you are not in room {room}; join it with /join {room}.")


def _not_restored(failure: Any, connection: ServerConnection) -> None:
    """End a connection on which login and room could not be restored."""
    if failure.check(Rejected):
        connection.abort(Failed(failure.value.text.rstrip("."), hopeless=failure.value.code in resume.HOPELESS))
    else:
        connection.abort(Failed(f"the client has an error: {failure.getErrorMessage()}", hopeless=True))
