"""The operators' console over SSH: logins, limits and timeouts. The audit log records everything.

Operators log in with public keys only. The log calls an operator by the user name of the login. Because only the key
is checked, its fingerprint is logged with the name.
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

GRACE = 30.0  # seconds for the login
IDLE = 1800.0  # seconds without a key press, after which a console is closed
CONSOLES = 4  # at a time
STRANGERS = 8  # connections without a login at a time
ATTEMPTS = 6  # keys that one connection may try
FAREWELL = 2.0  # seconds that the other side has to close the connection before it is aborted
LONGEST_NAME = 32

_log = logger(__name__)


class Manhole:
    """The port of the operators' console, and its open sessions.

    Args:
        reactor: Listens and gives the time.
        listening: The bound socket.
        key: The host key.
        keys: The operators' keys.
        operations: Given the name of an operator, returns what the operator can do.
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
        """Begin to listen."""
        self._port = self._reactor.adoptStreamPort(self._listening.fileno(), self._listening.family, self._factory)
        self._listening.close()  # the reactor has its own descriptor
        where = self._port.getHost()
        _log.info(
            "manhole listening on {host} port {port}, host key {key}",
            host=where.host,
            port=where.port,
            key=fingerprint(self._key),
        )

    async def close(self) -> None:
        """Stop listening and close all consoles. Returns when they are closed."""
        if self._port is not None:
            await self._port.stopListening()
        await self._factory.close()


class ManholeFactory(SSHFactory):
    """Makes the SSH connections of operators, and keeps track of those that are open.

    Attributes:
        reactor: Gives the time.
        keys: The operators' keys.
        operations: Given the name of an operator, returns what the operator can do.
        connections: The open connections.
        strangers: The audit log of connections that have not logged in.
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
        """Return the number of operators who are logged in."""
        return sum(connection.name != "" for connection in self.connections)

    def buildProtocol(self, addr: Any) -> Any:
        """Return the protocol of a new connection; None, to refuse it, if too many have not logged in yet."""
        if len(self.connections) - self.consoles() >= STRANGERS:
            return None
        return super().buildProtocol(addr)

    def left(self, connection: OperatorConnection) -> None:
        """Forget a connection that has ended."""
        self.connections.discard(connection)
        if self._gone is not None and not self.connections:
            gone, self._gone = self._gone, None
            gone.callback(None)

    async def close(self) -> None:
        """Disconnect everybody. Returns when all connections have ended."""
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
    """An SSH connection. It is ended if the login takes too long, or if nothing is typed for too long.

    Attributes:
        name: The name of the operator; empty before the login.
    """

    ourVersionString = b"SSH-2.0-chatroom"
    supportedCiphers = [b"aes256-ctr", b"aes192-ctr", b"aes128-ctr"]  # noqa: RUF012
    supportedMACs = [b"hmac-sha2-512", b"hmac-sha2-256"]  # noqa: RUF012
    supportedCompressions = [b"none"]  # noqa: RUF012  # zlib could expand a few bytes to very many
    factory: Any
    transport: Any
    _log = silent

    def connectionMade(self) -> None:
        """Begin the SSH protocol, and start the timeout for the login."""
        self.name = ""
        self.factory.connections.add(self)
        self.peer = self.transport.getPeer().host
        self.transport.setTcpKeepAlive(True)
        self._patience = self.factory.reactor.callLater(GRACE, self._end, "no login within 30 seconds")
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        """Handle data; an error ends the connection.

        Before the login an error means that the data was not SSH, so it is not logged as an error of the daemon.
        """
        try:
            super().dataReceived(data)
        except Exception:
            if self.name:
                _log.failure("the console of {name} has failed", failure=Failure(), name=self.name)
            else:
                self.audit("sent data that is not SSH")
            self.transport.abortConnection()

    def connectionLost(self, reason: Any = None) -> None:
        """Forget the connection, which has ended."""
        if self._patience.active():
            self._patience.cancel()
        if self.name:
            self.audit("has left the console")
        super().connectionLost(reason)
        self.factory.left(self)

    def logged_in(self, name: str) -> None:
        """Note who the operator is. From now on, silence ends the connection.

        Args:
            name: The name of the operator.
        """
        self.name = name
        self._patience.cancel()
        self._patience = self.factory.reactor.callLater(IDLE, self._end, "nothing was typed for 30 minutes")

    def heard(self) -> None:
        """Start the timeout for silence again, because something was typed."""
        if self._patience.active():
            self._patience.reset(IDLE)

    def audit(self, words: str) -> None:
        """Write to the audit log; before the login by way of ``MembersAudit``, which limits how much is written."""
        if self.name:
            audit(f"manhole: {self.name} from {self.peer}", words)
        else:
            self.factory.strangers.write(f"manhole: somebody from {self.peer}", words, address=self.peer)

    def _end(self, why: str) -> None:
        """End the connection, and tell the other side why."""
        if self.name == "":
            self.audit(f"did not log in: {why}")
        self.sendDisconnect(DISCONNECT_BY_APPLICATION, why.encode())
        # If the other side does not close the connection in time, abort the connection.
        self._patience = self.factory.reactor.callLater(FAREWELL, self.transport.abortConnection)


class _Login(SSHUserAuthServer):
    """The login by a public key. Each attempt is written to the audit log."""

    _log = silent
    attemptsBeforeDisconnect = ATTEMPTS - 1
    loginTimeout = int(GRACE)
    transport: Any

    def serviceStarted(self) -> None:
        """Begin to wait for a login, with a timeout that uses the reactor of the factory."""
        self.clock = self.transport.factory.reactor
        super().serviceStarted()

    def auth_publickey(self, packet: bytes) -> Any:
        """Refuse an unknown key before the other side is asked to sign with it."""
        if not self.transport.factory.keys.holds(getNS(packet[1:], 2)[1]):
            return fail(UnauthorizedLogin("not one of ours"))
        return super().auth_publickey(packet)

    def tryAuth(self, kind: bytes, user: bytes, data: bytes) -> Any:
        """Try to log in, and write the outcome to the audit log."""
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
    """The SSH service after the login: one console at a time and nothing else."""

    _log = silent


class _Operator(ConchUser):
    """An operator who has logged in."""

    conn: Any = None

    def lookupChannel(self, channelType: bytes, windowSize: int, maxPacket: int, data: bytes) -> Any:
        """Return a channel for a console.

        Raises:
            ConchError: The channel is of another kind, or the connection has a console already.
        """
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
        """Return the avatar of an operator, for ``IRealm``."""
        return IConchUser, _Operator(), lambda: None


def operator_name(user: bytes) -> str:
    """Return the name by which the log calls an operator with this user name."""
    name = clean(user[: 4 * LONGEST_NAME].decode("utf-8", "replace")).strip()[:LONGEST_NAME]
    return name or "operator"


def _offered(data: bytes) -> str:
    """Return the fingerprint of the key in a login request."""
    try:
        return fingerprint(Key.fromString(getNS(data[1:], 2)[1]))
    except Exception:  # anybody may send anything here
        return "(unreadable)"


def manhole(
    reactor: Any, listening: socket.socket, folder: Path | None, keys: str, operations: Callable[[str], Operating]
) -> Manhole:
    """Return the console; its method ``open`` starts it.

    Args:
        reactor: Listens and gives the time.
        listening: The bound socket.
        folder: The folder that keeps the host key. If None, each start makes a new key.
        keys: The file with the operators' keys.
        operations: Given the name of an operator, returns what the operator can do.

    Raises:
        BadKeys: The host key or the file with the operators' keys cannot be used. The text of the error says why and
            what to do.
    """
    authorized = AuthorizedKeys(Path(keys))
    if not authorized.read():
        _log.warn("there is no key in {path}: nobody can log in to the manhole", path=keys)
    return Manhole(reactor, listening, host_key(folder), authorized, operations)
