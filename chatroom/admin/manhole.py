"""The operators' console over SSH: who may come, how many, for how long; all of it is in the audit log.

Only public keys open it. The name that somebody logs in with is what the log calls them; the key is what counts, so its
fingerprint is logged with the name.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.conch.avatar import ConchUser
from twisted.conch.checkers import SSHPublicKeyChecker
from twisted.conch.error import IgnoreAuthentication
from twisted.conch.interfaces import IConchUser
from twisted.conch.ssh.common import getNS
from twisted.conch.ssh.connection import SSHConnection
from twisted.conch.ssh.factory import SSHFactory
from twisted.conch.ssh.keys import Key
from twisted.conch.ssh.transport import (
    DISCONNECT_BY_APPLICATION,
    DISCONNECT_TOO_MANY_CONNECTIONS,
    SSHServerTransport,
)
from twisted.conch.ssh.userauth import SSHUserAuthServer
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from zope.interface import implementer

from chatroom.admin.channel import ConsoleChannel, refuse_channel, silent
from chatroom.admin.keys import AuthorizedKeys, fingerprint, host_key
from chatroom.chat.operators.audit import MembersAudit, audit
from chatroom.chat.operators.service import Operating
from chatroom.model.logger import logger
from chatroom.model.text import clean

GRACE = 30.0  # seconds to log in
IDLE = 1800.0  # seconds without a key, then the console is closed
CONSOLES = 4  # at a time
STRANGERS = 8  # connections that have not logged in
ATTEMPTS = 6  # keys that are tried on one connection
FAREWELL = 2.0  # seconds to take what is left to be read at the end
LONGEST_NAME = 32

_log = logger(__name__)


class Manhole:
    """The listening console.

    Args:
        reactor: Listens and tells the time.
        listening: The port, taken.
        key: The host's.
        keys: The operators'.
        operations: Gives what an operator of this name can do.
    """

    def __init__(
        self,
        reactor: Any,
        listening: socket.socket,
        key: Key,
        keys: AuthorizedKeys,
        operations: Callable[[str], Operating],
    ) -> None:
        self._reactor = reactor
        self._listening = listening
        self._key = key
        self._factory = ManholeFactory(reactor, key, keys, operations)
        self._port: Any = None

    def open(self) -> None:
        """Open the port."""
        self._port = self._reactor.adoptStreamPort(self._listening.fileno(), self._listening.family, self._factory)
        self._listening.close()  # the reactor has a descriptor of its own
        where = self._port.getHost()
        _log.info(
            "manhole listening on {host} port {port}, host key {key}",
            host=where.host,
            port=where.port,
            key=fingerprint(self._key),
        )

    async def close(self) -> None:
        """Close the port, and all consoles; return when they are closed."""
        if self._port is not None:
            await self._port.stopListening()
        await self._factory.close()


class ManholeFactory(SSHFactory):
    """Makes the connections and knows those that are open.

    Attributes:
        reactor: Tells the time.
        keys: Who may come.
        operations: As for ``Manhole``.
        connections: Those that are open.
        strangers: Writes down what is tried by those who have not logged in.
    """

    noisy = False
    _log = silent

    def __init__(self, reactor: Any, key: Key, keys: AuthorizedKeys, operations: Callable[[str], Operating]) -> None:
        self.reactor = reactor
        self.keys = keys
        self.operations = operations
        self.connections: set[OperatorConnection] = set()
        self.strangers = MembersAudit(reactor.seconds)
        self.portal = Portal(_Realm(), [SSHPublicKeyChecker(keys)])
        self.protocol = OperatorConnection
        self.services = {b"ssh-userauth": _Login, b"ssh-connection": _Channels}
        self.publicKeys = {key.sshType(): key.public()}
        self.privateKeys = {key.sshType(): key}
        self._gone: Deferred[None] | None = None

    def consoles(self) -> int:
        """Return how many operators are logged in."""
        return sum(connection.name != "" for connection in self.connections)

    def buildProtocol(self, addr: Any) -> Any:
        """Return a connection, or None where too many strangers wait already."""
        if len(self.connections) - self.consoles() >= STRANGERS:
            return None
        return super().buildProtocol(addr)

    def left(self, connection: OperatorConnection) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if self._gone is not None and not self.connections:
            gone, self._gone = self._gone, None
            gone.callback(None)

    async def close(self) -> None:
        """Say goodbye to everybody; return when they are gone."""
        if not self.connections:
            return
        self._gone = gone = Deferred[None]()
        for connection in tuple(self.connections):
            connection.sendDisconnect(DISCONNECT_BY_APPLICATION, b"the server is shutting down")
        patience = self.reactor.callLater(FAREWELL, self._abort)
        await gone
        if patience.active():
            patience.cancel()

    def _abort(self) -> None:
        for connection in tuple(self.connections):
            connection.transport.abortConnection()


class OperatorConnection(SSHServerTransport):
    """One connection by SSH. Whoever has not logged in soon, or has typed nothing for long, is asked to leave.

    Attributes:
        name: The operator's; empty before the login.
    """

    ourVersionString = b"SSH-2.0-chatroom"
    supportedCiphers = [b"aes256-ctr", b"aes192-ctr", b"aes128-ctr"]  # noqa: RUF012
    supportedMACs = [b"hmac-sha2-512", b"hmac-sha2-256"]  # noqa: RUF012
    supportedCompressions = [b"none"]  # noqa: RUF012  # zlib would unpack a little into very much
    factory: Any
    transport: Any
    _log = silent

    def connectionMade(self) -> None:
        """Begin, and wait only so long."""
        self.name = ""
        self.factory.connections.add(self)
        self.peer = self.transport.getPeer().host
        self.transport.setTcpKeepAlive(True)
        self._patience = self.factory.reactor.callLater(GRACE, self._end, "no login within 30 seconds")
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        """Take what comes; what is no SSH ends the connection, and is no error of ours."""
        try:
            super().dataReceived(data)
        except Exception:
            if self.name:
                _log.failure("the console of {name} has failed", failure=Failure(), name=self.name)
            else:
                self.audit("sent what is no SSH")
            self.transport.abortConnection()

    def connectionLost(self, reason: Any = None) -> None:
        """It has ended."""
        if self._patience.active():
            self._patience.cancel()
        if self.name:
            self.audit("has left the console")
        super().connectionLost(reason)
        self.factory.left(self)

    def logged_in(self, name: str) -> None:
        """The operator is known; from now on it is silence that ends the connection."""
        self.name = name
        self._patience.cancel()
        self._patience = self.factory.reactor.callLater(IDLE, self._end, "nothing was typed for 30 minutes")

    def heard(self) -> None:
        """Something was typed."""
        if self._patience.active():
            self._patience.reset(IDLE)

    def audit(self, words: str) -> None:
        """Put into the audit log what this operator does; what a stranger does goes where members' acts are."""
        if self.name:
            audit(f"manhole: {self.name} from {self.peer}", words)
        else:
            self.factory.strangers.write(f"manhole: somebody from {self.peer}", words, address=self.peer)

    def _end(self, why: str) -> None:
        if self.name == "":
            self.audit(f"did not log in: {why}")
        self.sendDisconnect(DISCONNECT_BY_APPLICATION, why.encode())
        # Whoever does not even take the goodbye gets no more of our time.
        self._patience = self.factory.reactor.callLater(FAREWELL, self.transport.abortConnection)


class _Login(SSHUserAuthServer):
    """Lets in who has a key; each attempt is in the audit log."""

    _log = silent
    attemptsBeforeDisconnect = ATTEMPTS - 1
    loginTimeout = int(GRACE)
    transport: Any

    def serviceStarted(self) -> None:
        """Begin."""
        self.clock = self.transport.factory.reactor
        super().serviceStarted()

    def auth_publickey(self, packet: bytes) -> Any:
        """See ``SSHUserAuthServer``; a key that opens nothing is refused before anybody is asked to sign with it."""
        if not self.transport.factory.keys.holds(getNS(packet[1:], 2)[1]):
            return fail(UnauthorizedLogin("not one of ours"))
        return super().auth_publickey(packet)

    def tryAuth(self, kind: bytes, user: bytes, data: bytes) -> Any:
        """See ``SSHUserAuthServer``."""
        name = operator_name(user)
        return (
            super()
            .tryAuth(kind, user, data)
            .addCallbacks(self._accepted, self._refused, callbackArgs=(name, data), errbackArgs=(name, kind, data))
        )

    def _accepted(self, result: Any, name: str, data: bytes) -> Any:
        connection = self.transport
        if connection.factory.consoles() >= CONSOLES:
            connection.audit(f"came as {name}, but {CONSOLES} consoles are open already")
            words = f"{CONSOLES} consoles are open already; close one of them".encode()
            connection.sendDisconnect(DISCONNECT_TOO_MANY_CONNECTIONS, words)
            raise IgnoreAuthentication()
        connection.logged_in(name)
        connection.audit(f"has logged in with the key {_offered(data)}")
        return result

    def _refused(self, failure: Failure, name: str, kind: bytes, data: bytes) -> Failure:
        if kind != b"none" and not failure.check(IgnoreAuthentication):
            what = f"the key {_offered(data)}" if kind == b"publickey" else kind.decode("ascii", "replace")[:32]
            self.transport.audit(f"was refused as {name} with {what}")
        return failure


class _Channels(SSHConnection):
    """The connection after the login: one console at a time, nothing else."""

    _log = silent


class _Operator(ConchUser):
    """Somebody who has logged in."""

    conn: Any = None

    def lookupChannel(self, channelType: bytes, windowSize: int, maxPacket: int, data: bytes) -> Any:
        """Return a console; there is nothing else."""
        connection = self.conn.transport
        if channelType != b"session" or self.conn.channels:
            kind = clean(channelType.decode("ascii", "replace"))[:32]
            connection.audit(f"was refused a channel: {kind}")
            raise refuse_channel("a second session" if channelType == b"session" else kind)
        return ConsoleChannel(
            connection.factory.operations(connection.name),
            lambda source: connection.audit(f"typed: {source}"),
            connection.heard,
            remoteWindow=windowSize,
            remoteMaxPacket=maxPacket,
            data=data,
            avatar=self,
        )


@implementer(IRealm)
class _Realm:
    def requestAvatar(self, avatarId: bytes | tuple[()], mind: object, *interfaces: object) -> Any:
        """See ``IRealm``."""
        return IConchUser, _Operator(), lambda: None


def operator_name(user: bytes) -> str:
    """Return what the log calls somebody who logs in by this name."""
    name = clean(user[: 4 * LONGEST_NAME].decode("utf-8", "replace")).strip()[:LONGEST_NAME]
    return name or "operator"


def _offered(data: bytes) -> str:
    """Return the fingerprint of the key in a request to log in."""
    try:
        return fingerprint(Key.fromString(getNS(data[1:], 2)[1]))
    except Exception:  # whatever a stranger sent
        return "(unreadable)"


def manhole(
    reactor: Any, listening: socket.socket, folder: Path | None, keys: str, operations: Callable[[str], Operating]
) -> Manhole:
    """Return the console, ready to be started.

    Args:
        reactor: Listens and tells the time.
        listening: The port, taken.
        folder: Where the host's key is kept; None: nowhere.
        keys: The file with the operators' keys.
        operations: Gives what an operator of this name can do.

    Raises:
        BadKeys: One of the two files cannot be used; the text says why and what to do.
    """
    authorized = AuthorizedKeys(Path(keys))
    if not authorized.read():
        _log.warn("there is no key in {path}: nobody can log in to the manhole", path=keys)
    return Manhole(reactor, listening, host_key(folder), authorized, operations)
