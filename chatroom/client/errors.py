"""The client's errors: why a command failed or why there is no connection, and what the user can do about it."""

from __future__ import annotations

from socket import gaierror
from typing import Any

from twisted.internet import error
from twisted.python.failure import Failure

from chatroom.model.text import clean

TLS_RECORDS = range(0x14, 0x18)  # the first byte of a TLS record
SHOWN = 100  # characters to show of what came instead of TLS


class Rejected(Exception):
    """A command was refused, or could not be given or answered (``offline``, ``lost``).

    Args:
        code: The reason for programs.
        text: The reason for people.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Failed(Exception):
    """A connection could not be made, or has ended.

    Args:
        why: The reason, a sentence without its full stop.
        hopeless: Whether trying again would not help before the user has decided something.
    """

    def __init__(self, why: str, *, hopeless: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.hopeless = hopeless


def why_not_connected(failure: Failure, server: str) -> Failed:
    """Return a ``Failed`` that says for the user why a connection could not be made.

    Args:
        failure: Twisted's error.
        server: Host and port.
    """
    value: Any = failure.value
    if isinstance(value, Failed):
        return value
    if isinstance(value, error.ConnectionRefusedError):
        return Failed(f"{server} refused the connection; is the server running, and is the port right?")
    host = server.rpartition(":")[0].strip("[]")
    if "%" in host and isinstance(value, gaierror):
        return Failed(f"there is no network interface {host.partition('%')[2]} here, as in {server}; see: ip link")
    if isinstance(value, error.DNSLookupError | gaierror):
        return Failed(f"there is no host named {host}; check the spelling")
    if host.startswith("fe80:") and "%" not in host:
        return Failed(f"{host} is valid on one network interface only; name it, as in {host}%eth0")
    if isinstance(value, error.TimeoutError | error.TCPTimedOutError):
        return Failed(f"{server} did not answer in time")
    if isinstance(value, error.NoRouteError):
        return Failed(f"{server} cannot be reached from here; is the network up?")
    return Failed(f"could not connect to {server}: {_words(value)}")


def why_no_tls(failure: Failure, server: str, beginning: bytes) -> Failed:
    """Return why the TLS handshake failed. The text never advises plain text, for an attacker may want just that.

    Args:
        failure: Twisted's error.
        server: Host and port.
        beginning: The first bytes that the server sent.
    """
    value: Any = failure.value
    if isinstance(value, Failed):
        return value
    if beginning and beginning[0] not in TLS_RECORDS:
        said = clean(beginning.partition(b"\n")[0].decode("utf-8", "replace").strip())[:SHOWN]
        return Failed(
            f"{server} answered, but not with TLS, so nothing was sent to it; is the port right? It sent: {said}"
        )
    if _is_of_openssl(value):
        return Failed(f"{server} and this client could not agree on TLS{_detail(value)}; tell its operator")
    if isinstance(value, error.ConnectionClosed):
        closed = f"{server} closed the connection before anything was sent"
        return Failed(f"{closed}; it may be full or restarting, so try again later")
    return why_not_connected(failure, server)


def why_lost(failure: Failure, server: str) -> Failed:
    """Return a ``Failed`` that says for the user why a connection has ended. See ``why_not_connected``."""
    value: Any = failure.value
    if isinstance(value, Failed):
        return value
    if isinstance(value, error.ConnectionDone):
        return Failed(f"{server} closed the connection")
    if _is_of_openssl(value):
        return Failed(f"the encrypted connection to {server} failed{_detail(value)}")
    return Failed(f"the connection to {server} was lost")


def _is_of_openssl(value: object) -> bool:
    return type(value).__module__.startswith("OpenSSL")


def _detail(value: Any) -> str:
    """Return the part of an OpenSSL error that explains it: the last item of the last of its triples."""
    try:
        return f" ({value.args[0][-1][-1]})"
    except (IndexError, TypeError, AttributeError):
        return ""


def _words(value: BaseException) -> str:
    return " ".join(str(value).split()).rstrip(".") or type(value).__name__
